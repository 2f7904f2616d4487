"""`/v1/meetings/{id}/links`: what a meeting is about."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.core.ids import parse_uuid
from app.domain.meetings import pointers
from app.domain.meetings.meetings import MEETINGS
from app.domain.meetings.shapes import MeetingLink, MeetingLinkIn
from app.routers.meetings import Reading, Writing, fetch, fetch_own
from app.routers.parts import page
from app.web import answers, calls
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

router = APIRouter(prefix="/v1/meetings/{meeting_id}/links", tags=["Meetings"])


@router.get(
    "",
    summary="List what a meeting is about",
    operation_id="list_meeting_links",
    **operation(page_of(MeetingLink), csv=True, etag=False),
)
async def list_links(request: Request, desk: Reading, meeting_id: str, paging: Annotated[Paging, Query()]) -> Response:
    """List the records and agreements that a meeting is about, as far as you see them, newest first."""
    meeting = await fetch(request, desk, meeting_id)
    after = place_of(request, house(request).cursors, paging.cursor)
    found = await pointers.listed(desk, meeting, after, paging.limit + 1)
    await MEETINGS.note_read(desk, "meeting.list_links", [meeting.id])
    return page(request, found, paging.limit, "created_at", "link_id")


@router.post(
    "",
    summary="Link a meeting to what it is about",
    operation_id="add_meeting_link",
    **operation(MeetingLink, status=201, body=MeetingLinkIn, once=True, problems=("unknown-reference", "conflict")),
)
async def add_link(request: Request, desk: Writing, meeting_id: str) -> Response:
    """Link your agency's meeting to a record or an agreement that it sees. Who does not see that sees no link."""
    meeting = await fetch_own(request, desk, meeting_id)

    async def replay(kept: calls.Kept) -> str:
        return (await pointers.one(desk, meeting, parse_uuid(kept.resource_id))).model_dump_json()

    async def act() -> calls.Made:
        made = await pointers.add(desk, meeting, await calls.read_body(request, MeetingLinkIn))
        location = f"{request.url.path}/{made.link_id}"
        return calls.Made("meeting-links", str(made.link_id), 1, made.model_dump_json(), 201, location)

    return await calls.once(request, desk, replay, act)


@router.get(
    "/{link_id}", summary="Read a link of a meeting", operation_id="read_meeting_link", **operation(MeetingLink)
)
async def read_link(request: Request, desk: Reading, meeting_id: str, link_id: str) -> Response:
    """Read one link of a meeting, if you see both ends."""
    meeting = await fetch(request, desk, meeting_id)
    found = await pointers.one(desk, meeting, parse_uuid(link_id))
    await MEETINGS.note_read(desk, "meeting.read_link", [meeting.id])
    return answers.model(request, found, 1)


@router.delete(
    "/{link_id}",
    summary="Take a link of a meeting back",
    operation_id="remove_meeting_link",
    **operation(status=204),
)
async def remove_link(request: Request, desk: Writing, meeting_id: str, link_id: str) -> Response:
    """Take back a link of your agency's meeting."""
    meeting = await fetch_own(request, desk, meeting_id)
    await pointers.remove(desk, meeting, await pointers.one(desk, meeting, parse_uuid(link_id)))
    return Response(status_code=204)
