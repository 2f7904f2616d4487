"""`POST /v1/attachments`: a file that comes as the body, and is looked at, closed and stored as it comes.

An upload holds no transaction: access is looked at before the first byte and again after the last.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field
from starlette.requests import ClientDisconnect

from app.access.desk import Desk, refuse_permission
from app.attachments import attachments, uploading
from app.attachments.names import sent_name
from app.attachments.sealing import AttachmentKey
from app.attachments.shapes import Attachment, FileContent
from app.attachments.uploading import Upload
from app.core.ids import parse_uuid
from app.core.problems import UNAVAILABLE, Flaw, Problem, invalid, not_found
from app.core.shapes import Shape
from app.core.stores import StoreError
from app.identity.roles import Permission
from app.models.vocabularies import RecordKind
from app.records import shelf
from app.records.shelf import Stored
from app.routers.parts import COVERED
from app.web import calls, idempotency
from app.web.callers import AnyVisitor, desk_for
from app.web.openapi import operation
from app.web.openapi.notes import BYTES
from app.web.state import house

router = APIRouter(prefix="/v1/attachments", tags=["Attachments"])

WRITING: Final = tuple(kind.write for kind in RecordKind)
"""The one of the record's kind is needed."""

log = structlog.get_logger("interdesk.attachments")

_DISPOSITION_MAX: Final = 1000
_DISPOSITION: Final = (
    "What the file is called, as `attachment; filename*=UTF-8''…` (RFC 6266): a name for people, of which a path, and "
    "what misleads, is taken off. It stands in a header because addresses are logged on their way."
)


@dataclass(frozen=True, slots=True)
class File:
    """What is to be attached to which record, and what it is called."""

    kind: RecordKind
    record: UUID
    name: str | None

    def asked(self) -> bytes:
        """The whole of it, for the hash by which a repeat is known."""
        return json.dumps([self.kind, str(self.record), self.name]).encode()


class Attaching(Shape):
    """What a file is attached to."""

    kind: RecordKind = Field(description="The kind of the record to attach to.")
    record: UUID = Field(description="The record to attach to.")


@router.post(
    "",
    summary="Attach a file",
    operation_id="attach",
    **operation(
        Attachment,
        status=201,
        body=FileContent,
        types=(BYTES,),
        once=True,
        needs=WRITING,
        problems=("not-found", "retracted", "unsupported-content", *COVERED),
    ),
)
async def attach(
    request: Request,
    visit: AnyVisitor,
    sent: Annotated[Attaching, Query()],
    content_disposition: Annotated[str | None, Header(max_length=_DISPOSITION_MAX, description=_DISPOSITION)] = None,
) -> Response:
    """Attach a file to a record that your agency owns or takes part in; the body is the file itself.

    Needs the record's kind's `:write`. The file is looked at as it comes: it is refused with 413 as soon as it is too
    large, and with 415 as soon as it is seen to be none of the types that are taken, whatever its name and its
    `Content-Type`, which is not looked at. It is kept encrypted, with a key of its own. What breaks off, or is refused,
    leaves nothing behind. The record's version stays as it is. A repeat with the same `Idempotency-Key` sends the file
    again, and is answered what the first one made, as it is now.
    """
    home, once = house(request), idempotency.key_of(request) is not None
    file = File(sent.kind, sent.record, sent_name(content_disposition))
    async with desk_for(request, visit) as desk:
        stored = await _attachable(request, desk, file)
        if not once:  # what a repeat is answered does not depend on what became of the record
            shelf.require_current(stored)
        _require_short(request, home.settings.attachment_limit)
        key = uploading.draw_key(home.attachment_keys, sent.record)
        await attachments.begin(desk, key.place.attachment)
    upload = await _stored(request, file, key)
    try:
        async with desk_for(request, visit) as desk:
            answer = await _once(request, desk, file, upload)
    except Problem:  # whatever else fails may have been committed: then what was uploaded is left to the worker
        await _discard(request, key)
        raise
    if "Idempotency-Replayed" in answer.headers:
        await _discard(request, key)
    return answer


def require_permission(desk: Desk, permission: str) -> None:
    """403 without a permission that turned out to be needed."""
    if permission not in desk.caller.permissions:
        raise refuse_permission(Permission(permission))


async def _attachable(request: Request, desk: Desk, sent: File) -> Stored:
    """The record that is attached to: 403, 404, 409 for a caveat, 403 for readers."""
    require_permission(desk, sent.kind.write)
    stored = await calls.fetch(request, desk, sent.kind, str(sent.record))
    attachments.require_attaching(desk, stored)
    return stored


def _require_short(request: Request, limit: int) -> None:
    """413 before anything is read of a body that says itself that it is too large."""
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdecimal() and int(length) > limit:
        raise uploading.too_large(limit)


async def _stored(request: Request, sent: File, key: AttachmentKey) -> Upload:
    """The body, stored: 413, 415 or 422 where it is not right, 503 where the store fails; then nothing is stored."""
    home = house(request)
    try:
        return await uploading.store_upload(
            request.stream(),
            home.store,
            key,
            limit=home.settings.attachment_limit,
            asked=sent.asked(),
            mark_key=home.body_key,
        )
    except StoreError as error:
        log.error("an attachment cannot be stored", reason=str(error))  # noqa: TRY400 - the reason says it all
        raise Problem(UNAVAILABLE, headers={"Retry-After": "60", "Connection": "close"}) from error
    except TimeoutError:
        raise attachments.too_slow() from None
    except ClientDisconnect:
        raise invalid(Flaw("", "body-cut-off", "The body ended before it was complete.")) from None


async def _once(request: Request, desk: Desk, sent: File, upload: Upload) -> Response:
    """Attach what is stored, or answer what a call with the same key has attached."""
    keys = house(request).attachment_keys
    stored = await _attachable(request, desk, sent)
    request.state.body_mark = upload.received.mark

    async def replay(kept: calls.Kept) -> str:
        found = await attachments.one(desk, keys, parse_uuid(kept.resource_id))
        if found.shown.version != kept.version:  # removed meanwhile
            raise not_found()
        return found.shown.model_dump_json()

    async def act() -> calls.Made:
        made = await attachments.add(desk, keys, stored, upload, sent.name)
        location = f"{request.url.path}/{made.id}"
        return calls.Made("attachments", str(made.id), made.version, made.model_dump_json(), 201, location)

    return await calls.once(request, desk, replay, act)


async def _discard(request: Request, key: AttachmentKey) -> None:
    """Delete what was stored and is not attached; what cannot be deleted now the worker deletes later."""
    try:
        await house(request).store.delete(key.place.attachment)
    except StoreError as error:
        log.warning("an upload is left to the worker", reason=str(error))
