"""`/v1/incident-reports/{id}/acknowledge`: that an urgent report has come to those who can act on it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.domain.incident_reports import alarms, reports
from app.domain.incident_reports.shapes import AlarmAcknowledgementIn, AlarmCall
from app.identity.roles import Permission
from app.routers.parts import COVERED, note_read, page
from app.web import calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

KIND = reports.KIND
router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}", tags=["Incident reports"])

Reading = Annotated[Desk, at_desk(Permission.INCIDENTS_READ)]


@router.post(
    "/acknowledge",
    summary="Acknowledge an urgent report",
    operation_id="acknowledge_incident_report",
    **operation(AlarmCall, body=AlarmAcknowledgementIn, once=True, problems=(*COVERED, "conflict", "retracted")),
)
async def acknowledge_report(request: Request, desk: Reading, record_id: str) -> Response:
    """Tell the originator of an urgent report that it has come to those of your agency who can act on it.

    Within an hour where a life is at risk, within a day where somebody is detained; what is overdue is announced to
    both sides. Once for the whole agency: done before, it is answered as it was done. A report that becomes more
    urgent is to be acknowledged again.
    """
    stored = await calls.fetch(request, desk, KIND, record_id)

    async def replay(kept: calls.Kept) -> str:
        return (await alarms.one(desk, stored, parse_uuid(kept.resource_id))).model_dump_json()

    async def act() -> calls.Made:
        sent = await calls.read_body(request, AlarmAcknowledgementIn)
        made = await alarms.acknowledge(desk, stored, sent.note)
        return calls.Made("incident-calls", str(made.id), 1, made.model_dump_json())

    return await calls.once(request, desk, replay, act)


@router.get(
    "/acknowledgements",
    summary="Who acknowledged an urgent report",
    operation_id="list_incident_report_calls",
    **operation(page_of(AlarmCall), csv=True, etag=False, problems=COVERED),
)
async def list_calls(request: Request, desk: Reading, record_id: str, paging: Annotated[Paging, Query()]) -> Response:
    """List the calls to acknowledge a report while it was urgent, newest first, with what became of each.

    Of your own report all of them; of another's those on your agency.
    """
    stored = await calls.fetch(request, desk, KIND, record_id)
    after = place_of(request, house(request).cursors, paging.cursor)
    found = await alarms.listed(desk, stored, after, paging.limit + 1)
    await note_read(desk, "incident_calls.list", stored)
    return page(request, found, paging.limit, "called_at")
