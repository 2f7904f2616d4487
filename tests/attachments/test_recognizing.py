"""A file is known by its content, however it is cut into parts."""

import io
import random
import zipfile

import pytest

from app.attachments.media_types import HEAD, MEDIA_TYPES
from app.attachments.packed import TAIL
from app.attachments.recognizing import Recognizer
from app.core.problems import Problem
from tests.routers.attaching import DOCX, JPEG, ODT, PDF, TEXT, packed

OFFICE = "application/vnd.openxmlformats-officedocument"
ISO = {
    b"isom": "video/mp4",
    b"mp42": "video/mp4",
    b"avc1": "video/mp4",
    b"3gp5": "video/mp4",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"heic": "image/heic",
    b"mif1": "image/heic",
}
TAKEN: dict[str, tuple[bytes, str]] = {
    "pdf": (PDF, "application/pdf"),
    "pdf 2": (b"%PDF-2.0\n1 0 obj", "application/pdf"),
    "jpeg": (JPEG, "image/jpeg"),
    "jpeg of a camera": (b"\xff\xd8\xff\xe1\x00\x10Exif\x00\x00" + bytes(60), "image/jpeg"),
    "png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(20), "image/png"),
    "tiff, one way round": (b"II*\x00\x08\x00\x00\x00" + bytes(20), "image/tiff"),
    "tiff, the other": (b"MM\x00*\x00\x00\x00\x08" + bytes(20), "image/tiff"),
    "webp": (b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(20), "image/webp"),
    "wav": (b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(20), "audio/wav"),
    "ogg": (b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead" + bytes(20), "audio/ogg"),
    **{
        f"iso {brand!r}": (b"\x00\x00\x00\x18ftyp" + brand + b"\x00\x00\x00\x00" + brand + b"isom" + bytes(60), found)
        for brand, found in ISO.items()
    },
    "docx": (DOCX, f"{OFFICE}.wordprocessingml.document"),
    "xlsx": (packed(("[Content_Types].xml", b""), ("xl/workbook.xml", b"")), f"{OFFICE}.spreadsheetml.sheet"),
    "pptx": (
        packed(("[Content_Types].xml", b""), ("ppt/presentation.xml", b"")),
        f"{OFFICE}.presentationml.presentation",
    ),
    "odt": (ODT, "application/vnd.oasis.opendocument.text"),
    "text": (TEXT, "text/plain"),
    "long text": ("동의합니다. ".encode() * HEAD, "text/plain"),
    "text with a mark": (b"\xef\xbb\xbfhello", "text/plain"),
    "text that begins like a picture": (b"BM and II* are signatures.", "text/plain"),
    "numbers": (b"1 < 2 and 3 > 2\n", "text/plain"),
}


def recognized(content: bytes, size: int) -> str:
    recognizer = Recognizer()
    for at in range(0, len(content), size):
        recognizer.take(content[at : at + size])
    return recognizer.end()


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_taken_is_known(name: str) -> None:
    content, media_type = TAKEN[name]
    for size in (1 if len(content) < 5000 else 4096, 7919, len(content)):
        assert recognized(content, size) == media_type
    assert media_type in MEDIA_TYPES


def _encrypted() -> bytes:
    """A packed document whose parts say that they are encrypted."""
    content = bytearray(DOCX)
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 8] |= 1
        at = content.find(b"PK\x01\x02", at + 4)
    return bytes(content)


def _crowded() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for number in range(5_100):
            made.writestr(f"word/{number}", b"")
    return file.getvalue()


REFUSED: dict[str, bytes] = {
    "with a password": _encrypted(),
    "crowded": _crowded(),
    "macros of another family": packed(("mimetype", b"application/vnd.oasis.opendocument.text"), ("Basic/x.xml", b"")),
    "an embedded program": packed(
        ("[Content_Types].xml", b""), ("word/document.xml", b""), ("word/embeddings/oleObject1.bin", b"")
    ),
    "old macros": packed(("[Content_Types].xml", b""), ("xl/workbook.xml", b""), ("xl/macrosheets/sheet1.xml", b"")),
    "something before it": b"PK\x03\x04 and more" + DOCX,
    "a directory that is not at the end": DOCX + bytes(TAIL),
    "a program that is a film too": b"MZ\x00\x18ftypmp42" + bytes(60),
    "a page behind blanks": b" " * 1000 + b"<script>",
    "another alphabet's bytes": "Zeugnis für".encode("latin-1"),
    "half a character far behind": b"x" * (2 * HEAD) + b"\xea\xb0",
    "a zero far behind": b"x" * (2 * HEAD) + b"\x00",
    "an audio book": b"\x00\x00\x00\x18ftypM4B \x00\x00\x00\x00M4B isom" + bytes(60),
    "an unlikely first part": b"\x7f\xff\xff\xffftypisom" + bytes(60),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_taken_is_refused(name: str) -> None:
    for size in (4096, len(REFUSED[name])):
        with pytest.raises(Problem) as refused:
            recognized(REFUSED[name], size)
        assert refused.value.type.slug == "unsupported-content"


def _outcome(content: bytes) -> str:
    try:
        return recognized(content, 50)
    except Problem as refused:
        return refused.type.slug


def test_noise_fails_no_other_way() -> None:
    drawn = random.Random(5)  # noqa: S311 - the same noise each time
    beginnings = [content[:40] for content, _ in TAKEN.values()]
    expected = {*MEDIA_TYPES, "unsupported-content"}
    for _ in range(2000):
        assert _outcome(drawn.choice(beginnings) + drawn.randbytes(drawn.randrange(200))) in expected
    for _ in range(500):
        broken = bytearray(DOCX)
        for _ in range(drawn.randrange(1, 6)):
            broken[drawn.randrange(len(broken))] = drawn.randrange(256)
        assert _outcome(bytes(broken)) in expected


def test_a_refusal_comes_with_the_beginning() -> None:
    recognizer = Recognizer()
    with pytest.raises(Problem):
        recognizer.take(b"MZ" + bytes(HEAD))
