"""What the story's agencies agreed on: a memorandum between two, and the charter of their council. All invented."""

from dataclasses import dataclass
from typing import Any, Final

from app.demo import story


@dataclass(frozen=True, slots=True)
class Agreed:
    """An agreement that an agency drafts, as the body of the call that would draft it; all its parties sign it."""

    agency: str
    body: dict[str, Any]


AGREEMENTS: Final = (
    Agreed(
        "KR-KNPA",
        {
            "kind": "mou",
            "title": "Memorandum on Scam Compounds and the Return of Those Held There",
            "parties": ["KR-KNPA", "KH-CNP"],
            "record_kinds": ["criminal-organizations", "incident-reports", "joint-operations", "repatriation-requests"],
            "crime_types": [
                "kidnapping",
                "illegal_detention",
                "trafficking_in_persons",
                "forced_criminality",
                "phone_scam",
                "investment_scam",
                "employment_scam",
                "online_gambling",
                "money_laundering",
            ],
            "purposes": ["Find and free people who are held", "Joint operations", "Return of victims and suspects"],
            "persons_data": True,
            "territory": ["KR", "KH"],
            "valid_from": "2025-11-27",
            "documents": [
                {"title": "양해각서, Korean text", "note": "Kept at the duty desk in Seoul."},
                {"title": "អនុស្សរណៈនៃការយោគយល់, Khmer text", "note": "Kept at the duty desk in Phnom Penh."},
            ],
        },
    ),
    Agreed(
        story.CHAIR,
        {
            "kind": "charter",
            "title": "Charter of the Council on Scam Compounds",
            "parties": [agency["code"] for agency in story.AGENCIES],
            "record_kinds": ["criminal-organizations", "joint-operations", "bulletins"],
            "purposes": ["Share what is known of the organizations behind the compounds", "Act together"],
            "valid_from": "2025-10-23",
        },
    ),
)
