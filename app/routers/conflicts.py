"""`/v1/joint-operations/{id}/conflicts`: who is in an operation's way, asked and answered by its lead alone."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk, refuse_permission
from app.core.ids import parse_uuid
from app.domain.joint_operations import conflicts, deconfliction
from app.domain.joint_operations.conflict_shapes import Conflict, ConflictCheck, ConflictResolutionIn
from app.domain.joint_operations.plans import KIND
from app.identity.roles import Permission
from app.models.conflict_vocabularies import ConflictSeverity, ConflictState
from app.records.shelf import Stored
from app.routers.joint_operations import TAG
from app.routers.parts import note_read, page
from app.web import answers, calls
from app.web.callers import AnyCaller, at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}/conflicts", tags=[TAG])

Reading = Annotated[Desk, at_desk(Permission.OPERATIONS_READ)]
Writing = Annotated[Desk, at_desk(Permission.OPERATIONS_WRITE)]


class ConflictFilters(Paging):
    """What a list of conflicts can be narrowed by."""

    state: ConflictState | None = Field(None, description="Conflicts that have come so far.")
    severity: ConflictSeverity | None = Field(None, description="Conflicts that weigh so much.")


@router.get(
    "",
    summary="List conflicts",
    operation_id="list_joint_operation_conflicts",
    **operation(page_of(Conflict), csv=True, etag=False),
)
async def list_conflicts(
    request: Request, desk: Reading, record_id: str, filters: Annotated[ConflictFilters, Query()]
) -> Response:
    """List what is in the way of the operation that your agency leads, newest first; its participants are not told.

    Of the other operation you learn which agency leads it and how to reach that agency, and nothing else.
    """
    stored = await calls.fetch_own(request, desk, KIND, record_id)
    found = await conflicts.listed(
        desk,
        stored,
        state=filters.state,
        severity=filters.severity,
        after=place_of(request, house(request).cursors, filters.cursor),
        limit=filters.limit + 1,
    )
    await note_read(desk, "conflicts.list", stored)
    return page(request, found, filters.limit, "created_at")


@router.post(
    "",
    summary="Check for conflicts",
    operation_id="check_joint_operation_conflicts",
    **operation(ConflictCheck, once=True, problems=("conflict", "deconfliction-limit", "retracted")),
)
async def check_conflicts(request: Request, desk: Writing, record_id: str) -> Response:
    """Compare the operation that your agency leads with every live one in the hub, at any time before it is over.

    Whoever leads an operation that yours collides with is told so at once, as you are: by an event, and by a conflict
    which says that it comes from a check. The check stands in the audit. Your agency has 20 of them within 24 hours.
    """
    stored = await calls.fetch_own(request, desk, KIND, record_id)

    async def replay(kept: calls.Kept) -> str:
        return (await conflicts.checked(desk, stored, parse_uuid(kept.resource_id))).model_dump_json()

    async def act() -> calls.Made:
        made = await conflicts.checked(desk, stored, await deconfliction.check(desk, stored))
        return calls.Made("conflict-checks", str(made.id), 1, made.model_dump_json())

    return await calls.once(request, desk, replay, act)


@router.get(
    "/{conflict_id}",
    summary="Read a conflict",
    operation_id="read_joint_operation_conflict",
    **operation(Conflict),
)
async def read_conflict(request: Request, desk: Reading, record_id: str, conflict_id: str) -> Response:
    """Read one conflict of the operation that your agency leads."""
    stored = await calls.fetch_own(request, desk, KIND, record_id)
    found = await conflicts.one(desk, stored, parse_uuid(conflict_id))
    await note_read(desk, "conflicts.read", stored)
    return answers.model(request, found, found.version)


@router.post(
    "/{conflict_id}/resolve",
    summary="Resolve a conflict",
    operation_id="resolve_joint_operation_conflict",
    **operation(
        Conflict,
        body=ConflictResolutionIn,
        match=True,
        once=True,
        needs=conflicts.STATING,
        problems=("forbidden", "conflict", "retracted"),
    ),
)
async def resolve_conflict(request: Request, desk: AnyCaller, record_id: str, conflict_id: str) -> Response:
    """Say what is to become of the two operations, based on the conflict's ETag; the other side is told at once.

    The conflict is resolved once both sides have said the same; until then each can say something else. With
    `override` it is resolved by your word alone, for a reason that the other side is told: that takes
    `operations:approve`, everything else `operations:write`. While a serious conflict is open, neither operation can be
    activated or resumed. Once a plan behind it changes and the conflict stays serious, it is open again.
    """
    if desk.caller.permissions.isdisjoint(conflicts.STATING):
        raise refuse_permission(conflicts.STATING[0])
    stored = await calls.fetch_own(request, desk, KIND, record_id)
    found = await conflicts.one(desk, stored, parse_uuid(conflict_id))

    async def act() -> calls.Made:
        calls.require_match(request, found.version)
        sent = await calls.read_body(request, ConflictResolutionIn)
        return _made(await conflicts.state_outcome(desk, stored, found, sent))

    return await calls.once(request, desk, _replay(desk, stored), act)


def _made(conflict: Conflict) -> calls.Made:
    return calls.Made("conflicts", str(conflict.id), conflict.version, conflict.model_dump_json())


def _replay(desk: Desk, stored: Stored) -> calls.Replay:
    async def replay(kept: calls.Kept) -> str:
        found = await conflicts.one(desk, stored, parse_uuid(kept.resource_id), kept.version)
        return found.model_dump_json()

    return replay
