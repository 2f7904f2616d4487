"""`/v1/{kind}/{id}/amendments`: changes that readers propose and the originator decides on.

`amendment_routes` makes the calls for one kind, with that kind's permissions and names.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.core.shapes import Shape
from app.core.text import Paragraph
from app.identity.roles import Permission
from app.models.vocabularies import RecordKind
from app.records import amendments
from app.records.amendments import Amendable, Amendment
from app.records.shelf import Stored
from app.routers.parts import COVERED, note_read, page
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house


class AmendmentDecision(Shape):
    """What the originator says to an amendment."""

    note: Paragraph | None = Field(default=None, description="Why it is accepted or rejected; the proposer reads it.")


def amendment_routes(kind: RecordKind, tag: str, amendable: Amendable, body: Any) -> APIRouter:  # noqa: ANN401 - a shape with `patch` and `note`
    """The calls on amendments of records of one kind, proposed as `body` and documented under `tag`."""
    router = APIRouter(prefix=f"/v1/{kind}/{{record_id}}/amendments", tags=[tag])
    noun = kind.value.replace("-", "_").removesuffix("s")
    reading = at_desk(Permission(kind.read))
    _reading_routes(router, kind, noun, reading)
    _proposing_route(router, kind, noun, reading, amendable, body)
    _deciding_routes(router, kind, noun, at_desk(Permission(kind.write)), amendable)
    return router


def _reading_routes(router: APIRouter, kind: RecordKind, noun: str, reading: Any) -> None:  # noqa: ANN401 - metadata of an Annotated
    @router.get(
        "",
        summary="List amendments",
        operation_id=f"list_{noun}_amendments",
        **operation(page_of(Amendment), csv=True, etag=False, problems=COVERED),
    )
    async def list_amendments(
        request: Request, desk: Annotated[Desk, reading], record_id: str, paging: Annotated[Paging, Query()]
    ) -> Response:
        """List proposed changes, newest first: to your own record all of them, to another's those you proposed."""
        stored = await calls.fetch(request, desk, kind, record_id)
        after = place_of(request, house(request).cursors, paging.cursor)
        found = await amendments.listed(desk, stored, after, paging.limit + 1)
        await note_read(desk, "amendments.list", stored)
        return page(request, found, paging.limit, "created_at")

    @router.get(
        "/{amendment_id}",
        summary="Read an amendment",
        operation_id=f"read_{noun}_amendment",
        **operation(Amendment, problems=COVERED),
    )
    async def read_amendment(
        request: Request, desk: Annotated[Desk, reading], record_id: str, amendment_id: str
    ) -> Response:
        """Read one proposed change."""
        stored = await calls.fetch(request, desk, kind, record_id)
        found = await amendments.one(desk, stored, parse_uuid(amendment_id))
        await note_read(desk, "amendments.read", stored)
        return answers.model(request, found, found.version)


def _proposing_route(
    router: APIRouter,
    kind: RecordKind,
    noun: str,
    reading: Any,  # noqa: ANN401 - metadata of an Annotated
    amendable: Amendable,
    body: Any,  # noqa: ANN401 - as above
) -> None:
    @router.post(
        "",
        summary="Propose an amendment",
        operation_id=f"propose_{noun}_amendment",
        **operation(Amendment, status=201, body=body, once=True, problems=(*COVERED, "retracted")),
    )
    async def propose_amendment(request: Request, desk: Annotated[Desk, reading], record_id: str) -> Response:
        """Propose a change to a record you may read; its originator decides."""
        stored = await calls.fetch(request, desk, kind, record_id)

        async def act() -> calls.Made:
            sent = await calls.read_body(request, body)
            made = await amendments.propose(desk, amendable, stored, sent.patch, sent.note)
            return _made(made, 201, f"{request.url.path}/{made.id}")

        return await calls.once(request, desk, _replay(desk, stored), act)


_Decision = Callable[[Desk, Amendable, Stored, Amendment, str | None], Awaitable[Amendment]]


def _deciding_routes(
    router: APIRouter,
    kind: RecordKind,
    noun: str,
    writing: Any,  # noqa: ANN401 - metadata of an Annotated
    amendable: Amendable,
) -> None:
    problems = ("conflict", "retracted")

    async def decide(request: Request, desk: Desk, record_id: str, amendment_id: str, decision: _Decision) -> Response:
        stored = await calls.fetch_own(request, desk, kind, record_id)
        amendment = await amendments.one(desk, stored, parse_uuid(amendment_id))

        async def act() -> calls.Made:
            calls.require_match(request, amendment.version)
            sent = await calls.read_body(request, AmendmentDecision)
            return _made(await decision(desk, amendable, stored, amendment, sent.note))

        return await calls.once(request, desk, _replay(desk, stored), act)

    @router.post(
        "/{amendment_id}/accept",
        summary="Accept an amendment",
        operation_id=f"accept_{noun}_amendment",
        **operation(Amendment, body=AmendmentDecision, match=True, once=True, problems=problems),
    )
    async def accept_amendment(
        request: Request, desk: Annotated[Desk, writing], record_id: str, amendment_id: str
    ) -> Response:
        """Take a proposed change over into your record as it stands now, based on the amendment's ETag."""
        return await decide(request, desk, record_id, amendment_id, amendments.accept)

    @router.post(
        "/{amendment_id}/reject",
        summary="Reject an amendment",
        operation_id=f"reject_{noun}_amendment",
        **operation(Amendment, body=AmendmentDecision, match=True, once=True, problems=problems),
    )
    async def reject_amendment(
        request: Request, desk: Annotated[Desk, writing], record_id: str, amendment_id: str
    ) -> Response:
        """Decline a proposed change, based on the amendment's ETag."""
        return await decide(request, desk, record_id, amendment_id, amendments.reject)


def _made(amendment: Amendment, status: int = 200, location: str | None = None) -> calls.Made:
    return calls.Made("amendments", str(amendment.id), amendment.version, amendment.model_dump_json(), status, location)


def _replay(desk: Desk, stored: Stored) -> calls.Replay:
    async def replay(kept: calls.Kept) -> str:
        found = await amendments.one(desk, stored, parse_uuid(kept.resource_id))
        return amendments.as_of(found, kept.version).model_dump_json()

    return replay
