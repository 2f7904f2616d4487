"""Who sees a record: replacing its handling, explaining it, and trying that without doing it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.access.envelope import Envelope
from app.access.handling import Handling, ReaderHandling, principals
from app.core.problems import PRECONDITION_FAILED, Problem
from app.records.documents import rerender
from app.records.exclusions import check_exclusion, check_parties
from app.records.legal_basis import FREE, check_known, gated, no_legal_basis, rest_of
from app.records.references import check_audience, unknown_reference
from app.records.shapes import Access, Reach, Via
from app.records.shelf import Stored, next_version, require_current


async def reach(desk: Desk, stored: Stored, handling: Handling) -> Reach:
    """What a handling would do, computed by the functions that would do it; nothing is changed.

    422 for recipients whom nothing covers, as doing it would answer.
    """
    former = stored.envelope.handling.legal_basis
    if handling.legal_basis != former:
        await check_known(desk, handling.legal_basis, "/legal_basis")
    after = await gated(
        desk, stored.kind, handling, stored.envelope.originator, stored.audience, former, parties=stored.parties
    )
    emergencies = [principal for principal in stored.audience if rest_of(principal).emergency]
    return await reach_of(desk, stored, [*after, *emergencies], handling.audience.excluded)


async def reach_of(desk: Desk, stored: Stored, audience: Sequence[str], excluded: Sequence[str]) -> Reach:
    """Who would see a record with these principals in its audience."""
    before = await _agencies(desk, stored.audience, stored.envelope.handling.audience.excluded)
    after = await _agencies(desk, audience, excluded)
    return Reach(agencies=after, gained=sorted(set(after) - set(before)), lost=sorted(set(before) - set(after)))


async def _agencies(desk: Desk, audience: Sequence[str], excluded: Sequence[str]) -> list[str]:
    row = await desk.call_one("agencies_of", p_audience=list(audience), p_excluded=list(excluded))
    return list(row[0])


async def check_replacement(desk: Desk, stored: Stored, handling: Handling) -> None:
    """409 for what is retracted, 422 for an audience that names what the caller may not know or shuts it out itself.

    Also before a handling is only tried: the members of a group would be told to whoever knows its id.
    """
    require_current(stored)
    check_exclusion(handling, stored.envelope.originator, "")
    check_parties(handling, stored.parties)
    await check_audience(desk, handling, stored.envelope.handling.audience, "")


async def replace_handling(desk: Desk, stored: Stored, handling: Handling) -> Stored:
    """Put another handling in place of the record's whole one; refused like `check_replacement`.

    Readers see a new version only if what they see of the handling differs. 412 if somebody else was faster.
    """
    await check_replacement(desk, stored, handling)
    audience, excluded = principals(handling.audience, stored.envelope.originator)
    visible = any(
        getattr(handling, name) != getattr(stored.envelope.handling, name) for name in ReaderHandling.model_fields
    )
    envelope = (
        next_version(stored.envelope, handling)
        if visible
        else stored.envelope.model_copy(update={"handling": handling})
    )
    rendered = rerender(envelope, stored.rendered.document)
    row = await desk.call_one(
        "replace_handling",
        p_id=envelope.id,
        p_expected=stored.audience_version,
        p_expected_version=stored.envelope.version,
        p_version_at=envelope.updated_at if visible else None,
        p_handling=Jsonb(handling.model_dump(mode="json")),
        p_audience=audience,
        p_excluded=excluded,
        p_document=rendered.document,
        p_shared_document=rendered.shared_document,
    )
    if row.outcome == "unknown-basis":
        raise unknown_reference("/legal_basis")
    if row.outcome == "no-legal-basis":
        raise no_legal_basis(row.flaws, handling.audience, "/audience", "/legal_basis")
    if row.outcome != "changed":
        raise Problem(PRECONDITION_FAILED)
    return replace(stored, envelope=envelope, audience_version=stored.audience_version + 1, rendered=rendered)


async def explain(desk: Desk, stored: Stored) -> list[Access]:
    """Every agency that sees the record now, and each reason why."""
    return [_access(row, stored.envelope) for row in await desk.call("access_of", p_record=stored.envelope.id)]


def _access(row: Any, envelope: Envelope) -> Access:  # noqa: ANN401 - a row of the function
    rest = rest_of(row.principal)
    word, _, group = rest.who.partition(":")
    if row.agency == envelope.originator and row.principal == envelope.originator:
        via = Via.ORIGINATOR
    elif rest.emergency:
        via = Via.EMERGENCY
    else:
        named = Via.PARTY if row.party else Via.AGENCY
        via = Via(word) if group or word == Via.COMMUNITY else named
    needs_basis = via in (Via.AGENCY, Via.PARTY, Via.GROUP, Via.OBSERVERS) and envelope.handling.tlp not in FREE
    return Access(
        agency=row.agency,
        via=via,
        group=UUID(group) if group else None,
        legal_basis=rest.agreement,
        without_basis=via is Via.EMERGENCY or (needs_basis and rest.agreement is None),
        since=row.since,
        until=row.until,
        disclosure=row.disclosure_id,
    )
