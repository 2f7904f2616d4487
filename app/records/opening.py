"""Who sees a record: replacing its handling, disclosing it, explaining it, and trying all that without doing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.access.handling import AGENCIES_MAX, GROUPS_MAX, Handling, ReaderHandling, flaws, principals
from app.core import clock
from app.core.ids import uuid7
from app.core.problems import PRECONDITION_FAILED, Flaw, Problem, invalid
from app.core.shapes import distinct
from app.records.documents import rerender
from app.records.references import check_audience, check_named
from app.records.shelf import Stored, check_exclusion, next_version, require_current


@dataclass(frozen=True, slots=True)
class Reach:
    """Who would see a record under a handling, and what changes for whom."""

    agencies: Sequence[str]
    gained: Sequence[str]
    lost: Sequence[str]

    def document(self) -> dict[str, Any]:
        """The answer to a dry run."""
        return {"agencies": list(self.agencies), "gained": list(self.gained), "lost": list(self.lost)}


@dataclass(frozen=True, slots=True)
class Sight:
    """One reason why an agency sees a record: the principal it holds, since when, and by which disclosure."""

    agency: str
    via: str
    group: UUID | None
    since: datetime
    disclosure: UUID | None


async def reach(desk: Desk, stored: Stored, handling: Handling) -> Reach:
    """What a handling would do, computed by the functions that would do it; nothing is changed."""
    originator = stored.envelope.originator
    before = await _agencies(desk, stored.envelope.handling, originator)
    after = await _agencies(desk, handling, originator)
    return Reach(after, sorted(set(after) - set(before)), sorted(set(before) - set(after)))


async def _agencies(desk: Desk, handling: Handling, originator: str) -> list[str]:
    audience, excluded = principals(handling.audience, originator)
    row = await desk.call_one("agencies_of", p_audience=audience, p_excluded=excluded)
    return list(row[0])


async def replace_handling(desk: Desk, stored: Stored, handling: Handling) -> Stored:
    """Put another handling in place of the record's whole one.

    Readers see a new version only if what they see of the handling differs. 412 if somebody else was faster, 422 for an
    audience that names what the caller may not know.
    """
    require_current(stored)
    check_exclusion(handling, stored.envelope.originator, "")
    await check_audience(desk, handling, "/audience")
    audience, excluded = principals(handling.audience, stored.envelope.originator)
    visible = any(getattr(handling, name) != getattr(stored.envelope.handling, name) for name in ReaderHandling.model_fields)
    envelope = (
        next_version(stored.envelope, handling) if visible else stored.envelope.model_copy(update={"handling": handling})
    )
    rendered = rerender(envelope, stored.rendered.document)
    row = await desk.call_one(
        "change_handling",
        p_id=envelope.id,
        p_expected=stored.audience_version,
        p_expected_version=stored.envelope.version,
        p_version_at=envelope.updated_at if visible else None,
        p_handling=Jsonb(handling.model_dump(mode="json")),
        p_audience=audience,
        p_excluded=excluded,
        p_document=rendered.document,
        p_shared_document=rendered.shared_document,
        p_disclosure=None,
        p_action="record.handle",
        p_detail=Jsonb({}),
    )
    if row.outcome != "changed":
        raise Problem(PRECONDITION_FAILED)
    return Stored(stored.kind, envelope, stored.audience_version + 1, stored.state, rendered, own=True)


async def opened_to(desk: Desk, stored: Stored, agencies: Sequence[str], groups: Sequence[UUID]) -> Handling:
    """The record's handling with more agencies and groups in its audience, checked as a whole.

    422 for what the caller may not name, for an agency that the audience excludes (an exclusion is lifted where it was
    set, never in passing), and for groups that the label does not allow.
    """
    handling = stored.envelope.handling
    audience = handling.audience.model_copy(
        update={
            "agencies": distinct([*handling.audience.agencies, *agencies]),
            "groups": distinct([*handling.audience.groups, *groups]),
        }
    )
    opened = handling.model_copy(update={"audience": audience})
    broken = [
        Flaw(f"/agencies/{number}", "agency-excluded", "The record's handling excludes this agency; change that first.")
        for number, agency in enumerate(agencies)
        if agency in handling.audience.excluded
    ]
    if groups and any(flaw.code == "groups-above-label" for flaw in flaws(opened, clock.now().date())):
        detail = f"{handling.tlp} is for named agencies only: name agencies, or change the record's label first."
        broken.append(Flaw("/groups", "groups-above-label", detail))
    if len(audience.agencies) > AGENCIES_MAX or len(audience.groups) > GROUPS_MAX:
        broken.append(Flaw("", "audience-too-large", "The audience would name too many; use a group or the community."))
    if broken:
        raise invalid(*broken)
    await check_named(desk, agencies, groups)
    return opened


async def disclose(
    desk: Desk, stored: Stored, handling: Handling, agencies: Sequence[str], groups: Sequence[UUID], purpose: str
) -> UUID:
    """Open the record to agencies and groups, as `opened_to` made the handling; the id of the disclosure that says so."""
    require_current(stored)
    audience, _ = principals(handling.audience, stored.envelope.originator)
    envelope = stored.envelope.model_copy(update={"handling": handling})
    rendered = rerender(envelope, stored.rendered.document)
    disclosure = uuid7()
    row = await desk.call_one(
        "disclose_record",
        p_disclosure=disclosure,
        p_id=stored.envelope.id,
        p_expected=stored.audience_version,
        p_expected_version=stored.envelope.version,
        p_handling=Jsonb(handling.model_dump(mode="json")),
        p_audience=audience,
        p_document=rendered.document,
        p_shared_document=rendered.shared_document,
        p_agencies=list(agencies),
        p_groups=list(groups),
        p_purpose=purpose,
    )
    if row.outcome != "changed":
        raise Problem(PRECONDITION_FAILED)
    return disclosure


async def explain(desk: Desk, stored: Stored) -> list[Sight]:
    """Every agency that sees the record now, and each reason why."""
    sights = []
    for row in await desk.call("access_of", p_record=stored.envelope.id):
        word, _, group = row.principal.partition(":")
        via = "originator" if row.agency == stored.envelope.originator else word if group or word == "community" else "agency"
        sights.append(Sight(row.agency, via, UUID(group) if group else None, row.since, row.disclosure_id))
    return sights
