"""Files on the story's records: attached as every other caller's are, and deleted with the demo."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.attachments import attachments, uploading
from app.attachments.sealing import AttachmentKeys
from app.core.stores import Store
from app.demo import story
from app.demo.reported import REPORTS
from app.demo.telling import OpenDesk
from app.models.vocabularies import RecordKind
from app.records import shelf

_FIND: Final = sql.SQL(
    "SELECT r.id, EXISTS (SELECT FROM attachments a WHERE a.record_id = r.id) AS done FROM records r"
    " WHERE r.originator = %(agency)s AND r.kind = %(kind)s AND r.external_id = %(number)s"
)
_STORED: Final = sql.SQL("SELECT id FROM attachments_to_verify(%(after)s, %(limit)s)")
_MANY: Final = 500
_LIMIT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of the story."""

    agency: str
    kind: RecordKind
    number: str
    """The originator's own number of the record that it hangs on."""
    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Cabinet:
    """Where attachments are kept, and what closes them."""

    store: Store
    keys: AttachmentKeys


def _drawing() -> bytes:
    """A page with one line of text, as a PDF without anything that it does not need."""
    stream = b"BT /F1 14 Tf 72 760 Td (Hillside site: gate, office, three dormitories. Invented.) Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 %s >> >> >>"
        % b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    )
    file, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(file)
    return file + b"xref\n0 5\n0000000000 65535 f \n" + table + end


_PROFILE, _REPORT = story.PROFILES[0], REPORTS[0]
ATTACHED: Final = (
    Attached(_PROFILE.agency, RecordKind.CRIMINAL_ORGANIZATIONS, _PROFILE.external_id, "hillside site.pdf", _drawing()),
    Attached(
        _REPORT.agency,
        RecordKind.INCIDENT_REPORTS,
        _REPORT.external_id,
        "통화 기록 calls.txt",
        "2025-07-19 02:10 UTC  He called for 40 seconds and was cut off.\n"
        "2025-07-26 21:55 UTC  그는 언덕 위 건물 세 동을 보았다고 말했다.\n".encode(),
    ),
)


async def attach(open_desk: OpenDesk, cabinet: Cabinet) -> None:
    """Attach what is not there yet."""
    for file in ATTACHED:
        async with open_desk(file.agency) as desk:
            (found,) = await desk.rows(_FIND, agency=file.agency, kind=file.kind.value, number=file.number)
            if found.done:
                continue
            key = uploading.draw_key(cabinet.keys, found.id)
            await attachments.begin(desk, key.place.attachment)
        parts = _whole(file.content)
        upload = await uploading.store_upload(parts, cabinet.store, key, limit=_LIMIT, asked=b"", mark_key=b"demo")
        async with open_desk(file.agency) as desk:
            stored = await shelf.fetch(desk, file.kind, found.id)
            await attachments.add(desk, cabinet.keys, stored, upload, file.filename)


async def stored(desk: Desk) -> list[UUID]:
    """What the store holds for the demo's records, as the operator finds it."""
    found: list[UUID] = []
    while rows := await desk.rows(_STORED, after=found[-1] if found else UUID(int=0), limit=_MANY):
        found += [row.id for row in rows]
    return found


async def delete(store: Store, names: Sequence[UUID]) -> None:
    """Delete from the store what hung on records of a database that is gone."""
    for name in names:
        await store.delete(name)


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content
