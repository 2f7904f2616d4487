"""What a profile may say."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.domain.criminal_organizations.content import CriminalOrganizationContent, facets, search_names

PROFILE: dict[str, Any] = {
    "name": "Bokor Group",
    "aliases": [{"name": "보코르 그룹", "language": "ko"}, {"name": "Bokor Group", "note": "on the sign"}],
    "kind": "syndicate",
    "status": "active",
    "summary": "Runs scams from two sites.",
    "threat_level": "high",
    "activities": [{"type": "phone_scam", "since": "2023"}, {"type": "forced_criminality"}, {"type": "phone_scam"}],
    "modus_operandi": "Recruits by false offers of work.\nTakes passports away on arrival.",
    "estimated_members": 120,
    "founded_on": "2021",
    "nationalities": ["KR", "CN", "KR"],
    "locations": [
        {"name": "Mountain site", "role": "compound", "country": "KH", "subdivision": "KH-7", "from": "2022-03"},
        {"country": "PH", "coordinates": {"latitude": 14.6, "longitude": 121}, "from": "2019", "to": "2021"},
        {"address": "National Road 32", "country": "KH"},
    ],
    "identifiers": [
        {"type": "phone", "value": "+855 12 345 678", "first_seen": "2024-01-05", "last_seen": "2024"},
        {"type": "phone", "value": "012 345 678"},
    ],
    "members": [{"name": "CHOI Example", "native_name": "최 예시", "aliases": ["Teacher"], "nationality": "KR"}],
    "relocations": [{"from": "PH", "to": "Bokor", "on": "2021", "reason": "Raids."}],
    "grading": {"scheme": "admiralty", "source": "B", "information": "2"},
}


def _content(**changes: object) -> CriminalOrganizationContent:
    return CriminalOrganizationContent.model_validate(PROFILE | changes)


def _errors(**changes: object) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        _content(**changes)
    return [("/" + "/".join(map(str, error["loc"])), error["type"]) for error in caught.value.errors()]


def test_a_name_is_enough() -> None:
    content = CriminalOrganizationContent.model_validate({"name": "Bokor Group"})
    assert content.model_dump(mode="json") == {
        "name": "Bokor Group",
        "aliases": [],
        "kind": None,
        "status": "suspected",
        "summary": None,
        "threat_level": None,
        "activities": [],
        "modus_operandi": None,
        "estimated_members": None,
        "founded_on": None,
        "nationalities": [],
        "locations": [],
        "identifiers": [],
        "members": [],
        "relocations": [],
        "grading": None,
    }


def test_its_own_json_gives_it_back() -> None:
    content = _content()
    assert CriminalOrganizationContent.model_validate_json(content.model_dump_json()) == content
    assert "보코르 그룹" in content.model_dump_json()


def test_identifiers_are_kept_as_sent_and_normalized_beside() -> None:
    sent = [*PROFILE["identifiers"], {"type": "domain", "value": "Bokor[.]example", "normalized": "made up"}]
    assert [(one.value, one.normalized) for one in _content(identifiers=sent).identifiers] == [
        ("+855 12 345 678", "+85512345678"),
        ("012 345 678", None),
        ("Bokor[.]example", "bokor.example"),
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": None}, [("/name", "string_type")]),
        ({"nmae": "x"}, [("/nmae", "extra_forbidden")]),
        ({"locations": [{}]}, [("/locations/0/name", "place-missing")]),
        ({"locations": [{"name": "x", "subdivision": "KH-7"}]}, [("/locations/0/country", "country-missing")]),
        (
            {"locations": [{"country": "PH", "subdivision": "KH-7", "from": "2024", "to": "2023"}]},
            [("/locations/0/subdivision", "subdivision-elsewhere"), ("/locations/0/to", "dates-reversed")],
        ),
        ({"locations": [{"name": "x", "from_": "2024"}]}, [("/locations/0/from_", "extra_forbidden")]),
        (
            {"identifiers": [{"type": "phone", "value": "1", "first_seen": "2024-02", "last_seen": "2024-01"}]},
            [("/identifiers/0/last_seen", "dates-reversed")],
        ),
        ({"identifiers": [{"type": "fax", "value": "1"}]}, [("/identifiers/0/type", "enum")]),
        (
            {"identifiers": [{"type": "phone", "value": "1", "normalized": 7}]},
            [("/identifiers/0/normalized", "string_type")],
        ),
        ({"relocations": [{"on": "2021"}]}, [("/relocations/0/to", "place-missing")]),
        ({"estimated_members": -1}, [("/estimated_members", "greater_than_equal")]),
        ({"estimated_members": True}, [("/estimated_members", "int_type")]),
        ({"estimated_members": "120"}, [("/estimated_members", "int_type")]),
        ({"nationalities": ["KR", "Korea"]}, [("/nationalities/1", "country-unknown")]),
        ({"aliases": [{"name": "x"}] * 201}, [("/aliases", "too_long")]),
        (
            {"grading": {"scheme": "uk_3x5x2", "source": "B", "information": "2"}},
            [("/grading/source", "grading-code-unknown"), ("/grading/information", "grading-code-unknown")],
        ),
    ],
)
def test_refuses(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert _errors(**changes) == expected


def test_every_list_and_text_has_a_bound() -> None:
    schema = CriminalOrganizationContent.model_json_schema()
    free = {"Identifier": {"normalized"}}  # made by the hub from a value that is bounded
    for name, shape in {"": schema, **schema["$defs"]}.items():
        for field, described in shape.get("properties", {"": shape}).items():
            for choice in described.get("anyOf", [described]):
                if field in free.get(name, ()):
                    continue
                if choice.get("type") == "array":
                    assert "maxItems" in choice, (name, field)
                if choice.get("type") == "string":
                    assert {"maxLength", "enum", "const", "pattern", "format"} & choice.keys(), (name, field)
            assert described.get("description"), (name, field)


def test_facets_are_what_lists_filter_by() -> None:
    assert facets(_content()) == [
        "status:active",
        "kind:syndicate",
        "threat_level:high",
        "activity:phone_scam",
        "activity:forced_criminality",
        "country:KH",
        "country:PH",
    ]
    assert facets(CriminalOrganizationContent(name="x")) == ["status:suspected"]


def test_names_it_is_found_by() -> None:
    assert search_names(_content()) == ["Bokor Group", "보코르 그룹"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


def _with_anything_at(value: Any, path: list[int], anything: Any) -> Any:
    """Put `anything` in the place of the part of `value` that the numbers of `path` lead to."""
    if not path or not isinstance(value, dict | list) or not value:
        return anything
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[path[0] % len(keys)]
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = _with_anything_at(value[key], path[1:], anything)
    return copy


@settings(max_examples=500)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=4), _json)
def test_anything_anywhere_is_taken_or_refused_politely(path: list[int], anything: Any) -> None:
    try:
        content = CriminalOrganizationContent.model_validate(_with_anything_at(PROFILE, path, anything))
    except ValidationError:
        return
    document = content.model_dump_json()
    assert CriminalOrganizationContent.model_validate_json(document).model_dump_json() == document
