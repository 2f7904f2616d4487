"""Invented profiles of criminal organizations, about 2 KB of JSON each.

Every part of a profile follows from its number alone, so a request can name any profile without asking the database.
Names, people, numbers and places are made up; phones are from ranges kept for fiction, domains from RFC 2606.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=7)
"""Between the creation of one profile and the next."""

FIRST = ["Copper", "Lantern", "Monsoon", "Pepper", "Cobalt", "Saffron", "Mangrove", "Quarry", "Pelican", "Orchid",
         "Basalt", "Ferry", "Indigo", "Teak", "Marble"]  # fmt: skip
SECOND = ["Anchor", "Kettle", "Ladder", "Willow", "Compass", "Barley", "Mirror", "Saddle", "Thimble", "Gravel",
          "Feather", "Cedar", "Turnip", "Pebble"]  # fmt: skip
LAST = ["Circle", "Ring", "Network", "House", "Crew", "Company", "Family", "Table", "Office"]
NATIVE = {
    "ko": (["구리", "등불", "장마", "후추", "사프란", "나침반", "버들", "자갈"], ["회", "파", "조직", "상회"]),
    "km": (["ទន្លេ", "ភ្នំ", "ផ្កា", "ចង្កៀង", "ស្ពាន់"], ["ក្រុម", "បណ្តាញ"]),
    "th": (["แม่น้ำ", "ภูเขา", "โคมไฟ", "ทองแดง", "พริกไทย"], ["กลุ่ม", "เครือข่าย"]),
    "zh": (["铜灯", "季风", "胡椒", "罗盘", "柳树"], ["会", "公司"]),
}
GIVEN = ["Dara", "Min-ho", "Sopheap", "Anan", "Jia", "Lwin", "Thuy", "Arif", "Rosalie", "Marek", "Inés"]
FAMILY = ["Testov", "Sampleson", "Exemplar", "Probe", "Musterberg", "Muestra", "Esimerkki", "Voorbeeld"]
PLACES = [
    ("KH", "KH-7", "Hillside"), ("KH", "KH-18", "Seafront"), ("TH", "TH-63", "Riverside"),
    ("MM", "MM-13", "Borderland"), ("LA", "LA-BK", "Terrace"), ("PH", "PH-PAM", "Airfield"),
]  # fmt: skip
KINDS = ["syndicate", "gang", "scam_compound_operator", "cartel", "network", "cell"]
STATUSES = ["suspected", "active", "active", "relocated", "dormant", "dismantled"]
THREATS = ["low", "medium", "high", "critical"]
ACTIVITIES = ["kidnapping", "illegal_detention", "phone_scam", "investment_scam", "romance_scam", "employment_scam",
              "online_gambling", "drug_trafficking", "money_laundering", "extortion"]  # fmt: skip
LOCATION_ROLES = ["compound", "base", "call_centre", "safe_house", "detention_site", "front_company"]
MEMBER_ROLES = ["leader", "recruiter", "guard", "bookkeeper", "driver"]
SENTENCES = [
    "Recruits through advertisements for well-paid office work and takes the passports on arrival.",
    "Callers follow a script in four languages and are moved between floors every second week.",
    "Families are asked for a ransom in a stablecoin and shown a video call as proof of life.",
    "Takings leave the site in cash with a courier who changes vehicles at the provincial border.",
    "Moved its equipment overnight after an inspection was announced in a local newspaper.",
    "Sells workers who miss their target to a neighbouring site for the price of their debt.",
    "Rents the upper floors of a hotel through a company whose director has never been seen.",
    "Keeps a second set of books with a relative of the manager in another country.",
]

Item = TypeVar("Item")


@dataclass(frozen=True)
class Caller:
    """An agency that the bench signs in as, and the share of all profiles that it may see (None: a fixed number).

    `groups` are the numbers of the groups it stands in; its code, the community and each of them are its principals.
    """

    key: str
    agency: str
    share: float | None
    groups: range

    @property
    def principals(self) -> int:
        """How many principals the database compares a record's audience with."""
        return 2 + len(self.groups)


COUNCIL = 0
"""The group that sees 15 % of all profiles, and that callers in the groups after it join, so that they see the same."""
BUSY_GROUPS = range(COUNCIL, 98)
"""Those beside the council stand in the audience of a part of what the council sees."""
IDLE_GROUPS = range(98, 127)
"""Nothing is shared with these; they make principals for callers who see little."""

WIDE = Caller("wide", "BENCH-WIDE", 0.9, IDLE_GROUPS[:1])
MEDIUM = Caller("medium", "BENCH-MEDIUM", 0.15, BUSY_GROUPS[:29])
NARROW = Caller("narrow", "BENCH-NARROW", None, IDLE_GROUPS)
STRANGER = Caller("stranger", "BENCH-OTHER", 0.0, IDLE_GROUPS)
FEW = Caller("few", "BENCH-G3", 0.15, BUSY_GROUPS[:1])
SOME = Caller("some", "BENCH-G12", 0.15, BUSY_GROUPS[:10])
MANY = Caller("many", "BENCH-G100", 0.15, BUSY_GROUPS)
CALLERS = (WIDE, MEDIUM, NARROW, STRANGER, FEW, SOME, MANY)
NARROW_COUNT = 150
"""What the narrow caller sees at every size, so that sizes can be compared at equal visible rows."""
PARTNERS = tuple(f"BENCH-P{number:02d}" for number in range(1, 31))
"""Agencies that originate and receive profiles and never call."""
VARIETY = 1_000
"""So many profiles differ in everything; later ones repeat them under other names, and a million is soon loaded."""


def group_id(number: int) -> UUID:
    """The id of a group."""
    return UUID(int=0x7 << 76 | 0b10 << 62 | number + 1)


def profile_id(number: int) -> UUID:
    """UUIDv7 (RFC 9562) of a profile: in the order of creation, the rest spread by Knuth's multiplicative hash."""
    milliseconds = int((EPOCH + number * STEP).timestamp() * 1000)
    spread = (number * 2654435761 + 97) % 2**32
    bits = milliseconds << 80 | 0x7 << 76 | (spread & 0xFFF) << 64 | 0b10 << 62 | spread << 20 | number & 0xFFFFF
    return UUID(int=bits)


def reference(number: int) -> str:
    """What people would call the profile: originator, kind, year, number."""
    return f"{originator(number)}-CO-2025-{number:06d}"


def originator(number: int) -> str:
    """Every fifth profile belongs to the wide caller, which therefore can also write; the rest to the partners."""
    return WIDE.agency if is_writable(number) else PARTNERS[number % len(PARTNERS)]


def is_writable(number: int) -> bool:
    """The wide caller is its originator."""
    return number % 5 == 0


@dataclass(frozen=True)
class Audience:
    """Who may see a profile besides its originator: agencies, and numbers of groups."""

    agencies: tuple[str, ...]
    groups: tuple[int, ...]


def audience(number: int, size: int) -> Audience:
    """Who may see profile `number` of `size`."""
    named = []
    if number % 10 != 1:
        named.append(WIDE.agency)
    if number % max(size // NARROW_COUNT, 1) == 0 and number // max(size // NARROW_COUNT, 1) < NARROW_COUNT:
        named.append(NARROW.agency)
    named += [PARTNERS[(number * step + step) % len(PARTNERS)] for step in (7, 11, 13)[: number % 4]]
    groups = (COUNCIL, 1 + number % (len(BUSY_GROUPS) - 1)) if number % 20 in {1, 8, 15} else ()
    own = originator(number)
    return Audience(tuple(agency for agency in dict.fromkeys(named) if agency != own), groups)


def sees(caller: Caller, number: int, size: int) -> bool:
    """Whether the caller may see profile `number` of `size`."""
    reached = audience(number, size)
    return caller.agency in (originator(number), *reached.agencies) or not set(reached.groups).isdisjoint(caller.groups)


def visible_to(caller: Caller, size: int) -> list[int]:
    """Numbers of the profiles, of `size`, that the caller may see."""
    if caller is NARROW:
        step = max(size // NARROW_COUNT, 1)
        return list(range(0, min(size, step * NARROW_COUNT), step))
    return [number for number in range(size) if sees(caller, number, size)] if caller.share else []


def created_at(number: int) -> datetime:
    """When the profile was created, and last changed."""
    return EPOCH + number * STEP


def name(number: int) -> str:
    """A name that is unique, with words that many share."""
    words = FIRST[number % len(FIRST)], SECOND[number // 15 % len(SECOND)], LAST[number // 210 % len(LAST)]
    return f"{' '.join(words)} {number // 1890}"


def content(number: int) -> dict[str, Any]:
    """The originator's own fields of profile `number`, as a partner system would send them."""
    return {**_content(number % VARIETY), "name": name(number)}


@cache
def _content(number: int) -> dict[str, Any]:
    dice = random.Random(number)  # noqa: S311 - no secret
    country, subdivision, quarter = PLACES[number % len(PLACES)]
    return {
        "aliases": [_alias(dice, language) for language in _some(dice, list(NATIVE), 2)],
        "kind": KINDS[number % len(KINDS)],
        "status": STATUSES[number // 3 % len(STATUSES)],
        "summary": " ".join(_some(dice, SENTENCES, 3)),
        "threat_level": THREATS[number // 7 % len(THREATS)],
        "activities": [{"type": kind, "since": "2024-03", "note": None} for kind in _some(dice, ACTIVITIES, 3)],
        "modus_operandi": " ".join(_some(dice, SENTENCES, 2)),
        "estimated_members": 5 + number % 400,
        "founded_on": f"20{10 + number % 15}-0{1 + number % 9}-11",
        "nationalities": [country, "KR"],
        "locations": [_location(dice, country, subdivision, quarter) for _ in range(2)],
        "identifiers": _identifiers(dice, number),
        "members": [_member(dice, country) for _ in range(2)],
        "relocations": [],
        "grading": {"scheme": "admiralty", "source": "B", "information": str(1 + number % 5)},
    }


def _some(dice: random.Random, items: Sequence[Item], count: int) -> list[Item]:
    start = dice.randrange(len(items))
    return [items[(start + offset) % len(items)] for offset in range(count)]


def _alias(dice: random.Random, language: str) -> dict[str, Any]:
    words, endings = NATIVE[language]
    return {"name": dice.choice(words) + dice.choice(endings), "language": language, "note": None}


def _location(dice: random.Random, country: str, subdivision: str, quarter: str) -> dict[str, Any]:
    return {
        "name": f"{quarter} building {dice.randrange(1, 40)}",
        "role": dice.choice(LOCATION_ROLES),
        "country": country,
        "subdivision": subdivision,
        "address": f"{dice.randrange(1, 900)} Example Road",
        "coordinates": {"latitude": round(dice.uniform(10, 20), 5), "longitude": round(dice.uniform(98, 106), 5)},
        "from": "2025-02-01",
        "to": None,
    }


def _identifiers(dice: random.Random, number: int) -> list[dict[str, Any]]:
    seen = {"first_seen": "2025-06-01", "last_seen": "2025-09-30", "note": None}
    return [
        {"type": "phone", "value": f"+1202555{100 + dice.randrange(100):04d}", **seen},
        {"type": "domain", "value": f"offers-{number}.example.net", **seen},
        {"type": "messenger_account", "value": f"helper_{dice.randrange(10**6):06d}", **seen},
    ]


def _member(dice: random.Random, country: str) -> dict[str, Any]:
    return {
        "name": f"{dice.choice(GIVEN)} {dice.choice(FAMILY)}",
        "native_name": None,
        "aliases": [f"Number {dice.randrange(1, 99)}"],
        "role": dice.choice(MEMBER_ROLES),
        "nationality": country,
        "note": None,
    }
