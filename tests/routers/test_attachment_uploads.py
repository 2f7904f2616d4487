"""Uploads: what is taken and what is refused, what comes twice, and what it costs others meanwhile."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.settings import Settings
from tests.conftest import Hub, Partner
from tests.routers.attaching import (
    DOCX,
    JPEG,
    ODT,
    PATH,
    PDF,
    PROFILES,
    TEXT,
    attach,
    download,
    empty_trash,
    packed,
    remove,
    slowly,
    stored,
)

LIMIT = 200_000
PROFILE = f"/v1/{PROFILES}"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"attachment_limit": LIMIT, "database_connections": 2})


@pytest.fixture
def korea(hub: Hub) -> Partner:
    return hub.partner("KR-KNPA", "analyst")


@pytest.fixture
async def record(korea: Partner) -> str:
    return str((await korea.profile())["id"])


def kept(hub: Hub) -> int:
    """How many attachments there are; nothing else is in the store."""
    ((count,),) = hub.look("SELECT count(*) FROM attachments")
    assert len(stored(hub)) == count
    return int(count)


OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ACCEPTED = {
    "pdf": (PDF, "application/pdf"),
    "jpeg": (JPEG, "image/jpeg"),
    "text": (TEXT, "text/plain"),
    "docx": (DOCX, OFFICE),
    "odt": (ODT, "application/vnd.oasis.opendocument.text"),
}


async def test_a_file_is_what_its_content_says(hub: Hub, korea: Partner, record: str) -> None:
    for content, media_type in ACCEPTED.values():
        for sent in (content, slowly(content, 7)):
            answer = await attach(korea, record, sent, filename="program.exe", headers={"Content-Type": "text/html"})
            assert answer.status_code == 201, answer.text
            assert answer.json()["media_type"] == media_type
            assert answer.json()["filename"].startswith("program.exe.")
            assert (await download(korea, answer.headers["Location"])).content == content
    assert kept(hub) == 2 * len(ACCEPTED)


REFUSED: dict[str, bytes] = {
    "program": b"MZ\x90\x00\x03" + bytes(200),
    "elf": b"\x7fELF\x02\x01\x01" + bytes(200),
    "page": b"\n <!doctype html><html><script>alert(1)</script></html>",
    "page after words": b"Dear colleagues, please read <html><body>",
    "page with a mark": b"\xef\xbb\xbf<html></html>",
    "drawing": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    "script": b"#!/bin/sh\nrm -rf /\n",
    "batch": b"@echo off\r\ndel *.*\r\n",
    "orders to a terminal": b"harmless \x1b]0;not\x07 text",
    "rich text": b"{\\rtf1\\ansi}",
    "archive": packed(("a.txt", b"hello")),
    "macros": packed(("[Content_Types].xml", b""), ("word/document.xml", b""), ("word/vbaProject.bin", b"x")),
    "burst": packed(("[Content_Types].xml", b""), ("word/document.xml", bytes(50_000_000))),
    "cut": DOCX[:-20],
    "two things": b"MZ\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(100),
    "gzip": b"\x1f\x8b\x08" + bytes(50),
    "utf-16": "text".encode("utf-16"),
    "half a character at the end": TEXT[:-4],
    "noise": bytes(range(256)),
}


async def test_what_is_not_taken_is_refused_whatever_it_is_called(hub: Hub, korea: Partner, record: str) -> None:
    for name, content in REFUSED.items():
        headers = {"Content-Type": "application/pdf"}
        answer = await attach(korea, record, content, filename="consent.pdf", headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-content"), name
        assert answer.json()["detail"].startswith("Found: ")
        assert kept(hub) == 0


async def test_a_file_has_at_most_so_many_bytes_and_at_least_one(hub: Hub, korea: Partner, record: str) -> None:
    largest = PDF.ljust(LIMIT, b"%")
    for content in (largest + b"%", slowly(largest + b"%", 60_000)):
        answer = await attach(korea, record, content)
        assert (answer.status_code, answer.json()["type"]) == (413, "/problems/body-too-large")
        assert str(LIMIT) in answer.json()["detail"]
    for nothing in (b"", slowly(b"")):
        answer = await attach(korea, record, nothing)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "body-empty")
    assert kept(hub) == 0
    for content in (largest, slowly(largest, 60_000)):
        assert (await attach(korea, record, content)).status_code == 201
    assert kept(hub) == 2


async def test_nothing_is_read_of_what_says_that_it_is_too_large(hub: Hub, korea: Partner, record: str) -> None:
    taken = []

    async def parts() -> AsyncIterator[bytes]:
        taken.append(True)
        yield PDF

    answer = await attach(korea, record, parts(), headers={"Content-Length": str(LIMIT + 1)})
    assert answer.status_code == 413
    assert answer.headers["Connection"] == "close"
    refused = await attach(hub.partner("TH-RTP"), record, parts())
    assert refused.status_code == 404
    assert taken == []


async def test_a_bad_question_is_told_before_anything_is_read(korea: Partner, record: str) -> None:
    for params in ({}, {"kind": PROFILES}, {"kind": "files", "record": record}, {"kind": PROFILES, "record": "x"}):
        answer = await korea.call("POST", PATH, params=params, content=PDF)
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-parameter"), params
    answer = await attach(korea, record, headers={"Idempotency-Key": "x" * 256})
    assert answer.status_code == 400
    answer = await attach(korea, record, headers={"Content-Disposition": "attachment; filename=" + "x" * 2000})
    assert answer.status_code == 400


async def test_an_upload_holds_no_connection(hub: Hub, korea: Partner, record: str) -> None:
    """There are two connections to the database, and five uploads that have stopped half-way."""
    waiting, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def halting() -> AsyncIterator[bytes]:
        yield PDF
        waiting.release()
        await go_on.wait()
        yield b"%"

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        uploads = [group.create_task(attach(korea, record, halting())) for _ in range(5)]
        for _ in uploads:
            await waiting.acquire()
        assert (await korea.get(f"{PROFILE}/{record}")).status_code == 200
        assert (await attach(korea, record)).status_code == 201
        go_on.set()
    assert [upload.result().status_code for upload in uploads] == [201] * 5
    assert kept(hub) == 6


async def test_a_repeat_attaches_nothing_twice(hub: Hub, korea: Partner, record: str) -> None:
    key = {"Idempotency-Key": "upload-1"}
    first = await attach(korea, record, headers=key)
    again = await attach(korea, record, slowly(PDF, 11), headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.headers["Location"], again.headers["ETag"]) == (first.headers["Location"], '"1"')
    assert kept(hub) == 1
    other = (await korea.profile("Sihanouk Ring"))["id"]
    for place, content, name in ((record, TEXT, "consent.pdf"), (other, PDF, "consent.pdf"), (record, PDF, "b.pdf")):
        refused = await attach(korea, place, content, filename=name, headers=key)
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/idempotency-key-mismatch")
    assert kept(hub) == 1
    # What a repeat is answered does not depend on what became of the record; what was removed is not found.
    assert (await korea.post(f"{PROFILE}/{record}/retract", etag="*")).status_code == 200
    assert (await attach(korea, record, headers=key)).status_code == 201
    assert (await attach(korea, record, headers={"Idempotency-Key": "upload-2"})).status_code == 409
    await remove(korea, first.headers["Location"])
    assert (await attach(korea, record, headers=key)).status_code == 404
    await empty_trash(hub)
    assert stored(hub) == []


async def test_two_at_once_with_one_key_attach_once(hub: Hub, korea: Partner, record: str) -> None:
    key = {"Idempotency-Key": "upload-1"}
    both = await asyncio.gather(*(attach(korea, record, slowly(PDF), headers=key) for _ in range(4)))
    assert {answer.status_code for answer in both} <= {201, 409}
    assert len({answer.headers["Location"] for answer in both if answer.status_code == 201}) == 1
    assert kept(hub) == 1


async def test_two_at_once_without_a_key_are_two(hub: Hub, korea: Partner, record: str) -> None:
    both = await asyncio.gather(*(attach(korea, record, slowly(PDF)) for _ in range(2)))
    assert [answer.status_code for answer in both] == [201, 201]
    assert kept(hub) == 2


async def test_uploads_count_in_the_allowance(korea: Partner, record: str) -> None:
    left = [(await attach(korea, record)).headers["RateLimit"] for _ in range(2)]
    first, second = (int(one.split("r=")[1].split(";")[0]) for one in left)
    assert first - second == 1
