"""Who is in a group, and as what. What a member sees because of the group begins and ends with its membership."""

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from app.access.desk import Desk
from app.core.problems import CONFLICT, FORBIDDEN, PRECONDITION_FAILED, Problem, not_found
from app.core.validation import validated
from app.domain.groups.groups import changed_members, require_agencies, require_open
from app.domain.groups.shapes import Group, GroupMember, GroupMemberContent, GroupMemberIn, GroupMemberPatch

_COLUMNS = sql.SQL("agency, role, since, version")
_PAGE = sql.SQL(
    "SELECT {} FROM memberships WHERE group_id = %(group)s AND until IS NULL AND agency > %(after)s"
    " ORDER BY agency LIMIT %(limit)s"
).format(_COLUMNS)
_ONE = sql.SQL(
    "SELECT {} FROM memberships WHERE group_id = %(group)s AND agency = %(agency)s AND until IS NULL"
).format(_COLUMNS)
_VERSION = sql.SQL(
    "SELECT {} FROM memberships WHERE group_id = %(group)s AND agency = %(agency)s AND version = %(version)s"
).format(_COLUMNS)


def _member(row: Any) -> GroupMember:  # noqa: ANN401 - a row of _COLUMNS
    return GroupMember.model_validate(row._asdict())


async def listed(desk: Desk, group: Group, after: str, limit: int) -> Sequence[GroupMember]:
    """The agencies in the group now, by their codes, after the code `after`; none once it has ended."""
    return [_member(row) for row in await desk.rows(_PAGE, group=group.id, after=after, limit=limit)]


async def fetch(desk: Desk, group: Group, agency: str) -> GroupMember:
    """An agency's membership; 404 if it is not in the group."""
    rows = await desk.rows(_ONE, group=group.id, agency=agency)
    if not rows:
        raise not_found()
    return _member(rows[0])


async def version(desk: Desk, group: Group, agency: str, number: int) -> GroupMember:
    """One version of a membership, whether or not it lasts; 404 if there is none."""
    rows = await desk.rows(_VERSION, group=group.id, agency=agency, version=number)
    if not rows:
        raise not_found()
    return _member(rows[0])


async def add(desk: Desk, group: Group, sent: GroupMemberIn) -> GroupMember:
    """Take an agency into the group; 422 if there is none of this code, 409 if it is in the group already."""
    await require_agencies(desk, {"/agency": sent.agency})
    require_open(group)
    outcome = await changed_members(desk, "add_member", p_group=group.id, p_agency=sent.agency, p_role=sent.role.value)
    if outcome == "member":
        raise Problem(CONFLICT, detail="This agency is in the group already: change its role instead.")
    _require_open(outcome)
    return await fetch(desk, group, sent.agency)


async def patch(desk: Desk, group: Group, member: GroupMember, sent: GroupMemberPatch) -> GroupMember:
    """Give a member another role; as it stands if nothing differs. 409 for the chair's own, which is handed over."""
    before = member.model_dump(mode="json", include=set(GroupMemberContent.model_fields))
    role = validated(GroupMemberContent, sent.merged(before)).role
    if role == member.role:
        return member
    if member.agency == group.chair:
        raise Problem(CONFLICT, detail="Hand the chair over first: make another member the chair.")
    outcome = await changed_members(
        desk, "change_member", p_group=group.id, p_agency=member.agency, p_expected=member.version, p_role=role.value
    )
    if outcome == "stale":
        raise Problem(PRECONDITION_FAILED)
    _require_open(outcome)
    return await fetch(desk, group, member.agency)


async def remove(desk: Desk, group: Group, member: GroupMember) -> None:
    """End a membership: the chair any other's, a member its own."""
    if desk.caller.agency not in (group.chair, member.agency):
        raise Problem(FORBIDDEN, detail="Only the agency itself and the group's chair may end its membership.")
    if member.agency == group.chair:
        raise Problem(CONFLICT, detail="The chair hands over before it leaves, or ends the group.")
    row = await desk.call_one("remove_member", p_group=group.id, p_agency=member.agency)
    _require_open(row[0])


def _require_open(outcome: str) -> None:
    # The group was looked at before it was held: meanwhile it can have ended, or changed hands.
    if outcome == "closed":
        raise Problem(CONFLICT, detail="The group has just changed. Read it again.")
