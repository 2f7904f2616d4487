"""`/v1/audit-entries`: who did what, for those who have to answer for it."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.audit.trail import note
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.text import Line
from app.domain.audit_entries import reading
from app.domain.audit_entries.reading import AuditEntry
from app.identity.roles import Permission
from app.routers.records import page
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

router = APIRouter(prefix="/v1/audit-entries", tags=["Audit"])


class AuditFilters(Paging):
    """What the trail can be narrowed by."""

    of: Literal["credentials", "records"] = Field(
        "credentials",
        description="`credentials`: what your agency's credentials did; `records`: what others did with its records.",
    )
    client_id: Line | None = Field(None, description="What one credential did; with `of=credentials`.")
    agency: AgencyCode | None = Field(None, description="What one agency did; with `of=records`.")
    action: Line | None = Field(None, description="One action, for example `record.read`.")
    record: UUID | None = Field(None, description="What concerned one record.")
    since: UtcDateTime | None = Field(None, description="From this moment on; with `of=credentials`.")


@router.get(
    "", summary="List audit entries", operation_id="list_audit_entries", **operation(page_of(AuditEntry), etag=False)
)
async def list_entries(
    request: Request, desk: Annotated[Desk, at_desk(Permission.AUDIT_READ)], filters: Annotated[AuditFilters, Query()]
) -> Response:
    """List entries of the audit trail, newest first.

    Of your agency's own credentials you see everything. Of other agencies you see what they read or changed of your
    records: agency, time, action and id, never the officer or the reason. A refused attempt is its own agency's affair.
    """
    after = place_of(request, house(request).cursors, filters.cursor)
    chosen = {name: getattr(filters, name) for name in ("client_id", "agency", "action", "record", "since")}
    read = reading.own if filters.of == "credentials" else reading.of_own_records
    chosen = {name: value for name, value in chosen.items() if filters.of != "credentials" or name != "agency"}
    found = await read(desk, chosen, after, filters.limit + 1)
    await note(desk, "audit.list", detail={"of": filters.of})
    return page(request, found, filters.limit, "at")
