"""The steps of a repatriation request, each taken by its side."""

from typing import Any, Final

from app.access.desk import Desk
from app.access.envelope import changed_fields
from app.core import clock
from app.core.problems import CONFLICT, Flaw, Problem, invalid
from app.domain.repatriation_requests import checklist
from app.domain.repatriation_requests.content import RepatriationRequestFields
from app.domain.repatriation_requests.requests import body_of, content_of, parties_of, refuse_excluded, state_of
from app.domain.repatriation_requests.travelling import require_no_contradiction
from app.domain.repatriation_requests.workflow import WORKFLOW
from app.records.advancing import Step, advance, hold
from app.records.shelf import Stored, fetch

_NOT_HELD: Final[dict[str, Any]] = {"held_from": None, "held_by": None}


async def submit(desk: Desk, stored: Stored, said: str | None) -> Stored:
    """Open a request to the requested side and the transit agencies.

    422 for a day that is over, or for a party whom the handling excludes or no legal basis covers.
    """
    stored = await hold(desk, stored)
    WORKFLOW.require("submit", state_of(stored))
    content = content_of(stored)
    if content.due_at is not None and content.due_at <= clock.now():
        raise invalid(Flaw("/due_at", "window-past", "The day is over: set a later one."))
    refuse_excluded(stored, content)
    return await _taken(desk, stored, "submit", content.model_copy(update={"state_reason": said}))


async def move(desk: Desk, stored: Stored, action: str, said: str | None) -> Stored:
    """Take a step of the table; 409 that says what is possible, where this one is not, or what stands against it."""
    stored = await hold(desk, stored)
    WORKFLOW.require(action, state_of(stored))
    await require_no_contradiction(desk, stored, action)
    await checklist.require_complete(desk, stored, action)
    after = content_of(stored).model_copy(update={"state_reason": said, **_NOT_HELD})
    return await _taken(desk, stored, action, after)


async def put_on_hold(desk: Desk, stored: Stored, reason: str) -> Stored:
    """Stop, keeping where to go on from; 409 while people of the request are on their way."""
    stored = await hold(desk, stored)
    state = state_of(stored)
    WORKFLOW.require("hold", state)
    await require_no_contradiction(desk, stored, "hold")
    held = {"state_reason": reason, "held_from": state, "held_by": desk.caller.agency}
    return await _taken(desk, stored, "hold", content_of(stored).model_copy(update=held))


async def resume(desk: Desk, stored: Stored, said: str | None) -> Stored:
    """Go on from the state that was left, or from where transports have brought its people since.

    409 for the side that did not stop.
    """
    stored = await hold(desk, stored)
    WORKFLOW.require("resume", state_of(stored))
    content = content_of(stored)
    if content.held_by != desk.caller.agency:
        raise Problem(CONFLICT, detail=f"{content.held_by} put it on hold, and goes on when it can.")
    resumed = await _taken(desk, stored, "resume", content.model_copy(update={"state_reason": said, **_NOT_HELD}))
    await desk.call("settle_own_repatriation", p_record=resumed.envelope.id)
    return await fetch(desk, resumed.kind, resumed.envelope.id)


async def _taken(desk: Desk, stored: Stored, action: str, after: RepatriationRequestFields) -> Stored:
    """Take a step in a held request."""
    before, row = content_of(stored), WORKFLOW.row(action)
    state = before.held_from if action == "resume" and before.held_from else row.leads_to(state_of(stored))
    changed = ["state", *changed_fields(before.model_dump(mode="json"), after.model_dump(mode="json"))]
    step = Step(f"repatriation.{action.replace('-', '_')}", row.event, changed)
    parties = parties_of(after) if action == "submit" else None
    return await advance(desk, stored, body_of(after, state), step, parties)
