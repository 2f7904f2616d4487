"""Marks by which two persons are known to be one, and from which nobody learns who that is.

A mark is a keyed hash (HMAC-SHA-256) of what identifies somebody: a travel document's issuer and number, or a date of
birth with a name. Two agencies' entries of one person have a mark in common where both know such a thing. The key is
derived from the master key, so that nobody with the database alone can try names.

What is not compared: dates of birth that are not known to the day; a name in one script with the same in another;
simplified with traditional characters. A person without a document or date of birth has no marks.
"""

import hmac
import unicodedata
from collections.abc import Sequence
from typing import Final

from app.core.crypto import MasterKey
from app.persons.shapes import PersonIn

_WHOLE_DATE: Final = len("YYYY-MM-DD")
_WITHOUT_DECOMPOSITION: Final = str.maketrans({"đ": "d", "ð": "d", "ø": "o", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe"})


class PersonMarks:
    """Makes the marks of persons under one master key."""

    def __init__(self, master_key: MasterKey) -> None:
        self._key = master_key.derive(b"person-marks")

    def of(self, person: PersonIn) -> Sequence[bytes]:
        """The marks of a person, each once; 32 bytes each."""
        known = {
            f"document\n{document.issuing_state}\n{_letters_and_digits(document.number or '')}"
            for document in person.travel_documents
        }
        if person.birth_date is not None and len(person.birth_date) == _WHOLE_DATE:
            # What has no letters, as a question mark for somebody unknown, is nobody's name.
            names = {comparable_name(name.name) for name in person.names} - {""}
            known |= {f"name\n{person.birth_date}\n{name}" for name in names}
        return [hmac.digest(self._key, text.encode(), "sha256") for text in sorted(known)]


def comparable_name(name: str) -> str:
    """A name in the form in which names of one date of birth are compared.

    Case, accents, width, blanks and signs count for nothing. Of names in Latin letters the letters are taken in the
    order of the alphabet: passports and case files put family and given names in either order, and divide them anyhow.
    """
    text = unicodedata.normalize("NFKD", name.casefold()).translate(_WITHOUT_DECOMPOSITION)
    latin = [char for char in text if char.isascii() and char.isalpha()]
    others = [char for char in text if not char.isascii() and unicodedata.category(char)[0] in "LN"]
    if others and len(others) >= len(latin):
        # Vowel signs of Khmer, Thai or Burmese are marks, and belong to the name.
        return unicodedata.normalize(
            "NFC", "".join(char for char in text if unicodedata.category(char)[0] in "LMN" and not _is_accent(char))
        )
    return "".join(sorted([*latin, *others]))


def _is_accent(char: str) -> bool:
    return "\u0300" <= char <= "\u036f"


def _letters_and_digits(number: str) -> str:
    return "".join(char for char in number.upper() if char.isalnum())
