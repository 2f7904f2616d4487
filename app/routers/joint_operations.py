"""`/v1/joint-operations`: drafted by their lead, shared with those who take part."""

from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from typing_extensions import TypeAliasType

from app.access.desk import Desk
from app.access.envelope import Cover, Tombstone
from app.core.codes import AgencyCode, Country
from app.core.ids import parse_uuid
from app.core.merge_patch import MEDIA_TYPE as MERGE_PATCH
from app.core.text import Line
from app.domain.joint_operations import deconfliction, drafting, proposing
from app.domain.joint_operations.plans import KIND, require_over
from app.domain.joint_operations.shapes import (
    JointOperation,
    JointOperationCreate,
    JointOperationPatch,
    PlanAmendmentIn,
    SharedJointOperation,
)
from app.identity.roles import Permission
from app.models.operation_vocabularies import JointOperationState
from app.models.vocabularies import CrimeType
from app.routers.amendments import amendment_routes
from app.routers.onward_requests import onward_request_routes
from app.routers.parts import COVERED
from app.routers.records import AfterLinks, record_routes
from app.routers.retention import retention_routes
from app.web import answers, calls
from app.web.callers import Door, at_desk, through_door
from app.web.listing import RecordFilters, page_of_records, require_searchable
from app.web.openapi import operation, page_of
from app.web.replays import replay_record

TAG = "Joint operations"
router = APIRouter(prefix=f"/v1/{KIND}", tags=[TAG])

Reading = Annotated[Door, through_door(Permission.OPERATIONS_READ)]
Writing = Annotated[Desk, at_desk(Permission.OPERATIONS_WRITE)]

JointOperationRead = TypeAliasType(
    "JointOperationRead",
    Annotated[
        JointOperation | SharedJointOperation | Tombstone,
        Field(
            description="An operation as the caller sees it: as its lead, as a participant or reader, or, once it is "
            "retracted or purged, what is left of it."
        ),
    ],
)
JointOperationListed = TypeAliasType(
    "JointOperationListed",
    Annotated[
        JointOperation | SharedJointOperation | Tombstone | Cover,
        Field(
            description="An operation as a list shows it: as a read by its id would, or its cover, while your agency "
            "has yet to acknowledge its caveat (H3)."
        ),
    ],
)


class JointOperationFilters(RecordFilters):
    """What a list of operations can be narrowed by; several filters narrow together."""

    facets: ClassVar[tuple[str, ...]] = ("state", "crime_type", "country", "participant")

    q: Line | None = Field(None, description="Title or codename, in any script; best first.")
    state: JointOperationState | None = Field(None, description="How far they have come.")
    crime_type: CrimeType | None = Field(None, description="Operations against this crime.")
    country: Country | None = Field(None, description="Operations in this country.")
    participant: AgencyCode | None = Field(None, description="Operations in which this agency takes part.")


@router.get(
    "",
    summary="List joint operations",
    operation_id="list_joint_operations",
    **operation(page_of(JointOperationListed), csv=True, etag=False, problems=("handling-forbids",)),
)
async def list_operations(
    request: Request, door: Reading, filters: Annotated[JointOperationFilters, Query()]
) -> Response:
    """List the operations you may see, newest change first; with `q`, by likeness of titles and codenames."""
    require_searchable(filters.q)
    return await page_of_records(request, door, KIND, filters)


@router.post(
    "",
    summary="Draft a joint operation",
    operation_id="create_joint_operation",
    **operation(
        JointOperation,
        status=201,
        body=JointOperationCreate,
        once=True,
        problems=("unknown-reference", "external-id-taken", "no-legal-basis"),
    ),
)
async def create_operation(request: Request, desk: Writing) -> Response:
    """Draft an operation of your agency, which leads it. Its participants learn of it when you propose it.

    Tasks and resources get ids, and your agency stands among the participants whether or not you name it.
    """

    async def act() -> calls.Made:
        sent = await calls.read_body(request, JointOperationCreate)
        return calls.record_made(await drafting.create(desk, sent), 201)

    return await calls.once(request, desk, replay_record(desk), act)


@router.get(
    "/{record_id}",
    summary="Read a joint operation",
    operation_id="read_joint_operation",
    **operation(JointOperationRead, problems=COVERED),
)
async def read_operation(request: Request, door: Reading, record_id: str) -> Response:
    """Read an operation that your agency leads, takes part in, or that is shared with it."""
    served = await door.house.reader.record(door.visit, door.permission, KIND.value, parse_uuid(record_id))
    return answers.document(request, served.document, served.version)


@router.patch(
    "/{record_id}",
    summary="Change a plan",
    operation_id="change_joint_operation",
    **operation(
        JointOperation,
        body=JointOperationPatch,
        types=(MERGE_PATCH, answers.JSON),
        match=True,
        problems=("retracted", "external-id-taken", "unknown-reference", "conflict"),
    ),
)
async def change_operation(request: Request, desk: Writing, record_id: str) -> Response:
    """Change the plan of an operation that your agency leads, by a merge patch (RFC 7396).

    A substantive change, which is one of anything but title, codename and your own number, makes a proposed, approved
    or suspended operation a draft again and voids the decisions on it; of an active one it is refused. Lists are
    replaced whole: send tasks and resources back with their ids, and they stay the same ones. Whoever takes part
    no more keeps its sight until you propose the plan again.
    """
    stored = await calls.fetch_own(request, desk, KIND, record_id)
    calls.require_match(request, stored.envelope.version)
    sent = await calls.read_patch(request, JointOperationPatch)
    changed = await proposing.patch(desk, stored, sent)
    return answers.document(request, changed.text, changed.envelope.version)


common = record_routes(
    KIND,
    JointOperationRead,
    TAG,
    check_retraction=require_over,
    linked=AfterLinks(deconfliction.refresh, ("deconfliction-limit",)),
)
onward = onward_request_routes(KIND, TAG)
amended = amendment_routes(KIND, TAG, proposing.AMENDABLE, PlanAmendmentIn)
retention = retention_routes(KIND, JointOperationRead, TAG)
