"""The calls that every kind of record has: handling, disclosures, access, versions, links, retraction.

`record_routes(kind)` makes them for one kind, with that kind's permissions and names.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from typing_extensions import TypeAliasType

from app.access.desk import Desk
from app.access.envelope import LinkIn, Tombstone
from app.access.handling import Handling, HandlingIn
from app.core.ids import parse_uuid
from app.core.problems import not_found
from app.identity.roles import Permission
from app.models.vocabularies import LinkType, RecordKind
from app.records import history, links, opening, reviews, shelf
from app.records.shapes import Access, LinkOut, Reach, VersionSummary
from app.records.shelf import Stored
from app.routers.caveats import caveat_routes
from app.routers.disclosures import disclosure_routes
from app.routers.parts import COVERED, DryRun, note_read, page
from app.routers.recalls import recall_routes
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import Described, list_of, operation, page_of
from app.web.paging import open_cursor, place_of, seal_cursor
from app.web.replays import replay_record
from app.web.state import house

LINK_TYPES = [member.value for member in LinkType]


async def _nothing(_desk: Desk, _stored: Stored) -> None:
    """What most kinds do."""


@dataclass(frozen=True, slots=True)
class AfterLinks:
    """What a kind does after a link was added or taken back, and the problem types with which it may refuse that."""

    act: Callable[[Desk, Stored], Awaitable[None]] = _nothing
    problems: tuple[str, ...] = ()


HandlingOrReach = TypeAliasType(
    "HandlingOrReach",
    Annotated[Handling | Reach, Field(description="The handling as it is now; with `dry_run=true` what it would do.")],
)


def record_routes(
    kind: RecordKind,
    shape: Described,
    tag: str,
    *,
    check_retraction: Callable[[Stored], None] | None = None,
    linked: AfterLinks | None = None,
) -> APIRouter:
    """The common calls of one kind, whose records are served as `shape` and documented under `tag`.

    `check_retraction` refuses to take back what has to be ended in another way first; `linked` is what the kind does
    after a link of a record was added or taken back.
    """
    router = APIRouter(prefix=f"/v1/{kind}/{{record_id}}", tags=[tag])
    noun = kind.value.replace("-", "_").removesuffix("s")
    reading = at_desk(Permission(kind.read))
    writing = at_desk(Permission(kind.write))
    _handling_routes(router, kind, noun, writing)
    caveat_routes(router, kind, noun)
    disclosure_routes(router, kind, noun)
    _history_routes(router, kind, noun, reading, shape)
    _link_routes(router, kind, noun, reading)
    _link_changing_routes(router, kind, noun, writing, linked or AfterLinks())
    recall_routes(router, kind, noun, writing)
    _retraction_route(router, kind, noun, writing, check_retraction)
    return router


def _handling_routes(router: APIRouter, kind: RecordKind, noun: str, writing: Any) -> None:  # noqa: ANN401 - metadata of an Annotated
    @router.get("/handling", summary="Read the handling", operation_id=f"read_{noun}_handling", **operation(Handling))
    async def read_handling(request: Request, desk: Annotated[Desk, writing], record_id: str) -> Response:
        """Read under which rules your record is shared. Its ETag counts apart from the record's."""
        stored = await calls.fetch_own(request, desk, kind, record_id)
        await note_read(desk, "handling.read", stored)
        return answers.model(request, stored.envelope.handling, stored.audience_version)

    @router.put(
        "/handling",
        summary="Replace the handling",
        operation_id=f"replace_{noun}_handling",
        **operation(
            HandlingOrReach, body=HandlingIn, match=True, problems=("unknown-reference", "no-legal-basis", "retracted")
        ),
    )
    async def replace_handling(
        request: Request, desk: Annotated[Desk, writing], record_id: str, *, dry_run: DryRun = False
    ) -> Response:
        """Replace the whole handling, based on the handling's ETag. Whoever loses sight by it loses it at once.

        It is a recall too: those agencies are asked what they did with their copies. The review date stays if it is
        left out, and can be set to an earlier day; a later one takes a renewal. With `dry_run=true` the answer lists
        who would see the record, who would gain and who would lose sight.
        """
        stored = await calls.fetch_own(request, desk, kind, record_id)
        calls.require_match(request, stored.audience_version)
        sent = await calls.read_body(request, HandlingIn)
        handling = reviews.keep_review(stored, sent)
        if dry_run:
            await opening.check_replacement(desk, stored, handling)
            await note_read(desk, "handling.try", stored)
            return answers.model(request, await opening.reach(desk, stored, handling))
        changed = await opening.replace_handling(desk, stored, handling)
        return answers.model(request, changed.envelope.handling, changed.audience_version)

    @router.get(
        "/access",
        summary="Who sees it, and why",
        operation_id=f"explain_{noun}_access",
        **operation(list_of(Access), csv=True, etag=False),
    )
    async def explain_access(request: Request, desk: Annotated[Desk, writing], record_id: str) -> Response:
        """List every agency that sees your record now, with each reason why. The list is whole: it has no pages."""
        stored = await calls.fetch_own(request, desk, kind, record_id)
        await note_read(desk, "access.read", stored)
        return answers.listing_of(request, await opening.explain(desk, stored), None)


def _history_routes(router: APIRouter, kind: RecordKind, noun: str, reading: Any, shape: Described) -> None:  # noqa: ANN401 - as above
    @router.get(
        "/versions",
        summary="List versions",
        operation_id=f"list_{noun}_versions",
        **operation(page_of(VersionSummary), csv=True, etag=False, problems=COVERED),
    )
    async def list_versions(
        request: Request, desk: Annotated[Desk, reading], record_id: str, paging: Annotated[Paging, Query()]
    ) -> Response:
        """List the record's versions and what changed in each, newest first, from the one at which you could see it."""
        stored = await calls.fetch(request, desk, kind, record_id)
        sealer = house(request).cursors
        place = open_cursor(sealer, request.url.path, {}, paging.cursor)
        found = await history.versions(desk, stored, place["before"] if place else None, paging.limit + 1)
        await note_read(desk, "versions.list", stored)
        shown = found[: paging.limit]
        cursor = None
        if len(found) > paging.limit:
            cursor = seal_cursor(sealer, request.url.path, {}, {"before": shown[-1].version})
        return answers.listing_of(request, shown, cursor)

    @router.get(
        "/versions/{number}",
        summary="Read a version",
        operation_id=f"read_{noun}_version",
        **operation(shape, problems=COVERED),
    )
    async def read_version(request: Request, desk: Annotated[Desk, reading], record_id: str, number: str) -> Response:
        """Read the record as it was at one version."""
        stored = await calls.fetch(request, desk, kind, record_id)
        if not (number.isascii() and number.isdecimal() and len(number) < 10):  # noqa: PLR2004 - no version has ten digits
            raise not_found()
        text = await history.version(desk, stored.envelope.id, int(number))
        await note_read(desk, "versions.read", stored)
        return answers.document(request, text, int(number))


def _link_routes(router: APIRouter, kind: RecordKind, noun: str, reading: Any) -> None:  # noqa: ANN401 - as above
    @router.get(
        "/links",
        summary="List links",
        operation_id=f"list_{noun}_links",
        **operation(page_of(LinkOut), csv=True, etag=False, problems=COVERED),
    )
    async def list_links(
        request: Request, desk: Annotated[Desk, reading], record_id: str, paging: Annotated[Paging, Query()]
    ) -> Response:
        """List pointers from and to the record, as far as you see both ends; newest first."""
        stored = await calls.fetch(request, desk, kind, record_id)
        after = place_of(request, house(request).cursors, paging.cursor)
        found = await links.listed(desk, stored.envelope.id, LINK_TYPES, after, paging.limit + 1)
        await note_read(desk, "links.list", stored)
        return page(request, [shown_link(link) for link in found], paging.limit, "created_at", "link_id")

    @router.get(
        "/links/{link_id}",
        summary="Read a link",
        operation_id=f"read_{noun}_link",
        **operation(LinkOut, problems=COVERED),
    )
    async def read_link(request: Request, desk: Annotated[Desk, reading], record_id: str, link_id: str) -> Response:
        """Read one pointer that starts at the record."""
        stored = await calls.fetch(request, desk, kind, record_id)
        found = shown_link(await links.one(desk, stored.envelope.id, parse_uuid(link_id), LINK_TYPES))
        await note_read(desk, "links.read", stored)
        return answers.model(request, found, found.version)


def _link_changing_routes(router: APIRouter, kind: RecordKind, noun: str, writing: Any, linked: AfterLinks) -> None:  # noqa: ANN401 - as above
    @router.post(
        "/links",
        summary="Add a link",
        operation_id=f"add_{noun}_link",
        description=f"Point from your record to one that you may see. Whoever does not see both sees no link. "
        f"{links.ends_of(kind)}",
        **operation(
            LinkOut,
            status=201,
            body=LinkIn,
            once=True,
            problems=("unknown-reference", "retracted", "conflict", *linked.problems),
        ),
    )
    async def add_link(request: Request, desk: Annotated[Desk, writing], record_id: str) -> Response:
        stored = await calls.fetch_own(request, desk, kind, record_id)

        async def replay(kept: calls.Kept) -> str:
            found = await links.one(desk, stored.envelope.id, parse_uuid(kept.resource_id), LINK_TYPES)
            return shown_link(found).model_dump_json()

        async def act() -> calls.Made:
            sent = await calls.read_body(request, LinkIn)
            made = shown_link((await links.add_sent(desk, stored, [sent], [""]))[0])
            await linked.act(desk, stored)
            location = f"{request.url.path}/{made.link_id}"
            return calls.Made("links", str(made.link_id), made.version, made.model_dump_json(), 201, location)

        return await calls.once(request, desk, replay, act)

    @router.delete(
        "/links/{link_id}",
        summary="Take a link back",
        operation_id=f"remove_{noun}_link",
        **operation(status=204, problems=linked.problems),
    )
    async def remove_link(request: Request, desk: Annotated[Desk, writing], record_id: str, link_id: str) -> Response:
        """Take back a pointer that starts at your record."""
        stored = await calls.fetch_own(request, desk, kind, record_id)
        await links.remove(desk, stored, await links.one(desk, stored.envelope.id, parse_uuid(link_id), LINK_TYPES))
        await linked.act(desk, stored)
        return Response(status_code=204)


def _retraction_route(
    router: APIRouter,
    kind: RecordKind,
    noun: str,
    writing: Any,  # noqa: ANN401 - as above
    check: Callable[[Stored], None] | None,
) -> None:
    @router.post(
        "/retract",
        summary="Retract",
        operation_id=f"retract_{noun}",
        **operation(
            Tombstone,
            match=True,
            once=True,
            problems=("retracted",) if check is None else ("retracted", "conflict"),
        ),
    )
    async def retract(request: Request, desk: Annotated[Desk, writing], record_id: str) -> Response:
        """Take your record back: from the next request on, all that anybody reads is that it is retracted.

        You still find what it said in its versions, until its review date: then they are purged like any record's.
        Whoever could read it is asked what it did with its copies.
        """
        stored = await calls.fetch_own(request, desk, kind, record_id)

        async def act() -> calls.Made:
            calls.require_match(request, stored.envelope.version)
            if check is not None:
                check(stored)
            return calls.record_made(await shelf.retract(desk, stored))

        return await calls.once(request, desk, replay_record(desk), act)


def shown_link(link: links.Link) -> LinkOut:
    """A link as the API shows it."""
    return LinkOut(
        link_id=link.id,
        type=LinkType(link.type),
        kind=RecordKind(link.kind),
        id=link.target,
        outgoing=link.outgoing,
        note=link.note,
        version=1,
        created_at=link.created_at,
    )
