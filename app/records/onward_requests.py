"""Onward requests: a reader asks for leave to pass a record on, and the originator opens it, or not.

Nobody but the originator ever widens an audience. A request is between its agency and the originator, like every
contribution; what was asked is compared with the audience by the grant alone, so asking tells nothing of it.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, FORBIDDEN, PRECONDITION_FAILED, Flaw, Problem, invalid, not_found
from app.models.vocabularies import OnwardRequestState
from app.records import disclosing, shelf
from app.records.onward_shapes import OnwardGrantIn, OnwardRefusalIn, OnwardRequest, OnwardRequestIn
from app.records.references import check_agencies
from app.records.shapes import DisclosureIn
from app.records.shelf import Stored

# Whoever asked sees no disclosure, so its id comes to the originator alone.
_PAGE = sql.SQL(
    "SELECT o.*, d.id AS disclosure FROM onward_requests o LEFT JOIN disclosures d ON d.onward_request_id = o.id"
    " WHERE o.record_id = %(record)s AND (%(state)s::text IS NULL OR o.state = %(state)s)"
    " AND (o.created_at, o.id) < (%(at)s, %(last)s) ORDER BY o.created_at DESC, o.id DESC LIMIT %(limit)s"
)
_ONE = sql.SQL(
    "SELECT o.*, d.id AS disclosure FROM onward_requests o LEFT JOIN disclosures d ON d.onward_request_id = o.id"
    " WHERE o.record_id = %(record)s AND o.id = %(id)s"
)


def require_reader(stored: Stored) -> None:
    """403 for the originator, which has nobody to ask."""
    if stored.own:
        raise Problem(FORBIDDEN, detail="The record is your agency's own: disclose it.")


def require_requester(desk: Desk, request: OnwardRequest) -> None:
    """403 for the originator, which answers a request and does not take it back."""
    if request.agency != desk.caller.agency:
        raise Problem(FORBIDDEN, detail="Only the agency that asked may withdraw its request.")


async def ask(desk: Desk, stored: Stored, sent: OnwardRequestIn) -> OnwardRequest:
    """Ask the originator to open the record to agencies; it is told.

    The answer is the same whoever sees the record and whoever is excluded. 422 for the caller's own agency, the
    originator, and agencies that are none; 409 once the record is retracted; 404 if it was lost from sight meanwhile.
    """
    _check_others(stored, desk.caller.agency, sent)
    await check_agencies(desk, sent.agencies, "/agencies")
    shelf.require_current(stored)
    request_id = uuid7()
    row = await desk.call_one(
        "request_onward_sharing",
        p_id=request_id,
        p_record=stored.envelope.id,
        p_agencies=sent.agencies,
        p_reason=sent.reason,
        p_respond_by=sent.respond_by,
    )
    if row[0] != "requested":
        raise not_found()
    return await one(desk, stored, request_id)


def _check_others(stored: Stored, agency: str, sent: OnwardRequestIn) -> None:
    sees_it = {
        agency: ("requester-named", "Take your own agency out: it sees the record."),
        stored.envelope.originator: ("originator-named", "Take the originator out: the record is its own."),
    }
    broken = [
        Flaw(f"/agencies/{number}", *sees_it[named]) for number, named in enumerate(sent.agencies) if named in sees_it
    ]
    if broken:
        raise invalid(*broken)


async def listed(
    desk: Desk, stored: Stored, state: OnwardRequestState | None, after: Place | None, limit: int
) -> Sequence[OnwardRequest]:
    """Requests about a record, newest first: all for its originator, for a reader those of its own agency."""
    at, last = after or NEWEST
    rows = await desk.rows(
        _PAGE, record=stored.envelope.id, state=None if state is None else state.value, at=at, last=last, limit=limit
    )
    return [_request(row) for row in rows]


async def one(desk: Desk, stored: Stored, request_id: UUID | None) -> OnwardRequest:
    """One request about a record; 404 if the caller neither asked it nor owns the record."""
    rows = await desk.rows(_ONE, record=stored.envelope.id, id=request_id)
    if not rows:
        raise not_found()
    return _request(rows[0])


def as_of(request: OnwardRequest, version: int) -> OnwardRequest:
    """The request as it was at one of its two versions: as it was asked, or as it ended."""
    if version == request.version:
        return request
    unanswered = {
        "state": OnwardRequestState.REQUESTED,
        "granted_to": None,
        "decision_note": None,
        "disclosure": None,
        "version": 1,
        "updated_at": request.created_at,
    }
    return request.model_copy(update=unanswered)


async def grant(desk: Desk, stored: Stored, request: OnwardRequest, sent: OnwardGrantIn) -> OnwardRequest:
    """Open the record to the agencies asked for, or some of them, by a disclosure for the request's reason.

    Refused like any disclosure to them, with pointers into the agencies granted. Agencies that see the record already
    are granted too, and nothing more is opened by it.
    """
    agencies = request.agencies if sent.agencies is None else sent.agencies
    strangers = [
        Flaw(f"/agencies/{number}", "not-requested", "Grant what was asked for, or disclose the record yourself.")
        for number, agency in enumerate(agencies)
        if agency not in request.agencies
    ]
    if strangers:
        raise invalid(*strangers)
    _require_open(stored, request)
    opened = DisclosureIn(agencies=agencies, legal_basis=sent.legal_basis, purpose=request.reason)
    made = await disclosing.disclose(desk, stored.kind, stored.envelope.id, opened)
    return await _move(
        desk, stored, request, OnwardRequestState.GRANTED, granted_to=agencies, note=sent.note, disclosure=made.id
    )


async def refuse(desk: Desk, stored: Stored, request: OnwardRequest, sent: OnwardRefusalIn) -> OnwardRequest:
    """Decline the request, and tell who asked why."""
    _require_open(stored, request)
    return await _move(desk, stored, request, OnwardRequestState.REFUSED, note=sent.reason)


async def withdraw(desk: Desk, stored: Stored, request: OnwardRequest) -> OnwardRequest:
    """Take the caller's own request back, and tell the originator."""
    _require_open(stored, request)
    return await _move(desk, stored, request, OnwardRequestState.WITHDRAWN)


def _require_open(stored: Stored, request: OnwardRequest) -> None:
    shelf.require_current(stored)
    if request.state is not OnwardRequestState.REQUESTED:
        raise Problem(CONFLICT, detail=f"The request is {request.state} already.")


async def _move(
    desk: Desk,
    stored: Stored,
    request: OnwardRequest,
    state: OnwardRequestState,
    *,
    granted_to: Sequence[str] | None = None,
    note: str | None = None,
    disclosure: UUID | None = None,
) -> OnwardRequest:
    row = await desk.call_one(
        "move_onward_request",
        p_id=request.id,
        p_record=stored.envelope.id,
        p_expected=request.version,
        p_state=state.value,
        p_granted_to=None if granted_to is None else list(granted_to),
        p_note=note,
        p_disclosure=disclosure,
    )
    if row[0] != "moved":
        raise Problem(PRECONDITION_FAILED)
    return await one(desk, stored, request.id)


def _request(row: Any) -> OnwardRequest:  # noqa: ANN401 - a row of the statements above
    return OnwardRequest(
        id=row.id,
        agency=row.agency,
        agencies=row.agencies,
        reason=row.reason,
        respond_by=row.respond_by,
        state=row.state,
        granted_to=row.granted_to,
        decision_note=row.decision_note,
        disclosure=row.disclosure,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
