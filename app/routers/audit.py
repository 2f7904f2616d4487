"""`/v1/audit`: checkpoints of the log, and the keys that signed them. They hold nothing of what the log tells."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.audit.trail import note
from app.domain.audit_entries import checkpoints
from app.domain.audit_entries.checkpoints import AuditKeySet, GrowingCheckpoint
from app.web import answers
from app.web.callers import AnyCaller, Home
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import open_cursor, seal_cursor
from app.web.state import house

router = APIRouter(prefix="/v1/audit", tags=["Audit"])

_NEEDS = tuple(permission.value for permission in checkpoints.READ_BY)


class CheckpointFilters(Paging):
    """What checkpoints are asked for."""

    first: int | None = Field(
        None,
        alias="from",
        ge=1,
        lt=2**63,
        description="The tree size of a checkpoint that you hold: only those of at least this size, each with the "
        "proof that its tree begins with yours.",
    )


@router.get(
    "/checkpoints",
    summary="List checkpoints",
    operation_id="list_audit_checkpoints",
    **operation(page_of(GrowingCheckpoint), csv=True, etag=False, needs=_NEEDS),
)
async def list_checkpoints(
    request: Request, desk: AnyCaller, filters: Annotated[CheckpointFilters, Query()]
) -> Response:
    """List the signed states of the log, newest first. Needs `audit:read` or `audit:verify`.

    Keep one now and then, elsewhere. With `from` and its size a later call proves that nothing before it was changed,
    removed or reordered since; `limit=1` answers the proof up to now. A size beyond the log's end is refused: then the
    log was cut back.
    """
    checkpoints.require_any(desk)
    cursors = house(request).cursors
    place = open_cursor(cursors, request.url.path, {"from": filters.first}, filters.cursor) or {"below": None}
    found = await checkpoints.listed(desk, filters.first, place["below"], filters.limit + 1)
    shown = found[: filters.limit]
    items = await checkpoints.documents(desk, shown, filters.first)
    await note(desk, "audit.checkpoints", detail={"from": filters.first})
    cursor = None
    if len(found) > filters.limit:
        cursor = seal_cursor(cursors, request.url.path, {"from": filters.first}, {"below": shown[-1].tree_size})
    if answers.accepts(request, answers.JSON, answers.CSV) == answers.CSV:
        return answers.table(request, items, cursor)
    return answers.listing(request, ",".join(orjson.dumps(item).decode() for item in items), cursor)


@router.get(
    "/keys",
    summary="Keys that checkpoints are signed with",
    operation_id="read_audit_keys",
    **operation(AuditKeySet, etag=False),
)
async def read_keys(home: Home) -> Response:
    """Answer every public key that ever signed a checkpoint, for anybody (RFC 7517).

    Fetch it once, compare the `kid` with the operator by another way, and keep it: what was signed can then be checked
    without the hub, and the hub cannot exchange the key unnoticed.
    """
    async with home.database.pool.connection() as connection:
        keys = await checkpoints.fetch_keys(connection)
    return Response(orjson.dumps(keys), headers={"Cache-Control": "public, max-age=60"}, media_type=answers.JSON)
