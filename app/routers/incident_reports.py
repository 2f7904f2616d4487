"""`/v1/incident-reports`: what happened to people, exchanged under handling rules."""

from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, Strict
from typing_extensions import TypeAliasType

from app.access.desk import Desk
from app.access.envelope import Cover, Tombstone
from app.core.codes import Country, Subdivision
from app.core.ids import parse_uuid
from app.core.merge_patch import MEDIA_TYPE as MERGE_PATCH
from app.core.text import Line
from app.domain.incident_reports import reports
from app.domain.incident_reports.shapes import (
    IncidentReport,
    IncidentReportCreate,
    IncidentReportPatch,
    SharedIncidentReport,
)
from app.identity.roles import Permission
from app.models.incident_vocabularies import IncidentState, Verification, VictimCondition
from app.models.vocabularies import CrimeType
from app.routers.onward_requests import onward_request_routes
from app.routers.parts import COVERED
from app.routers.persons import person_routes
from app.routers.records import record_routes
from app.routers.retention import retention_routes
from app.web import answers, calls
from app.web.callers import Door, at_desk, through_door
from app.web.listing import RecordFilters, page_of_records, require_searchable
from app.web.openapi import operation, page_of
from app.web.replays import replay_record

KIND = reports.KIND
TAG = "Incident reports"
router = APIRouter(prefix=f"/v1/{KIND}", tags=[TAG])

Reading = Annotated[Door, through_door(Permission.INCIDENTS_READ)]
Writing = Annotated[Desk, at_desk(Permission.INCIDENTS_WRITE)]

IncidentReportRead = TypeAliasType(
    "IncidentReportRead",
    Annotated[
        IncidentReport | SharedIncidentReport | Tombstone,
        Field(
            description="A report as the caller sees it: as its originator, as its reader, or, once it is retracted "
            "or purged, what is left of it. Only the first has `handling.audience`; only the last has the `state` "
            "`retracted` or `purged`."
        ),
    ],
)

IncidentReportListed = TypeAliasType(
    "IncidentReportListed",
    Annotated[
        IncidentReport | SharedIncidentReport | Tombstone | Cover,
        Field(
            description="A report as a list shows it: as a read by its id would, or, with `state: "
            "acknowledgement_required`, its cover, while your agency has yet to acknowledge its caveat (H3)."
        ),
    ],
)


class IncidentReportFilters(RecordFilters):
    """What a list of reports can be narrowed by; several filters narrow together."""

    facets: ClassVar[tuple[str, ...]] = (
        "state",
        "type",
        "country",
        "subdivision",
        "nationality",
        "condition",
        "verification",
        "trafficking_indicated",
    )

    q: Line | None = Field(None, description="Title or place, in any script; finds misspelt ones too, best first.")
    state: IncidentState | None = Field(None, description="How far the work on them has come.")
    type: CrimeType | None = Field(None, description="Reports of this crime.")
    country: Country | None = Field(None, description="Reports of what happened in this country.")
    subdivision: Subdivision | None = Field(None, description="Reports of what happened in this province.")
    nationality: Country | None = Field(None, description="Reports with a victim of this nationality.")
    condition: VictimCondition | None = Field(None, description="Reports with a victim in this condition.")
    verification: Verification | None = Field(None, description="Whether they are known to be true.")
    trafficking_indicated: Annotated[bool, Strict(strict=False)] | None = Field(
        None, description="Whether what they say speaks for trafficking in persons."
    )


@router.get(
    "",
    summary="List incident reports",
    operation_id="list_incident_reports",
    **operation(page_of(IncidentReportListed), csv=True, etag=False, problems=("handling-forbids",)),
)
async def list_reports(request: Request, door: Reading, filters: Annotated[IncidentReportFilters, Query()]) -> Response:
    """List the reports you may see, newest change first; with `q`, by likeness of title or place, best first.

    A report with H3 stands here as a cover until your agency acknowledges its caveat: neither `q` nor a filter by what
    it says or by `external_id` finds it before. `nationality` and `condition` need not be of the same victim.
    """
    require_searchable(filters.q)
    return await page_of_records(request, door, KIND, filters)


@router.post(
    "",
    summary="Create an incident report",
    operation_id="create_incident_report",
    **operation(
        IncidentReport,
        status=201,
        body=IncidentReportCreate,
        once=True,
        problems=("unknown-reference", "external-id-taken", "no-legal-basis"),
    ),
)
async def create_report(request: Request, desk: Writing) -> Response:
    """Create a report of your agency. Its restriction is part of the call: nobody sees it before that is in force.

    It begins `open` and `reported`. With a victim who is `detained` or whose life is at risk it is urgent: everybody
    who sees it is told at once by `incident.urgent`, and asked to acknowledge.
    """

    async def act() -> calls.Made:
        sent = await calls.read_body(request, IncidentReportCreate)
        return calls.record_made(await reports.create(desk, sent), 201)

    return await calls.once(request, desk, replay_record(desk), act)


@router.get(
    "/{record_id}",
    summary="Read an incident report",
    operation_id="read_incident_report",
    **operation(IncidentReportRead, problems=COVERED),
)
async def read_report(request: Request, door: Reading, record_id: str) -> Response:
    """Read a report that your agency owns or that is shared with it.

    Readers find of the handling only the label, codes, caveat and review date. Of a retracted or purged report only a
    tombstone is left. With H3 the answer is 409 until your agency has acknowledged the caveat.
    """
    served = await door.house.reader.record(door.visit, door.permission, KIND.value, parse_uuid(record_id))
    return answers.document(request, served.document, served.version)


@router.patch(
    "/{record_id}",
    summary="Change an incident report",
    operation_id="change_incident_report",
    **operation(
        IncidentReport,
        body=IncidentReportPatch,
        types=(MERGE_PATCH, answers.JSON),
        match=True,
        problems=("retracted", "external-id-taken"),
    ),
)
async def change_report(request: Request, desk: Writing, record_id: str) -> Response:
    """Change a report of your agency by a merge patch (RFC 7396), based on the version named in If-Match.

    Its state and its verification change by calls of their own; whether trafficking is indicated follows from the
    checklists and the victims' ages.
    """
    stored = await calls.fetch_own(request, desk, KIND, record_id)
    calls.require_match(request, stored.envelope.version)
    sent = await calls.read_patch(request, IncidentReportPatch)
    changed = await reports.patch(desk, stored, sent)
    return answers.document(request, changed.text, changed.envelope.version)


common = record_routes(KIND, IncidentReportRead, TAG)
onward = onward_request_routes(KIND, TAG)
persons = person_routes(KIND, TAG)
retention = retention_routes(KIND, IncidentReportRead, TAG)
