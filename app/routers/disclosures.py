"""`/v1/{kind}/{id}/disclosures`: opening a record to more agencies and groups, on a legal basis or in an emergency."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access.desk import Desk, refuse_permission
from app.core.ids import parse_uuid
from app.identity.roles import Permission
from app.models.vocabularies import RecordKind
from app.records import disclosing, shelf
from app.records.shapes import ConfirmationIn, Disclosure, DisclosureIn, Reach
from app.routers.parts import DryRun, note_read, page
from app.web import answers, calls
from app.web.callers import AnyCaller, at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

Confirming = Annotated[Desk, at_desk(Permission.EMERGENCY_DISCLOSE)]


def disclosure_routes(router: APIRouter, kind: RecordKind, noun: str) -> None:
    """Add the calls about one kind's disclosures to its router.

    Who may change the kind's records discloses them; in an emergency whoever may disclose in emergencies does.
    """
    needs = (Permission(kind.write), Permission.EMERGENCY_DISCLOSE)
    _add_reads(router, kind, noun, needs)
    _add_disclose(router, kind, noun, needs)
    _add_confirm(router, kind, noun)


def _require(desk: Desk, *needs: Permission) -> None:
    """403 for a caller with none of these permissions."""
    if desk.caller.permissions.isdisjoint(needs):
        raise refuse_permission(needs[0])


def _add_reads(router: APIRouter, kind: RecordKind, noun: str, needs: tuple[Permission, ...]) -> None:
    @router.get(
        "/disclosures",
        summary="List disclosures",
        operation_id=f"list_{noun}_disclosures",
        **operation(page_of(Disclosure), csv=True, etag=False, needs=needs),
    )
    async def list_disclosures(
        request: Request, desk: AnyCaller, record_id: str, paging: Annotated[Paging, Query()]
    ) -> Response:
        """List to whom your record was opened, when and why; newest first."""
        _require(desk, *needs)
        stored = await calls.fetch_own(request, desk, kind, record_id)
        after = place_of(request, house(request).cursors, paging.cursor)
        found = await disclosing.disclosures(desk, stored, after, paging.limit + 1)
        await note_read(desk, "disclosures.list", stored)
        return page(request, found, paging.limit, "at")

    @router.get(
        "/disclosures/{disclosure_id}",
        summary="Read a disclosure",
        operation_id=f"read_{noun}_disclosure",
        **operation(Disclosure, needs=needs),
    )
    async def read_disclosure(request: Request, desk: AnyCaller, record_id: str, disclosure_id: str) -> Response:
        """Read one disclosure of your record."""
        _require(desk, *needs)
        stored = await calls.fetch_own(request, desk, kind, record_id)
        found = await disclosing.disclosure(desk, stored, parse_uuid(disclosure_id))
        await note_read(desk, "disclosures.read", stored)
        return answers.model(request, found, found.version)


def _add_disclose(router: APIRouter, kind: RecordKind, noun: str, needs: tuple[Permission, ...]) -> None:
    @router.post(
        "/disclosures",
        summary="Disclose",
        operation_id=f"disclose_{noun}",
        **operation(
            Disclosure,
            status=201,
            body=DisclosureIn,
            once=True,
            needs=needs,
            also={200: Reach},
            problems=("unknown-reference", "no-legal-basis", "retracted", "conflict"),
        ),
    )
    async def disclose(request: Request, desk: AnyCaller, record_id: str, *, dry_run: DryRun = False) -> Response:
        """Open your record to more agencies and groups, with the reason why.

        With `emergency`, for danger to life, the agencies named see it for 72 hours on no legal basis; that takes
        `emergency:disclose`, as everything else takes the permission to write records of the kind. With `dry_run=true`
        nothing is opened: the answer (200) lists who would see the record and who would gain sight.
        """
        _require(desk, *needs)
        stored = await calls.fetch_own(request, desk, kind, record_id)

        async def read() -> DisclosureIn:
            sent = await calls.read_body(request, DisclosureIn)
            _require(desk, Permission.EMERGENCY_DISCLOSE if sent.emergency else Permission(kind.write))
            return sent

        if dry_run:
            sent = await read()
            shelf.require_current(stored)
            reach = await disclosing.disclosure_reach(desk, stored, sent)
            await note_read(desk, "disclosures.try", stored)
            return answers.model(request, reach)

        async def act() -> calls.Made:
            made = await disclosing.disclose(desk, kind, stored.envelope.id, await read())
            location = f"{request.url.path}/{made.id}"
            return calls.Made("disclosures", str(made.id), made.version, made.model_dump_json(), 201, location)

        return await calls.once(request, desk, _replay(desk, stored), act)


def _add_confirm(router: APIRouter, kind: RecordKind, noun: str) -> None:
    @router.post(
        "/disclosures/{disclosure_id}/confirm",
        summary="Confirm an emergency",
        operation_id=f"confirm_{noun}_disclosure",
        **operation(
            Disclosure,
            body=ConfirmationIn,
            match=True,
            once=True,
            problems=("unknown-reference", "no-legal-basis", "retracted", "conflict"),
        ),
    )
    async def confirm_disclosure(request: Request, desk: Confirming, record_id: str, disclosure_id: str) -> Response:
        """Let an emergency disclosure of your record stand: for 72 hours from now, or for good on a legal basis.

        The latter is a disclosure like any other, and takes the permission to write records of the kind as well.
        """
        stored = await calls.fetch_own(request, desk, kind, record_id)
        emergency = await disclosing.disclosure(desk, stored, parse_uuid(disclosure_id))

        async def act() -> calls.Made:
            calls.require_match(request, emergency.version)
            sent = await calls.read_body(request, ConfirmationIn)
            if sent.legal_basis is not None:
                _require(desk, Permission(kind.write))
            shelf.require_current(stored)
            made = await disclosing.confirm(desk, kind, stored.envelope.id, emergency, sent)
            return calls.Made("disclosures", str(made.id), made.version, made.model_dump_json())

        return await calls.once(request, desk, _replay(desk, stored), act)


def _replay(desk: Desk, stored: shelf.Stored) -> calls.Replay:
    async def replay(kept: calls.Kept) -> str:
        return (await disclosing.disclosure(desk, stored, parse_uuid(kept.resource_id))).model_dump_json()

    return replay
