"""`/v1/{kind}/{id}/handling/acknowledge`: the caveat of a record with H3, before its content is shown."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.identity.roles import Permission
from app.models.vocabularies import RecordKind
from app.records import caveats
from app.records.caveats import CaveatAcknowledgement, CaveatAcknowledgementIn, CaveatReader
from app.routers.parts import note_read, page
from app.web import calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house


def caveat_routes(router: APIRouter, kind: RecordKind, noun: str) -> None:
    """The calls about the caveats of one kind of record."""
    reading, writing = at_desk(Permission(kind.read)), at_desk(Permission(kind.write))

    @router.post(
        "/handling/acknowledge",
        summary="Acknowledge the caveat",
        operation_id=f"acknowledge_{noun}_caveat",
        **operation(
            CaveatAcknowledgement,
            body=CaveatAcknowledgementIn,
            once=True,
            problems=("acknowledgement-required", "retracted", "conflict"),
        ),
    )
    async def acknowledge_caveat(request: Request, desk: Annotated[Desk, reading], record_id: str) -> Response:
        """Acknowledge the caveat of a record with H3, so that your agency is shown its content.

        Every call that would show something of the content answers 409 before, with the caveat; lists show a cover.
        Show the caveat to whoever is to read the record, then send it as it stands: once for the whole agency, and
        again only if the originator changes its words. The originator is told that your agency did, not who of it.
        """
        stored = await calls.find(request, desk, kind, record_id)

        async def replay(kept: calls.Kept) -> str:
            return (await caveats.own(desk, stored, parse_uuid(kept.resource_id))).model_dump_json()

        async def act() -> calls.Made:
            sent = await calls.read_body(request, CaveatAcknowledgementIn)
            made = await caveats.acknowledge(desk, stored, sent.caveat)
            return calls.Made("acknowledgements", str(made.id), 1, made.model_dump_json())

        return await calls.once(request, desk, replay, act)

    @router.get(
        "/handling/acknowledgements",
        summary="Who acknowledged the caveat",
        operation_id=f"list_{noun}_acknowledgements",
        **operation(page_of(CaveatReader), csv=True, etag=False),
    )
    async def list_acknowledgements(
        request: Request, desk: Annotated[Desk, writing], record_id: str, paging: Annotated[Paging, Query()]
    ) -> Response:
        """List which agencies acknowledged which wording of your record's caveat, and when; newest first."""
        stored = await calls.fetch_own(request, desk, kind, record_id)
        after = place_of(request, house(request).cursors, paging.cursor)
        found = await caveats.readers(desk, stored, after, paging.limit + 1)
        await note_read(desk, "acknowledgements.list", stored)
        return page(request, found, paging.limit, "at")
