"""`/v1/groups/{group_id}/members`: who is in a group, who is invited to it, and who was in it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, TypeAdapter, ValidationError

from app.access.desk import Desk
from app.core.codes import AgencyCode
from app.core.problems import not_found
from app.domain.groups import members
from app.domain.groups.groups import GROUPS
from app.domain.groups.shapes import ExpulsionIn, Group, GroupMember, GroupMemberIn, GroupMemberPatch
from app.models.vocabularies import MembershipState
from app.routers.groups import PATCHES, Reading, Writing, fetch, fetch_own
from app.web import answers, calls
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import open_cursor, seal_cursor
from app.web.state import house

router = APIRouter(prefix="/v1/groups/{group_id}/members", tags=["Groups"])

_NO_CONTENT = 204
_agency_code = TypeAdapter[str](AgencyCode)


class MemberFilters(Paging):
    """What a list of members can be narrowed by."""

    state: MembershipState | None = Field(
        None, description="Only those in this state; left out, those in the group and those invited."
    )


@router.get(
    "",
    summary="List members",
    operation_id="list_group_members",
    **operation(page_of(GroupMember), csv=True, etag=False),
)
async def list_members(
    request: Request, desk: Reading, group_id: str, filters: Annotated[MemberFilters, Query()]
) -> Response:
    """List the agencies in a group and those invited to it, by their codes.

    With `state=former` those that are out again, as far as they went while your agency was in the group; when the group
    has ended, its chair alone still finds them. An agency that is only invited sees who is in the group, and of no
    other invitation.
    """
    group = await fetch(request, desk, group_id)
    cursors, path, narrowing = house(request).cursors, request.url.path, {"state": filters.state}
    place = open_cursor(cursors, path, narrowing, filters.cursor) or {"agency": "", "version": 0}
    found = await members.listed(desk, group, filters.state, (place["agency"], place["version"]), filters.limit + 1)
    shown = found[: filters.limit]
    await GROUPS.note_read(desk, "member.list", [group.id])
    cursor = None
    if len(found) > filters.limit:
        last = {"agency": shown[-1].agency, "version": shown[-1].version}
        cursor = seal_cursor(cursors, path, narrowing, last)
    return answers.listing_of(request, shown, cursor)


@router.post(
    "",
    summary="Invite a member",
    operation_id="add_group_member",
    **operation(GroupMember, status=201, body=GroupMemberIn, once=True, problems=("unknown-reference", "conflict")),
)
async def add_member(request: Request, desk: Writing, group_id: str) -> Response:
    """Invite an agency into a group that yours chairs.

    It sees the group and who is in it, and nothing that is shared with the group until it accepts. An invitation stays
    open until it is accepted, declined or withdrawn, or the group ends.
    """
    group = await fetch_own(request, desk, group_id)

    async def act() -> calls.Made:
        invited = await members.invite(desk, group, await calls.read_body(request, GroupMemberIn))
        return _made(invited, 201, f"{request.url.path}/{invited.agency}")

    return await calls.once(request, desk, _replay(desk, group), act)


@router.get("/{agency}", summary="Read a member", operation_id="read_group_member", **operation(GroupMember))
async def read_member(request: Request, desk: Reading, group_id: str, agency: str) -> Response:
    """Read what an agency is in a group that yours is in or invited to."""
    group = await fetch(request, desk, group_id)
    member = await members.fetch(desk, group, _code(agency))
    await GROUPS.note_read(desk, "member.read", [group.id], {"agency": member.agency})
    return answers.model(request, member, member.version)


@router.patch(
    "/{agency}",
    summary="Change a member's role",
    operation_id="change_group_member",
    **operation(GroupMember, body=GroupMemberPatch, types=PATCHES, match=True, problems=("conflict",)),
)
async def change_member(request: Request, desk: Writing, group_id: str, agency: str) -> Response:
    """Give a member of a group that your agency chairs another role, or hand the chair over to it.

    An agency that is invited is offered the other role; the chair can be handed over once it has accepted.
    """
    group = await fetch_own(request, desk, group_id)
    member = await members.fetch(desk, group, _code(agency))
    calls.require_match(request, member.version)
    changed = await members.patch(desk, group, member, await calls.read_patch(request, GroupMemberPatch))
    return answers.model(request, changed, changed.version)


@router.delete(
    "/{agency}",
    summary="Leave a group, or withdraw an invitation",
    operation_id="remove_group_member",
    **operation(status=204, problems=("conflict",)),
)
async def remove_member(request: Request, desk: Writing, group_id: str, agency: str) -> Response:
    """Leave a group, or take back an invitation to one that your agency chairs.

    Who leaves loses at once what it saw because of the group. The chair hands over before it leaves, and expels a
    member by `…/expel`.
    """
    group = await fetch(request, desk, group_id)
    await members.remove(desk, group, await members.fetch(desk, group, _code(agency)))
    return Response(status_code=_NO_CONTENT)


@router.post(
    "/{agency}/accept",
    summary="Accept an invitation",
    operation_id="accept_group_invitation",
    **operation(GroupMember, match=True, once=True, problems=("conflict",)),
)
async def accept_invitation(request: Request, desk: Writing, group_id: str, agency: str) -> Response:
    """Accept the invitation of your agency, based on its ETag.

    From then on it sees what is shared with its role in the group. 409 while it stands in as many groups as one can.
    """
    group, member = await _fetch_own_part(request, desk, group_id, agency)

    async def act() -> calls.Made:
        calls.require_match(request, member.version)
        return _made(await members.accept(desk, group, member))

    return await calls.once(request, desk, _replay(desk, group), act)


@router.post(
    "/{agency}/decline",
    summary="Decline an invitation",
    operation_id="decline_group_invitation",
    **operation(status=204, match=True, once=True, problems=("conflict",)),
)
async def decline_invitation(request: Request, desk: Writing, group_id: str, agency: str) -> Response:
    """Decline the invitation of your agency, based on its ETag.

    The group is gone for your agency with that, so a repeat is answered with 404.
    """
    group, member = await _fetch_own_part(request, desk, group_id, agency)

    async def act() -> calls.Made:
        calls.require_match(request, member.version)
        await members.decline(desk, group, member)
        return calls.Made(members.NOUN, member.agency, member.version, "", _NO_CONTENT)

    return await calls.once(request, desk, None, act)


@router.post(
    "/{agency}/expel",
    summary="Expel a member",
    operation_id="expel_group_member",
    **operation(status=204, body=ExpulsionIn, match=True, once=True, problems=("conflict",)),
)
async def expel_member(request: Request, desk: Writing, group_id: str, agency: str) -> Response:
    """Expel a member from a group that your agency chairs, based on the membership's ETag.

    It loses at once what it saw because of the group, and is told that it is out, not why: the reason is in your
    agency's audit, and in the list of former members as the chair reads it.
    """
    group = await fetch_own(request, desk, group_id)

    async def act() -> calls.Made:
        member = await members.fetch(desk, group, _code(agency))
        calls.require_match(request, member.version)
        await members.expel(desk, group, member, await calls.read_body(request, ExpulsionIn))
        return calls.Made(members.NOUN, member.agency, member.version, "", _NO_CONTENT)

    return await calls.once(request, desk, None, act)


async def _fetch_own_part(request: Request, desk: Desk, group_id: str, agency: str) -> tuple[Group, GroupMember]:
    group = await fetch(request, desk, group_id)
    member = await members.fetch(desk, group, _code(agency))
    members.require_own(desk, member)
    return group, member


def _code(text: str) -> str:
    """An agency's code from a path; 404 for what cannot be one, which the database need not be asked about."""
    try:
        return _agency_code.validate_python(text)
    except ValidationError:
        raise not_found() from None


def _made(member: GroupMember, status: int = 200, location: str | None = None) -> calls.Made:
    return calls.Made(members.NOUN, member.agency, member.version, member.model_dump_json(), status, location)


def _replay(desk: Desk, group: Group) -> calls.Replay:
    async def replay(kept: calls.Kept) -> str:
        return (await members.version(desk, group, kept.resource_id, kept.version)).model_dump_json()

    return replay
