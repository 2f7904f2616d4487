"""Recalls: `/v1/{kind}/{id}/recalls` for whoever takes a record back, `/v1/recalls` for both sides of it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.audit.trail import note
from app.core.ids import parse_uuid
from app.core.problems import FORBIDDEN, Problem
from app.identity.roles import Permission
from app.models.vocabularies import RecordKind
from app.records import recalls, shelf
from app.records.recall_shapes import AcknowledgementIn, Recall, RecallIn, RecallState
from app.records.shapes import Reach
from app.routers.parts import DryRun, note_read, page
from app.web import answers, calls
from app.web.callers import AnyCaller
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

router = APIRouter(prefix="/v1/recalls", tags=["Recalls"])

NEEDS = tuple(kind.read for kind in RecordKind)
"""One of them is enough; recalls of kinds whose own a token lacks are left out."""


class RecordRecallFilters(Paging):
    """What the recalls of one record can be narrowed by."""

    state: RecallState | None = Field(None, description="Those with a recipient in this state.")


class RecallFilters(Paging):
    """What recalls can be narrowed by; several filters narrow together."""

    role: Literal["originator", "recipient"] | None = Field(
        None, description="`originator`: those your agency made; `recipient`: those it received."
    )
    state: RecallState | None = Field(
        None, description="How far your agency's part has come; of those it made, how far some recipient's has."
    )


def recall_routes(router: APIRouter, kind: RecordKind, noun: str, writing: Any) -> None:  # noqa: ANN401 - metadata of an Annotated
    """Add the calls by which an originator takes back records of one kind to the kind's router."""
    _add_recall(router, kind, noun, writing)
    _add_reads(router, kind, noun, writing)


def _add_recall(router: APIRouter, kind: RecordKind, noun: str, writing: Any) -> None:  # noqa: ANN401 - as above
    @router.post(
        "/recalls",
        summary="Recall",
        operation_id=f"recall_{noun}",
        **operation(
            Recall, status=201, body=RecallIn, once=True, also={200: Reach}, problems=("retracted", "conflict")
        ),
    )
    async def recall(
        request: Request, desk: Annotated[Desk, writing], record_id: str, *, dry_run: DryRun = False
    ) -> Response:
        """Take your record back from agencies and groups: they lose sight at once, however they came by it.

        Every agency that loses sight is told by the event `recall.requested`, and says what it did with its copies by
        `due_at`. While groups or the community still see the record, the agencies named are excluded from it as well;
        members of a group that it is also shared with in another way go on seeing it. With `dry_run=true` nothing is
        taken back: the answer (200) lists who would see the record and who would lose sight.

        Narrowing the audience by the handling, and retracting, open a recall of themselves.
        """
        stored = await calls.fetch_own(request, desk, kind, record_id)
        if dry_run:
            sent = await calls.read_body(request, RecallIn)
            shelf.require_current(stored)
            tried = await recalls.reach(desk, stored, sent)
            await note_read(desk, "recalls.try", stored)
            return answers.model(request, tried)

        async def replay(kept: calls.Kept) -> str:
            return recalls.as_made(await recalls.one(desk, [kind], parse_uuid(kept.resource_id))).model_dump_json()

        async def act() -> calls.Made:
            sent = await calls.read_body(request, RecallIn)
            made = await recalls.recall(desk, kind, stored.envelope.id, sent)
            location = f"{request.url.path}/{made.id}"
            return calls.Made("recalls", str(made.id), made.version, made.model_dump_json(), 201, location)

        return await calls.once(request, desk, replay, act)


def _add_reads(router: APIRouter, kind: RecordKind, noun: str, writing: Any) -> None:  # noqa: ANN401 - as above
    @router.get(
        "/recalls",
        summary="List a record's recalls",
        operation_id=f"list_{noun}_recalls",
        **operation(page_of(Recall), csv=True, etag=False),
    )
    async def list_record_recalls(
        request: Request,
        desk: Annotated[Desk, writing],
        record_id: str,
        filters: Annotated[RecordRecallFilters, Query()],
    ) -> Response:
        """List from whom your record was taken back, and what each did with its copies; newest first."""
        stored = await calls.fetch_own(request, desk, kind, record_id)
        after = place_of(request, house(request).cursors, filters.cursor)
        found = await recalls.of_record(desk, stored, filters.state, after, filters.limit + 1)
        await note_read(desk, "recalls.list", stored)
        return page(request, found, filters.limit, "at")

    @router.get(
        "/recalls/{recall_id}",
        summary="Read a record's recall",
        operation_id=f"read_{noun}_recall",
        **operation(Recall),
    )
    async def read_record_recall(
        request: Request, desk: Annotated[Desk, writing], record_id: str, recall_id: str
    ) -> Response:
        """Read one recall of your record, with what each recipient did."""
        stored = await calls.fetch_own(request, desk, kind, record_id)
        found = await recalls.one(desk, [kind], parse_uuid(recall_id), stored.envelope.id)
        await note_read(desk, "recalls.read", stored)
        return answers.model(request, found, found.version)


@router.get(
    "",
    summary="List recalls",
    operation_id="list_recalls",
    **operation(page_of(Recall), csv=True, etag=False, needs=NEEDS),
)
async def list_recalls(request: Request, desk: AnyCaller, filters: Annotated[RecallFilters, Query()]) -> Response:
    """List recalls that your agency made or received, newest first, of kinds of records that your token may read."""
    kinds = _kinds(desk)
    after = place_of(request, house(request).cursors, filters.cursor)
    found = await recalls.listed(desk, kinds, filters.role, filters.state, after, filters.limit + 1)
    shown = found[: filters.limit]
    await note(desk, "recalls.list", None, [one.record_id for one in shown], [one.originator for one in shown])
    return page(request, found, filters.limit, "at")


@router.get("/{recall_id}", summary="Read a recall", operation_id="read_recall", **operation(Recall, needs=NEEDS))
async def read_recall(request: Request, desk: AnyCaller, recall_id: str) -> Response:
    """Read a recall that your agency made or received. A recipient finds its own part of it alone."""
    found = await _fetch(request, desk, recall_id)
    await note(desk, "recalls.read", found.kind, [found.record_id], [found.originator])
    return answers.model(request, found, found.version)


@router.post(
    "/{recall_id}/acknowledge",
    summary="Acknowledge a recall",
    operation_id="acknowledge_recall",
    **operation(Recall, body=AcknowledgementIn, once=True, needs=NEEDS, problems=("conflict",)),
)
async def acknowledge_recall(request: Request, desk: AnyCaller, recall_id: str) -> Response:
    """Say what your agency did with its copies of a record that was taken back: once, and for good.

    Any credential of the agency may say so that may read records of the kind. The originator is told.
    """
    found = await _fetch(request, desk, recall_id)
    recalls.require_recipient(desk, found)

    async def replay(kept: calls.Kept) -> str:
        return (await recalls.one(desk, _kinds(desk), parse_uuid(kept.resource_id))).model_dump_json()

    async def act() -> calls.Made:
        made = await recalls.acknowledge(desk, found, await calls.read_body(request, AcknowledgementIn))
        return calls.Made("recalls", str(made.id), made.version, made.model_dump_json())

    return await calls.once(request, desk, replay, act)


def _kinds(desk: Desk) -> list[RecordKind]:
    """The kinds of records that the caller may read; 403 if there is none."""
    kinds = [kind for kind in RecordKind if Permission(kind.read) in desk.caller.permissions]
    if not kinds:
        raise Problem(FORBIDDEN, detail=f"This call needs one of the permissions {', '.join(NEEDS)}.")
    return kinds


async def _fetch(request: Request, desk: Desk, recall_id: str) -> Recall:
    """The recall that a path names; 404 for whom it is none of. Its id goes into the audit of what is refused then."""
    kinds, parsed = _kinds(desk), parse_uuid(recall_id)
    request.state.subject = ("recalls", parsed)
    return await recalls.one(desk, kinds, parsed)
