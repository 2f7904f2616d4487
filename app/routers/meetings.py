"""`/v1/meetings`: meetings as they are drafted, changed and read, called, held and cancelled."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.merge_patch import MEDIA_TYPE
from app.domain.meetings import holding, meetings, pointers
from app.domain.meetings.meetings import MEETINGS, Wanted
from app.domain.meetings.shapes import Meeting, MeetingCreate, MeetingOutcome, MeetingPatch, MeetingReason
from app.identity.roles import Permission
from app.models.vocabularies import MeetingKind, MeetingState
from app.web import answers, calls, nouns
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

router = APIRouter(prefix="/v1/meetings", tags=["Meetings"])

Reading = Annotated[Desk, at_desk(Permission.MEETINGS_READ)]
Writing = Annotated[Desk, at_desk(Permission.MEETINGS_WRITE)]

PATCHES = (MEDIA_TYPE, answers.JSON)
"""Media types of a patch."""


class MeetingFilters(Paging):
    """What a list of meetings can be narrowed by; several filters narrow together."""

    kind: MeetingKind | None = Field(None, description="What kind of meeting.")
    state: MeetingState | None = Field(None, description="How far they have come.")
    participant: AgencyCode | None = Field(
        None, description="Meetings that this agency calls, or in which it takes part by name."
    )
    since: UtcDateTime | None = Field(None, alias="from", description="Meetings that end after this moment.")
    until: UtcDateTime | None = Field(None, alias="to", description="Meetings that begin before this moment.")
    about: UUID | None = Field(
        None, description="Meetings with a link to the record or agreement of this id, as far as you see it."
    )


@router.get(
    "", summary="List meetings", operation_id="list_meetings", **operation(page_of(Meeting), csv=True, etag=False)
)
async def list_meetings(request: Request, desk: Reading, filters: Annotated[MeetingFilters, Query()]) -> Response:
    """List the meetings that your agency calls or takes part in, newest change first."""
    cursors = house(request).cursors
    wanted = Wanted(filters.kind, filters.state, filters.participant, filters.since, filters.until, filters.about)
    shown, more = await meetings.listed(desk, wanted, place_of(request, cursors, filters.cursor), filters.limit)
    return await nouns.page(request, desk, MEETINGS, "meeting.list", shown, more=more)


@router.post(
    "",
    summary="Draft a meeting",
    operation_id="create_meeting",
    **operation(Meeting, status=201, body=MeetingCreate, once=True, problems=("unknown-reference", "conflict")),
)
async def create_meeting(request: Request, desk: Writing) -> Response:
    """Draft a meeting. Nobody but your agency knows of it until you call it with `call`."""

    async def act() -> calls.Made:
        sent = await calls.read_body(request, MeetingCreate)
        drafted = await meetings.draft(desk, sent)
        await pointers.add_sent(desk, drafted, sent.links)
        return nouns.made(MEETINGS, drafted, 201)

    return await calls.once(request, desk, nouns.replay(desk, MEETINGS), act)


@router.get("/{meeting_id}", summary="Read a meeting", operation_id="read_meeting", **operation(Meeting))
async def read_meeting(request: Request, desk: Reading, meeting_id: str) -> Response:
    """Read a meeting that your agency calls, or takes part in since it was called: by name, or by a group it is in now.

    What it is about stands in `/links`, what is to be done after it in `/actions`.
    """
    meeting = await fetch(request, desk, meeting_id)
    await MEETINGS.note_read(desk, "meeting.read", [meeting.id])
    return answers.model(request, meeting, meeting.version)


@router.patch(
    "/{meeting_id}",
    summary="Change a meeting",
    operation_id="change_meeting",
    **operation(Meeting, body=MeetingPatch, types=PATCHES, match=True, problems=("conflict", "unknown-reference")),
)
async def change_meeting(request: Request, desk: Writing, meeting_id: str) -> Response:
    """Change a meeting that your agency calls. Once it was held, `minutes`, `decisions` and `participants` alone.

    Whoever is added to the participants of a meeting that was called sees it at once, and whoever is left out sees it
    no more; all of them are told by event.
    """
    meeting = await fetch_own(request, desk, meeting_id)
    calls.require_match(request, meeting.version)
    changed = await meetings.patch(desk, meeting, await calls.read_patch(request, MeetingPatch))
    return answers.model(request, changed, changed.version)


@router.post(
    "/{meeting_id}/call",
    summary="Call a meeting",
    operation_id="call_meeting",
    **operation(Meeting, match=True, once=True, problems=("conflict",)),
)
async def call_meeting(request: Request, desk: Writing, meeting_id: str) -> Response:
    """Call a meeting that your agency drafted: from now on all who are to take part see it, and are told by event."""
    meeting = await fetch_own(request, desk, meeting_id)

    async def move() -> Meeting:
        return await holding.call(desk, meeting)

    return await nouns.move(request, desk, MEETINGS, meeting, move)


@router.post(
    "/{meeting_id}/hold",
    summary="Note that a meeting was held",
    operation_id="hold_meeting",
    **operation(Meeting, body=MeetingOutcome, match=True, once=True, problems=("conflict",)),
)
async def hold_meeting(request: Request, desk: Writing, meeting_id: str) -> Response:
    """Note that a meeting was held, with its minutes and decisions, as far as they are there; more comes with PATCH."""
    meeting = await fetch_own(request, desk, meeting_id)

    async def move() -> Meeting:
        return await holding.hold(desk, meeting, await calls.read_body(request, MeetingOutcome))

    return await nouns.move(request, desk, MEETINGS, meeting, move)


@router.post(
    "/{meeting_id}/cancel",
    summary="Cancel a meeting",
    operation_id="cancel_meeting",
    **operation(Meeting, body=MeetingReason, match=True, once=True, problems=("conflict",)),
)
async def cancel_meeting(request: Request, desk: Writing, meeting_id: str) -> Response:
    """Cancel a meeting before it was held, or give up a draft, for good. Those who see it go on seeing it, with why."""
    meeting = await fetch_own(request, desk, meeting_id)

    async def move() -> Meeting:
        sent = await calls.read_body(request, MeetingReason)
        return await holding.cancel(desk, meeting, sent.reason)

    return await nouns.move(request, desk, MEETINGS, meeting, move)


async def fetch(request: Request, desk: Desk, meeting_id: str) -> Meeting:
    """The meeting that a path names, or 404."""
    return await nouns.fetch(request, desk, MEETINGS, meeting_id)


async def fetch_own(request: Request, desk: Desk, meeting_id: str) -> Meeting:
    """The meeting that a path names, for its convener; 404 for whom it is hidden from, 403 for who takes part."""
    meeting = await fetch(request, desk, meeting_id)
    meetings.require_convener(desk, meeting)
    return meeting
