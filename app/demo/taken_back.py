"""What the story's agencies took back, and what recipients answered."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from app.demo.parts import Profile

ANSWER_WITHIN: Final = timedelta(minutes=1)
"""So short that whoever looks finds a recall overdue."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A profile that its originator takes back: the body of the call that does so, and what recipients answer."""

    profile: Profile
    body: dict[str, Any]
    answers: dict[str, dict[str, Any]]


RECALLS: Final = (
    Recalled(
        Profile(
            "PAPERBOAT",
            "KR-KNPA",
            {
                "name": "Paper Boat Brokers",
                "kind": "network",
                "status": "suspected",
                "threat_level": "medium",
                "summary": "Said to sell seats on boats to people who fled from compounds. Rests on one source.",
                "activities": [{"type": "migrant_smuggling", "since": "2025"}],
                "locations": [{"role": "transit_point", "country": "KH", "subdivision": "KH-18"}],
                "grading": {"scheme": "admiralty", "source": "D", "information": "4"},
                "handling": {"tlp": "GREEN", "codes": ["H2"], "audience": {"agencies": ["KH-CNP", "TH-RTP"]}},
            },
        ),
        {"agencies": ["KH-CNP", "TH-RTP"], "reason": "The source took back what it had said."},
        {"KH-CNP": {"outcome": "deleted"}},
    ),
)
"""One recipient has answered, the other owes an answer."""
