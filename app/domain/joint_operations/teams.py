"""Joint teams that take part as a whole: an operation has the team's members of the moment at which it is approved."""

from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.core.problems import CONFLICT, Flaw, Problem, invalid
from app.domain.joint_operations import plans
from app.domain.joint_operations.plan_shapes import Participant
from app.domain.joint_operations.shapes import JointOperationContent, JointOperationPlan
from app.models.vocabularies import GroupKind, MembershipRole
from app.records.references import unknown_reference
from app.records.shelf import Stored

_TEAM = sql.SQL("SELECT kind FROM groups WHERE id = %(id)s AND ended_at IS NULL")
_MEMBERS = sql.SQL(
    "SELECT agency FROM memberships WHERE group_id = %(id)s AND until IS NULL AND role <> %(observer)s ORDER BY agency"
)


async def check_plan(desk: Desk, plan: JointOperationPlan) -> None:
    """422 for participants that are no agencies, or no joint teams that the caller's agency is in."""
    await plans.check_plan(desk, plan)
    for number, part in enumerate(plan.participants):
        if part.group is not None:
            await _require_team(desk, part.group, f"/participants/{number}/group")


async def _require_team(desk: Desk, group: UUID, pointer: str) -> None:
    rows = await desk.rows(_TEAM, id=group)
    if not rows:
        raise unknown_reference(pointer)
    if rows[0].kind != GroupKind.JOINT_TEAM:
        raise invalid(Flaw(pointer, "no-joint-team", "Only a joint team takes part as a whole: name agencies instead."))


async def expanded(desk: Desk, stored: Stored, content: JointOperationContent) -> JointOperationContent:
    """The plan with each team's members in its place; who is named by itself keeps its own role."""
    kept = await kept_teams(desk, stored)
    named = {part.agency for part in content.participants if part.agency is not None}
    participants: list[Participant] = []
    for number, part in enumerate(content.participants):
        if part.group is None:
            participants.append(part)
            continue
        await _require_team(desk, part.group, f"/participants/{number}/group")
        for agency in await _members(desk, part.group):
            if agency not in named:
                named.add(agency)
                participants.append(part.model_copy(update={"agency": agency, "group": None}))
    for team in kept:
        if not any(part.group == team.group_id for part in content.participants):
            participants = await _followed(desk, team, participants)
    return content.model_copy(update={"participants": participants})


async def _followed(desk: Desk, team: Any, participants: list[Participant]) -> list[Participant]:  # noqa: ANN401 - a row
    """Participants after a change in a team that was proposed before: who joined is in, who is gone is out."""
    now = await _members(desk, team.group_id)
    still = [part for part in participants if part.agency not in team.members or part.agency in now]
    present = {part.agency for part in still}
    return [
        *still,
        *(
            Participant(agency=agency, role=team.role, approval_required=team.approval_required)
            for agency in now
            if agency not in present and agency not in team.members
        ),
    ]


async def _members(desk: Desk, group: UUID) -> list[str]:
    rows = await desk.rows(_MEMBERS, id=group, observer=MembershipRole.OBSERVER.value)
    return [row.agency for row in rows]


async def kept_teams(desk: Desk, stored: Stored) -> list[Any]:
    """The teams with which the plan was proposed."""
    return await desk.call("operation_teams_of", p_record=stored.envelope.id)


async def keep(desk: Desk, stored: Stored, sent: JointOperationContent) -> None:
    """Keep which teams a plan was proposed with, and whom they had then."""
    teams = [
        {"group_id": str(part.group), "role": part.role.value, "approval_required": part.approval_required}
        for part in sent.participants
        if part.group is not None
    ]
    await desk.call("keep_operation_teams", p_record=stored.envelope.id, p_teams=Jsonb(teams))


async def require_unchanged(desk: Desk, stored: Stored) -> None:
    """409 where a team that takes part has other members than those the plan was proposed to."""
    row = await desk.call_one("operation_team_changed", p_record=stored.envelope.id)
    if row[0]:
        detail = "A joint team that takes part has other members by now. Its lead must propose the plan again."
        raise Problem(CONFLICT, detail=detail)
