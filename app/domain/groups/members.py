"""Who is in a group, and as what: invited by the chair, in it by its own acceptance, out by leaving or expulsion.

What a member sees because of the group begins and ends with its membership. Who is only invited sees nothing by it.
"""

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from app.access.desk import Desk
from app.core.problems import CONFLICT, FORBIDDEN, PRECONDITION_FAILED, Problem, not_found
from app.core.validation import validated
from app.domain.groups.groups import joined, require_agencies, require_open
from app.domain.groups.shapes import (
    ExpulsionIn,
    Group,
    GroupMember,
    GroupMemberContent,
    GroupMemberIn,
    GroupMemberPatch,
)
from app.models.vocabularies import MembershipRole, MembershipState

NOUN = "members"

_MEMBERSHIP = sql.SQL(
    "SELECT agency, role, 'active' AS state, invited_at, joined_at, since, NULL::timestamptz AS until,"
    " NULL::text AS reason, version FROM memberships WHERE group_id = %(group)s"
)
_INVITATION = sql.SQL(
    "SELECT agency, role, 'invited' AS state, invited_at, NULL::timestamptz AS joined_at, NULL::timestamptz AS since,"
    " NULL::timestamptz AS until, NULL::text AS reason, version FROM invitations WHERE group_id = %(group)s"
)
_LIVE = sql.SQL("{} AND until IS NULL UNION ALL {} AND ended_at IS NULL").format(_MEMBERSHIP, _INVITATION)
# Of the rows of one stay, which differ in role, the last one says how it ended.
_FORMER = sql.SQL(
    "SELECT m.agency, m.role, 'former' AS state, m.invited_at, m.joined_at, m.since, m.until, e.reason, m.version"
    " FROM memberships m LEFT JOIN expulsions e USING (group_id, agency, version)"
    " WHERE m.group_id = %(group)s AND m.until IS NOT NULL AND NOT EXISTS (SELECT FROM memberships n"
    " WHERE n.group_id = m.group_id AND n.agency = m.agency AND n.joined_at = m.joined_at AND n.version > m.version)"
)
_PAGE = sql.SQL(
    "SELECT * FROM ({}) AS m WHERE (%(state)s::text IS NULL OR state = %(state)s)"
    " AND (agency, version) > (%(agency)s, %(version)s) ORDER BY agency, version LIMIT %(limit)s"
)
_LIVE_PAGE, _FORMER_PAGE = _PAGE.format(_LIVE), _PAGE.format(_FORMER)
_ONE = sql.SQL("SELECT * FROM ({}) AS m WHERE agency = %(agency)s").format(_LIVE)
_VERSION = sql.SQL("SELECT * FROM ({} UNION ALL {}) AS m WHERE agency = %(agency)s AND version = %(version)s").format(
    _MEMBERSHIP, _INVITATION
)


def _member(row: Any) -> GroupMember:  # noqa: ANN401 - a row of one of the above
    return GroupMember.model_validate(row._asdict())


async def listed(
    desk: Desk, group: Group, state: MembershipState | None, after: tuple[str, int], limit: int
) -> Sequence[GroupMember]:
    """Who is in the group or invited to it, by agency, after an agency and a version; or those of one state.

    A former membership is shown to whoever was in the group when it ended and has been since; once the group itself
    has ended, to its chair alone. The reason of an expulsion is the chair's. Who is invited finds no other invitation.
    """
    statement = _FORMER_PAGE if state is MembershipState.FORMER else _LIVE_PAGE
    agency, number = after
    rows = await desk.rows(statement, group=group.id, state=state, agency=agency, version=number, limit=limit)
    return [_member(row) for row in rows]


async def fetch(desk: Desk, group: Group, agency: str) -> GroupMember:
    """An agency's membership or invitation; 404 if the caller knows of none."""
    rows = await desk.rows(_ONE, group=group.id, agency=agency)
    if not rows:
        raise not_found()
    return _member(rows[0])


async def version(desk: Desk, group: Group, agency: str, number: int) -> GroupMember:
    """One version of a membership or invitation as it began, whether or not it lasts; 404 if there is none."""
    rows = await desk.rows(_VERSION, group=group.id, agency=agency, version=number)
    if not rows:
        raise not_found()
    return _member(rows[0])


async def invite(desk: Desk, group: Group, sent: GroupMemberIn) -> GroupMember:
    """Invite an agency; 422 if there is none of this code, 409 if it is in the group or invited already."""
    await require_agencies(desk, {"/agency": sent.agency})
    require_open(group)
    row = await desk.call_one("invite_member", p_group=group.id, p_agency=sent.agency, p_role=sent.role.value)
    if row[0] == "member":
        raise Problem(CONFLICT, detail="This agency is in the group already: change its role instead.")
    if row[0] == "open":
        raise Problem(CONFLICT, detail="This agency is invited already: change its role or withdraw the invitation.")
    _require_done(row[0])
    return await fetch(desk, group, sent.agency)


async def accept(desk: Desk, group: Group, member: GroupMember) -> GroupMember:
    """Take up the invitation of the caller's agency; 409 where it is in the group, or in as many as one can be."""
    _require_invited(member)
    outcome = await joined(desk, "accept_invitation", p_group=group.id, p_expected=member.version)
    _require_done(outcome)
    return await fetch(desk, group, member.agency)


async def decline(desk: Desk, group: Group, member: GroupMember) -> None:
    """Turn down the invitation of the caller's agency, which loses sight of the group; 409 where it is in the group."""
    _require_invited(member)
    row = await desk.call_one("decline_invitation", p_group=group.id, p_expected=member.version)
    _require_done(row[0])


async def patch(desk: Desk, group: Group, member: GroupMember, sent: GroupMemberPatch) -> GroupMember:
    """Give a member another role, or offer another to who is invited; as it stands if nothing differs.

    409 for the chair's own role, which is handed over, and for handing it to an agency that has not accepted.
    """
    before = member.model_dump(mode="json", include=set(GroupMemberContent.model_fields))
    role = validated(GroupMemberContent, sent.merged(before)).role
    if role == member.role:
        return member
    if member.agency == group.chair:
        raise Problem(CONFLICT, detail="Hand the chair over first: make another member the chair.")
    invited = member.state is MembershipState.INVITED
    if invited and role is MembershipRole.CHAIR:
        raise Problem(CONFLICT, detail="The agency has not accepted: only a member can take the chair over.")
    row = await desk.call_one(
        "change_invitation" if invited else "change_member",
        p_group=group.id,
        p_agency=member.agency,
        p_expected=member.version,
        p_role=role.value,
    )
    _require_done(row[0])
    return await fetch(desk, group, member.agency)


async def remove(desk: Desk, group: Group, member: GroupMember) -> None:
    """Leave the group, or take an invitation back as its chair; 403 for others, 409 for what another call does."""
    agency = desk.caller.agency
    if agency not in (group.chair, member.agency):
        raise Problem(FORBIDDEN, detail="Only the agency itself and the group's chair may end its part in the group.")
    if member.agency == group.chair:
        raise Problem(CONFLICT, detail="The chair hands over before it leaves, or ends the group.")
    if member.state is MembershipState.INVITED:
        if agency == member.agency:
            raise Problem(CONFLICT, detail="Your agency is only invited: POST …/decline turns the invitation down.")
        row = await desk.call_one("withdraw_invitation", p_group=group.id, p_agency=member.agency)
    elif agency == member.agency:
        row = await desk.call_one("leave_group", p_group=group.id)
    else:
        raise Problem(CONFLICT, detail="Expelling a member takes a reason: POST …/expel.")
    _require_done(row[0])


async def expel(desk: Desk, group: Group, member: GroupMember, sent: ExpulsionIn) -> None:
    """End another's membership for a reason. 409 for the chair's own, and for an agency that is only invited."""
    if member.agency == group.chair:
        raise Problem(CONFLICT, detail="The chair cannot be expelled: it hands over, or ends the group.")
    if member.state is MembershipState.INVITED:
        raise Problem(CONFLICT, detail="The agency is only invited: DELETE takes the invitation back.")
    row = await desk.call_one(
        "expel_member", p_group=group.id, p_agency=member.agency, p_expected=member.version, p_reason=sent.reason
    )
    _require_done(row[0])


def require_own(desk: Desk, member: GroupMember) -> None:
    """403 for who answers an invitation of another agency."""
    if member.agency != desk.caller.agency:
        raise Problem(FORBIDDEN, detail="Only the agency that is invited answers its invitation.")


def _require_invited(member: GroupMember) -> None:
    if member.state is not MembershipState.INVITED:
        raise Problem(CONFLICT, detail="Your agency is in the group already.")


def _require_done(outcome: str) -> None:
    # The group was looked at before it was held: meanwhile it can have ended, or changed hands.
    if outcome == "stale":
        raise Problem(PRECONDITION_FAILED)
    if outcome == "closed":
        raise Problem(CONFLICT, detail="The group has just changed. Read it again.")
