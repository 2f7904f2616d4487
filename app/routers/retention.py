"""The calls by which an originator keeps a record of any kind: renewal, legal holds, and until when it is kept.

`retention_routes(kind)` makes them for one kind, with that kind's permissions and names.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.identity.roles import Permission
from app.models.vocabularies import RecordKind
from app.records import holds, reviews
from app.records.holds import LegalHold, LegalHoldIn, LegalHoldRelease
from app.records.reviews import RenewalIn, Retention
from app.records.shelf import Stored
from app.routers.parts import note_read, page
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import Described, operation, page_of
from app.web.paging import place_of
from app.web.replays import replay_record
from app.web.state import house


def retention_routes(kind: RecordKind, shape: Described, tag: str) -> APIRouter:
    """The retention calls of one kind, whose records are served as `shape` and documented under `tag`."""
    router = APIRouter(prefix=f"/v1/{kind}/{{record_id}}", tags=[tag])
    noun = kind.value.replace("-", "_").removesuffix("s")
    writing = at_desk(Permission(kind.write))
    _review_routes(router, kind, noun, writing, shape)
    _hold_routes(router, kind, noun, writing)
    _release_route(router, kind, noun, writing)
    return router


def _review_routes(router: APIRouter, kind: RecordKind, noun: str, writing: Any, shape: Described) -> None:  # noqa: ANN401 - metadata of an Annotated
    @router.get(
        "/retention",
        summary="Until when it is kept",
        operation_id=f"read_{noun}_retention",
        **operation(Retention, etag=False),
    )
    async def read_retention(request: Request, desk: Annotated[Desk, writing], record_id: str) -> Response:
        """Read until when your record is kept, whether you were warned, and what kept it: renewals and legal holds.

        Of a purged record neither reasons nor dates of renewals are left.
        """
        stored = await calls.fetch_own(request, desk, kind, record_id)
        found = await reviews.retention(desk, stored)
        await note_read(desk, "retention.read", stored)
        return answers.model(request, found)

    @router.post(
        "/renew",
        summary="Renew",
        operation_id=f"renew_{noun}",
        **operation(shape, body=RenewalIn, match=True, once=True, problems=("conflict", "retracted")),
    )
    async def renew(request: Request, desk: Annotated[Desk, writing], record_id: str) -> Response:
        """Keep your record for longer, with the reason why: five years from today, unless you name an earlier day.

        Readers see the review date, so this makes a new version; the reason is seen by your agency alone. It can be
        done until the record is purged, also after the review date. Nothing else sets a later date.
        """
        stored = await calls.fetch_own(request, desk, kind, record_id)

        async def act() -> calls.Made:
            calls.require_match(request, stored.envelope.version)
            sent = await calls.read_body(request, RenewalIn)
            return calls.record_made(await reviews.renew(desk, stored, sent))

        return await calls.once(request, desk, replay_record(desk), act)


def _hold_routes(router: APIRouter, kind: RecordKind, noun: str, writing: Any) -> None:  # noqa: ANN401 - as above
    @router.get(
        "/legal-holds",
        summary="List legal holds",
        operation_id=f"list_{noun}_legal_holds",
        **operation(page_of(LegalHold), csv=True, etag=False),
    )
    async def list_holds(
        request: Request, desk: Annotated[Desk, writing], record_id: str, paging: Annotated[Paging, Query()]
    ) -> Response:
        """List the legal holds on your record, open, past and released, newest first. Readers never see them."""
        stored = await calls.fetch_own(request, desk, kind, record_id)
        after = place_of(request, house(request).cursors, paging.cursor)
        found = await holds.listed(desk, stored, after, paging.limit + 1)
        await note_read(desk, "legal_holds.list", stored)
        return page(request, found, paging.limit, "created_at")

    @router.post(
        "/legal-holds",
        summary="Place a legal hold",
        operation_id=f"place_{noun}_legal_hold",
        **operation(LegalHold, status=201, body=LegalHoldIn, once=True, problems=("purged",)),
    )
    async def place_hold(request: Request, desk: Annotated[Desk, writing], record_id: str) -> Response:
        """Keep your record beyond its review date for as long as the hold is open; it takes no version.

        A retracted record can be held too: its earlier versions are then kept for your agency. There may be several
        holds at once; the record is kept until the last of them has ended.
        """
        stored = await calls.fetch_own(request, desk, kind, record_id)

        async def act() -> calls.Made:
            made = await holds.place(desk, stored, await calls.read_body(request, LegalHoldIn))
            return _made(made, 201, f"{request.url.path}/{made.id}")

        return await calls.once(request, desk, _replay(desk, stored), act)

    @router.get(
        "/legal-holds/{hold_id}",
        summary="Read a legal hold",
        operation_id=f"read_{noun}_legal_hold",
        **operation(LegalHold),
    )
    async def read_hold(request: Request, desk: Annotated[Desk, writing], record_id: str, hold_id: str) -> Response:
        """Read one legal hold on your record."""
        stored = await calls.fetch_own(request, desk, kind, record_id)
        found = await holds.one(desk, stored, parse_uuid(hold_id))
        await note_read(desk, "legal_holds.read", stored)
        return answers.model(request, found, found.version)


def _release_route(router: APIRouter, kind: RecordKind, noun: str, writing: Any) -> None:  # noqa: ANN401 - as above
    @router.post(
        "/legal-holds/{hold_id}/release",
        summary="Release a legal hold",
        operation_id=f"release_{noun}_legal_hold",
        **operation(LegalHold, body=LegalHoldRelease, match=True, once=True, problems=("conflict",)),
    )
    async def release_hold(request: Request, desk: Annotated[Desk, writing], record_id: str, hold_id: str) -> Response:
        """End a hold, based on its ETag. If the record's review date has passed meanwhile, it is purged the next day.

        Renew the record first if it is to be kept.
        """
        stored = await calls.fetch_own(request, desk, kind, record_id)
        hold = await holds.one(desk, stored, parse_uuid(hold_id))

        async def act() -> calls.Made:
            calls.require_match(request, hold.version)
            sent = await calls.read_body(request, LegalHoldRelease)
            return _made(await holds.release(desk, stored, hold, sent.reason))

        return await calls.once(request, desk, _replay(desk, stored), act)


def _made(hold: LegalHold, status: int = 200, location: str | None = None) -> calls.Made:
    return calls.Made("legal-holds", str(hold.id), hold.version, hold.model_dump_json(), status, location)


def _replay(desk: Desk, stored: Stored) -> calls.Replay:
    async def replay(kept: calls.Kept) -> str:
        found = await holds.one(desk, stored, parse_uuid(kept.resource_id))
        return holds.as_of(found, kept.version).model_dump_json()

    return replay
