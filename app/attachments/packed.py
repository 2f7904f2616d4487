"""Office documents, which are packed files: known by the directory at their end, and never unpacked here."""

import io
import re
import zipfile
from typing import Final

from app.attachments.media_types import MEDIA_TYPES, OPEN_XML_PARTS
from app.attachments.refusing import refused

TAIL: Final = 512 * 1024
"""Bytes from the end in which the directory must stand; thousands of parts fit there."""

_PARTS: Final = 5_000
_UNPACKED: Final = 1024 * 1024 * 1024
_RATIO: Final = 200
"""How many times its own size a document may have when it is unpacked, by its own account."""

_MACROS: Final = re.compile(r".*/(vbaproject\.bin|macrosheets/|oleobject|activex/)|/(basic|scripts)/")
"""Where macros and embedded programs stand, in documents of either family."""

_MIMETYPE: Final = 30
"""Where the name of the first part stands, behind a head of fixed length."""


class _Tail(io.RawIOBase):
    """A file of which only the end is there."""

    def __init__(self, tail: bytes, size: int) -> None:
        super().__init__()
        self._tail, self._size, self._at = tail, size, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        start = self._at - (self._size - len(self._tail))
        if start < 0:
            message = "not in the part that is there"
            raise OSError(message)
        part = self._tail[start:] if size < 0 else self._tail[start : start + size]
        self._at += len(part)
        return part


def packed_type(head: bytes, tail: bytes, size: int) -> str:
    """The type of an office document.

    Raises:
        Problem: 415 for any other packed file, and for a document that is encrypted, holds macros or would burst.
    """
    try:
        with zipfile.ZipFile(_Tail(tail, size)) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        raise refused("a packed file that is broken or unusual") from None
    names = {part.filename.lower() for part in parts}
    unpacked = sum(part.file_size for part in parts)
    if not parts or min(part.header_offset for part in parts) != 0:
        raise refused("a packed file that is broken or unusual")
    if len(parts) > _PARTS or unpacked > max(_RATIO * size, 1) or unpacked > _UNPACKED:
        raise refused("a packed file that is too large once it is unpacked")
    if any(part.flag_bits & 1 for part in parts):
        raise refused("a packed file with a password")
    if any(_MACROS.match(f"/{name}") for name in names):
        raise refused("a document with macros or embedded objects")
    found = _open_document(head) or _open_xml(names)
    if found is None:
        raise refused("an archive")
    return found


def _open_document(head: bytes) -> str | None:
    """What stands in the part `mimetype`, which comes first and is not compressed (OpenDocument 1.3, part 2, 3.3)."""
    length = int.from_bytes(head[22:26], "little")
    if head[8:10] != b"\0\0" or head[26:30] != b"\x08\0\0\0" or head[_MIMETYPE : _MIMETYPE + 8] != b"mimetype":
        return None
    content = head[_MIMETYPE + 8 : _MIMETYPE + 8 + length].decode("ascii", "replace")
    return content if content in MEDIA_TYPES else None


def _open_xml(names: set[str]) -> str | None:
    if "[content_types].xml" not in names:
        return None
    return next((found for part, found in OPEN_XML_PARTS.items() if part in names), None)
