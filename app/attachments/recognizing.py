"""Finding out what a file is while it passes: nothing is kept of it but its beginning and its end.

A file must be what its first bytes say by the rules of its format, and the library of signatures must not take it for
something else. Text must be UTF-8 throughout. An office document is known by the directory at its end.
"""

import codecs
import re
from typing import Final

import puremagic

from app.attachments.media_types import HEAD, MEDIA_TYPES, TEXT, ZIP, signed
from app.attachments.packed import TAIL, packed_type
from app.attachments.refusing import refused
from app.core.problems import Flaw, invalid

_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
"""What stands in no plain text; escapes among them, by which text gives orders to terminals."""

_ACTIVE: Final = re.compile(
    rb"\s*(?:#!|<[!?/a-z]|%!|\{\\rtf|@echo |mime-version:)|[^\x00]*?<(?:script|html|svg|iframe|object|body)\b",
    re.IGNORECASE,
)
"""Text that some program would not show but follow: scripts, markup, PostScript, rich text, saved web pages."""

_BOM: Final = codecs.BOM_UTF8
_SNIFFED: Final = 1024
"""Bytes within which a browser that guesses would find markup."""


class Recognizer:
    """Takes a file part by part; refuses it as soon as it is known to be nothing that is taken."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._size = 0
        self._type: str | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def take(self, part: bytes) -> None:
        """Look at the next part.

        Raises:
            Problem: 415, with what was found.
        """
        self._size += len(part)
        if self._type is not None:
            self._look(part)
            return
        self._head += part
        if len(self._head) >= HEAD:
            self._begin()

    def end(self) -> str:
        """The type, once everything has passed.

        Raises:
            Problem: 415, with what was found; 422 for nothing at all.
        """
        if self._size == 0:
            raise invalid(Flaw("", "body-empty", "Send the file as the body: there was nothing in it."))
        if self._type is None:
            self._begin()
        if self._type == TEXT:
            self._decode(b"", final=True)
        if self._type == ZIP:
            return packed_type(bytes(self._head[:HEAD]), bytes(self._tail), self._size)
        return str(self._type)

    def _begin(self) -> None:
        """Say by its beginning what the file is, and look at what has come of it."""
        head = bytes(self._head[:HEAD])
        self._type = signed(head) or TEXT
        if self._type == TEXT:
            if _ACTIVE.match(head.removeprefix(_BOM)[:_SNIFFED]):
                raise refused("a script or markup")
        elif self._type != ZIP:
            _require_same(head, self._type)
        whole, self._head = bytes(self._head), bytearray(head)
        self._look(whole)

    def _look(self, part: bytes) -> None:
        if self._type == TEXT:
            if _CONTROLS.search(part):
                raise refused(_name_of(bytes(self._head)))
            self._decode(part)
        elif self._type == ZIP:
            self._tail += part
            del self._tail[:-TAIL]

    def _decode(self, part: bytes, *, final: bool = False) -> None:
        try:
            self._decoder.decode(part, final)
        except UnicodeDecodeError:
            raise refused(_name_of(bytes(self._head)) or "text that is not UTF-8") from None


def _known(head: bytes) -> list[puremagic.PureMagicWithConfidence]:
    try:
        return list(puremagic.magic_string(head))
    except (puremagic.PureError, ValueError):
        return []


def _require_same(head: bytes, media_type: str) -> None:
    """Refuse what the library takes for something else: one file that is two things is made to deceive."""
    found = _known(head)
    if found and not {one.mime_type for one in found}.intersection(MEDIA_TYPES[media_type].known_as):
        raise refused(_name_of(head))


def _name_of(head: bytes) -> str:
    """What the library calls it: rather by a signature that has a type than by one that many things have."""
    found = sorted(_known(head), key=lambda one: not one.mime_type)
    return found[0].name if found else ""
