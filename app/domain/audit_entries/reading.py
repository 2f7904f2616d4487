"""The agency's own entries in full; others' reads and changes of its records as agency, time, action and id."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import sql
from pydantic import Field

from app.access.desk import Desk
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.places import NEWEST, Place
from app.core.shapes import Shape


class AuditEntry(Shape):
    """One entry of the trail. In an entry of another agency's, what is not the reader's to know is null."""

    id: UUID = Field(description="The entry's id.")
    at: UtcDateTime = Field(description="When.")
    agency: AgencyCode | None = Field(description="Whose credential; null for the operator or for nobody known.")
    client_id: str | None = Field(description="Which credential; only of the own agency.")
    officer: str | None = Field(description="On whose behalf, as the call said; only of the own agency.")
    purpose: str | None = Field(description="Why, as the call said; only of the own agency.")
    action: str = Field(description="What was done or tried.", examples=["record.read"])
    outcome: str = Field(description="`done`, or the problem type it was refused with.", examples=["done"])
    kind: str | None = Field(
        description="Kind of what it concerns, as the noun of its path.", examples=["criminal-organizations"]
    )
    record_ids: list[UUID] = Field(description="Records concerned; in another agency's entry, your own alone.")
    request_id: str | None = Field(description="The call's X-Request-Id; only of the own agency.")
    peer: str | None = Field(description="Address it came from; only of the own agency.")
    detail: dict[str, Any] | None = Field(description="More about it; only of the own agency.")


_OWN = sql.SQL(
    "SELECT id, at, agency, client_id, officer, purpose, action, outcome, kind, record_ids, request_id,"
    " host(peer) AS peer, detail FROM audit_entries WHERE agency = caller_agency() AND (at, id) < (%(at)s, %(last)s)"
    " AND (%(client_id)s::text IS NULL OR client_id = %(client_id)s)"
    " AND (%(action)s::text IS NULL OR action = %(action)s)"
    " AND (%(record)s::uuid IS NULL OR %(record)s = ANY (record_ids))"
    " AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)"
    " ORDER BY at DESC, id DESC LIMIT %(limit)s"
)


async def own(desk: Desk, filters: Mapping[str, Any], after: Place | None, limit: int) -> Sequence[AuditEntry]:
    """Entries of the caller's own agency, newest first."""
    at, last = after or NEWEST
    return [AuditEntry(**row._asdict()) for row in await desk.rows(_OWN, **filters, at=at, last=last, limit=limit)]


async def of_own_records(
    desk: Desk, filters: Mapping[str, Any], after: Place | None, limit: int
) -> Sequence[AuditEntry]:
    """What other agencies did with the caller's records, newest first; refusals are not among it."""
    at, last = after or (None, None)
    rows = await desk.call(
        "audit_of_own_records",
        p_before_at=at,
        p_before_id=last,
        p_agency=filters["agency"],
        p_action=filters["action"],
        p_record=filters["record"],
        p_limit=limit,
    )
    hidden = dict.fromkeys(("client_id", "officer", "purpose", "request_id", "peer", "detail"))
    return [AuditEntry(**row._asdict(), **hidden, outcome="done") for row in rows]
