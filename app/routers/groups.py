"""`/v1/groups`: councils, joint teams and working groups; who is in them stands in `group_members`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, Strict

from app.access.desk import Desk
from app.core.merge_patch import MEDIA_TYPE
from app.domain.groups import groups
from app.domain.groups.groups import GROUPS
from app.domain.groups.shapes import Group, GroupCreate, GroupPatch
from app.identity.roles import Permission
from app.models.vocabularies import GroupKind, MembershipState
from app.web import answers, calls, nouns
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

router = APIRouter(prefix="/v1/groups", tags=["Groups"])

Reading = Annotated[Desk, at_desk(Permission.GROUPS_READ)]
Writing = Annotated[Desk, at_desk(Permission.GROUPS_WRITE)]

PATCHES = (MEDIA_TYPE, answers.JSON)
"""Media types of a patch."""


class GroupFilters(Paging):
    """What a list of groups can be narrowed by."""

    kind: GroupKind | None = Field(None, description="What the groups are for.")
    ended: Annotated[bool, Strict(strict=False)] | None = Field(
        None, description="`true`: only groups that have ended, which their chair still sees; `false`: only the others."
    )
    state: Literal[MembershipState.INVITED, MembershipState.ACTIVE] | None = Field(
        None, description="`active`: only groups your agency is in; `invited`: only those it is invited to."
    )


@router.get("", summary="List groups", operation_id="list_groups", **operation(page_of(Group), csv=True, etag=False))
async def list_groups(request: Request, desk: Reading, filters: Annotated[GroupFilters, Query()]) -> Response:
    """List the groups your agency is in or invited to, newest change first."""
    cursors = house(request).cursors
    after = place_of(request, cursors, filters.cursor)
    found = await groups.listed(
        desk, kind=filters.kind, ended=filters.ended, state=filters.state, after=after, limit=filters.limit + 1
    )
    shown, more = found[: filters.limit], len(found) > filters.limit
    return await nouns.page(request, desk, GROUPS, "group.list", shown, more=more)


@router.post(
    "",
    summary="Found a group",
    operation_id="create_group",
    **operation(Group, status=201, body=GroupCreate, once=True, problems=("unknown-reference", "conflict")),
)
async def create_group(request: Request, desk: Writing) -> Response:
    """Found a group that your agency chairs. The agencies named are invited, and are in it when they accept."""

    async def act() -> calls.Made:
        made = await groups.found(desk, await calls.read_body(request, GroupCreate))
        return nouns.made(GROUPS, made, 201)

    return await calls.once(request, desk, nouns.replay(desk, GROUPS), act)


@router.get("/{group_id}", summary="Read a group", operation_id="read_group", **operation(Group))
async def read_group(request: Request, desk: Reading, group_id: str) -> Response:
    """Read a group that your agency is in or invited to."""
    group = await fetch(request, desk, group_id)
    await GROUPS.note_read(desk, "group.read", [group.id])
    return answers.model(request, group, group.version)


@router.patch(
    "/{group_id}",
    summary="Change a group",
    operation_id="change_group",
    **operation(Group, body=GroupPatch, types=PATCHES, match=True, problems=("unknown-reference", "conflict")),
)
async def change_group(request: Request, desk: Writing, group_id: str) -> Response:
    """Change kind, name, purpose or charter of a group that your agency chairs; null takes the charter away."""
    group = await fetch_own(request, desk, group_id)
    calls.require_match(request, group.version)
    changed = await groups.patch(desk, group, await calls.read_patch(request, GroupPatch))
    return answers.model(request, changed, changed.version)


@router.post(
    "/{group_id}/end",
    summary="End a group",
    operation_id="end_group",
    **operation(Group, match=True, once=True, problems=("conflict",)),
)
async def end_group(request: Request, desk: Writing, group_id: str) -> Response:
    """End a group that your agency chairs, for good, and its open invitations with it.

    Its members lose at once what they saw because of it.
    """
    group = await fetch_own(request, desk, group_id)

    async def end() -> Group:
        return await groups.end(desk, group)

    return await nouns.move(request, desk, GROUPS, group, end)


async def fetch(request: Request, desk: Desk, group_id: str) -> Group:
    """The group that a path names, or 404."""
    return await nouns.fetch(request, desk, GROUPS, group_id)


async def fetch_own(request: Request, desk: Desk, group_id: str) -> Group:
    """The group that a path names, for its chair; 404 for whom it is hidden from, 403 for the others in it."""
    group = await fetch(request, desk, group_id)
    groups.require_chair(desk, group)
    return group
