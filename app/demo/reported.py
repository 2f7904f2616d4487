"""What the story's agencies were told of people who were harmed. Nobody in it exists; the places are real towns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.demo.story import MEMORANDUM


@dataclass(frozen=True, slots=True)
class Reported:
    """A report that an agency creates, as the body of the call that would create it, and what comes of it."""

    key: str
    agency: str
    body: dict[str, Any]
    committed_by: str | None = None
    """The key of the profile that it points at."""
    steps: Sequence[tuple[str, str]] = ()
    """Steps of its course, and what is said with each."""
    verification: dict[str, Any] | None = None
    acknowledged: Mapping[str, str] = field(default_factory=dict)
    """Agencies that acknowledge it while it is urgent, and what they say."""
    merged_into: str | None = None
    """The key of the report that counts in its place."""

    @property
    def external_id(self) -> str:
        """The originator's own number, by which a second telling finds the report."""
        return f"DEMO-{self.key}"


_TO_CAMBODIA: Final = {"tlp": "AMBER", "audience": {"agencies": ["KH-CNP"]}, "legal_basis": MEMORANDUM}
_TO_KOREA: Final = {"tlp": "AMBER", "audience": {"agencies": ["KR-KNPA"]}, "legal_basis": MEMORANDUM}
_BOKOR: Final = {"country": "KH", "subdivision": "KH-7", "place": "Bokor mountain, hillside site"}
_SIHANOUKVILLE: Final = {"country": "KH", "subdivision": "KH-18", "place": "Sihanoukville, Harbour View"}

FIGURES: Final[tuple[dict[str, Any], ...]] = tuple(
    {
        "series": "Koreans detained in Cambodia, reports",
        "country": "KH",
        "nationality": "KR",
        "period_from": since,
        "period_to": until,
        "value": value,
        "source": "Korean National Police Agency, as reported by the press",
        "published_on": "2025-10-16",
    }
    for since, until, value in (
        ("2021", "2021", 4),
        ("2022", "2022", 1),
        ("2023", "2023", 17),
        ("2024", "2024", None),
        ("2025-01", "2025-08", 330),
    )
)
"""What was said officially, for which the story's few reports are no proof; for 2024 no figure was given."""

REPORTS: Final = (
    Reported(
        "TRANSLATOR",
        "KR-KNPA",
        {
            "title": "Translator held near Bokor",
            "types": ["kidnapping", "employment_scam", "extortion"],
            "occurred_from": "2025-07-28",
            "reported_on": "2025-08-03",
            "reported_by": "family",
            **_BOKOR,
            "coordinates": {"latitude": 10.63, "longitude": 104.03},
            "victims": [
                {
                    "nationality": "KR",
                    "age_band": "25_34",
                    "sex": "male",
                    "condition": "detained",
                    "recruited_via": "job_board",
                }
            ],
            "demand": {"amount": "30000", "currency": "USD"},
            "trafficking": {
                "acts": ["recruitment", "harbouring"],
                "means": ["deception", "force"],
                "purposes": ["forced_criminality"],
            },
            "narrative": "He answered an offer of work, was flown in and driven to the site by night. His sister was "
            "called from a number there and asked for money.",
            "handling": _TO_CAMBODIA,
        },
        committed_by="MOONRISE",
        steps=(("investigate", "The number was used on the mountain."),),
        verification={"verification": "confirmed", "note": "He called his sister himself."},
        acknowledged={"KH-CNP": "A patrol looks at the site tonight."},
    ),
    Reported(
        "OLDROAD",
        "KH-CNP",
        {
            "title": "Foreigner held above the old road",
            "types": ["illegal_detention"],
            "occurred_from": "2025-07",
            "reported_on": "2025-08-05",
            "reported_by": "ngo",
            **_BOKOR,
            "victims": [{"nationality": "KR", "sex": "male", "condition": "missing", "recruited_via": "job_board"}],
            "demand": {"amount": "31000", "currency": "USD"},
            "narrative": "A helper was told of a man who was made to call people in Korean.",
            "handling": _TO_KOREA,
        },
        merged_into="TRANSLATOR",
    ),
    Reported(
        "SOLDON",
        "KR-KNPA",
        {
            "title": "Worker sold on between sites in Sihanoukville",
            "types": ["trafficking_in_persons", "forced_criminality"],
            "occurred_from": "2025-05",
            "reported_on": "2025-08-19",
            "reported_by": "victim",
            **_SIHANOUKVILLE,
            "victims": [
                {
                    "nationality": "KR",
                    "age_band": "18_24",
                    "sex": "female",
                    "condition": "life_at_risk",
                    "recruited_via": "resale",
                }
            ],
            "trafficking": {
                "acts": ["transfer", "receipt"],
                "means": ["payment", "force"],
                "purposes": ["forced_criminality"],
            },
            "narrative": "She wrote that she was beaten for missing her quota and would be sold once more.",
            "handling": _TO_CAMBODIA,
        },
        committed_by="SEAGLASS",
    ),
    Reported(
        "SEVENTEEN",
        "KR-KNPA",
        {
            "title": "Cook kept from leaving in Sihanoukville",
            "types": ["illegal_detention"],
            "occurred_from": "2023-03",
            "occurred_to": "2023-04",
            "reported_on": "2023-04-11",
            "reported_by": "embassy",
            **_SIHANOUKVILLE,
            "victims": [{"nationality": "KR", "age_band": "35_49", "sex": "male", "condition": "safe"}],
            "handling": _TO_CAMBODIA,
        },
        steps=(
            ("investigate", "The embassy was called."),
            ("locate", "He was seen at the kitchen door."),
            ("rescue", "He came out with the police."),
            ("close", "Back home."),
        ),
        verification={"verification": "confirmed", "note": "Heard at home."},
    ),
    Reported(
        "ROADSIDE",
        "KR-KNPA",
        {
            "title": "Student found dead beside the road to the plateau",
            "types": ["illegal_detention", "homicide"],
            "occurred_from": "2025-07",
            "occurred_to": "2025-08-08",
            "reported_on": "2025-08-09",
            "reported_by": "family",
            **_BOKOR,
            "victims": [{"nationality": "KR", "age_band": "18_24", "sex": "male", "condition": "deceased"}],
            "narrative": "His family had paid for his release. A driver found him; the post mortem waits for an "
            "agreement between two countries.",
            "handling": _TO_CAMBODIA,
        },
        steps=(("locate", "Found beside the road to the plateau."),),
    ),
    Reported(
        "HOLIDAY",
        "KR-KNPA",
        {
            "title": "Friends not heard of since Sihanoukville",
            "types": ["other"],
            "occurred_from": "2025-06-14",
            "reported_on": "2025-06-20",
            "reported_by": "family",
            **_SIHANOUKVILLE,
            "victims": [{"nationality": "KR", "age_band": "18_24", "condition": "safe"}] * 2,
            "handling": _TO_CAMBODIA,
        },
        steps=(("close", "They were on an island without a telephone."),),
        verification={"verification": "unfounded", "note": "Both called home."},
    ),
)
