"""`/v1/groups`: councils, joint teams and working groups, and the agencies in them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, Strict, TypeAdapter, ValidationError

from app.access.desk import Desk
from app.core.codes import AgencyCode
from app.core.ids import parse_uuid
from app.core.merge_patch import MEDIA_TYPE
from app.core.problems import not_found
from app.domain.groups import groups, members
from app.domain.groups.shapes import (
    Group,
    GroupCreate,
    GroupMember,
    GroupMemberIn,
    GroupMemberPatch,
    GroupPatch,
)
from app.identity.roles import Permission
from app.models.vocabularies import GroupKind
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import next_place, open_cursor, place_of, seal_cursor
from app.web.state import house

router = APIRouter(prefix="/v1/groups", tags=["Groups"])

Reading = Annotated[Desk, at_desk(Permission.GROUPS_READ)]
Writing = Annotated[Desk, at_desk(Permission.GROUPS_WRITE)]

_PATCHES = (MEDIA_TYPE, answers.JSON)
_agency_code = TypeAdapter[str](AgencyCode)


class GroupFilters(Paging):
    """What a list of groups can be narrowed by."""

    kind: GroupKind | None = Field(None, description="What the groups are for.")
    ended: Annotated[bool, Strict(strict=False)] | None = Field(
        None, description="`true`: only groups that have ended, which their chair still sees; `false`: only the others."
    )


@router.get("", summary="List groups", operation_id="list_groups", **operation(page_of(Group), csv=True, etag=False))
async def list_groups(request: Request, desk: Reading, filters: Annotated[GroupFilters, Query()]) -> Response:
    """List the groups your agency is in, newest change first."""
    cursors = house(request).cursors
    after = place_of(request, cursors, filters.cursor)
    found = await groups.listed(desk, kind=filters.kind, ended=filters.ended, after=after, limit=filters.limit + 1)
    shown = found[: filters.limit]
    await groups.note_read(desk, "group.list", [group.id for group in shown])
    cursor = None
    if len(found) > filters.limit:
        cursor = next_place(request, cursors, shown[-1].updated_at, shown[-1].id)
    return answers.listing_of(request, shown, cursor)


@router.post(
    "",
    summary="Found a group",
    operation_id="create_group",
    **operation(Group, status=201, body=GroupCreate, once=True, problems=("unknown-reference", "conflict")),
)
async def create_group(request: Request, desk: Writing) -> Response:
    """Found a group. Your agency chairs it; the agencies named are in it at once and are told."""

    async def act() -> calls.Made:
        made = await groups.found(desk, await calls.read_body(request, GroupCreate))
        return _made(made, 201, f"/v1/groups/{made.id}")

    return await calls.once(request, desk, _replay_group(desk), act)


@router.get("/{group_id}", summary="Read a group", operation_id="read_group", **operation(Group))
async def read_group(request: Request, desk: Reading, group_id: str) -> Response:
    """Read a group that your agency is in."""
    group = await _fetch(request, desk, group_id)
    await groups.note_read(desk, "group.read", [group.id])
    return answers.model(request, group, group.version)


@router.patch(
    "/{group_id}",
    summary="Change a group",
    operation_id="change_group",
    **operation(Group, body=GroupPatch, types=_PATCHES, match=True, problems=("conflict",)),
)
async def change_group(request: Request, desk: Writing, group_id: str) -> Response:
    """Change kind, name or purpose of a group that your agency chairs."""
    group = await _fetch_own(request, desk, group_id)
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
    """End a group that your agency chairs, for good. Its members lose at once what they saw because of it."""
    group = await _fetch_own(request, desk, group_id)

    async def act() -> calls.Made:
        calls.require_match(request, group.version)
        return _made(await groups.end(desk, group))

    return await calls.once(request, desk, _replay_group(desk), act)


@router.get(
    "/{group_id}/members",
    summary="List members",
    operation_id="list_group_members",
    **operation(page_of(GroupMember), csv=True, etag=False),
)
async def list_members(request: Request, desk: Reading, group_id: str, paging: Annotated[Paging, Query()]) -> Response:
    """List the agencies in a group that yours is in, by their codes."""
    group = await _fetch(request, desk, group_id)
    cursors, path = house(request).cursors, request.url.path
    place = open_cursor(cursors, path, {}, paging.cursor) or {"agency": ""}
    found = await members.listed(desk, group, place["agency"], paging.limit + 1)
    shown = found[: paging.limit]
    await groups.note_read(desk, "member.list", [group.id])
    cursor = None
    if len(found) > paging.limit:
        cursor = seal_cursor(cursors, path, {}, {"agency": shown[-1].agency})
    return answers.listing_of(request, shown, cursor)


@router.post(
    "/{group_id}/members",
    summary="Add a member",
    operation_id="add_group_member",
    **operation(GroupMember, status=201, body=GroupMemberIn, once=True, problems=("unknown-reference", "conflict")),
)
async def add_member(request: Request, desk: Writing, group_id: str) -> Response:
    """Take an agency into a group that yours chairs. It sees at once what is shared with the group."""
    group = await _fetch_own(request, desk, group_id)

    async def replay(kept: calls.Kept) -> str:
        return (await members.version(desk, group, kept.resource_id, kept.version)).model_dump_json()

    async def act() -> calls.Made:
        added = await members.add(desk, group, await calls.read_body(request, GroupMemberIn))
        location = f"{request.url.path}/{added.agency}"
        return calls.Made("members", added.agency, added.version, added.model_dump_json(), 201, location)

    return await calls.once(request, desk, replay, act)


@router.get(
    "/{group_id}/members/{agency}", summary="Read a member", operation_id="read_group_member", **operation(GroupMember)
)
async def read_member(request: Request, desk: Reading, group_id: str, agency: str) -> Response:
    """Read what an agency is in a group that yours is in."""
    group = await _fetch(request, desk, group_id)
    member = await members.fetch(desk, group, _code(agency))
    await groups.note_read(desk, "member.read", [group.id], {"agency": member.agency})
    return answers.model(request, member, member.version)


@router.patch(
    "/{group_id}/members/{agency}",
    summary="Change a member's role",
    operation_id="change_group_member",
    **operation(GroupMember, body=GroupMemberPatch, types=_PATCHES, match=True, problems=("conflict",)),
)
async def change_member(request: Request, desk: Writing, group_id: str, agency: str) -> Response:
    """Give a member of a group that your agency chairs another role, or hand the chair over to it."""
    group = await _fetch_own(request, desk, group_id)
    member = await members.fetch(desk, group, _code(agency))
    calls.require_match(request, member.version)
    changed = await members.patch(desk, group, member, await calls.read_patch(request, GroupMemberPatch))
    return answers.model(request, changed, changed.version)


@router.delete(
    "/{group_id}/members/{agency}",
    summary="Remove a member",
    operation_id="remove_group_member",
    **operation(status=204, problems=("conflict",)),
)
async def remove_member(request: Request, desk: Writing, group_id: str, agency: str) -> Response:
    """Take an agency out of a group that yours chairs, or leave one. It loses at once what it saw because of it."""
    group = await _fetch(request, desk, group_id)
    await members.remove(desk, group, await members.fetch(desk, group, _code(agency)))
    return Response(status_code=204)


async def _fetch(request: Request, desk: Desk, group_id: str) -> Group:
    parsed = parse_uuid(group_id)
    request.state.subject = (groups.NOUN, parsed)
    return await groups.fetch(desk, parsed)


async def _fetch_own(request: Request, desk: Desk, group_id: str) -> Group:
    group = await _fetch(request, desk, group_id)
    groups.require_chair(desk, group)
    return group


def _code(text: str) -> str:
    """An agency's code from a path; 404 for what cannot be one, which the database need not be asked about."""
    try:
        return _agency_code.validate_python(text)
    except ValidationError:
        raise not_found() from None


def _made(group: Group, status: int = 200, location: str | None = None) -> calls.Made:
    return calls.Made(groups.NOUN, str(group.id), group.version, group.model_dump_json(), status, location)


def _replay_group(desk: Desk) -> calls.Replay:
    async def replay(kept: calls.Kept) -> str:
        parsed = parse_uuid(kept.resource_id)
        if parsed is None:
            raise not_found()
        return (await groups.version(desk, parsed, kept.version)).model_dump_json()

    return replay
