"""Files to attach, made here; and attaching them."""

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg

from app.attachments import emptying
from app.core.database_roles import DatabaseRole
from tests.conftest import Hub, Partner

PATH = "/v1/attachments"
PROFILES = "criminal-organizations"

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01" + bytes(40) + b"\xff\xd9"
TEXT = "Consent of the family, read out in Korean: 동의합니다.\n".encode()


def packed(*parts: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A packed file with these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for number, (name, content) in enumerate(parts):
            kind = zipfile.ZIP_STORED if number == 0 else compression
            made.writestr(zipfile.ZipInfo(name), content, compress_type=kind)
    return file.getvalue()


DOCX = packed(("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w:document/>"))
ODT = packed(("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", b"<office:document/>"))


async def attach(
    partner: Partner,
    record: str,
    content: Any = PDF,
    *,
    kind: str = PROFILES,
    filename: str | None = "consent.pdf",
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """Attach to a record; the content as bytes, or as an iterator of them, which is sent in chunks."""
    params = {"kind": kind, "record": record.rpartition("/")[2]}
    named = {} if filename is None else {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(filename)}"}
    return await partner.call("POST", PATH, params=params, content=content, headers={**named, **(headers or {})})


async def attached(partner: Partner, record: str, content: Any = PDF, **options: Any) -> str:
    """The path of what was attached."""
    answer = await attach(partner, record, content, **options)
    assert answer.status_code == 201, answer.text
    location: str = answer.headers["Location"]
    return location


def stored(hub: Hub) -> list[Path]:
    """Every file in the store, complete or not."""
    return [path for path in (hub.settings.data / "attachments").rglob("*") if path.is_file()]


async def download(partner: Partner, path: str) -> httpx.Response:
    return await partner.get(f"{path}/content")


async def remove(partner: Partner, path: str, etag: str | None = '"1"') -> httpx.Response:
    return await partner.call("DELETE", path, headers={"If-Match": etag} if etag else {})


async def empty_trash(hub: Hub) -> int:
    """Let the worker's job run."""
    async with await psycopg.AsyncConnection.connect(hub.conninfo(DatabaseRole.WORKER), autocommit=True) as connection:
        return await emptying.empty_trash(connection, hub.app.state.house.store)


async def slowly(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    """The content in parts, sent in chunks, with nothing that says how much there is."""
    for at in range(0, len(content), size):
        yield content[at : at + size]
