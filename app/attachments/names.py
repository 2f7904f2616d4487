"""What attachments are called: a name for people, which no system is to stumble over or be led astray by."""

import re
import unicodedata
from email.message import Message
from pathlib import PurePosixPath
from typing import Final

from app.attachments.media_types import MEDIA_TYPES

LONGEST: Final = 180
"""Bytes in UTF-8, so that it is a file's name on any system, with something put before or behind it."""

_UNFIT: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2060-\u206f\ufeff\ud800-\udfff<>:\"|?*%]"
)
"""What no name has: control characters, those that turn the direction of writing round, and what a system reserves."""

_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_NAMELESS: Final = "attachment"


def sent_name(content_disposition: str | None) -> str | None:
    """The file's name in a `Content-Disposition` (RFC 6266), plain or extended, in UTF-8; None if it has none."""
    if content_disposition is None:
        return None
    try:
        text = content_disposition.encode("latin-1").decode("utf-8")
    except UnicodeError:
        text = content_disposition
    header = Message()
    header["Content-Disposition"] = text
    return header.get_filename()


def display_name(sent: str | None, media_type: str) -> str:
    """The name to be shown and offered for a download: no path, no trick, and an ending that says what the file is."""
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", sent or ""))[-1]
    name = " ".join(_UNFIT.sub("_", name).split()).strip(". ")
    if _RESERVED.match(name):
        name = f"_{name}"
    suffixes = MEDIA_TYPES[media_type].suffixes
    suffix = PurePosixPath(name).suffix
    stem = name
    if suffix.lower() in suffixes:
        stem = name.removesuffix(suffix)
    else:
        suffix = suffixes[0]
    return f"{_shortened(stem, LONGEST - len(suffix)).rstrip('. ') or _NAMELESS}{suffix}"


def _shortened(text: str, longest: int) -> str:
    """The beginning of a text that has at most so many bytes, without half a character at its end."""
    return text.encode()[:longest].decode("utf-8", "ignore")
