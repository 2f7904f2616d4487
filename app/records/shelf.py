"""Fetching, creating and changing records; every change is one call that writes version, audit entry and events too."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access.caveats import acknowledgement_required
from app.access.desk import Desk
from app.access.envelope import Envelope, Rendered, render
from app.access.handling import Handling, principals
from app.core import clock
from app.core.ids import draw_reference, uuid7
from app.core.problems import (
    CONFLICT,
    EXTERNAL_ID_TAKEN,
    FORBIDDEN,
    PRECONDITION_FAILED,
    PURGED,
    RETRACTED,
    Flaw,
    Problem,
    not_found,
)
from app.core.shapes import Shape
from app.models.vocabularies import RecordKind, RecordState
from app.records.documents import own_fields, tombstone
from app.records.exclusions import check_exclusion
from app.records.legal_basis import no_legal_basis
from app.records.references import audience_pointers, unknown_reference

_DRAWS = 20
_TRIES = 5
_T = TypeVar("_T")
_FETCH = sql.SQL(
    "SELECT id, reference, external_id, originator, version, audience_version, state, created_at, updated_at, handling,"
    " audience, parties, life, document, shared_document, covered AND NOT lies_open(id) AS covered"
    " FROM records WHERE id = %(id)s AND kind = %(kind)s"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it stands in the database and as this caller sees it."""

    kind: RecordKind
    envelope: Envelope
    """For a reader too, with the whole handling: nothing of it may leave but through `text`."""
    audience_version: int
    state: RecordState
    rendered: Rendered
    own: bool
    """Whether the caller's agency is the originator."""
    audience: Sequence[str] = ()
    """The principals that see the record, with what each rests on; not known of a record just created."""
    parties: Sequence[str] = ()
    """Agencies that the record is about; they see it whatever its handling names."""
    party: bool = False
    """Whether the caller's agency is the originator or one of them."""
    covered: bool = False
    """Whether the caller's agency has yet to acknowledge the caveat: nothing of the content may leave before."""

    @property
    def text(self) -> str:
        """The text that this caller is served; 409 while the caveat is to be acknowledged."""
        require_uncovered(self)
        return self.rendered.document if self.own else self.rendered.shared_document

    @property
    def life(self) -> str | None:
        """How far the record's own course has come; None for kinds that have none."""
        return None if self.envelope.state == RecordState.CURRENT else self.envelope.state

    @property
    def fields(self) -> dict[str, Any]:
        """The kind's own fields, as JSON values."""
        return own_fields(self.rendered.document)

    def numbered(self, external_id: str | None) -> "Stored":
        """The same record with another number of its originator's; kept when it is changed."""
        return replace(self, envelope=self.envelope.model_copy(update={"external_id": external_id}))


@dataclass(frozen=True, slots=True)
class Body:
    """What a kind makes of its content for the shelf: the fields, what filters find, what names find."""

    content: Shape
    facets: Sequence[str]
    names: Sequence[str]
    life: str | None = None
    """How far the record's own course has come, for kinds that have one."""


async def fetch(desk: Desk, kind: RecordKind, record_id: UUID | None) -> Stored:
    """The record if the caller may see it; otherwise 404, whether or not there is one.

    Raises Problem 409 for a reader whose agency has yet to acknowledge the record's caveat.
    """
    stored = await find(desk, kind, record_id)
    require_uncovered(stored)
    return stored


async def find(desk: Desk, kind: RecordKind, record_id: UUID | None) -> Stored:
    """The record if the caller may see it, though it may be covered still; otherwise 404."""
    rows = await desk.rows(_FETCH, id=record_id, kind=kind.value)
    if not rows:
        raise not_found()
    (row,) = rows
    envelope = Envelope(
        id=row.id,
        reference=row.reference,
        external_id=row.external_id,
        originator=row.originator,
        version=row.version,
        state=row.life or RecordState.CURRENT.value,
        created_at=row.created_at,
        updated_at=row.updated_at,
        handling=Handling.model_validate(row.handling),
    )
    return Stored(
        kind,
        envelope,
        row.audience_version,
        RecordState(row.state),
        Rendered(row.document, row.shared_document),
        own=row.originator == desk.caller.agency,
        audience=row.audience,
        parties=row.parties,
        party=desk.caller.agency in (row.originator, *row.parties),
        covered=row.covered,
    )


def require_uncovered(stored: Stored) -> None:
    """409 with the caveat, for a reader whose agency has yet to acknowledge it."""
    if stored.covered:
        caveat = stored.envelope.handling.caveat or ""
        raise acknowledgement_required(stored.kind.value, stored.envelope.id, caveat)


def require_originator(stored: Stored) -> None:
    """403 for a reader who tries what only the originator may."""
    if not stored.own:
        raise Problem(FORBIDDEN, detail="Only the agency that owns this record may do this.")


def require_party(stored: Stored) -> None:
    """403 for a reader who tries what only the originator and the parties may."""
    if not stored.party:
        raise Problem(FORBIDDEN, detail="Only the agency that owns this record, and those it is about, may do this.")


def require_current(stored: Stored) -> None:
    """409 for what is retracted or purged."""
    if stored.state is RecordState.RETRACTED:
        raise Problem(RETRACTED)
    require_unpurged(stored)


def require_unpurged(stored: Stored) -> None:
    """409 for what is purged: of a retracted record the originator still has something to decide on."""
    if stored.state is RecordState.PURGED:
        raise Problem(PURGED)


def next_version(envelope: Envelope, handling: Handling | None = None, life: str | None = None) -> Envelope:
    """The envelope of the version after this one; its moment is later than this one's, whatever the clock says."""
    return envelope.model_copy(
        update={
            "version": envelope.version + 1,
            "updated_at": max(clock.now(), envelope.updated_at + clock.TICK),
            "handling": handling or envelope.handling,
            "state": life or envelope.state,
        }
    )


def draft(
    agency: str, kind: RecordKind, body: Body, handling: Handling, external_id: str | None
) -> tuple[Stored, dict[str, Any]]:
    """A record of an agency with a reference drawn for it, and the arguments by which `create_record` creates it.

    Raises Problem 422 for an audience that excludes the agency itself.
    """
    check_exclusion(handling, agency, "/handling")
    at = clock.now()
    envelope = Envelope(
        id=uuid7(),
        reference=draw_reference(agency, kind.code, at.year),
        external_id=external_id,
        originator=agency,
        version=1,
        state=body.life or RecordState.CURRENT.value,
        created_at=at,
        updated_at=at,
        handling=handling,
    )
    rendered = render(envelope, body.content)
    sent = handling.audience
    audience, excluded = principals(sent, agency)
    arguments = {
        "p_id": envelope.id,
        "p_kind": kind.value,
        "p_reference": envelope.reference,
        "p_external_id": external_id,
        "p_at": at,
        "p_handling": handling.model_dump(mode="json"),
        "p_audience": audience,
        "p_excluded": excluded,
        "p_agencies": [*sent.agencies, *sent.excluded],
        "p_groups": [*sent.groups, *sent.observers_of],
        "p_facets": list(body.facets),
        "p_names": list(body.names),
        "p_document": rendered.document,
        "p_shared_document": rendered.shared_document,
        "p_life": body.life,
    }
    return Stored(kind, envelope, 1, RecordState.CURRENT, rendered, own=True, party=True), arguments


async def create(desk: Desk, kind: RecordKind, body: Body, handling: Handling, external_id: str | None) -> Stored:
    """Create a record of the caller's agency; 409 with the path of the first if its external_id is taken.

    Raises Problem 422 for an audience that names what the caller may not know, or that excludes the caller itself.
    """
    for _ in range(_DRAWS):
        stored, arguments = draft(desk.caller.agency, kind, body, handling, external_id)
        row = await desk.call_one("create_record", **{**arguments, "p_handling": Jsonb(arguments["p_handling"])})
        if row.outcome == "created":
            return stored
        if row.outcome == "unknown-reference":
            unknown = {*row.unknown_agencies, *row.unknown_groups}
            pointers = audience_pointers(handling.audience, unknown, "/handling/audience")
            raise unknown_reference(*pointers, *(["/handling/legal_basis"] if row.unknown_basis else []))
        if row.outcome == "no-legal-basis":
            raise no_legal_basis(row.flaws, handling.audience, "/handling/audience", "/handling/legal_basis")
        if row.outcome == "external-id-taken":
            raise _external_id_taken(kind, row.existing_id)
    message = f"no free reference for {desk.caller.agency} {kind.code} in {_DRAWS} draws"
    raise RuntimeError(message)


def _external_id_taken(kind: RecordKind, existing: UUID) -> Problem:
    path = f"/v1/{kind}/{existing}"
    flaw = Flaw("/external_id", "external-id-taken", f"Your agency's record {path} has this external_id.")
    return Problem(EXTERNAL_ID_TAKEN, errors=[flaw], headers={"Location": path}, extra={"existing": path})


async def change(desk: Desk, stored: Stored, body: Body, changed: Sequence[str]) -> Stored:
    """Put the next version in place, with the number that `stored` has by now.

    412 if somebody else was faster since it was fetched; 409 with the path of the first if its number is taken.
    """
    require_current(stored)

    async def act() -> Stored | None:
        nonlocal stored
        envelope = next_version(stored.envelope, life=body.life)
        made = await _replace(
            desk, stored, envelope, render(envelope, body.content), RecordState.CURRENT, body, changed
        )
        if made is None:
            stored = await _handled_anew(desk, stored)
        return made

    return await settled(act)


async def settled(act: Callable[[], Awaitable[_T | None]]) -> _T:
    """What `act` comes to; None asks for another try, since others changed the record's handling at that moment.

    409 if they keep doing so.
    """
    for _ in range(_TRIES):
        done = await act()
        if done is not None:
            return done
    raise Problem(CONFLICT, detail="The record's handling is being changed by others. Repeat the call.")


async def retract(desk: Desk, stored: Stored) -> Stored:
    """Make a tombstone of the record: from the next request on all that can be read is that it is retracted."""
    require_current(stored)
    envelope = next_version(stored.envelope)
    made = await _replace(desk, stored, envelope, tombstone(envelope), RecordState.RETRACTED, None, ["state"])
    if made is None:
        raise Problem(PRECONDITION_FAILED)
    return made


async def _handled_anew(desk: Desk, stored: Stored) -> Stored:
    """The record at the same version with the handling that it has by now; 412 if the version is another one too."""
    fresh = await fetch(desk, stored.kind, stored.envelope.id)
    if fresh.envelope.version != stored.envelope.version:
        raise Problem(PRECONDITION_FAILED)
    envelope = stored.envelope.model_copy(update={"handling": fresh.envelope.handling})
    return replace(stored, envelope=envelope, audience_version=fresh.audience_version, audience=fresh.audience)


async def _replace(
    desk: Desk,
    stored: Stored,
    envelope: Envelope,
    rendered: Rendered,
    state: RecordState,
    body: Body | None,
    changed: Sequence[str],
) -> Stored | None:
    """The next version in place; None where the handling has changed since. A tombstone says nothing of it."""
    retracted = state is RecordState.RETRACTED
    row = await desk.call_one(
        "change_record",
        p_id=envelope.id,
        p_expected=stored.envelope.version,
        p_expected_audience=None if retracted else stored.audience_version,
        p_external_id=envelope.external_id,
        p_at=envelope.updated_at,
        p_state=state.value,
        p_facets=list(body.facets) if body else [],
        p_names=list(body.names) if body else [],
        p_changed=list(changed),
        p_document=rendered.document,
        p_shared_document=rendered.shared_document,
        p_event="record.retracted" if retracted else "record.updated",
        p_action="record.retract" if retracted else "record.update",
        p_life=body.life if body else None,
    )
    if row.outcome == "external-id-taken":
        raise _external_id_taken(stored.kind, row.existing_id)
    if row.outcome == "moved":
        return None
    if row.outcome != "changed":
        raise Problem(PRECONDITION_FAILED)
    return replace(stored, envelope=envelope, state=state, rendered=rendered)
