"""`/v1/repatriation-requests/{id}/…`: the steps of a request's course, each taken by its side."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response

from app.access.desk import Desk
from app.domain.repatriation_requests import moving
from app.domain.repatriation_requests.checklist import STEPS
from app.domain.repatriation_requests.requests import KIND, require_side
from app.domain.repatriation_requests.shapes import RepatriationReasonIn, RepatriationStepIn
from app.domain.repatriation_requests.workflow import SIDES, WORKFLOW
from app.identity.roles import Permission
from app.models.checklist_vocabularies import ChecklistStep
from app.records.shelf import Stored
from app.routers.repatriation_requests import TAG, RepatriationRequestRead
from app.web import calls
from app.web.callers import at_desk
from app.web.openapi import operation
from app.web.replays import replay_record

router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}", tags=[TAG])

_Act = Callable[[Desk, Stored, str | None], Awaitable[Stored]]

_DECIDED: Final = frozenset({"accept", "decline"})
_FOR_A_REASON: Final = frozenset({"decline", "hold", "withdraw"})
_REFUSED: Final = ("not-your-side", "conflict", "retracted", "acknowledgement-required")
_MORE: Final[dict[str, tuple[str, ...]]] = {
    "submit": ("no-legal-basis",),
    **{
        action: ("checklist-open", *(["screened-as-victim"] if step is ChecklistStep.CLEAR else []))
        for action, step in STEPS.items()
    },
}


def _act(action: str) -> _Act:
    """What takes a step of the table."""

    async def move(desk: Desk, stored: Stored, said: str | None) -> Stored:
        return await moving.move(desk, stored, action, said)

    async def put_on_hold(desk: Desk, stored: Stored, said: str | None) -> Stored:
        return await moving.put_on_hold(desk, stored, said or "")

    own: dict[str, _Act] = {"submit": moving.submit, "hold": put_on_hold, "resume": moving.resume}
    return own.get(action, move)


def _step_route(action: str) -> None:
    row, act = WORKFLOW.row(action), _act(action)
    permission = Permission.REPATRIATIONS_DECIDE if action in _DECIDED else Permission.REPATRIATIONS_WRITE
    stepping = at_desk(permission)
    body: type[RepatriationReasonIn | RepatriationStepIn] = (
        RepatriationReasonIn if action in _FOR_A_REASON else RepatriationStepIn
    )
    sources = ", ".join(f"`{state}`" for state in row.sources)
    target = f"`{row.target}`" if row.target else row.destination

    @router.post(
        f"/{action}",
        summary=action.replace("-", " ").capitalize(),
        operation_id=f"{action.replace('-', '_')}_repatriation_request",
        description=f"For {row.by}, with `{permission}`: from {sources} to {target}, based on the ETag. {row.sentence}",
        **operation(
            RepatriationRequestRead, body=body, match=True, once=True, problems=(*_REFUSED, *_MORE.get(action, ()))
        ),
    )
    async def take_step(request: Request, desk: Annotated[Desk, stepping], record_id: str) -> Response:
        stored = await calls.fetch_as_party(request, desk, KIND, record_id)
        require_side(desk, stored, *SIDES[action])

        async def taken() -> calls.Made:
            calls.require_match(request, stored.envelope.version)
            sent = await calls.read_body(request, body)
            said = sent.reason if isinstance(sent, RepatriationReasonIn) else sent.note
            return calls.record_made(await act(desk, stored, said))

        return await calls.once(request, desk, replay_record(desk), taken)


for transition in WORKFLOW.transitions:
    if not transition.automatic:
        _step_route(transition.action)
