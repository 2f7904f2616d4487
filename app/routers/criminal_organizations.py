"""`/v1/criminal-organizations`: profiles, exchanged under handling rules."""

from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from typing_extensions import TypeAliasType

from app.access.desk import Desk
from app.access.envelope import Cover, Tombstone
from app.core.codes import Country
from app.core.ids import parse_uuid
from app.core.merge_patch import MEDIA_TYPE as MERGE_PATCH
from app.core.text import Line
from app.domain.criminal_organizations import profiles
from app.domain.criminal_organizations.shapes import (
    AmendmentIn,
    CriminalOrganization,
    CriminalOrganizationCreate,
    CriminalOrganizationPatch,
    SharedCriminalOrganization,
)
from app.identity.roles import Permission
from app.models.vocabularies import CrimeType, OrganizationKind, OrganizationStatus, ThreatLevel
from app.records.creating import OnceKey
from app.routers.amendments import amendment_routes
from app.routers.onward_requests import onward_request_routes
from app.routers.parts import COVERED
from app.routers.records import record_routes
from app.routers.retention import retention_routes
from app.web import answers, calls
from app.web.callers import Door, at_desk, through_door
from app.web.listing import RecordFilters, page_of_records, require_searchable
from app.web.openapi import operation, page_of
from app.web.replays import replay_record

KIND = profiles.KIND
TAG = "Criminal organizations"
router = APIRouter(prefix=f"/v1/{KIND}", tags=[TAG])

Reading = Annotated[Door, through_door(Permission.PROFILES_READ)]
Writing = Annotated[Desk, at_desk(Permission.PROFILES_WRITE)]
Creating = Annotated[Door, through_door(Permission.PROFILES_WRITE)]

CriminalOrganizationRead = TypeAliasType(
    "CriminalOrganizationRead",
    Annotated[
        CriminalOrganization | SharedCriminalOrganization | Tombstone,
        Field(
            description="A profile as the caller sees it: as its originator, as its reader, or, once it is retracted "
            "or purged, what is left of it. Only the first has `handling.audience`; only the last is in "
            "another `state` than `current`."
        ),
    ],
)


CriminalOrganizationListed = TypeAliasType(
    "CriminalOrganizationListed",
    Annotated[
        CriminalOrganization | SharedCriminalOrganization | Tombstone | Cover,
        Field(
            description="A profile as a list shows it: as a read by its id would, or, with `state: "
            "acknowledgement_required`, its cover, while your agency has yet to acknowledge its caveat (H3)."
        ),
    ],
)


class ProfileFilters(RecordFilters):
    """What a list of profiles can be narrowed by; several filters narrow together."""

    facets: ClassVar[tuple[str, ...]] = ("activity", "country", "status", "threat_level", "kind")

    q: Line | None = Field(None, description="A name or alias, in any script; finds misspelt ones too, best first.")
    activity: CrimeType | None = Field(None, description="Organizations with this line of crime.")
    country: Country | None = Field(None, description="Organizations with a location in this country.")
    status: OrganizationStatus | None = Field(None, description="What they are doing now.")
    threat_level: ThreatLevel | None = Field(None, description="How dangerous they are.")
    kind: OrganizationKind | None = Field(None, description="How they are built.")


@router.get(
    "",
    summary="List profiles",
    operation_id="list_criminal_organizations",
    **operation(page_of(CriminalOrganizationListed), csv=True, etag=False, problems=("handling-forbids",)),
)
async def list_profiles(request: Request, door: Reading, filters: Annotated[ProfileFilters, Query()]) -> Response:
    """List the profiles you may see, newest change first; with `q`, by likeness of names in any script, best first.

    A profile with H3 stands here as a cover until your agency acknowledges its caveat: neither `q` nor a filter by what
    it says or by `external_id` finds it before.
    """
    require_searchable(filters.q)
    return await page_of_records(request, door, KIND, filters)


@router.post(
    "",
    summary="Create a profile",
    operation_id="create_criminal_organization",
    **operation(
        CriminalOrganization,
        status=201,
        body=CriminalOrganizationCreate,
        once=True,
        problems=("unknown-reference", "external-id-taken"),
    ),
)
async def create_profile(request: Request, door: Creating) -> Response:
    """Create a profile of your agency. Its restriction is part of the call: nobody sees it before that is in force."""

    async def at_once(once: OnceKey | None) -> calls.Made | None:
        sent = await calls.read_body(request, CriminalOrganizationCreate)
        created = await profiles.create_at_once(door.house.creations, door.visit, sent, once)
        return calls.record_made(created, 201) if created else None

    async def act(desk: Desk) -> calls.Made:
        sent = await calls.read_body(request, CriminalOrganizationCreate)
        return calls.record_made(await profiles.create(desk, sent), 201)

    return await calls.create(request, door, at_once, replay_record, act)


@router.get(
    "/{record_id}",
    summary="Read a profile",
    operation_id="read_criminal_organization",
    **operation(CriminalOrganizationRead, problems=COVERED),
)
async def read_profile(request: Request, door: Reading, record_id: str) -> Response:
    """Read a profile that your agency owns or that is shared with it.

    Readers find of the handling only the label, codes, caveat and review date. Of a retracted or purged profile only a
    tombstone is left: its id, reference, version and that state. With H3 the answer is 409 until your agency has
    acknowledged the caveat.
    """
    served = await door.house.reader.record(door.visit, door.permission, KIND.value, parse_uuid(record_id))
    return answers.document(request, served.document, served.version)


@router.patch(
    "/{record_id}",
    summary="Change a profile",
    operation_id="change_criminal_organization",
    **operation(
        CriminalOrganization,
        body=CriminalOrganizationPatch,
        types=(MERGE_PATCH, answers.JSON),
        match=True,
        problems=("retracted", "external-id-taken"),
    ),
)
async def change_profile(request: Request, desk: Writing, record_id: str) -> Response:
    """Change a profile of your agency by a merge patch (RFC 7396), based on the version named in If-Match."""
    stored = await calls.fetch_own(request, desk, KIND, record_id)
    calls.require_match(request, stored.envelope.version)
    sent = await calls.read_patch(request, CriminalOrganizationPatch)
    changed = await profiles.patch(desk, stored, sent)
    return answers.document(request, changed.text, changed.envelope.version)


common = record_routes(KIND, CriminalOrganizationRead, TAG)
onward = onward_request_routes(KIND, TAG)
amended = amendment_routes(KIND, TAG, profiles.AMENDABLE, AmendmentIn)
retention = retention_routes(KIND, CriminalOrganizationRead, TAG)
