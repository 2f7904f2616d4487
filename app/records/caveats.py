"""H3: acknowledging a record's caveat, and who has. Until then readers are shown nothing of the content."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import sql
from pydantic import Field

from app.access.caveats import acknowledgement_required
from app.access.desk import Desk
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, Problem, not_found
from app.core.shapes import Shape
from app.core.text import Paragraph
from app.records.shelf import Stored, require_current

_COLUMNS = "id, agency, caveat, record_version, at"
_ONE = sql.SQL(
    f"SELECT {_COLUMNS}, officer FROM caveat_acknowledgements"  # noqa: S608 - a constant
    " WHERE record_id = %(record)s AND id = %(id)s AND agency = caller_agency()"
)
_LIST = sql.SQL(
    f"SELECT {_COLUMNS} FROM caveat_acknowledgements WHERE record_id = %(record)s"  # noqa: S608 - a constant
    " AND (at, id) < (%(at)s, %(last)s) ORDER BY at DESC, id DESC LIMIT %(limit)s"
)


class CaveatAcknowledgementIn(Shape):
    """That the caveat was read."""

    caveat: Paragraph = Field(
        description="The caveat, word for word as the refusal or the list showed it: nobody can acknowledge what was "
        "not shown.",
        examples=["Do not act on this without asking first."],
    )


class CaveatReader(Shape):
    """That an agency acknowledged a caveat, as the record's originator sees it: never which of its officers."""

    id: UUID = Field(description="The acknowledgement's id.")
    agency: AgencyCode = Field(description="The agency that acknowledged.", examples=["KH-CNP"])
    caveat: Paragraph = Field(description="In which words the caveat stood then.")
    record_version: int = Field(ge=1, description="The record's version that said so.", examples=[1])
    at: UtcDateTime = Field(description="When.")


class CaveatAcknowledgement(CaveatReader):
    """That an agency acknowledged a caveat, as it sees that itself."""

    officer: str | None = Field(description="On whose behalf, if the call said so.")


async def acknowledge(desk: Desk, stored: Stored, caveat: str) -> CaveatAcknowledgement:
    """Acknowledge a record's caveat for the caller's agency; done before, it is answered as it was done.

    Raises Problem 409: `retracted`; `conflict` where there is nothing that this agency would have to acknowledge;
    `acknowledgement-required` with the caveat as it reads now, where it reads otherwise than was sent.
    """
    require_current(stored)
    record = stored.envelope.id
    row = await desk.call_one("acknowledge_caveat", p_id=uuid7(), p_record=record, p_caveat=caveat)
    if row.outcome == "reworded":
        raise acknowledgement_required(stored.kind.value, record, row.wording)
    if row.outcome == "nothing":
        whose = "is your agency's own" if stored.own else "does not carry H3"
        raise Problem(CONFLICT, detail=f"The record {whose}: there is no caveat to be acknowledged.")
    return await own(desk, stored, row.acknowledgement)


async def own(desk: Desk, stored: Stored, acknowledgement: UUID | None) -> CaveatAcknowledgement:
    """What the caller's agency acknowledged."""
    rows = await desk.rows(_ONE, record=stored.envelope.id, id=acknowledgement)
    if not rows:
        raise not_found()
    return CaveatAcknowledgement(**_fields(rows[0]), officer=rows[0].officer)


async def readers(desk: Desk, stored: Stored, after: Place | None, limit: int) -> Sequence[CaveatReader]:
    """Who acknowledged which wording of the caller's own record, newest first."""
    at, last = after or NEWEST
    rows = await desk.rows(_LIST, record=stored.envelope.id, at=at, last=last, limit=limit)
    return [CaveatReader(**_fields(row)) for row in rows]


def _fields(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of _COLUMNS
    return {
        "id": row.id,
        "agency": row.agency,
        "caveat": row.caveat,
        "record_version": row.record_version,
        "at": row.at,
    }
