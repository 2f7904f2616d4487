"""`/v1/incident-reports/{id}/possible-duplicates`, `/merge` and `/unmerge`: reports of the same matter."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.domain.incident_reports import duplicates, reports
from app.domain.incident_reports.shapes import IncidentMergeIn, PossibleDuplicate
from app.identity.roles import Permission
from app.records import links
from app.records.shapes import LinkOut
from app.routers.parts import note_read
from app.routers.records import shown_link
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.openapi import list_of, operation

KIND = reports.KIND
router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}", tags=["Incident reports"])

Reading = Annotated[Desk, at_desk(Permission.INCIDENTS_READ)]
Writing = Annotated[Desk, at_desk(Permission.INCIDENTS_WRITE)]


@router.get(
    "/possible-duplicates",
    summary="List possible duplicates",
    operation_id="list_incident_report_possible_duplicates",
    **operation(list_of(PossibleDuplicate), csv=True, etag=False),
)
async def list_possible_duplicates(request: Request, desk: Reading, record_id: str) -> Response:
    """List reports that may be of the same matter as yours, among those your agency sees; the most alike first.

    They happened in the same country, at places that are alike and at about the same time, and have a nationality, a
    way of recruiting or an amount in common. At most fifty, without those that are merged with it already; the list
    has no pages. `incident.likeness_found` says when there is something to look at.
    """
    stored = await calls.fetch_own(request, desk, KIND, record_id)
    await note_read(desk, "possible_duplicates.list", stored)
    return answers.listing_of(request, await duplicates.possible(desk, stored), None)


@router.post(
    "/merge",
    summary="Merge into another report",
    operation_id="merge_incident_report",
    **operation(
        LinkOut, status=201, body=IncidentMergeIn, once=True, problems=("unknown-reference", "conflict", "retracted")
    ),
)
async def merge_report(request: Request, desk: Writing, record_id: str) -> Response:
    """Say that another report, which you see, is of the same matter and counts in the place of yours.

    Yours stays what it is, with its readers and its versions, and is left out of the statistics of everybody who sees
    both. It makes a link `duplicate_of`, whose path is answered; the other report's originator is told if it sees
    yours. `/unmerge` undoes it.
    """
    stored = await calls.fetch_own(request, desk, KIND, record_id)

    async def replay(kept: calls.Kept) -> str:
        found = await links.one(desk, stored.envelope.id, parse_uuid(kept.resource_id), duplicates.TYPES)
        return shown_link(found).model_dump_json()

    async def act() -> calls.Made:
        sent = await calls.read_body(request, IncidentMergeIn)
        made = shown_link(await duplicates.merge(desk, stored, sent))
        location = f"/v1/{KIND}/{record_id}/links/{made.link_id}"
        return calls.Made("links", str(made.link_id), made.version, made.model_dump_json(), 201, location)

    return await calls.once(request, desk, replay, act)


@router.post(
    "/unmerge",
    summary="Part from another report",
    operation_id="unmerge_incident_report",
    **operation(status=204, once=True, problems=("conflict", "retracted")),
)
async def unmerge_report(request: Request, desk: Writing, record_id: str) -> Response:
    """Undo a merge of your report: it counts for itself again, and the link is gone. The audit keeps both."""
    stored = await calls.fetch_own(request, desk, KIND, record_id)

    async def act() -> calls.Made:
        await duplicates.unmerge(desk, stored)
        return calls.Made("incident-reports", record_id, stored.envelope.version, "", 204)

    return await calls.once(request, desk, None, act)
