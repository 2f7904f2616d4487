"""What an attachment may be, and by what it is known: its first bytes, as the formats define them."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

HEAD: Final = 16 * 1024
"""Bytes from the beginning by which a file is known."""

TEXT: Final = "text/plain"
ZIP: Final = "application/zip"
"""What office documents are packed in; it is none of the types that are taken."""


class MediaType(NamedTuple):
    """A type that is taken."""

    name: str
    suffixes: Sequence[str]
    """With which its files' names end; the first is put behind a name that ends otherwise."""
    known_as: Sequence[str] = ()
    """What the library of signatures calls it."""


_OPEN_XML: Final = "application/vnd.openxmlformats-officedocument"
_OPEN_DOCUMENT: Final = "application/vnd.oasis.opendocument"

MEDIA_TYPES: Final = {
    found.name: found
    for found in (
        MediaType("application/pdf", (".pdf",), ("application/pdf",)),
        MediaType("image/jpeg", (".jpg", ".jpeg"), ("image/jpeg",)),
        MediaType("image/png", (".png",), ("image/png",)),
        MediaType("image/tiff", (".tif", ".tiff"), ("image/tiff",)),
        MediaType("image/webp", (".webp",), ("image/webp",)),
        MediaType("image/heic", (".heic", ".heif"), ("image/heic", "image/heif")),
        MediaType("video/mp4", (".mp4", ".m4v", ".3gp"), ("video/mp4", "video/x-m4v", "video/3gpp", "video/quicktime")),
        MediaType("video/quicktime", (".mov",), ("video/quicktime",)),
        MediaType("audio/mp4", (".m4a",), ("audio/mp4", "audio/x-m4a", "audio/m4a", "video/mp4", "video/quicktime")),
        MediaType("audio/ogg", (".ogg", ".oga", ".opus"), ("application/ogg", "audio/ogg", "video/ogg")),
        MediaType("audio/wav", (".wav",), ("audio/wav", "audio/wave", "audio/x-wav")),
        MediaType(f"{_OPEN_XML}.wordprocessingml.document", (".docx",)),
        MediaType(f"{_OPEN_XML}.spreadsheetml.sheet", (".xlsx",)),
        MediaType(f"{_OPEN_XML}.presentationml.presentation", (".pptx",)),
        MediaType(f"{_OPEN_DOCUMENT}.text", (".odt",)),
        MediaType(f"{_OPEN_DOCUMENT}.spreadsheet", (".ods",)),
        MediaType(f"{_OPEN_DOCUMENT}.presentation", (".odp",)),
        MediaType(TEXT, (".txt", ".csv", ".md", ".log")),
    )
}
"""The types that are taken, by their names."""

OPEN_XML_PARTS: Final = {
    "word/document.xml": f"{_OPEN_XML}.wordprocessingml.document",
    "xl/workbook.xml": f"{_OPEN_XML}.spreadsheetml.sheet",
    "ppt/presentation.xml": f"{_OPEN_XML}.presentationml.presentation",
}
"""The part that only documents of one type have (ECMA-376, part 1)."""

_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"mif1", b"hevc"), "image/heic"),
    b"M4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
    **dict.fromkeys(
        (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV", b"3gp4", b"3gp5"),
        "video/mp4",
    ),
}
"""Major brands of files of the ISO base media format (ISO/IEC 14496-12)."""

_LARGEST_FIRST_BOX: Final = 1024


def _iso_media(head: bytes) -> str | None:
    plausible = head[4:8] == b"ftyp" and 12 <= int.from_bytes(head[:4], "big") <= _LARGEST_FIRST_BOX  # noqa: PLR2004 - size, type and brand
    return _BRANDS.get(head[8:12]) if plausible else None


def _riff(head: bytes) -> str | None:
    return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12]) if head[:4] == b"RIFF" else None


def _starting(name: str, *beginnings: bytes) -> Callable[[bytes], str | None]:
    return lambda head: name if head.startswith(beginnings) else None


_SIGNATURES: Final[Sequence[Callable[[bytes], str | None]]] = (
    _starting("application/pdf", b"%PDF-1.", b"%PDF-2."),
    _starting("image/jpeg", b"\xff\xd8\xff"),
    lambda head: "image/png" if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR" else None,
    _starting("image/tiff", b"II*\x00", b"MM\x00*"),
    _starting("audio/ogg", b"OggS\x00"),
    _starting(ZIP, b"PK\x03\x04"),
    _riff,
    _iso_media,
)


def signed(head: bytes) -> str | None:
    """What the first bytes say that a file is; None if they say nothing of what is taken."""
    return next((found for signature in _SIGNATURES if (found := signature(head)) is not None), None)
