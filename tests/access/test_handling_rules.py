"""The rules of handling in combination, and the principals an audience names."""

import re
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.access.handling import (
    HIDDEN_FROM_READERS,
    Audience,
    Handling,
    HandlingIn,
    flaws,
    latest_review,
    principals,
)
from app.core import clock
from app.core.codes import AgencyCode
from app.models.vocabularies import TLP

GROUP = "0190163d-8694-739b-aea5-966c26f8ad91"
OTHER_GROUP = "0190163d-8694-739b-aea5-966c26f8ad92"
TODAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def _at_a_known_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 22, 9, tzinfo=UTC))


def _errors(body: dict[str, Any]) -> list[tuple[str, str]]:
    try:
        HandlingIn.model_validate(body)
    except ValidationError as invalid:
        return [("/" + "/".join(map(str, error["loc"])), error["type"]) for error in invalid.errors()]
    return []


def test_nothing_said_is_for_nobody_else() -> None:
    handling = HandlingIn()
    assert handling.model_dump_json() == (
        '{"tlp":"RED","codes":[],"caveat":null,"audience":{"agencies":[],"groups":[],"observers_of":[],'
        '"community":false,"excluded":[]},"legal_basis":null,"discoverable":"none","review_on":"2031-11-22"}'
    )
    assert principals(handling.audience, "KR-KNPA") == (["KR-KNPA"], [])


@pytest.mark.parametrize("tlp", TLP)
@pytest.mark.parametrize("groups", [[], [GROUP]])
@pytest.mark.parametrize("community", [True, False])
def test_label_limits_the_audience(tlp: TLP, groups: list[str], *, community: bool) -> None:
    expected = []
    if groups and tlp in {"RED", "AMBER+STRICT"}:
        expected.append(("/audience/groups", "groups-above-label"))
    if community and tlp not in {"GREEN", "CLEAR"}:
        expected.append(("/audience/community", "community-above-label"))
    audience = {"agencies": ["KH-CNP"], "groups": groups, "community": community, "excluded": ["TH-RTP"]}
    assert _errors({"tlp": tlp, "audience": audience}) == expected


def test_all_broken_rules_are_reported_together() -> None:
    audience = {
        "agencies": ["KH-CNP", "TH-RTP"],
        "groups": [GROUP],
        "observers_of": [GROUP, OTHER_GROUP],
        "community": True,
        "excluded": ["PH-PNP", "TH-RTP"],
    }
    assert _errors({"codes": ["H3"], "audience": audience, "review_on": "2026-11-22"}) == [
        ("/audience/groups", "groups-above-label"),
        ("/audience/community", "community-above-label"),
        ("/audience/observers_of/1", "observers-without-group"),
        ("/audience/excluded/1", "named-and-excluded"),
        ("/caveat", "caveat-required"),
        ("/review_on", "review-not-ahead"),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"codes": ["H3"], "caveat": "Not before the hearing."}, []),
        ({"codes": ["H3"], "caveat": " "}, [("/caveat", "string_too_short")]),
        ({"caveat": "May stand without H3."}, []),
        ({"codes": ["H4"]}, [("/codes/0", "enum")]),
        ({"tlp": "WHITE"}, [("/tlp", "enum")]),
        ({"review_on": "2026-11-23"}, []),
        ({"review_on": "2031-11-22"}, []),
        ({"review_on": "2031-11-23"}, [("/review_on", "review-too-late")]),
        ({"review_on": "2026-11"}, [("/review_on", "date-invalid")]),
        ({"audience": {"agencies": ["KH-CNP"] * 101}}, [("/audience/agencies", "too_long")]),
        ({"audience": {"agencies": ["kh"]}}, [("/audience/agencies/0", "agency-code-invalid")]),
        ({"audience": {"groups": [GROUP] * 51}}, [("/audience/groups", "too_long")]),
        ({"audience": {"community": 1}}, [("/audience/community", "bool_type")]),
        ({"audience": {"everybody": True}}, [("/audience/everybody", "extra_forbidden")]),
        ({"audience": None}, [("/audience", "model_type")]),
        ({"legal_basis": "the treaty"}, [("/legal_basis", "uuid_parsing")]),
    ],
)
def test_single_rules(body: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert _errors(body) == expected


def test_lists_lose_repetitions() -> None:
    handling = HandlingIn.model_validate(
        {
            "tlp": "AMBER",
            "codes": ["H2", "H1", "H2"],
            "audience": {"agencies": ["KH-CNP", "INTERPOL", "KH-CNP"], "groups": [GROUP, GROUP.upper()]},
        }
    )
    assert handling.codes == ["H1", "H2"]
    assert handling.audience.agencies == ["KH-CNP", "INTERPOL"]
    assert handling.audience.groups == [UUID(GROUP)]


def test_originator_cannot_lock_itself_out() -> None:
    handling = HandlingIn.model_validate({"audience": {"excluded": ["TH-RTP", "KR-KNPA"]}})
    assert [(flaw.pointer, flaw.code) for flaw in flaws(handling, TODAY, "KR-KNPA")] == [
        ("/audience/excluded/1", "originator-excluded")
    ]
    assert principals(handling.audience, "KR-KNPA") == (["KR-KNPA"], ["TH-RTP"])


def test_what_was_once_allowed_can_be_read_later() -> None:
    stored = HandlingIn().model_dump(mode="json") | {"review_on": "2020-01-01"}
    assert Handling.model_validate(stored).review_on == date(2020, 1, 1)


def test_stored_handling_must_be_whole() -> None:
    with pytest.raises(ValidationError) as caught:
        Handling.model_validate({"tlp": "RED"})
    assert len(caught.value.errors()) == 6


def test_review_on_a_leap_day() -> None:
    assert latest_review(date(2028, 2, 29)) == date(2033, 2, 28)


def test_readers_see_the_rules_and_not_the_audience() -> None:
    assert sorted(HIDDEN_FROM_READERS) == ["audience", "discoverable", "legal_basis"]


def test_principals_of_every_kind() -> None:
    audience = Audience.model_validate(
        {"agencies": ["KH-CNP", "KR-KNPA"], "groups": [GROUP], "observers_of": [GROUP], "community": True}
    )
    assert principals(audience, "KR-KNPA") == (
        ["KR-KNPA", "KH-CNP", f"group:{GROUP}", f"observers:{GROUP}", "community"],
        [],
    )


_codes = st.from_regex(r"[A-Z0-9]{2,12}(-[A-Z0-9]{1,12}){0,2}", fullmatch=True)
_anything = st.text(st.characters(), max_size=60) | st.uuids().map(lambda group: f"group:{group}") | _codes


@given(_anything | st.just("community"))
def test_no_accepted_code_can_be_taken_for_another_principal(text: str) -> None:
    try:
        code = TypeAdapter(AgencyCode).validate_python(text)
    except ValidationError:
        return
    # Other kinds of principal hold a lower-case letter or one of these signs; a comma would end a principal.
    assert not re.search(r"[a-z:@!,\s]", code)
    assert code == text


@given(st.lists(_codes, max_size=5), st.lists(st.uuids(), max_size=5), st.booleans(), _codes)
def test_principals_tell_apart_what_they_were_made_of(
    agencies: list[str],
    groups: list[UUID],
    community: bool,  # noqa: FBT001
    originator: str,
) -> None:
    audience = Audience(agencies=agencies, groups=groups, observers_of=groups, community=community, excluded=agencies)
    named, excluded = principals(audience, originator)
    assert named[0] == originator
    assert len(named) == len(set(named))
    assert {name for name in named if re.fullmatch(r"[A-Z0-9-]+", name)} == {originator, *agencies}
    assert {name for name in named if name.startswith("group:")} == {f"group:{group}" for group in groups}
    assert {name for name in named if name.startswith("observers:")} == {f"observers:{group}" for group in groups}
    assert ("community" in named) is community
    assert set(excluded) == set(agencies) - {originator}
