"""`/v1/{kind}/{id}/onward-requests`, for every kind of record: asking the originator for leave to pass a record on.

`onward_request_routes(kind, tag)` makes the calls for one kind, with that kind's permissions and names.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.identity.roles import Permission
from app.models.vocabularies import OnwardRequestState, RecordKind
from app.records import onward_requests
from app.records.onward_shapes import OnwardGrantIn, OnwardRefusalIn, OnwardRequest, OnwardRequestIn
from app.records.shelf import Stored
from app.routers.parts import COVERED, note_read, page
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house


class OnwardRequestFilters(Paging):
    """What a list of onward requests can be narrowed by."""

    state: OnwardRequestState | None = Field(None, description="Requests that have come so far.")


def onward_request_routes(kind: RecordKind, tag: str) -> APIRouter:
    """The calls on onward requests about records of one kind, documented under `tag`."""
    router = APIRouter(prefix=f"/v1/{kind}/{{record_id}}/onward-requests", tags=[tag])
    noun = kind.value.replace("-", "_").removesuffix("s")
    reading = at_desk(Permission(kind.read))
    _asking_routes(router, kind, noun, reading)
    _answering_routes(router, kind, noun, at_desk(Permission(kind.write)))
    _withdrawing_route(router, kind, noun, reading)
    return router


def _asking_routes(router: APIRouter, kind: RecordKind, noun: str, reading: Any) -> None:  # noqa: ANN401 - metadata of an Annotated
    @router.get(
        "",
        summary="List onward requests",
        operation_id=f"list_{noun}_onward_requests",
        **operation(page_of(OnwardRequest), csv=True, etag=False, problems=COVERED),
    )
    async def list_requests(
        request: Request,
        desk: Annotated[Desk, reading],
        record_id: str,
        filters: Annotated[OnwardRequestFilters, Query()],
    ) -> Response:
        """List requests to pass the record on, newest first: about your own record all, about another's your agency's.

        To find what is overdue, list the state `requested` and compare `respond_by` with your clock.
        """
        stored = await calls.fetch(request, desk, kind, record_id)
        after = place_of(request, house(request).cursors, filters.cursor)
        found = await onward_requests.listed(desk, stored, filters.state, after, filters.limit + 1)
        await note_read(desk, "onward_requests.list", stored)
        return page(request, found, filters.limit, "created_at")

    @router.post(
        "",
        summary="Ask to pass it on",
        operation_id=f"request_{noun}_onward_sharing",
        **operation(
            OnwardRequest,
            status=201,
            body=OnwardRequestIn,
            once=True,
            problems=("unknown-reference", "retracted", *COVERED),
        ),
    )
    async def request_sharing(request: Request, desk: Annotated[Desk, reading], record_id: str) -> Response:
        """Ask the originator of a record that you read to open it to more agencies: to whom, why, by when.

        Readers pass nothing on by themselves; for a record with the code H2 they may not do so outside the hub either
        without the originator's consent, and this call is how to ask for it. Only your agency and the originator see
        the request. Whether one of the agencies sees the record already, or is kept from it, is not told.
        """
        stored = await calls.fetch(request, desk, kind, record_id)
        onward_requests.require_reader(stored)

        async def act() -> calls.Made:
            made = await onward_requests.ask(desk, stored, await calls.read_body(request, OnwardRequestIn))
            return _made(made, 201, f"{request.url.path}/{made.id}")

        return await calls.once(request, desk, _replay(desk, stored), act)

    @router.get(
        "/{request_id}",
        summary="Read an onward request",
        operation_id=f"read_{noun}_onward_request",
        **operation(OnwardRequest, problems=COVERED),
    )
    async def read_request(
        request: Request, desk: Annotated[Desk, reading], record_id: str, request_id: str
    ) -> Response:
        """Read one request to pass the record on: about your own record, or one of your agency's."""
        stored = await calls.fetch(request, desk, kind, record_id)
        found = await onward_requests.one(desk, stored, parse_uuid(request_id))
        await note_read(desk, "onward_requests.read", stored)
        return answers.model(request, found, found.version)


def _answering_routes(router: APIRouter, kind: RecordKind, noun: str, writing: Any) -> None:  # noqa: ANN401 - as above
    @router.post(
        "/{request_id}/grant",
        summary="Grant an onward request",
        operation_id=f"grant_{noun}_onward_request",
        **operation(
            OnwardRequest,
            body=OnwardGrantIn,
            match=True,
            once=True,
            problems=("unknown-reference", "no-legal-basis", "conflict", "retracted"),
        ),
    )
    async def grant_request(
        request: Request, desk: Annotated[Desk, writing], record_id: str, request_id: str
    ) -> Response:
        """Open your record to the agencies that a reader asked for, or to some of them, based on the request's ETag.

        A grant is a disclosure, with the request's reason for its purpose and the requester named; `disclosure` is its
        id, and it is refused like one: an agency that the handling excludes is answered with 422 and the code
        `agency-excluded`, and stays out until you change the handling.
        """

        async def grant(stored: Stored, found: OnwardRequest) -> OnwardRequest:
            return await onward_requests.grant(desk, stored, found, await calls.read_body(request, OnwardGrantIn))

        return await _answer(request, desk, kind, (record_id, request_id), grant)

    @router.post(
        "/{request_id}/refuse",
        summary="Refuse an onward request",
        operation_id=f"refuse_{noun}_onward_request",
        **operation(OnwardRequest, body=OnwardRefusalIn, match=True, once=True, problems=("conflict", "retracted")),
    )
    async def refuse_request(
        request: Request, desk: Annotated[Desk, writing], record_id: str, request_id: str
    ) -> Response:
        """Refuse to let a reader pass your record on, and say why, based on the request's ETag."""

        async def refuse(stored: Stored, found: OnwardRequest) -> OnwardRequest:
            return await onward_requests.refuse(desk, stored, found, await calls.read_body(request, OnwardRefusalIn))

        return await _answer(request, desk, kind, (record_id, request_id), refuse)


def _withdrawing_route(router: APIRouter, kind: RecordKind, noun: str, reading: Any) -> None:  # noqa: ANN401 - as above
    @router.post(
        "/{request_id}/withdraw",
        summary="Withdraw an onward request",
        operation_id=f"withdraw_{noun}_onward_request",
        **operation(OnwardRequest, match=True, once=True, problems=("conflict", "retracted", *COVERED)),
    )
    async def withdraw_request(
        request: Request, desk: Annotated[Desk, reading], record_id: str, request_id: str
    ) -> Response:
        """Take your agency's request back before it is answered, based on its ETag; the originator is told."""
        stored = await calls.fetch(request, desk, kind, record_id)
        found = await onward_requests.one(desk, stored, parse_uuid(request_id))
        onward_requests.require_requester(desk, found)

        async def act() -> calls.Made:
            calls.require_match(request, found.version)
            return _made(await onward_requests.withdraw(desk, stored, found))

        return await calls.once(request, desk, _replay(desk, stored), act)


async def _answer(
    request: Request,
    desk: Desk,
    kind: RecordKind,
    ids: tuple[str, str],
    decide: Callable[[Stored, OnwardRequest], Awaitable[OnwardRequest]],
) -> Response:
    """What the originator says to a request; `ids` are the record's and the request's, as they stand in the path."""
    record_id, request_id = ids
    stored = await calls.fetch_own(request, desk, kind, record_id)
    found = await onward_requests.one(desk, stored, parse_uuid(request_id))

    async def act() -> calls.Made:
        calls.require_match(request, found.version)
        return _made(await decide(stored, found))

    return await calls.once(request, desk, _replay(desk, stored), act)


def _made(request: OnwardRequest, status: int = 200, location: str | None = None) -> calls.Made:
    return calls.Made("onward-requests", str(request.id), request.version, request.model_dump_json(), status, location)


def _replay(desk: Desk, stored: Stored) -> calls.Replay:
    async def replay(kept: calls.Kept) -> str:
        found = await onward_requests.one(desk, stored, parse_uuid(kept.resource_id))
        return onward_requests.as_of(found, kept.version).model_dump_json()

    return replay
