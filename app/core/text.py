"""Text as it is exchanged: Unicode NFC, no control characters, trimmed, never empty, never longer than its type says.

Names in this field come in a dozen scripts and through as many systems. The same Hangul name typed on two machines must
be the same string, and a NUL byte (which PostgreSQL cannot store) or half a surrogate pair (which UTF-8 cannot write)
must be refused at the door with a sentence rather than fail deep inside.
"""

import re
import unicodedata
from typing import Annotated, Final

from pydantic import BeforeValidator, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from typing_extensions import TypeAliasType

LINE_MAX: Final = 200
LONG_LINE_MAX: Final = 1_000
PARAGRAPH_MAX: Final = 4_000
NARRATIVE_MAX: Final = 20_000

_LINE_CONTROLS: Final = r"\x00-\x1f\x7f-\x9f"
_BLOCK_CONTROLS: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_FORBIDDEN_IN_LINE: Final = re.compile(rf"[{_LINE_CONTROLS}\ud800-\udfff]")
_FORBIDDEN_IN_BLOCK: Final = re.compile(rf"[{_BLOCK_CONTROLS}\ud800-\udfff]")
_LINE_BREAK: Final = re.compile(r"\r\n?")
# White space aside, these leave no mark: soft hyphen, combining grapheme joiner, Hangul fillers, zero-width and
# direction characters, the byte order mark. They are needed inside words of several scripts, so they are only
# refused where nothing else is there.
_INVISIBLE: Final = re.compile(
    r"[\s\u00ad\u034f\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\u3164\ufeff]*"
)
_invisible = PydanticCustomError("text-invisible", "Write at least one visible character, or leave the field out.")


def clean_line(value: object) -> object:
    """Return a single line of text in its canonical form; anything but a string is left for the type to refuse.

    Raises:
        PydanticCustomError: `text-control-character`, `text-half-character` or `text-invisible`.
    """
    if not isinstance(value, str) or (value.isascii() and value.isprintable()):
        return value
    return _clean(value, _FORBIDDEN_IN_LINE)


def clean_block(value: object) -> object:
    """Return text of several lines in its canonical form, every line end a line feed; otherwise as `clean_line`."""
    if not isinstance(value, str) or (value.isascii() and value.isprintable()):
        return value
    return _clean(_LINE_BREAK.sub("\n", value), _FORBIDDEN_IN_BLOCK)


def _clean(value: str, forbidden: re.Pattern[str]) -> str:
    found = forbidden.search(value)
    if found is not None:
        raise _refused_character(found)
    text = value if unicodedata.is_normalized("NFC", value) else unicodedata.normalize("NFC", value)
    if _INVISIBLE.fullmatch(text) and text.strip():
        raise _invisible
    return text


def _refused_character(found: re.Match[str]) -> PydanticCustomError:
    where = {"position": found.start(), "character": f"U+{ord(found.group()):04X}"}
    if "\ud800" <= found.group() <= "\udfff":
        return PydanticCustomError(
            "text-half-character",
            "Send whole Unicode characters: at position {position} stands {character}, half of a surrogate pair.",
            where,
        )
    return PydanticCustomError(
        "text-control-character", "Remove the control character {character} at position {position}.", where
    )


class _Pattern:
    """Writes into the JSON schema what `clean_line` or `clean_block` refuse, so that a client can check it too."""

    def __init__(self, controls: str, description: str) -> None:
        self.pattern = f"^[^{controls}]*[^\\s{controls}][^{controls}]*$"
        self.description = description

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "pattern": self.pattern, "description": self.description}


# The cleaning comes before the length is taken, so that it is the length of the canonical text: decomposed Hangul has
# three times as many characters as the name a person sees.
_LINE: Final = (BeforeValidator(clean_line), _Pattern(_LINE_CONTROLS, "One line of text."))
_BLOCK: Final = (BeforeValidator(clean_block), _Pattern(_BLOCK_CONTROLS, "Text of one or more lines."))


def _length(maximum: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=maximum)


Line = TypeAliasType("Line", Annotated[str, _length(LINE_MAX), *_LINE])
"""One line of at most 200 characters: a name, a title."""

LongLine = TypeAliasType("LongLine", Annotated[str, _length(LONG_LINE_MAX), *_LINE])
"""One line of at most 1,000 characters: an address, a URL."""

Paragraph = TypeAliasType("Paragraph", Annotated[str, _length(PARAGRAPH_MAX), *_BLOCK])
"""Text of at most 4,000 characters: a note, a summary."""

Narrative = TypeAliasType("Narrative", Annotated[str, _length(NARRATIVE_MAX), *_BLOCK])
"""Text of at most 20,000 characters: a full account."""
