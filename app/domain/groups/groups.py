"""Groups: founded by the agency that chairs them, seen by their members, ended by the chair."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.errors import CheckViolation

from app.access.desk import Desk
from app.access.nouns import Noun
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, FORBIDDEN, PRECONDITION_FAILED, Flaw, Problem, invalid
from app.core.validation import validated
from app.domain.groups.shapes import Group, GroupContent, GroupCreate, GroupPatch
from app.records.references import unknown_reference

_COLUMNS = sql.SQL("id, kind, name, purpose, charter, chair, version, created_at, updated_at, ended_at")
_ONE = sql.SQL("SELECT {} FROM groups WHERE id = %(id)s").format(_COLUMNS)
_VERSION = sql.SQL("SELECT {} FROM group_versions WHERE id = %(id)s AND version = %(version)s").format(_COLUMNS)
_PAGE = sql.SQL(
    "SELECT {} FROM groups WHERE (updated_at, id) < (%(at)s, %(last)s)"
    " AND (%(kind)s::text IS NULL OR kind = %(kind)s)"
    " AND (%(ended)s::boolean IS NULL OR (ended_at IS NOT NULL) = %(ended)s)"
    " AND CASE %(state)s::text WHEN 'active' THEN in_group(id) WHEN 'invited' THEN invited_to(id) ELSE true END"
    " ORDER BY updated_at DESC, id DESC LIMIT %(limit)s"
).format(_COLUMNS)
_CHARTER = sql.SQL("SELECT kind FROM agreements WHERE id = %(id)s")


def _group(row: Any) -> Group:  # noqa: ANN401 - a row of _COLUMNS
    return Group.model_validate(row._asdict())


GROUPS: Final = Noun("groups", _ONE, _VERSION, _group)


async def listed(
    desk: Desk,
    *,
    kind: str | None = None,
    ended: bool | None = None,
    state: str | None = None,
    after: Place | None,
    limit: int,
) -> Sequence[Group]:
    """The groups the caller may see, newest change first; `state`: those it is `active` in, or `invited` to."""
    at, last = after or NEWEST
    rows = await desk.rows(_PAGE, kind=kind, ended=ended, state=state, at=at, last=last, limit=limit)
    return [_group(row) for row in rows]


def require_chair(desk: Desk, group: Group) -> None:
    """403 for a member who tries what only the chair may."""
    if group.chair != desk.caller.agency:
        raise Problem(FORBIDDEN, detail="Only the agency that chairs this group may do this.")


def require_open(group: Group) -> None:
    """409 for a group that has ended."""
    if group.ended_at is not None:
        raise Problem(CONFLICT, detail="The group has ended.")


async def found(desk: Desk, sent: GroupCreate) -> Group:
    """Found a group that the caller's agency chairs; 422 for members that cannot join, and for what is no charter."""
    agencies = [member.agency for member in sent.members]
    if desk.caller.agency in agencies:
        pointer = f"/members/{agencies.index(desk.caller.agency)}/agency"
        raise invalid(Flaw(pointer, "chair-listed", "Your agency chairs the group: leave it out of the members."))
    await require_agencies(desk, {f"/members/{number}/agency": agency for number, agency in enumerate(agencies)})
    await _require_charter(desk, sent.charter)
    group_id = uuid7()
    await joined(
        desk,
        "create_group",
        p_id=group_id,
        p_kind=sent.kind.value,
        p_name=sent.name,
        p_purpose=sent.purpose,
        p_charter=sent.charter,
        p_agencies=agencies,
        p_roles=[member.role.value for member in sent.members],
    )
    return await GROUPS.fetch(desk, group_id)


async def patch(desk: Desk, group: Group, sent: GroupPatch) -> Group:
    """Apply a merge patch; the group as it stands if nothing differs.

    422 if the whole would not be right, 409 if the group has ended.
    """
    before = group.model_dump(mode="json", include=set(GroupContent.model_fields))
    content = validated(GroupContent, sent.merged(before))
    # One that stands is no secret to its group; who took the chair over may keep it without being a party to it.
    if content.charter != group.charter:
        await _require_charter(desk, content.charter)
    require_open(group)
    if content.model_dump(mode="json") == before:
        return group
    row = await desk.call_one(
        "change_group",
        p_id=group.id,
        p_expected=group.version,
        p_kind=content.kind.value,
        p_name=content.name,
        p_purpose=content.purpose,
        p_charter=content.charter,
    )
    if row[0] != "changed":
        raise Problem(PRECONDITION_FAILED)
    return await GROUPS.fetch(desk, group.id)


async def end(desk: Desk, group: Group) -> Group:
    """End a group: its members lose at once what they saw because of it. 409 if it has ended."""
    require_open(group)
    row = await desk.call_one("end_group", p_id=group.id, p_expected=group.version)
    if row[0] != "ended":
        raise Problem(PRECONDITION_FAILED)
    return await GROUPS.fetch(desk, group.id)


async def require_agencies(desk: Desk, named: Mapping[str, str]) -> None:
    """422 that points at each agency which is none or, as the hub's own, joins nothing; `named` is by pointer."""
    if not named:
        return
    row = await desk.call_one("unknown_in_audience", p_agencies=list(named.values()), p_groups=[])
    unknown = [pointer for pointer, agency in named.items() if agency in row.agencies]
    if unknown:
        raise unknown_reference(*unknown)


async def _require_charter(desk: Desk, charter: UUID | None) -> None:
    """422 for a charter that is no agreement the caller may know of, or one of another kind."""
    if charter is None:
        return
    rows = await desk.rows(_CHARTER, id=charter)
    if not rows:
        raise unknown_reference("/charter")
    if rows[0].kind != "charter":
        raise invalid(Flaw("/charter", "not-a-charter", "Name an agreement of kind `charter`, or leave it out."))


async def joined(desk: Desk, function: str, **arguments: object) -> Any:  # noqa: ANN401 - what the function says
    """Call a function that begins a membership of the caller's; 409 where its agency can stand in no further group."""
    try:
        return (await desk.call_one(function, **arguments))[0]
    except CheckViolation as error:
        if error.diag.constraint_name != "memberships_at_most_98":
            raise
        raise Problem(
            CONFLICT, detail="Your agency stands in as many groups and agreements as one can: leave another first."
        ) from None
