"""Disclosures: opening a record to more agencies and groups, on a legal basis or in an emergency."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.access.handling import AGENCIES_MAX, GROUPS_MAX, Audience, Handling, flaws, principals
from app.core import clock
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, PRECONDITION_FAILED, Flaw, Problem, invalid, not_found
from app.core.shapes import distinct
from app.models.vocabularies import RecordKind
from app.records.documents import rerender
from app.records.legal_basis import check_known, gated, no_legal_basis
from app.records.opening import reach_of
from app.records.references import check_named, unknown_reference
from app.records.shapes import ConfirmationIn, Disclosure, DisclosureIn, Reach
from app.records.shelf import Stored, fetch, require_current, settled

EMERGENCY: Final = timedelta(hours=72)
"""How long an emergency disclosure stands unless it is confirmed, and by how long each confirmation prolongs it."""


async def opened_to(desk: Desk, stored: Stored, sent: DisclosureIn) -> Handling:
    """The record's handling with more agencies and groups in its audience, checked as a whole.

    In an emergency it stays as it is: the recipients see the record for a while, beside its audience. 422 for what the
    caller may not name, for an agency that the audience excludes (an exclusion is lifted where it was set, never in
    passing), and for groups that the label does not allow.
    """
    handling, agencies, groups = stored.envelope.handling, sent.agencies, sent.groups
    audience = handling.audience.model_copy(
        update={
            "agencies": distinct([*handling.audience.agencies, *agencies]),
            "groups": distinct([*handling.audience.groups, *groups]),
        }
    )
    opened = handling.model_copy(update={"audience": audience})
    broken = [
        Flaw(f"/agencies/{number}", "agency-excluded", "The record's handling excludes this agency; change that first.")
        for number, agency in enumerate(agencies)
        if agency in handling.audience.excluded
    ]
    if groups and any(flaw.code == "groups-above-label" for flaw in flaws(opened, clock.now().date())):
        detail = f"{handling.tlp} is for named agencies only: name agencies, or change the record's label first."
        broken.append(Flaw("/groups", "groups-above-label", detail))
    if len(audience.agencies) > AGENCIES_MAX or len(audience.groups) > GROUPS_MAX:
        broken.append(Flaw("", "audience-too-large", "The audience would name too many; use a group or the community."))
    if broken:
        raise invalid(*broken)
    await check_named(desk, sent)
    return handling if sent.emergency else opened


async def disclosure_reach(desk: Desk, stored: Stored, sent: DisclosureIn) -> Reach:
    """What a disclosure would do; nothing is changed. Refused as doing it would be."""
    await opened_to(desk, stored, sent)
    excluded = stored.envelope.handling.audience.excluded
    if sent.emergency:
        return await reach_of(desk, stored, [*stored.audience, *sent.agencies], excluded)
    basis = _basis(stored, sent)
    await check_known(desk, basis, "/legal_basis")
    recipients = stored.envelope.handling.model_copy(update={"audience": _recipients(sent), "legal_basis": basis})
    try:
        added = await gated(desk, stored.kind, recipients, stored.envelope.originator, [], None)
    except Problem as problem:
        raise _at_the_root(problem) from None
    return await reach_of(desk, stored, distinct([*stored.audience, *added]), excluded)


async def disclose(desk: Desk, kind: RecordKind, record_id: UUID, sent: DisclosureIn) -> Disclosure:
    """Open the caller's own record to more agencies and groups, on top of whom its handling names by then.

    422 where a legal basis is needed and none covers the recipients; 409 if others keep changing the record's handling
    at the same moment.
    """

    async def act() -> Disclosure | None:
        stored = await fetch(desk, kind, record_id)
        require_current(stored)
        disclosure_id = await _disclose(desk, stored, await opened_to(desk, stored, sent), sent)
        return None if disclosure_id is None else await disclosure(desk, stored, disclosure_id)

    return await settled(act)


async def _disclose(desk: Desk, stored: Stored, handling: Handling, sent: DisclosureIn) -> UUID | None:
    rendered = rerender(stored.envelope.model_copy(update={"handling": handling}), stored.rendered.document)
    disclosure_id = uuid7()
    row = await desk.call_one(
        "disclose_record",
        p_disclosure=disclosure_id,
        p_id=stored.envelope.id,
        p_expected=stored.audience_version,
        p_expected_version=stored.envelope.version,
        p_handling=Jsonb(handling.model_dump(mode="json")),
        p_principals=principals(_recipients(sent), stored.envelope.originator).audience,
        p_document=rendered.document,
        p_shared_document=rendered.shared_document,
        p_agencies=sent.agencies,
        p_groups=sent.groups,
        p_basis=_basis(stored, sent),
        p_purpose=sent.purpose,
        p_emergency=sent.reason if sent.emergency else None,
        p_lapses_at=_lapses_at() if sent.emergency else None,
    )
    if row.outcome == "unknown-basis":
        raise unknown_reference("/legal_basis")
    if row.outcome == "no-legal-basis":
        raise _at_the_root(no_legal_basis(row.flaws, _recipients(sent), "/audience", "/legal_basis"))
    if row.outcome == "too-many":
        raise Problem(CONFLICT, detail="Too many of your emergency disclosures to one of these agencies stand already.")
    return disclosure_id if row.outcome == "changed" else None


async def confirm(
    desk: Desk, kind: RecordKind, record_id: UUID, emergency: Disclosure, sent: ConfirmationIn
) -> Disclosure:
    """Let an emergency disclosure stand: on a legal basis for good, by a disclosure of its own, or for a while more.

    409 for a disclosure that is none in an emergency, or has lapsed or been confirmed for good; 412 if somebody else
    was faster.
    """
    if not emergency.emergency or emergency.confirmed_by is not None:
        raise Problem(CONFLICT, detail="There is nothing to confirm: this disclosure waits for no confirmation.")
    # Not to those who were recalled since.
    recipients = (await desk.call_one("emergency_recipients", p_disclosure=emergency.id))[0]
    if not recipients:
        raise _ended()
    by = None
    if sent.legal_basis is not None:
        lasting = DisclosureIn(agencies=recipients, legal_basis=sent.legal_basis, purpose=sent.reason)
        by = (await disclose(desk, kind, record_id, lasting)).id
    outcome = await desk.call_one(
        "confirm_disclosure",
        p_disclosure=emergency.id,
        p_record=record_id,
        p_expected=emergency.version,
        p_lapses_at=None if by else _lapses_at(),
        p_by=by,
        p_reason=sent.reason,
    )
    if outcome[0] == "lapsed":
        raise _ended()
    if outcome[0] != "changed":
        raise Problem(PRECONDITION_FAILED)
    return await disclosure(desk, await fetch(desk, kind, record_id), emergency.id)


def _ended() -> Problem:
    return Problem(CONFLICT, detail="The emergency disclosure has ended. Disclose the record anew.")


def _lapses_at() -> datetime:
    return clock.now() + EMERGENCY


def _recipients(sent: DisclosureIn) -> Audience:
    return Audience(agencies=sent.agencies, groups=sent.groups)


def _basis(stored: Stored, sent: DisclosureIn) -> UUID | None:
    """What the disclosure rests on: what it names, or else what the record's handling does."""
    if sent.emergency or not sent.agencies:
        return None
    return sent.legal_basis or stored.envelope.handling.legal_basis


def _at_the_root(problem: Problem) -> Problem:
    """A disclosure names its recipients at the root of its body, not in an audience."""
    problem.errors = [Flaw(flaw.pointer.removeprefix("/audience"), flaw.code, flaw.detail) for flaw in problem.errors]
    return problem


_COLUMNS = sql.SQL(
    "id, agencies, groups, legal_basis, without_basis, purpose, emergency, lapses_at, confirmed_by, confirmation,"
    " version, at, officer, onward_request_id AS onward_request,"
    " (SELECT o.agency FROM onward_requests o WHERE o.id = onward_request_id) AS requested_by"
)
_PAGE = sql.SQL(
    "SELECT {} FROM disclosures WHERE record_id = %(record)s"
    " AND (at, id) < (%(at)s, %(last)s) ORDER BY at DESC, id DESC LIMIT %(limit)s"
).format(_COLUMNS)
_ONE = sql.SQL("SELECT {} FROM disclosures WHERE record_id = %(record)s AND id = %(id)s").format(_COLUMNS)


def _disclosure(row: Any) -> Disclosure:  # noqa: ANN401 - a row of the table
    values = row._asdict()
    reason = values.pop("emergency")
    return Disclosure(emergency=reason is not None, reason=reason, **values)


async def disclosures(desk: Desk, stored: Stored, after: Place | None, limit: int) -> Sequence[Disclosure]:
    """Disclosures of the caller's own record, newest first."""
    at, last = after or NEWEST
    rows = await desk.rows(_PAGE, record=stored.envelope.id, at=at, last=last, limit=limit)
    return [_disclosure(row) for row in rows]


async def disclosure(desk: Desk, stored: Stored, disclosure_id: UUID | None) -> Disclosure:
    """One disclosure of the caller's own record."""
    rows = await desk.rows(_ONE, record=stored.envelope.id, id=disclosure_id)
    if not rows:
        raise not_found()
    return _disclosure(rows[0])
