"""Who takes part in a meeting: named by the convener, or by now the chair or a member of a group that it named."""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core.problems import Flaw, invalid
from app.domain.meetings.shapes import MeetingContent, MeetingDecision, MeetingParticipants, MeetingText
from app.records.references import unknown_reference

# Under the caller's own policies: of a group that it is not in, it learns no member by naming one.
_MEMBERS: Final = sql.SQL(
    "SELECT DISTINCT agency FROM memberships WHERE group_id = ANY (%(groups)s) AND until IS NULL AND role <> 'observer'"
)
_NOBODY: Final = MeetingParticipants()


async def check_participants(desk: Desk, sent: MeetingParticipants, standing: MeetingParticipants = _NOBODY) -> None:
    """422 for the caller's own agency, for what is no agency, and for groups that the caller is not in.

    Those that take part already may be named again by a convener that left the group.
    """
    own = desk.caller.agency
    if own in sent.agencies:
        pointer = f"/participants/agencies/{sent.agencies.index(own)}"
        raise invalid(Flaw(pointer, "convener-listed", "Your agency calls the meeting: leave it out."))
    agencies = [agency for agency in sent.agencies if agency not in standing.agencies]
    groups = [group for group in sent.groups if group not in standing.groups]
    if not agencies and not groups:
        return
    row = await desk.call_one("unknown_in_audience", p_agencies=agencies, p_groups=groups)
    unknown = [f"/participants/agencies/{sent.agencies.index(agency)}" for agency in row.agencies]
    unknown += [f"/participants/groups/{sent.groups.index(group)}" for group in row.groups]
    if unknown:
        raise unknown_reference(*unknown)


async def check_heard(desk: Desk, sent: MeetingContent, standing: MeetingText | None = None) -> None:
    """422 for agencies that are to present or have agreed and do not take part.

    Who stands there already may stay, though it takes part no more: it did, or was to.
    """
    decisions = sent.decisions if isinstance(sent, MeetingText) else []
    already = {agency for _, agency in _heard(standing, standing.decisions)} if standing else set()
    named = {pointer: agency for pointer, agency in _heard(sent, decisions) if agency not in already}
    await require_taking_part(desk, sent.participants, named)


async def check_agreed(desk: Desk, participants: MeetingParticipants, decisions: Sequence[MeetingDecision]) -> None:
    """422 for agencies that have agreed to a decision and do not take part."""
    await require_taking_part(desk, participants, dict(_agreed(decisions)))


async def require_taking_part(desk: Desk, participants: MeetingParticipants, named: dict[str, str]) -> None:
    """422 that points at each agency which neither calls the meeting nor takes part in it; `named` is by pointer."""
    missing = {
        pointer: agency
        for pointer, agency in named.items()
        if agency != desk.caller.agency and agency not in participants.agencies
    }
    if not missing:
        return
    members = await _members(desk, participants.groups)
    detail = "Name the convener or an agency that takes part in the meeting."
    flaws = [Flaw(pointer, "no-participant", detail) for pointer, agency in missing.items() if agency not in members]
    if flaws:
        raise invalid(*flaws)


async def _members(desk: Desk, groups: Sequence[UUID]) -> set[str]:
    return {row.agency for row in await desk.rows(_MEMBERS, groups=list(groups))}


def _heard(content: MeetingContent, decisions: Sequence[MeetingDecision]) -> Iterator[tuple[str, str]]:
    for number, item in enumerate(content.agenda):
        if item.presenter is not None:
            yield f"/agenda/{number}/presenter", item.presenter
    yield from _agreed(decisions)


def _agreed(decisions: Sequence[MeetingDecision]) -> Iterator[tuple[str, str]]:
    for number, decision in enumerate(decisions):
        for place, agency in enumerate(decision.agreed_by):
            yield f"/decisions/{number}/agreed_by/{place}", agency
