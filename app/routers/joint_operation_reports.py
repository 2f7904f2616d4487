"""`/v1/joint-operations/{id}/incident-reports`: the people who were brought to safety, reported in one call."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.access.desk import Desk
from app.core.validation import validated
from app.domain.incident_reports import reports
from app.domain.incident_reports.shapes import IncidentReport, IncidentReportCreate
from app.domain.joint_operations.following_up import RescueReportIn, rescue_report
from app.domain.joint_operations.plans import KIND
from app.identity.roles import Permission
from app.records import shelf
from app.routers.joint_operations import TAG
from app.web import calls
from app.web.callers import at_desk
from app.web.openapi import operation
from app.web.replays import replay_record

router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}/incident-reports", tags=[TAG])

Reporting = Annotated[Desk, at_desk(Permission.OPERATIONS_READ, Permission.INCIDENTS_WRITE)]


@router.post(
    "",
    summary="Report who was rescued",
    operation_id="report_joint_operation_rescue",
    **operation(
        IncidentReport,
        status=201,
        body=RescueReportIn,
        once=True,
        problems=("conflict", "retracted", "acknowledgement-required", "no-legal-basis", "external-id-taken"),
    ),
)
async def report_rescue(request: Request, desk: Reporting, record_id: str) -> Response:
    """Make an incident report of your agency's about the people whom it counted as rescued in the outcome.

    One victim for each, in safety, with the nationality that was counted; crimes and country are the plan's, and the
    report is linked to the operation. Its words are yours: nothing of the plan's texts goes into it, since whoever may
    read the report need not know of the operation. The credential needs `operations:read` and `incidents:write`.
    """
    stored = await calls.fetch(request, desk, KIND, record_id)
    shelf.require_party(stored)

    async def act() -> calls.Made:
        shelf.require_current(stored)
        sent = await calls.read_body(request, RescueReportIn)
        body = rescue_report(stored, sent, desk.caller.agency)
        return calls.record_made(await reports.create(desk, validated(IncidentReportCreate, body)), 201)

    return await calls.once(request, desk, replay_record(desk), act)
