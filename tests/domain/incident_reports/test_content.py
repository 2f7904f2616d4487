"""What a report may say, and what follows from it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.core import clock
from app.domain.incident_reports.content import CHILDREN, IncidentReportContent, trafficking_indicated
from app.models.incident_vocabularies import AgeBand, TraffickingAct, TraffickingMeans, TraffickingPurpose

LEAST: dict[str, Any] = {
    "title": "Held near Bokor",
    "types": ["kidnapping"],
    "reported_on": "2025-08-03",
    "reported_by": "family",
    "country": "KH",
}


def codes(**fields: Any) -> set[tuple[str, str]]:
    """Where and why a report is refused."""
    with pytest.raises(ValidationError) as refused:
        IncidentReportContent.model_validate({**LEAST, **fields})
    return {("/".join(map(str, error["loc"])), error["type"]) for error in refused.value.errors()}


def test_the_least_is_enough() -> None:
    content = IncidentReportContent.model_validate(LEAST)
    assert content.victims == []
    assert content.trafficking.acts == []
    assert not trafficking_indicated(content)


def test_what_does_not_fit_together_is_refused() -> None:
    assert codes(subdivision="TH-10") == {("subdivision", "subdivision-elsewhere")}
    assert codes(occurred_from="2025-08", occurred_to="2025-07") == {("occurred_to", "dates-reversed")}
    assert codes(occurred_from="2025-09") == {("reported_on", "dates-reversed")}
    ahead = (clock.now() + timedelta(days=3)).date().isoformat()
    assert codes(reported_on=ahead) == {("reported_on", "date-ahead")}
    assert codes(types=[]) == {("types", "too_short")}
    assert codes(name="x") == {("name", "extra_forbidden")}
    # Victims are told apart by what they went through: there is no place for who they are.
    assert codes(victims=[{"name": "x"}]) == {("victims/0/name", "extra_forbidden")}


def test_dates_are_only_as_exact_as_they_are_known() -> None:
    for dates in (
        {"occurred_from": "2025"},
        {"occurred_from": "2025-08"},
        {"occurred_from": "2025-08-03", "occurred_to": "2025-08"},
        {"occurred_to": "2025-08-09"},
    ):
        assert IncidentReportContent.model_validate({**LEAST, **dates})


@given(
    acts=st.lists(st.sampled_from(TraffickingAct), max_size=4),
    means=st.lists(st.sampled_from(TraffickingMeans), max_size=4),
    purposes=st.lists(st.sampled_from(TraffickingPurpose), max_size=4),
    ages=st.lists(st.sampled_from(AgeBand), max_size=3),
)
def test_trafficking_is_act_means_and_purpose_and_for_children_no_means(
    acts: list[str], means: list[str], purposes: list[str], ages: list[AgeBand]
) -> None:
    found = {"acts": acts, "means": means, "purposes": purposes}
    victims = [{"age_band": age} for age in ages]
    content = IncidentReportContent.model_validate({**LEAST, "trafficking": found, "victims": victims})

    needed = [acts, purposes] if CHILDREN & set(ages) else [acts, means, purposes]

    assert trafficking_indicated(content) is all(needed)


def test_children_are_those_under_18() -> None:
    assert {age.value for age in CHILDREN} == {"under_12", "12_17"}
