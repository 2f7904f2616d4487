"""`/v1/audit-entries`: who did what, for those who have to answer for it."""

from typing import Annotated, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.audit.trail import note
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.ids import parse_uuid
from app.core.shapes import Shape
from app.core.text import Line
from app.domain.audit_entries import export, proofs, reading
from app.domain.audit_entries.export import AuditExport, Span, Wanted
from app.domain.audit_entries.proofs import AuditProof
from app.domain.audit_entries.reading import AuditEntry
from app.identity.roles import Permission
from app.routers.parts import page
from app.web import answers
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import next_link, open_cursor, place_of, seal_cursor
from app.web.state import house

router = APIRouter(prefix="/v1/audit-entries", tags=["Audit"])

Reading = Annotated[Desk, at_desk(Permission.AUDIT_READ)]


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
    "",
    summary="List audit entries",
    operation_id="list_audit_entries",
    **operation(page_of(AuditEntry), csv=True, etag=False),
)
async def list_entries(request: Request, desk: Reading, filters: Annotated[AuditFilters, Query()]) -> Response:
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


class ExportFilters(Shape):
    """Which entries an export holds, and how many."""

    since: UtcDateTime | None = Field(None, description="From this moment on.")
    until: UtcDateTime | None = Field(None, description="Before this moment.")
    officer: Line | None = Field(
        None, description="On behalf of this officer of your agency, exactly as the calls said.", examples=["Insp. Han"]
    )
    record: UUID | None = Field(None, description="About this record.")
    limit: int = Field(
        export.LIMIT_DEFAULT, ge=1, le=export.LIMIT_MAX, description="How many entries the answer holds at most."
    )
    cursor: Annotated[str, Field(max_length=2048)] | None = Field(
        None, description="`next_cursor` of the part before, unchanged, with the same filters."
    )


@router.get(
    "/export",
    summary="Export entries with their proofs",
    operation_id="export_audit_entries",
    **operation(AuditExport, etag=False, headers=("Link",)),
)
async def export_entries(request: Request, desk: Reading, filters: Annotated[ExportFilters, Query()]) -> Response:
    """Export everything sealed that your agency may see of the trail, each entry with its proof, oldest first.

    The answer is a file to keep: all its paths lead to the root of the one signed checkpoint in it. Where there is
    more, the next parts are of the same tree, and parts can be strung together, one a line. For an oversight request,
    `officer` or `record` narrows it to one officer of your agency, or to what was done to one record.
    `interdesk audit verify --file` checks the file on a computer that knows nothing of the hub but its audit keys.
    """
    cursors = house(request).cursors
    wanted = filters.model_dump(mode="json", include={"since", "until", "officer", "record"})
    place = open_cursor(cursors, request.url.path, wanted, filters.cursor) or {}
    chosen = Wanted(filters.since, filters.until, filters.officer, filters.record)
    part = await export.part(desk, Span(chosen, **place), filters.limit)
    await note(desk, "audit.export", detail={**wanted, "entries": len(part.items)})
    cursor = None
    if part.next is not None:
        reached = {"tree_size": part.next.tree_size, "at": part.next.at, "index": part.next.index}
        cursor = seal_cursor(cursors, request.url.path, wanted, reached)
    body = orjson.dumps({**part.document, "next_cursor": cursor})
    headers = next_link(request, house(request).settings.public_url, cursor)
    return Response(body, headers=headers, media_type=answers.JSON)


TreeSize = Annotated[
    int | None, Query(ge=1, lt=2**63, description="Prove it in the tree of this checkpoint, not of the newest.")
]


@router.get(
    "/{entry_id}/proof",
    summary="Prove an entry",
    operation_id="prove_audit_entry",
    **operation(AuditProof, etag=False, problems=("conflict",)),
)
async def prove_entry(request: Request, desk: Reading, entry_id: str, tree_size: TreeSize = None) -> Response:
    """Prove that an entry stands in the log as your agency sees it.

    The answer is all that is needed beside the audit keys: hash `leaf`, follow `inclusion_path` to the root, compare
    it with the checkpoint's, and check the checkpoint's signature. An entry is sealed within about a minute; until then
    the answer is 409.
    """
    parsed = parse_uuid(entry_id)
    request.state.subject = (proofs.NOUN, parsed)
    proof = await proofs.prove(desk, parsed, tree_size)
    await proofs.note_proof(desk, proof["leaf"]["entry"]["id"])
    return answers.plain(proof)
