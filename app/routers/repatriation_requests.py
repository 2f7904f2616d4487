"""`/v1/repatriation-requests`: drafted by the requesting side, worked through by both."""

from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from typing_extensions import TypeAliasType

from app.access.desk import Desk
from app.access.envelope import Cover, Tombstone
from app.core.codes import AgencyCode, Country
from app.core.ids import parse_uuid
from app.core.merge_patch import MEDIA_TYPE as MERGE_PATCH
from app.domain.repatriation_requests import requests
from app.domain.repatriation_requests.requests import KIND
from app.domain.repatriation_requests.shapes import (
    RepatriationRequest,
    RepatriationRequestCreate,
    RepatriationRequestPatch,
    SharedRepatriationRequest,
)
from app.identity.roles import Permission
from app.models.repatriation_vocabularies import (
    LegalAct,
    RepatriationCategory,
    RepatriationPriority,
    RepatriationState,
)
from app.routers.onward_requests import onward_request_routes
from app.routers.parts import COVERED
from app.routers.persons import person_routes
from app.routers.records import record_routes
from app.routers.retention import retention_routes
from app.web import answers, calls
from app.web.callers import Door, at_desk, through_door
from app.web.listing import RecordFilters, page_of_records
from app.web.openapi import operation, page_of
from app.web.replays import replay_record

TAG = "Repatriation requests"
router = APIRouter(prefix=f"/v1/{KIND}", tags=[TAG])

Reading = Annotated[Door, through_door(Permission.REPATRIATIONS_READ)]
Writing = Annotated[Desk, at_desk(Permission.REPATRIATIONS_WRITE)]

RepatriationRequestRead = TypeAliasType(
    "RepatriationRequestRead",
    Annotated[
        RepatriationRequest | SharedRepatriationRequest | Tombstone,
        Field(
            description="A request as the caller sees it: as the requesting side, as the requested side or another "
            "reader, or, once it is retracted or purged, what is left of it."
        ),
    ],
)
RepatriationRequestListed = TypeAliasType(
    "RepatriationRequestListed",
    Annotated[
        RepatriationRequest | SharedRepatriationRequest | Tombstone | Cover,
        Field(
            description="A request as a list shows it: as a read by its id would, or its cover, while your agency has "
            "yet to acknowledge its caveat (H3)."
        ),
    ],
)


class RepatriationRequestFilters(RecordFilters):
    """What a list of requests can be narrowed by; several filters narrow together."""

    facets: ClassVar[tuple[str, ...]] = (
        "state",
        "category",
        "legal_act",
        "requested_agency",
        "from_country",
        "to_country",
        "priority",
    )

    state: RepatriationState | None = Field(None, description="How far they have come.")
    category: RepatriationCategory | None = Field(None, description="Whom they are about.")
    legal_act: LegalAct | None = Field(None, description="By which act.")
    requested_agency: AgencyCode | None = Field(None, description="Requests to this agency.")
    from_country: Country | None = Field(None, description="Requests for people in this country.")
    to_country: Country | None = Field(None, description="Requests for people who go to this country.")
    priority: RepatriationPriority | None = Field(None, description="How urgent they are.")


@router.get(
    "",
    summary="List repatriation requests",
    operation_id="list_repatriation_requests",
    **operation(page_of(RepatriationRequestListed), csv=True, etag=False, problems=("handling-forbids",)),
)
async def list_requests(
    request: Request, door: Reading, filters: Annotated[RepatriationRequestFilters, Query()]
) -> Response:
    """List the requests you may see, newest change first: your own, and those you are asked or have a part in."""
    return await page_of_records(request, door, KIND, filters)


@router.post(
    "",
    summary="Draft a repatriation request",
    operation_id="create_repatriation_request",
    **operation(
        RepatriationRequest,
        status=201,
        body=RepatriationRequestCreate,
        once=True,
        problems=("unknown-reference", "external-id-taken", "no-legal-basis"),
    ),
)
async def create_request(request: Request, desk: Writing) -> Response:
    """Draft a request of your agency, which is the requesting side. The other agencies learn of it when you submit it.

    Who is to come home is entered under `/persons`: no name belongs into the request itself.
    """

    async def act() -> calls.Made:
        sent = await calls.read_body(request, RepatriationRequestCreate)
        return calls.record_made(await requests.create(desk, sent), 201)

    return await calls.once(request, desk, replay_record(desk), act)


@router.get(
    "/{record_id}",
    summary="Read a repatriation request",
    operation_id="read_repatriation_request",
    **operation(RepatriationRequestRead, problems=COVERED),
)
async def read_request(request: Request, door: Reading, record_id: str) -> Response:
    """Read a request that your agency made, that it is asked or has a part in, or that is shared with it."""
    served = await door.house.reader.record(door.visit, door.permission, KIND.value, parse_uuid(record_id))
    return answers.document(request, served.document, served.version)


@router.patch(
    "/{record_id}",
    summary="Change a repatriation request",
    operation_id="change_repatriation_request",
    **operation(
        RepatriationRequest,
        body=RepatriationRequestPatch,
        types=(MERGE_PATCH, answers.JSON),
        match=True,
        problems=("retracted", "external-id-taken", "unknown-reference", "conflict", "no-legal-basis"),
    ),
)
async def change_request(request: Request, desk: Writing, record_id: str) -> Response:
    """Change a request of your agency by a merge patch (RFC 7396), based on the version named in If-Match.

    Another category, legal act, country or agency asks the requested side afresh: a request that was submitted is
    `submitted` again, and seen by the agencies that it names by now. While it is on hold, on its way, or over, these
    stay as they are. Priority, day, narrative and your own number change at any time.
    """
    stored = await calls.fetch_own(request, desk, KIND, record_id)
    calls.require_match(request, stored.envelope.version)
    sent = await calls.read_patch(request, RepatriationRequestPatch)
    changed = await requests.patch(desk, stored, sent)
    return answers.document(request, changed.text, changed.envelope.version)


common = record_routes(KIND, RepatriationRequestRead, TAG, check_retraction=requests.require_over)
onward = onward_request_routes(KIND, TAG)
persons = person_routes(KIND, TAG)
retention = retention_routes(KIND, RepatriationRequestRead, TAG)
