"""Reading the sanctions list: what its words become in a profile, and what is refused."""

from typing import Any

import pytest

from app.core.problems import Problem
from app.exchange import ofac
from app.models.vocabularies import RelationType

SOURCE = "An invented list as published in 2026"


def item(number: int = 1, name: str = "LANTERN TRADING", **fields: Any) -> dict[str, Any]:
    return {"source_id": f"LIST-{number}", "name": name, "programme": "TCO", **fields}


def listing(*items: dict[str, Any]) -> dict[str, Any]:
    return {"source": SOURCE, "licence": "none", "items": list(items)}


def test_an_organization_becomes_a_profile() -> None:
    read = ofac.read(
        listing(
            item(
                aliases=[{"name": "LANTERN LLC", "kind": "aka"}, {"name": "LAMP HOUSE", "kind": "fka"}],
                locations=[
                    {"address": "1 Invented Street", "city": "Kampot", "country": "KH"},
                    {"city": "Somewhere", "country": None, "country_as_published": "Old Name"},
                    {"address": None, "city": None, "country": "TH", "country_as_published": "Thailand"},
                ],
                identifiers=[{"type": "company_number", "value": "0042", "note": "Registration ID"}],
                linked_to=["HARBOUR GROUP"],
            )
        )
    )

    (published,) = read.organizations
    content = published.content
    assert (read.source, read.relation) == (SOURCE, RelationType.RELATED_TO)
    assert (published.external_id, published.linked_to) == ("LIST-1", ("HARBOUR GROUP",))
    assert content.name == "LANTERN TRADING"
    assert content.summary == f"Designated under TCO. Source: {SOURCE}."
    assert [(alias.name, alias.note) for alias in content.aliases] == [
        ("LANTERN LLC", None),
        ("LAMP HOUSE", "Formerly known as."),
    ]
    assert [(place.country, place.address) for place in content.locations] == [
        ("KH", "1 Invented Street, Kampot"),
        (None, "Somewhere, Old Name"),
        ("TH", None),
    ]
    (identifier,) = content.identifiers
    assert (identifier.type, identifier.value, identifier.note) == ("company_number", "0042", "Registration ID")
    assert (content.kind, content.threat_level, content.activities) == (None, None, [])


def test_several_programmes_are_told_apart() -> None:
    (published,) = ofac.read(listing(item(programme="SDNTK] [TCO"))).organizations

    assert published.content.summary == f"Designated under SDNTK, TCO. Source: {SOURCE}."


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        (listing(item(colour="red")), "/items/0/colour"),
        (listing(item(identifiers=[{"type": "star_sign", "value": "7"}])), "/items/0/identifiers/0/type"),
        (listing(item(locations=[{"country": "Cambodia"}])), "/items/0/locations/0/country"),
        (listing(item(locations=[{"country": None}])), "/items/0/locations/0/name"),
        (listing(item(1), item(1, "OTHER")), "/items/1/source_id"),
        ({"items": []}, "/source"),
    ],
)
def test_what_the_list_does_not_have_is_refused_where_it_stands(value: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Problem) as refused:
        ofac.read(value)

    assert [flaw.pointer for flaw in refused.value.errors] == [pointer]


@pytest.mark.parametrize(
    ("value", "looks_like_it"),
    [(listing(), True), ({"items": []}, False), ({"source": "x", "items": {}}, False), ([], False), (None, False)],
)
def test_the_list_is_recognized(value: object, *, looks_like_it: bool) -> None:
    assert ofac.is_ofac(value) is looks_like_it
