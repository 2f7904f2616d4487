"""Attaching, finding and removing: what the database knows of attachments. Their bytes pass elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.attachments.names import display_name
from app.attachments.sealing import AttachmentKey, AttachmentKeys, Place
from app.attachments.shapes import Attachment, AttachmentState
from app.attachments.uploading import SECONDS, Upload
from app.core import clock
from app.core.data_keys import Kek, WrappedKey
from app.core.places import NEWEST
from app.core.places import Place as Moment
from app.core.problems import CONFLICT, FORBIDDEN, PRECONDITION_FAILED, Flaw, Problem, invalid, not_found
from app.models.vocabularies import RecordKind
from app.records import shelf
from app.records.keks import present_kek
from app.records.shelf import Stored

_SELECT: Final = sql.SQL(
    "SELECT a.*, r.kind, r.originator, k.wrapped, e.id AS kek_id, e.sealed AS kek_sealed FROM attachments a"
    " JOIN records r ON r.id = a.record_id LEFT JOIN attachment_keys k ON k.attachment_id = a.id"
    " LEFT JOIN person_keks e ON e.id = k.kek_id WHERE {condition}"
)
# Without its key an attachment is not there: so it is after a restore that did not bring the keys.
_ONE: Final = _SELECT.format(condition=sql.SQL("a.id = %(id)s AND (k.wrapped IS NOT NULL OR a.removed_at IS NOT NULL)"))
_PAGE: Final = sql.SQL("{select} ORDER BY a.created_at DESC, a.id DESC LIMIT %(limit)s").format(
    select=_SELECT.format(
        condition=sql.SQL(
            "k.wrapped IS NOT NULL AND a.removed_at IS NULL AND r.kind = ANY (%(kinds)s)"
            " AND (%(record)s::uuid IS NULL OR a.record_id = %(record)s) AND (a.created_at, a.id) < (%(at)s, %(last)s)"
        )
    )
)


@dataclass(frozen=True, slots=True)
class Found:
    """An attachment that the caller may see, of which `shown` is everything that is said."""

    shown: Attachment
    originator: str
    key: AttachmentKey | None
    """What opens its bytes; None once it is removed."""


async def begin(desk: Desk, upload: UUID) -> None:
    """Note that bytes are about to be stored under this id, so that they are deleted if nothing comes of it."""
    await desk.call("begin_attachment", p_id=upload, p_seconds=SECONDS)


def _may_attach(desk: Desk, stored: Stored) -> bool:
    """Whether the caller's agency owns the record or takes part in it.

    In a request to bring people home both sides do: not agencies of countries on the way.
    """
    if stored.own or stored.kind is not RecordKind.REPATRIATION_REQUESTS:
        return stored.party
    return stored.party and stored.fields.get("requested_agency") == desk.caller.agency


def require_attaching(desk: Desk, stored: Stored) -> None:
    """403 for readers, who take no part in the record."""
    if not _may_attach(desk, stored):
        raise Problem(FORBIDDEN, detail="Only the agency that owns this record, and those it is about, attach to it.")


async def add(desk: Desk, keys: AttachmentKeys, stored: Stored, upload: Upload, filename: str | None) -> Attachment:
    """Attach what was uploaded; 409 to what is retracted, 404 where it was lost from sight, 422 if it took too long."""
    shelf.require_current(stored)
    received = upload.received
    name = display_name(filename, received.media_type)
    wrapped = keys.wrap(upload.key, await present_kek(desk, keys.draw_kek))
    at = clock.now()
    row = await desk.call_one(
        "add_attachment",
        p_id=upload.key.place.attachment,
        p_record=stored.envelope.id,
        p_at=at,
        p_media_type=received.media_type,
        p_size=received.size,
        p_sha256=received.sha256,
        p_sealed=upload.key.close_name(name),
        p_kek=wrapped.kek.id,
        p_wrapped=wrapped.wrapped,
    )
    if row[0] == "late":
        raise too_slow()
    if row[0] != "attached":
        raise not_found()
    return Attachment(
        id=upload.key.place.attachment,
        kind=stored.kind,
        record_id=stored.envelope.id,
        agency=desk.caller.agency,
        version=1,
        state=AttachmentState.ATTACHED,
        filename=name,
        media_type=received.media_type,
        size=received.size,
        sha256=received.sha256.hex(),
        created_at=at,
        removed_at=None,
    )


def too_slow() -> Problem:
    """The answer to an upload that takes longer than any may."""
    flaw = Flaw("", "body-too-slow", f"An upload may take {SECONDS // 60} minutes. Nothing was kept.")
    return invalid(flaw)


async def parent_of(desk: Desk, attachment_id: UUID | None, kinds: Sequence[RecordKind]) -> Stored:
    """The record of an attachment, if it is of one of these kinds; else 404, and 409 while its caveat covers it."""
    rows = await desk.call("place_of_attachment", p_id=attachment_id)
    if not rows or RecordKind(rows[0].kind) not in kinds:
        raise not_found()
    return await shelf.fetch(desk, RecordKind(rows[0].kind), rows[0].record_id)


async def one(desk: Desk, keys: AttachmentKeys, attachment_id: UUID | None) -> Found:
    """One attachment; 404 if there is none that the caller may see."""
    rows = await desk.rows(_ONE, id=attachment_id)
    if not rows:
        raise not_found()
    return _found(keys, rows[0])


async def listed(
    desk: Desk,
    keys: AttachmentKeys,
    kinds: Sequence[RecordKind],
    record: UUID | None,
    after: Moment | None,
    limit: int,
) -> list[Found]:
    """Attachments that are there, of one record or of all that the caller sees, newest first."""
    at, last = after or NEWEST
    named = [kind.value for kind in kinds]
    rows = await desk.rows(_PAGE, kinds=named, record=record, at=at, last=last, limit=limit)
    return [_found(keys, row) for row in rows]


def require_remover(desk: Desk, stored: Stored, found: Found) -> None:
    """403 for whoever did not attach it, and does not own the record; 404 for what is removed.

    In a request to bring people home each side answers for its own files: the other one does not remove them.
    """
    if found.key is None:
        raise not_found()
    own = _may_attach(desk, stored) and found.shown.agency == desk.caller.agency
    others = found.shown.agency == stored.fields.get("requested_agency")
    if not (own or (stored.own and not others)):
        raise Problem(FORBIDDEN, detail="Only the agency that attached this, and the one that owns the record, may.")


async def remove(desk: Desk, found: Found) -> None:
    """Remove an attachment for good, with its key; 412 if somebody was faster, 409 while an item is settled by it."""
    row = await desk.call_one(
        "remove_attachment", p_id=found.shown.id, p_expected=found.shown.version, p_at=clock.now()
    )
    if row[0] == "in-use":
        raise Problem(CONFLICT, detail="An item of the request's checklist is settled by it: open that again first.")
    if row[0] != "removed":
        raise Problem(PRECONDITION_FAILED)


def _found(keys: AttachmentKeys, row: Any) -> Found:  # noqa: ANN401 - a row of the statements above
    key = name = None
    if row.removed_at is None:
        wrapped = WrappedKey(Kek(row.kek_id, bytes(row.kek_sealed)), bytes(row.wrapped))
        key = keys.unwrap(Place(row.id, row.record_id), wrapped)
        name = key.open_name(bytes(row.sealed))
    shown = Attachment(
        id=row.id,
        kind=RecordKind(row.kind),
        record_id=row.record_id,
        agency=row.agency,
        version=row.version,
        state=AttachmentState.ATTACHED if key else AttachmentState.REMOVED,
        filename=name,
        media_type=row.media_type,
        size=row.size,
        sha256=bytes(row.sha256).hex(),
        created_at=row.created_at,
        removed_at=row.removed_at,
    )
    return Found(shown, row.originator, key)
