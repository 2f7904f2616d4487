"""`/v1/repatriation-requests/{id}/messages`: what the two sides of a request write to each other."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.domain.repatriation_requests import messages
from app.domain.repatriation_requests.requests import KIND, require_side
from app.domain.repatriation_requests.shapes import RepatriationMessage, RepatriationMessageIn
from app.identity.roles import Permission
from app.models.repatriation_vocabularies import RepatriationSide
from app.records.shelf import Stored
from app.routers.parts import COVERED, note_read, page
from app.routers.repatriation_requests import TAG
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}/messages", tags=[TAG])

Reading = Annotated[Desk, at_desk(Permission.REPATRIATIONS_READ)]
Writing = Annotated[Desk, at_desk(Permission.REPATRIATIONS_WRITE)]

_PROBLEMS = (*COVERED, "not-your-side")


@router.get(
    "",
    summary="List messages",
    operation_id="list_repatriation_request_messages",
    **operation(page_of(RepatriationMessage), csv=True, etag=False, problems=_PROBLEMS),
)
async def list_messages(
    request: Request, desk: Reading, record_id: str, paging: Annotated[Paging, Query()]
) -> Response:
    """List what the two sides of a request wrote to each other, newest first.

    An agency that is asked in the place of another does not find what was written to that one.
    """
    stored = await _of_a_side(request, desk, record_id)
    after = place_of(request, house(request).cursors, paging.cursor)
    found = await messages.listed(desk, stored, after, paging.limit + 1)
    await note_read(desk, "repatriation.messages", stored)
    return page(request, found, paging.limit, "created_at")


@router.post(
    "",
    summary="Write a message",
    operation_id="write_repatriation_request_message",
    **operation(
        RepatriationMessage,
        status=201,
        body=RepatriationMessageIn,
        once=True,
        problems=(*_PROBLEMS, "conflict", "retracted"),
    ),
)
async def write_message(request: Request, desk: Writing, record_id: str) -> Response:
    """Write to the other side of a request, which is told by `repatriation.message` and reads it here.

    The officer named in `On-Behalf-Of` stands in the message, and the other side reads it there. A message is never
    changed or taken back. Names of those who are to come home belong to `/persons`.
    """
    stored = await _of_a_side(request, desk, record_id)

    async def replay(kept: calls.Kept) -> str:
        return (await messages.one(desk, stored, parse_uuid(kept.resource_id))).model_dump_json()

    async def act() -> calls.Made:
        made = await messages.write(desk, stored, await calls.read_body(request, RepatriationMessageIn))
        return calls.Made("messages", str(made.id), 1, made.model_dump_json(), 201, f"{request.url.path}/{made.id}")

    return await calls.once(request, desk, replay, act)


@router.get(
    "/{message_id}",
    summary="Read a message",
    operation_id="read_repatriation_request_message",
    **operation(RepatriationMessage, problems=_PROBLEMS),
)
async def read_message(request: Request, desk: Reading, record_id: str, message_id: str) -> Response:
    """Read one message between the sides of a request."""
    stored = await _of_a_side(request, desk, record_id)
    found = await messages.one(desk, stored, parse_uuid(message_id))
    await note_read(desk, "repatriation.message", stored)
    return answers.model(request, found, 1)


async def _of_a_side(request: Request, desk: Desk, record_id: str) -> Stored:
    stored = await calls.fetch_as_party(request, desk, KIND, record_id)
    require_side(desk, stored, RepatriationSide.REQUESTING, RepatriationSide.REQUESTED)
    return stored
