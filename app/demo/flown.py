"""Three charter flights that bring five hundred people home out of two countries. All of it is invented."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from app.demo.agreed import Agreed
from app.models.transport_vocabularies import TransportState

ORGANIZER: Final = "KR-KNPA"
PARTY: Final = 50
"""People of one request."""

LETTERS: Final = Agreed(
    ORGANIZER,
    {
        "kind": "exchange_of_letters",
        "title": "Letters on the Return of People Freed Along the Border",
        "parties": [ORGANIZER, "TH-RTP"],
        "record_kinds": ["repatriation-requests"],
        "purposes": ["Return of victims and suspects"],
        "persons_data": True,
        "territory": ["KR", "TH"],
        "valid_from": "2025-11-03",
    },
)


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight, the requests whose people it carries, and how far it has come when the story is told."""

    number: str
    host: str
    """The agency that is asked for the people, and brings them to the gate."""
    basis: str
    """The kind of the agreement on which the host takes part in the requests."""
    requests: int
    who: dict[str, str]
    place: dict[str, str]
    leaves_in: timedelta
    until: TransportState
    escorts: int
    first: int
    """The number of its first person: nobody of the story is on two of them."""
    missing: int = 0
    """How many of them do not come."""

    @property
    def people(self) -> int:
        """How many are to travel."""
        return self.requests * PARTY


_SUSPECTS: Final = {"category": "suspect", "legal_act": "deportation"}
_VICTIMS: Final = {"category": "victim", "legal_act": "voluntary_repatriation"}
_PNH: Final = {"place": "Phnom Penh, PNH", "country": "KH", "time_zone": "Asia/Phnom_Penh"}
_BKK: Final = {"place": "Bangkok, BKK", "country": "TH", "time_zone": "Asia/Bangkok"}
ARRIVAL: Final = {"place": "Incheon, ICN", "country": "KR", "time_zone": "Asia/Seoul"}
LASTS: Final = timedelta(hours=5, minutes=20)
RULE: Final = {"suspects_per_escort": 5, "victims_per_escort": 20}

_ASKED: Final = LETTERS.body["kind"]
FLIGHTS: Final[Sequence[Flight]] = (
    Flight("XA 9001", "KH-CNP", "mou", 3, _SUSPECTS, _PNH, timedelta(days=-2), TransportState.COMPLETED, 30, 0, 2),
    Flight("XA 9002", "KH-CNP", "mou", 3, _SUSPECTS, _PNH, timedelta(hours=-2), TransportState.DEPARTED, 30, 150),
    Flight("XA 9003", "TH-RTP", _ASKED, 4, _VICTIMS, _BKK, timedelta(days=1), TransportState.FROZEN, 10, 300),
)

_FAMILY: Final = (("가", "GA"), ("나", "NA"), ("다", "DA"), ("라", "RA"), ("마", "MA"))
_FIRST: Final = (("보", "BO"), ("예", "YE"), ("시", "SI"), ("범", "BEOM"), ("새", "SAE"))
_LAST: Final = (("람", "RAM"), ("름", "REUM"), ("음", "EUM"), ("늘", "NEUL"), ("솔", "SOL"))


def person(number: int, category: str) -> dict[str, Any]:
    """Somebody with a name made of syllables, as the body of the call that would enter the person."""
    family, first, last = _FAMILY[number % 5], _FIRST[number // 5 % 5], _LAST[number // 25 % 5]
    return {
        "names": [
            {"name": f"{family[0]}{first[0]}{last[0]}", "language": "ko"},
            {"name": f"{family[1]} {first[1]}-{last[1]}"},
        ],
        "birth_date": str(1985 + number % 20),
        "nationalities": ["KR"],
        "roles": [{"role": category, "since": "2025"}],
    }
