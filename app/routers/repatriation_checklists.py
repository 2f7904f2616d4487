"""`/v1/repatriation-requests/{id}/checklist`: what has to be done before people go home, by whom, and how far it is."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.access.desk import Desk
from app.audit.trail import note
from app.domain.repatriation_requests import checklist, checklist_steps
from app.domain.repatriation_requests.checklist_shapes import Checklist, ChecklistCompletionIn, ChecklistReasonIn
from app.domain.repatriation_requests.requests import KIND, require_side, side_of
from app.domain.repatriation_requests.screening import may_read_results
from app.identity.roles import Permission
from app.models.checklist_vocabularies import ChecklistNeed
from app.models.repatriation_vocabularies import RepatriationSide
from app.records.advancing import hold
from app.records.shelf import Stored
from app.routers.repatriation_requests import TAG
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.openapi import operation
from app.web.preconditions import etag

router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}/checklist", tags=[TAG])

Reading = Annotated[Desk, at_desk(Permission.REPATRIATIONS_READ)]
Writing = Annotated[Desk, at_desk(Permission.REPATRIATIONS_WRITE)]
Deciding = Annotated[Desk, at_desk(Permission.REPATRIATIONS_DECIDE)]

_REFUSED = ("not-your-side", "conflict", "retracted", "acknowledgement-required", "unknown-reference")

_Step = Callable[[Stored, int], Awaitable[int]]


@router.get(
    "",
    summary="Read the checklist",
    operation_id="read_repatriation_checklist",
    **operation(
        Checklist, etag=False, headers=("ETag",), problems=("not-your-side", "retracted", "acknowledgement-required")
    ),
)
async def read_checklist(request: Request, desk: Reading, record_id: str) -> Response:
    """Read what has to be done before the people of a request go home, for both sides and agencies of transit.

    It is made of the hub's rules (`/v1/checklist-rules`) when the request is submitted, and anew when category, legal
    act, countries or agencies change: items of the same code stay as they are. What persons were screened as stands
    in it for the two sides, with `persons:read` and what for in `Access-Purpose`.
    """
    stored = await _of_party(request, desk, record_id, *RepatriationSide)
    return await _shown(request, desk, stored)


@router.post(
    "/{item}/complete",
    summary="Complete an item",
    operation_id="complete_repatriation_checklist_item",
    **operation(Checklist, body=ChecklistCompletionIn, match=True, once=True, problems=(*_REFUSED, "purpose-required")),
)
async def complete_item(request: Request, desk: Writing, record_id: str, item: str) -> Response:
    """Say that an item of your side is done: for all persons for whom it is open, or for those you name.

    `If-Match` names the checklist's version, so that two desks do not pass over each other. A screening takes
    `persons:write` and `Access-Purpose`; found `inconclusive`, it leaves the item open. What is settled is not
    completed again: open it again first.
    """
    stored = await _of_side(request, desk, record_id, item)

    async def step(held: Stored, version: int) -> int:
        sent = await calls.read_body(request, ChecklistCompletionIn)
        return await checklist_steps.complete(desk, held, item, version, sent)

    return await _once(request, desk, stored, step)


@router.post(
    "/{item}/waive",
    summary="Waive an item",
    operation_id="waive_repatriation_checklist_item",
    **operation(Checklist, body=ChecklistReasonIn, match=True, once=True, problems=_REFUSED),
)
async def waive_item(request: Request, desk: Deciding, record_id: str, item: str) -> Response:
    """Decide that an item of your side need not be done, for a reason: for all persons concerned, or those you name.

    A screening, the examination of what awaits somebody on return, and the consent of the next of kin are never
    waived.
    """
    stored = await _of_side(request, desk, record_id, item)

    async def step(held: Stored, version: int) -> int:
        sent = await calls.read_body(request, ChecklistReasonIn)
        return await checklist_steps.waive(desk, held, item, version, sent)

    return await _once(request, desk, stored, step)


@router.post(
    "/{item}/reopen",
    summary="Open an item again",
    operation_id="reopen_repatriation_checklist_item",
    **operation(Checklist, body=ChecklistReasonIn, match=True, once=True, problems=(*_REFUSED, "purpose-required")),
)
async def reopen_item(request: Request, desk: Writing, record_id: str, item: str) -> Response:
    """Open an item of your side again that was completed or waived, for a reason; `history` keeps what was done.

    What is open again after the request was cleared stops its journey until it is settled.
    """
    stored = await _of_side(request, desk, record_id, item)

    async def step(held: Stored, version: int) -> int:
        sent = await calls.read_body(request, ChecklistReasonIn)
        return await checklist_steps.reopen(desk, held, item, version, sent)

    return await _once(request, desk, stored, step)


async def _of_party(request: Request, desk: Desk, record_id: str, *sides: RepatriationSide) -> Stored:
    stored = await calls.fetch_as_party(request, desk, KIND, record_id)
    require_side(desk, stored, *sides)
    return stored


async def _of_side(request: Request, desk: Desk, record_id: str, item: str) -> Stored:
    """The request of a call on an item of the caller's side: 404, 403, and 400 for a screening without a purpose."""
    stored = await _of_party(request, desk, record_id, RepatriationSide.REQUESTING, RepatriationSide.REQUESTED)
    row = await checklist_steps.require_own_item(desk, stored, item)
    if row.needs == ChecklistNeed.RESULT:
        calls.require_purpose(request)
    return stored


def _shows_results(request: Request, desk: Desk, stored: Stored) -> bool:
    """Whether the caller reads what persons were screened as: of the two sides, whoever may and says what for."""
    may = may_read_results(desk) and request.state.visit.purpose is not None
    return may and side_of(desk, stored) is not RepatriationSide.TRANSIT


async def _shown(request: Request, desk: Desk, stored: Stored) -> Response:
    """The checklist with its ETag, whole at every read: what is overdue or flagged does not change the version."""
    found = await checklist.read(desk, stored, results=_shows_results(request, desk, stored))
    await _note(desk, stored, found)
    return answers.model(request, found, headers={"ETag": etag(found.version)})


async def _note(desk: Desk, stored: Stored, found: Checklist) -> None:
    """Record the read, and of whom results were shown."""
    screened = [str(one.person) for item in found.items for one in item.results or []]
    detail = {"screenings": screened} if screened else None
    await note(desk, "checklist.read", KIND, [stored.envelope.id], [stored.envelope.originator], detail)


async def _once(request: Request, desk: Desk, stored: Stored, step: _Step) -> Response:
    results = _shows_results(request, desk, stored)

    async def replay(kept: calls.Kept) -> str:
        found = await checklist.read(desk, stored, results=results, version=kept.version)
        await _note(desk, stored, found)
        return found.model_dump_json()

    async def act() -> calls.Made:
        held = await hold(desk, stored, same_version=False)
        before = await checklist.present_version(desk, held)
        calls.require_match(request, before)
        version = await step(held, before)
        found = await checklist.read(desk, held, results=results)
        await _note(desk, stored, found)
        return calls.Made(checklist.NOUN, str(held.envelope.id), version, found.model_dump_json())

    return await calls.once(request, desk, replay, act)
