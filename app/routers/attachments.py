"""`/v1/attachments`: files on records of any kind, for whoever sees the record.

Which permission a call needs depends on the record's kind.
"""

import base64
from collections.abc import AsyncIterator, Sequence
from http.client import NO_CONTENT
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from app.access.desk import Desk
from app.attachments import attachments
from app.attachments.attachments import Found
from app.attachments.shapes import Attachment, FileContent
from app.audit.trail import note
from app.core.crypto import SealError
from app.core.ids import parse_uuid
from app.core.problems import (
    FORBIDDEN,
    INVALID_PARAMETER,
    UNAVAILABLE,
    Flaw,
    Problem,
    not_found,
)
from app.core.stores import StoreError
from app.models.vocabularies import RecordKind
from app.records.shelf import Stored
from app.routers.attachment_uploads import WRITING, require_permission
from app.routers.parts import COVERED
from app.web import answers, calls
from app.web.callers import AnyVisitor, desk_for
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.openapi.notes import BYTES
from app.web.paging import next_place, place_of
from app.web.state import house

router = APIRouter(prefix="/v1/attachments", tags=["Attachments"])

READING: Final = tuple(kind.read for kind in RecordKind)
"""One of them is enough; attachments of kinds that a token may not read are left out."""

_AS_A_FILE: Final = "sandbox; default-src 'none'; frame-ancestors 'none'"
"""What a browser may do with the bytes, should it show them in spite of everything: nothing."""

log = structlog.get_logger("interdesk.attachments")


class AttachmentFilters(Paging):
    """Of which attachments a list is."""

    kind: RecordKind | None = Field(None, description="Attachments of records of this kind.")
    record: UUID | None = Field(None, description="Attachments of this record, whose `kind` is named too.")


@router.get(
    "",
    summary="List attachments",
    operation_id="list_attachments",
    **operation(page_of(Attachment), csv=True, etag=False, needs=READING, problems=("not-found", *COVERED)),
)
async def list_attachments(
    request: Request, visit: AnyVisitor, filters: Annotated[AttachmentFilters, Query()]
) -> Response:
    """List attachments that are there: of one record, or of all that you see and your token may read; newest first.

    Those of a record whose caveat your agency has yet to acknowledge are left out; asked for by their record, 409.
    """
    home = house(request)
    async with desk_for(request, visit) as desk:
        kinds = [filters.kind] if filters.kind else _kinds(desk, READING)
        if filters.kind:
            require_permission(desk, filters.kind.read)
        if filters.record:
            await calls.fetch(request, desk, _named(filters.kind), str(filters.record))
        after = place_of(request, home.cursors, filters.cursor)
        found = await attachments.listed(desk, home.attachment_keys, kinds, filters.record, after, filters.limit + 1)
        shown = [one.shown for one in found[: filters.limit]]
        records = {one.shown.record_id: one.originator for one in found[: filters.limit]}
        detail = {"attachments": [str(one.id) for one in shown]}
        await note(desk, "attachment.list", filters.kind, list(records), list(records.values()), detail)
    cursor = None
    if len(found) > filters.limit:
        cursor = next_place(request, home.cursors, shown[-1].created_at, shown[-1].id)
    return answers.listing_of(request, shown, cursor)


@router.get(
    "/{attachment_id}",
    summary="Read about an attachment",
    operation_id="read_attachment",
    **operation(Attachment, needs=READING, problems=COVERED),
)
async def read_attachment(request: Request, visit: AnyVisitor, attachment_id: str) -> Response:
    """Read what an attachment is: its name, type, size and hash, and who attached it.

    Of a removed one the hash is left, so that copies of it can be found.
    """
    async with desk_for(request, visit) as desk:
        _, found = await _fetch(request, desk, attachment_id)
        await _note(desk, "attachment.read", found)
    return answers.model(request, found.shown, found.shown.version)


@router.get(
    "/{attachment_id}/content",
    summary="Download an attachment",
    operation_id="download_attachment",
    **operation(
        FileContent,
        media_type=BYTES,
        etag=False,
        headers=("Content-Disposition", "Repr-Digest"),
        needs=READING,
        problems=COVERED,
    ),
)
async def download_attachment(request: Request, visit: AnyVisitor, attachment_id: str) -> Response:
    """Download an attachment, as it was sent. Every download stands in your agency's audit, and in the originator's.

    It comes as bytes of no particular type, to be saved and never to be shown in place; `media_type` says what it was
    found to be. No scanner for viruses has looked at it: let yours. A transfer that ends before `Content-Length` is
    reached is broken, and what came of it is to be thrown away.
    """
    async with desk_for(request, visit) as desk:
        _, found = await _fetch(request, desk, attachment_id)
        if found.key is None:
            raise not_found()
        await _note(desk, "attachment.download", found)
    parts = found.key.open(house(request).store.get(found.shown.id))
    return StreamingResponse(
        _following(await _first(parts, found.shown), parts), headers=_file_headers(found.shown), media_type=BYTES
    )


@router.delete(
    "/{attachment_id}",
    summary="Remove an attachment",
    operation_id="remove_attachment",
    **operation(None, status=204, match=True, needs=WRITING, problems=(*COVERED, "conflict")),
)
async def remove_attachment(request: Request, visit: AnyVisitor, attachment_id: str) -> Response:
    """Remove an attachment for good, with the key to it; also from a record that you retracted.

    Whoever attached it may, while it takes part in the record, and the record's originator; of a repatriation request
    each side its own. 409 while an item of the checklist is settled by it: open that again first. Needs the record's
    kind's `:write`. There is no way back: what backups of the hub hold of it opens no more.
    """
    async with desk_for(request, visit) as desk:
        stored, found = await _fetch(request, desk, attachment_id, (*READING, *WRITING))
        require_permission(desk, stored.kind.write)
        attachments.require_remover(desk, stored, found)
        calls.require_match(request, found.shown.version)
        await attachments.remove(desk, found)
    return Response(status_code=NO_CONTENT)


def _kinds(desk: Desk, needed: Sequence[str]) -> list[RecordKind]:
    """The kinds of records on which the caller has one of these permissions; 403 if there is none."""
    kinds = [kind for kind in RecordKind if desk.caller.permissions.intersection(needed) & {kind.read, kind.write}]
    if not kinds:
        raise Problem(FORBIDDEN, detail=f"This call needs one of the permissions {', '.join(needed)}.")
    return kinds


def _named(kind: RecordKind | None) -> RecordKind:
    """The kind of a record that is asked for; 400 where it is not said."""
    if kind is None:
        flaw = Flaw("/query/kind", "kind-missing", "Say of which kind the record is.")
        raise Problem(INVALID_PARAMETER, errors=[flaw])
    return kind


async def _fetch(
    request: Request, desk: Desk, attachment_id: str, needed: Sequence[str] = READING
) -> tuple[Stored, Found]:
    """The attachment that a path names, with its record; 404, or 409 while the record's caveat is to be acknowledged.

    Those on records of kinds for which the caller has none of the permissions `needed` are not found. The id goes into
    the audit of what is refused from here on.
    """
    kinds, parsed = _kinds(desk, needed), parse_uuid(attachment_id)
    request.state.subject = ("attachments", parsed)
    stored = await attachments.parent_of(desk, parsed, kinds)
    return stored, await attachments.one(desk, house(request).attachment_keys, parsed)


async def _note(desk: Desk, action: str, found: Found) -> None:
    """Record what was read, for the originator too; which attachment, stands in the acting agency's own trail alone."""
    shown = found.shown
    await note(desk, action, shown.kind, [shown.record_id], [found.originator], {"attachment": str(shown.id)})


async def _first(parts: AsyncIterator[bytes], shown: Attachment) -> bytes:
    """The first part: what is not there, or does not open, is refused while that can still be said."""
    try:
        return await anext(parts)
    except (StoreError, SealError) as error:
        log.error("an attachment cannot be read", attachment=str(shown.id), reason=str(error))  # noqa: TRY400 - as above
        raise Problem(UNAVAILABLE, detail="The store does not give the file. Tell the operator.") from error


async def _following(first: bytes, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in parts:
        yield part


def _file_headers(shown: Attachment) -> dict[str, str]:
    """What goes with the bytes: a name, how many they are, their hash, and that they are not to be shown in place."""
    name = shown.filename or ""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Length": str(shown.size),
        "Content-Security-Policy": _AS_A_FILE,
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(shown.sha256)).decode()}:",
    }
