"""`/v1/joint-operations/{id}/log`: what happens in an operation, as its agencies write it down."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.core.codes import AgencyCode
from app.core.ids import parse_uuid
from app.domain.joint_operations import log
from app.domain.joint_operations.log_shapes import OperationLogEntry, OperationLogEntryIn
from app.domain.joint_operations.plans import KIND
from app.identity.roles import Permission
from app.models.operation_vocabularies import LogKind
from app.records import shelf
from app.records.shelf import Stored
from app.routers.joint_operations import TAG
from app.routers.parts import COVERED, note_read, page
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}/log", tags=[TAG])

Reading = Annotated[Desk, at_desk(Permission.OPERATIONS_READ)]
Writing = Annotated[Desk, at_desk(Permission.OPERATIONS_WRITE)]


class LogFilters(Paging):
    """What a log can be narrowed by, and its order."""

    order: log.Order = Field(
        "created_at", description="The newest first: by when they were written down, or by when it happened (`at`)."
    )
    kind: LogKind | None = Field(None, description="Entries that tell of this.")
    agency: AgencyCode | None = Field(None, description="Entries of this agency.")


@router.get(
    "",
    summary="List the log",
    operation_id="list_joint_operation_log",
    **operation(page_of(OperationLogEntry), csv=True, etag=False, problems=COVERED),
)
async def list_log(
    request: Request, desk: Reading, record_id: str, filters: Annotated[LogFilters, Query()]
) -> Response:
    """List what was logged in an operation in which your agency takes part, newest first.

    By `created_at` nothing is ever passed over: each entry is later than all that were there when it was written. By
    `at` the list tells the course of events: an entry about what happened earlier stands where it belongs. Whoever
    joins later reads what was logged before.
    """
    stored = await _of_party(request, desk, record_id)
    after = place_of(request, house(request).cursors, filters.cursor)
    found = await log.listed(
        desk, stored, filters.order, after, filters.limit + 1, kind=filters.kind, agency=filters.agency
    )
    await note_read(desk, "log.list", stored)
    return page(request, found, filters.limit, filters.order)


@router.post(
    "",
    summary="Write into the log",
    operation_id="write_joint_operation_log",
    **operation(
        OperationLogEntry, status=201, body=OperationLogEntryIn, once=True, problems=(*COVERED, "conflict", "retracted")
    ),
)
async def write_log(request: Request, desk: Writing, record_id: str) -> Response:
    """Write down what happened in an operation in which your agency takes part; the others who do are told.

    The officer named in `On-Behalf-Of` stands in the entry, and those who take part read it there. An entry can never
    be changed or taken back: what was wrong is put right by another. The log takes entries while the operation is
    active or suspended, and for 7 days after it is completed.
    """
    stored = await _of_party(request, desk, record_id)

    async def replay(kept: calls.Kept) -> str:
        return (await log.one(desk, stored, parse_uuid(kept.resource_id))).model_dump_json()

    async def act() -> calls.Made:
        made = await log.add(desk, stored, await calls.read_body(request, OperationLogEntryIn))
        return calls.Made("log", str(made.id), 1, made.model_dump_json(), 201, f"{request.url.path}/{made.id}")

    return await calls.once(request, desk, replay, act)


@router.get(
    "/{log_entry_id}",
    summary="Read an entry of the log",
    operation_id="read_joint_operation_log_entry",
    **operation(OperationLogEntry, problems=COVERED),
)
async def read_log_entry(request: Request, desk: Reading, record_id: str, log_entry_id: str) -> Response:
    """Read one entry of the log of an operation in which your agency takes part."""
    stored = await _of_party(request, desk, record_id)
    found = await log.one(desk, stored, parse_uuid(log_entry_id))
    await note_read(desk, "log.read", stored)
    return answers.model(request, found, 1)


async def _of_party(request: Request, desk: Desk, record_id: str) -> Stored:
    stored = await calls.fetch(request, desk, KIND, record_id)
    shelf.require_party(stored)
    return stored
