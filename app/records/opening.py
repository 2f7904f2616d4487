"""Who sees a record: replacing its handling, disclosing it, explaining it, and trying all that without doing it."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.access.handling import AGENCIES_MAX, GROUPS_MAX, Handling, ReaderHandling, flaws, principals
from app.core import clock
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, PRECONDITION_FAILED, Flaw, Problem, invalid, not_found
from app.core.shapes import distinct
from app.models.vocabularies import RecordKind
from app.records.documents import rerender
from app.records.references import check_audience, check_named
from app.records.shapes import Access, Disclosure, DisclosureIn, Reach, Via
from app.records.shelf import Stored, check_exclusion, fetch, next_version, require_current

_TRIES: Final = 5


async def reach(desk: Desk, stored: Stored, handling: Handling) -> Reach:
    """What a handling would do, computed by the functions that would do it; nothing is changed."""
    originator = stored.envelope.originator
    before = await _agencies(desk, stored.envelope.handling, originator)
    after = await _agencies(desk, handling, originator)
    return Reach(agencies=after, gained=sorted(set(after) - set(before)), lost=sorted(set(before) - set(after)))


async def _agencies(desk: Desk, handling: Handling, originator: str) -> list[str]:
    audience, excluded = principals(handling.audience, originator)
    row = await desk.call_one("agencies_of", p_audience=audience, p_excluded=excluded)
    return list(row[0])


async def check_replacement(desk: Desk, stored: Stored, handling: Handling) -> None:
    """409 for what is retracted, 422 for an audience that names what the caller may not know or shuts it out itself.

    Also before a handling is only tried: the members of a group would be told to whoever knows its id.
    """
    require_current(stored)
    check_exclusion(handling, stored.envelope.originator, "")
    await check_audience(desk, handling, "")


async def replace_handling(desk: Desk, stored: Stored, handling: Handling) -> Stored:
    """Put another handling in place of the record's whole one; refused like `check_replacement`.

    Readers see a new version only if what they see of the handling differs. 412 if somebody else was faster.
    """
    await check_replacement(desk, stored, handling)
    audience, excluded = principals(handling.audience, stored.envelope.originator)
    visible = any(
        getattr(handling, name) != getattr(stored.envelope.handling, name) for name in ReaderHandling.model_fields
    )
    envelope = (
        next_version(stored.envelope, handling)
        if visible
        else stored.envelope.model_copy(update={"handling": handling})
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


async def opened_to(desk: Desk, stored: Stored, sent: DisclosureIn) -> Handling:
    """The record's handling with more agencies and groups in its audience, checked as a whole.

    422 for what the caller may not name, for an agency that the audience excludes (an exclusion is lifted where it was
    set, never in passing), and for groups that the label does not allow.
    """
    handling, agencies, groups = stored.envelope.handling, sent.agencies, sent.groups
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
    await check_named(desk, sent)
    return opened


async def disclose(desk: Desk, kind: RecordKind, record_id: UUID, sent: DisclosureIn) -> Disclosure:
    """Open the caller's own record to more agencies and groups, on top of whom its handling names by then.

    409 if others keep changing the record's handling at the same moment.
    """
    for _ in range(_TRIES):
        stored = await fetch(desk, kind, record_id)
        require_current(stored)
        handling = await opened_to(desk, stored, sent)
        disclosure_id = await _disclose(desk, stored, handling, sent)
        if disclosure_id is not None:
            return await disclosure(desk, stored, disclosure_id)
    raise Problem(CONFLICT, detail="The record's handling is being changed by others. Repeat the call.")


async def _disclose(desk: Desk, stored: Stored, handling: Handling, sent: DisclosureIn) -> UUID | None:
    audience, _ = principals(handling.audience, stored.envelope.originator)
    rendered = rerender(stored.envelope.model_copy(update={"handling": handling}), stored.rendered.document)
    disclosure_id = uuid7()
    row = await desk.call_one(
        "disclose_record",
        p_disclosure=disclosure_id,
        p_id=stored.envelope.id,
        p_expected=stored.audience_version,
        p_expected_version=stored.envelope.version,
        p_handling=Jsonb(handling.model_dump(mode="json")),
        p_audience=audience,
        p_document=rendered.document,
        p_shared_document=rendered.shared_document,
        p_agencies=sent.agencies,
        p_groups=sent.groups,
        p_purpose=sent.purpose,
    )
    return disclosure_id if row.outcome == "changed" else None


async def explain(desk: Desk, stored: Stored) -> list[Access]:
    """Every agency that sees the record now, and each reason why."""
    return [
        _access(row, stored.envelope.originator) for row in await desk.call("access_of", p_record=stored.envelope.id)
    ]


def _access(row: Any, originator: str) -> Access:  # noqa: ANN401 - a row of the function
    word, _, group = row.principal.partition(":")
    if row.agency == originator and row.principal == originator:
        via = Via.ORIGINATOR
    else:
        via = Via(word) if group or word == Via.COMMUNITY else Via.AGENCY
    return Access(
        agency=row.agency, via=via, group=UUID(group) if group else None, since=row.since, disclosure=row.disclosure_id
    )


_DISCLOSURES = sql.SQL(
    "SELECT id, agencies, groups, purpose, at, officer FROM disclosures WHERE record_id = %(record)s"
    " AND (at, id) < (%(at)s, %(last)s) ORDER BY at DESC, id DESC LIMIT %(limit)s"
)
_DISCLOSURE = sql.SQL(
    "SELECT id, agencies, groups, purpose, at, officer FROM disclosures WHERE record_id = %(record)s AND id = %(id)s"
)


def _disclosure(row: Any) -> Disclosure:  # noqa: ANN401 - a row of the table
    return Disclosure(
        id=row.id,
        agencies=row.agencies,
        groups=row.groups,
        legal_basis=None,
        purpose=row.purpose,
        officer=row.officer,
        version=1,
        at=row.at,
    )


async def disclosures(desk: Desk, stored: Stored, after: Place | None, limit: int) -> Sequence[Disclosure]:
    """Disclosures of the caller's own record, newest first."""
    at, last = after or NEWEST
    rows = await desk.rows(_DISCLOSURES, record=stored.envelope.id, at=at, last=last, limit=limit)
    return [_disclosure(row) for row in rows]


async def disclosure(desk: Desk, stored: Stored, disclosure_id: UUID | None) -> Disclosure:
    """One disclosure of the caller's own record."""
    rows = await desk.rows(_DISCLOSURE, record=stored.envelope.id, id=disclosure_id)
    if not rows:
        raise not_found()
    return _disclosure(rows[0])
