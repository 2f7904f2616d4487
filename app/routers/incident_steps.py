"""`/v1/incident-reports/{id}/…`: the steps of a report's course, and its verification beside them."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.access.desk import Desk
from app.domain.incident_reports import reports
from app.domain.incident_reports.shapes import IncidentReport, IncidentStepIn, VerificationIn
from app.domain.incident_reports.workflow import WORKFLOW
from app.identity.roles import Permission
from app.records.shelf import Stored
from app.web import calls
from app.web.callers import at_desk
from app.web.openapi import operation
from app.web.replays import replay_record

KIND = reports.KIND
router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}", tags=["Incident reports"])

Writing = Annotated[Desk, at_desk(Permission.INCIDENTS_WRITE)]


def _step_route(action: str) -> None:
    row = WORKFLOW.row(action)
    sources = ", ".join(f"`{state}`" for state in row.sources)

    @router.post(
        f"/{action}",
        summary=f"{action.capitalize()}",
        operation_id=f"{action}_incident_report",
        description=f"Move your report from {sources} to `{row.target}`, based on its ETag. {row.sentence}",
        **operation(IncidentReport, body=IncidentStepIn, match=True, once=True, problems=("conflict", "retracted")),
    )
    async def take_step(request: Request, desk: Writing, record_id: str) -> Response:
        async def move(stored: Stored) -> Stored:
            return await reports.move(desk, stored, action, await calls.read_body(request, IncidentStepIn))

        return await _once(request, desk, record_id, move)


for transition in WORKFLOW.transitions:
    _step_route(transition.action)


@router.post(
    "/verify",
    summary="Verify",
    operation_id="verify_incident_report",
    **operation(IncidentReport, body=VerificationIn, match=True, once=True, problems=("conflict", "retracted")),
)
async def verify_report(request: Request, desk: Writing, record_id: str) -> Response:
    """Say whether your report is known to be true: beside its state and in every state, based on its ETag.

    Statistics tell reported from confirmed, and leave out what is unfounded; an unfounded report is not urgent.
    """

    async def verify(stored: Stored) -> Stored:
        return await reports.verify(desk, stored, await calls.read_body(request, VerificationIn))

    return await _once(request, desk, record_id, verify)


async def _once(request: Request, desk: Desk, record_id: str, move: Callable[[Stored], Awaitable[Stored]]) -> Response:
    stored = await calls.fetch_own(request, desk, KIND, record_id)

    async def act() -> calls.Made:
        calls.require_match(request, stored.envelope.version)
        return calls.record_made(await move(stored))

    return await calls.once(request, desk, replay_record(desk), act)
