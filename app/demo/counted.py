"""Reports that only one agency of the story sees: in nobody else's numbers, and in the tables for everybody."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from app.demo.reported import Reported

AGENCY: Final = "TH-RTP"
_YEARS: Final = ((date(2024, 2, 1), 13), (date(2025, 1, 6), 22))
_WHERE: Final = ("TH", "MM", "LA", "MM")
_CRIMES: Final = ("employment_scam", "phone_scam", "forced_criminality", "online_gambling", "employment_scam")
_NATIONALITIES: Final = ("TH", "CN", "TH")
_APART: Final = timedelta(days=11)


def _reports() -> Iterator[Reported]:
    for first, count in _YEARS:
        for number in range(count):
            yield _report(first + _APART * number, number)


def _report(day: date, number: int) -> Reported:
    body: dict[str, Any] = {
        "title": f"Worker back from a site across the border, {day:%B %Y}",
        "types": [_CRIMES[number % len(_CRIMES)]],
        "occurred_from": f"{day}",
        "occurred_to": f"{day}",
        "reported_on": f"{day}",
        "reported_by": "victim",
        "country": _WHERE[number % len(_WHERE)],
        "victims": [{"nationality": _NATIONALITIES[number % len(_NATIONALITIES)], "condition": "safe"}],
        "handling": {"tlp": "AMBER"},
    }
    return Reported(f"BACK-{day}", AGENCY, body)


COUNTED: Final = tuple(_reports())
