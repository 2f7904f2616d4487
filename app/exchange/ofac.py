"""Criminal organizations of the United States Treasury's sanctions list, read as profiles.

The Office of Foreign Assets Control publishes its list of Specially Designated Nationals; the programme TCO
(transnational criminal organizations) is public domain as work of the United States government. What is read here is
its organizations as one JSON object: `source` and `licence` in words, and `items`, each with the list's own number
(`source_id`), `name`, `aliases`, `locations`, `identifiers`, names it is `linked_to`, and `programme`.

The list says who is designated and where, not what an organization does: kind, activities and threat stay open.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import Field

from app.core.codes import Country
from app.core.problems import Flaw, invalid
from app.core.shapes import Shape
from app.core.text import Line, LongLine, Paragraph
from app.core.validation import validated
from app.domain.criminal_organizations.shapes import CriminalOrganizationCreate
from app.exchange.imports import Listing, Published
from app.models.vocabularies import IdentifierType, RelationType

ITEMS_MAX: Final = 50_000

_PROGRAMMES: Final = re.compile(r"\W+")
_ALIAS_NOTES: Final[Mapping[str, str | None]] = {
    "aka": None,
    "fka": "Formerly known as.",
    "nka": "Now known as.",
}


class _Alias(Shape):
    name: Line
    kind: Line = "aka"


class _Location(Shape):
    address: LongLine | None = None
    city: Line | None = None
    country: Country | None = None
    country_as_published: Line | None = None


class _Identifier(Shape):
    type: IdentifierType
    value: LongLine
    note: Paragraph | None = None


class _Item(Shape):
    source_id: Line
    name: Line
    aliases: Annotated[tuple[_Alias, ...], Field(max_length=200)] = ()
    locations: Annotated[tuple[_Location, ...], Field(max_length=500)] = ()
    identifiers: Annotated[tuple[_Identifier, ...], Field(max_length=1_000)] = ()
    linked_to: Annotated[tuple[Line, ...], Field(max_length=500)] = ()
    programme: Line | None = None


class _List(Shape):
    source: Paragraph
    licence: Line | None = None
    items: Annotated[tuple[_Item, ...], Field(max_length=ITEMS_MAX)]


def is_ofac(value: object) -> bool:
    """Whether a JSON value looks like this list."""
    return isinstance(value, dict) and "source" in value and isinstance(value.get("items"), list)


def read(value: object) -> Listing:
    """The list as profiles.

    Raises:
        Problem: 422, with a pointer to everything that is not as this list has it.
    """
    published = validated(_List, value)
    _refuse_repetitions(published.items)
    return Listing(
        published.source,
        [_profile(published.source, number, item) for number, item in enumerate(published.items)],
        RelationType.RELATED_TO,
    )


def _refuse_repetitions(items: Sequence[_Item]) -> None:
    first: dict[str, int] = {}
    for number, item in enumerate(items):
        if first.setdefault(item.source_id, number) != number:
            detail = f"Item {first[item.source_id]} has this number already."
            raise invalid(Flaw(f"/items/{number}/source_id", "repeated", detail))


def _profile(source: str, number: int, item: _Item) -> Published:
    fields: dict[str, Any] = {
        "name": item.name,
        "external_id": item.source_id,
        "summary": _summary(source, item.programme),
        "aliases": [{"name": alias.name, "note": _ALIAS_NOTES.get(alias.kind, alias.kind)} for alias in item.aliases],
        "locations": [_place(place) for place in item.locations],
        "identifiers": [{"type": one.type, "value": one.value, "note": one.note} for one in item.identifiers],
    }
    profile = validated(CriminalOrganizationCreate, fields, f"/items/{number}")
    return Published(item.source_id, profile.content(), item.linked_to)


def _summary(source: str, programme: str | None) -> str:
    # The list writes several programmes as "SDNTK] [TCO".
    programmes = ", ".join(_PROGRAMMES.split(programme)) if programme else ""
    return f"Designated under {programmes}. Source: {source}." if programmes else f"Source: {source}."


def _place(place: _Location) -> dict[str, str | None]:
    """Street and city as one address; a country of which the code is not known stays as it was published."""
    parts = [place.address, place.city, None if place.country else place.country_as_published]
    return {"country": place.country, "address": ", ".join(part for part in parts if part) or None}
