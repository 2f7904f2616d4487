"""Reports of the same matter: found among those that the originator sees, merged by it, and parted again.

A merged report stays what it is, with its readers and its versions; a link says which report counts in its place.
"""

from collections.abc import Sequence

from app.access.desk import Desk
from app.core import clock
from app.core.ids import uuid7
from app.core.problems import CONFLICT, Problem
from app.domain.incident_reports.shapes import IncidentMergeIn, PossibleDuplicate
from app.models.vocabularies import LinkType
from app.records import links
from app.records.links import Link
from app.records.references import unknown_reference
from app.records.shelf import Stored, require_current

TYPES = [LinkType.DUPLICATE_OF.value]

_REFUSED = {
    "merged-already": "The report is merged into another already: part the two first.",
    "target-merged": "That report is itself merged into another: merge into the one that counts.",
}


async def possible(desk: Desk, stored: Stored) -> Sequence[PossibleDuplicate]:
    """Reports that the caller sees and that may be of the same matter as its own, the most alike first.

    At most fifty, without those that are merged with it; none where the report is retracted.
    """
    rows = await desk.call("possible_duplicates", p_record=stored.envelope.id)
    return [
        PossibleDuplicate(
            id=row.id,
            reference=row.reference,
            originator=row.originator,
            title=row.title,
            score=float(row.score),
            reasons=row.reasons,
        )
        for row in rows
    ]


async def merge(desk: Desk, stored: Stored, sent: IncidentMergeIn) -> Link:
    """Say that another report counts in the place of the caller's own.

    422 for one that the caller may not see; 409 where one of the two is merged already, as far as the caller sees.
    """
    require_current(stored)
    link_id, source = uuid7(), stored.envelope.id
    if sent.duplicate_of == source:
        raise unknown_reference("/duplicate_of")
    row = await desk.call_one(
        "merge_incident",
        p_link=link_id,
        p_record=source,
        p_target=sent.duplicate_of,
        p_note=sent.note,
        p_at=clock.now(),
    )
    if row.outcome == "unknown":
        raise unknown_reference("/duplicate_of")
    if row.outcome in _REFUSED:
        raise Problem(CONFLICT, detail=_REFUSED[row.outcome])
    return await links.one(desk, source, link_id, TYPES)


async def unmerge(desk: Desk, stored: Stored) -> None:
    """Part the caller's own report from the one it was merged into; 409 if it was merged into none that it sees."""
    require_current(stored)
    row = await desk.call_one("unmerge_incident", p_record=stored.envelope.id)
    if row.outcome != "parted":
        raise Problem(CONFLICT, detail="The report is not merged into another.")
