"""Every list, asked by many callers in many ways, against the same list made in Python from what was shared with whom.

And nothing hidden is felt in them: pages, their ends and their order stay what they were when others add records.
"""

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app.access.handling import Audience
from app.core import clock
from app.core.database_roles import DatabaseRole
from app.core.ids import uuid7
from tests.access.scene import PATH, end_membership, found_group
from tests.access.world import Shared, World
from tests.conftest import Hub, Partner

AGENCIES = ["KR-KNPA", "KH-CNP", "TH-RTP", "VN-MPS", "INTERPOL", "LA-DOP"]
NAMES = ["Bokor Group", "Bokor Ring", "보코르 그룹", "西港集团", "ក្រុមបូកគោ", "MS-13", "Āsia Nętwork"]
RECORDS = 40
CAVEAT = "Ask the originator before acting on this."

QUERIES: list[dict[str, Any]] = [
    {},
    {"order": "created_at"},
    {"status": "active"},
    {"threat_level": "high", "order": "created_at"},
    {"activity": "phone_scam"},
    {"country": "KH", "status": "active"},
    {"kind": "gang"},
    {"originator": "KR-KNPA"},
    {"originator": "KH-CNP", "status": "active"},
    {"originator": "HUB"},
    {"shared_with_me": "true"},
    {"shared_with_me": "false"},
    {"shared_with_me": "false", "status": "active"},
    {"shared_with_me": "false", "originator": "KR-KNPA"},
    {"shared_with_me": "true", "activity": "phone_scam", "order": "created_at"},
    {"external_id": "2026-1"},
    {"external_id": "2026-1", "shared_with_me": "false"},
    {"external_id": "no such number"},
]


@dataclass
class Shown:
    """A record as its originator last knew it, and with whom it is shared."""

    document: dict[str, Any]
    audience: Audience
    acknowledged: set[str] = field(default_factory=set)
    """The agencies that acknowledged its caveat, where it has H3."""

    def lies_open(self, agency: str) -> bool:
        """Whether it says anything to an agency that sees it."""
        told = self.document
        return told["state"] == "current" and (
            "H3" not in told["handling"]["codes"] or told["originator"] == agency or agency in self.acknowledged
        )

    @property
    def shared(self) -> Shared:
        return Shared(UUID(self.document["id"]), self.document["originator"], self.audience)

    def fits(self, query: dict[str, Any], agency: str) -> bool:
        told = self.document
        current = self.lies_open(agency)
        own = told["originator"] == agency
        if query.get("shared_with_me", str(not own).lower()) != str(not own).lower():
            return False
        checks: dict[str, Callable[[Any], bool]] = {
            "originator": lambda value: told["originator"] == value,
            "external_id": lambda value: (current or told["state"] == "retracted") and told["external_id"] == value,
            "status": lambda value: current and told["status"] == value,
            "threat_level": lambda value: current and told["threat_level"] == value,
            "kind": lambda value: current and told["kind"] == value,
            "activity": lambda value: current and value in [activity["type"] for activity in told["activities"]],
            "country": lambda value: current and value in [place["country"] for place in told["locations"]],
        }
        return all(checks[name](value) for name, value in query.items() if name in checks)


@dataclass
class Library:
    """A hub full of records, and the model of it."""

    hub: Hub
    world: World
    partners: dict[str, Partner]
    records: list[Shown]

    def expected(self, agency: str, query: dict[str, Any]) -> list[str]:
        order = query.get("order", "updated_at")
        seen = [
            record.document
            for record in self.records
            if self.world.sees(record.shared, agency) and record.fits(query, agency)
        ]
        return [told["id"] for told in sorted(seen, key=lambda told: (told[order], told["id"]), reverse=True)]


def _handling(chance: random.Random, originator: str, groups: list[UUID]) -> dict[str, Any]:
    others = [agency for agency in AGENCIES if agency != originator]
    named = chance.sample(others, chance.randint(0, 2))
    chosen = chance.sample(groups, chance.randint(0, 1))
    caveated = chance.random() < 0.4
    return {
        "tlp": "GREEN",
        "codes": ["H3"] if caveated else [],
        "caveat": CAVEAT if caveated else None,
        "audience": {
            "agencies": named,
            "groups": [str(group) for group in chosen],
            "observers_of": [str(group) for group in chosen if chance.random() < 0.5],
            "community": chance.random() < 0.2,
            "excluded": chance.sample([agency for agency in others if agency not in named], chance.randint(0, 1)),
        },
    }


async def _add(chance: random.Random, partner: Partner, groups: list[UUID]) -> Shown:
    number = chance.choice([None, "2026-1", "2026-2"])
    fields = {
        "status": chance.choice(["active", "dormant"]),
        "threat_level": chance.choice([None, "high"]),
        "kind": chance.choice(["gang", "cartel"]),
        "activities": [{"type": kind} for kind in chance.sample(["phone_scam", "kidnapping", "extortion"], 2)],
        "locations": [{"country": chance.choice(["KH", "MM"])}],
        "external_id": number,
        "handling": _handling(chance, partner.agency, groups),
    }
    answer = await partner.post(PATH, {"name": chance.choice(NAMES), **fields})
    if answer.status_code == 409:
        return await _add(chance, partner, groups)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    return Shown(told, Audience.model_validate(told["handling"]["audience"]))


async def _change(chance: random.Random, record: Shown, partner: Partner, groups: list[UUID]) -> None:
    path, match = f"{PATH}/{record.document['id']}", f'"{record.document["version"]}"'
    what = chance.random()
    if what < 0.3:
        answer = await partner.patch(path, {"status": "relocated"}, match)
        record.document = answer.json()
    elif what < 0.5:
        answer = await partner.call("POST", f"{path}/retract", headers={"If-Match": match})
        record.document |= answer.json()
    else:
        handling = _handling(chance, partner.agency, groups)
        answer = await partner.put(f"{path}/handling", handling, '"1"')
        record.audience = Audience.model_validate(answer.json()["audience"])
        record.document = (await partner.get(path)).json()
    assert answer.status_code == 200, answer.text


@pytest.fixture
async def library(hub: Hub) -> Library:
    chance = random.Random(20261122)  # noqa: S311 - the same library every time
    partners = {code: hub.partner(code) for code in AGENCIES}
    first, second = dict.fromkeys(AGENCIES[1:], "member"), dict.fromkeys(AGENCIES[1:], "observer")
    groups = [found_group(hub, AGENCIES[0], first), found_group(hub, AGENCIES[0], second)]
    world = World(AGENCIES, groups)
    for group, roles in zip(groups, (first, second), strict=True):
        world.memberships |= {(group, code): role for code, role in {AGENCIES[0]: "chair", **roles}.items()}
    records = [await _add(chance, partners[chance.choice(AGENCIES)], groups) for _ in range(RECORDS)]
    for record in chance.sample(records, RECORDS // 2):
        await _change(chance, record, partners[record.document["originator"]], groups)
    # What a membership opened ends with it, for records of before and after.
    for group, agency in ((groups[0], "TH-RTP"), (groups[1], "INTERPOL")):
        end_membership(hub, group, agency)
        del world.memberships[group, agency]
    for record in records:
        for agency in chance.sample(AGENCIES, 3):
            path = f"{PATH}/{record.document['id']}/handling/acknowledge"
            if (await partners[agency].post(path, {"caveat": CAVEAT})).status_code == 200:
                record.acknowledged.add(agency)
    assert any(record.acknowledged for record in records)
    return Library(hub, world, partners, records)


async def _walk(partner: Partner, query: dict[str, Any], limit: int) -> list[str]:
    found: list[str] = []
    parameters = {**query, "limit": limit}
    while True:
        page = (await partner.get(PATH, params=parameters)).json()
        found += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        assert len(page["items"]) == limit
        parameters["cursor"] = page["next_cursor"]


async def test_lists_show_what_the_rule_says(library: Library) -> None:
    for agency, partner in library.partners.items():
        for query in QUERIES:
            for limit in (3, 50):
                assert await _walk(partner, query, limit) == library.expected(agency, query), (agency, query, limit)

    with psycopg.connect(library.hub.conninfo(DatabaseRole.API)) as connection:
        for agency, partner in library.partners.items():
            with connection.transaction():
                connection.execute(
                    "SELECT enter(%s, %s, %s, NULL, '', NULL, NULL)", (partner.client_id, uuid7(), clock.now())
                )
                rows = connection.execute("SELECT id::text FROM records ORDER BY updated_at DESC, id DESC").fetchall()
            assert [row[0] for row in rows] == library.expected(agency, {})


async def test_csv_has_the_rows_of_the_list_and_no_more(library: Library) -> None:
    for agency, partner in library.partners.items():
        answer = await partner.get(PATH, params={"limit": 500}, headers={"Accept": "text/csv"})
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [row["id"] for row in rows] == library.expected(agency, {})
        for row in rows:
            hidden = {name for name in row if name.startswith("handling.") and row[name]}
            if row["originator"] != agency:
                assert (row["name"] != "") is (row["state"] == "current")
                assert hidden <= {"handling.tlp", "handling.codes", "handling.caveat", "handling.review_on"}


async def test_search_finds_what_is_seen_and_nothing_else(library: Library) -> None:
    for agency, partner in library.partners.items():
        for name in NAMES:
            found = await _walk(partner, {"q": name}, 50)
            seen = library.expected(agency, {})
            named = {
                record.document["id"]
                for record in library.records
                if record.document["name"] == name and record.lies_open(agency)
            }
            says_nothing = {record.document["id"] for record in library.records if not record.lies_open(agency)}
            assert not says_nothing & set(found)
            assert set(found) <= set(seen)
            assert named & set(seen) <= set(found)
            assert len(found) == len(set(found))
            narrowed = await _walk(partner, {"q": name, "status": "active", "shared_with_me": "true"}, 2)
            expected = set(library.expected(agency, {"status": "active", "shared_with_me": "true"}))
            # Where filters leave room, names that are less alike come in.
            assert set(found) & expected <= set(narrowed) <= expected


async def test_references_and_numbers_of_hidden_records_lead_nowhere(library: Library) -> None:
    for agency, partner in library.partners.items():
        seen = set(library.expected(agency, {}))
        for record in library.records:
            told = record.document
            found = await _walk(partner, {"reference": told["reference"]}, 50)
            assert found == ([told["id"]] if told["id"] in seen else [])


async def test_what_is_hidden_is_not_felt_in_what_is_shown(library: Library) -> None:
    """Others add hundreds of records with the same names, facets and numbers: no answer changes by a byte."""

    async def everything() -> list[Any]:
        answers = []
        for partner in list(library.partners.values())[:3]:
            for query in [*QUERIES, *({"q": name} for name in [*NAMES, "bokorr", "grup", "asia netwrk", "ms 13"])]:
                for limit in (2, 50):
                    answer = await partner.get(PATH, params={**query, "limit": limit})
                    page = answer.json()
                    answers.append(
                        (page["items"], page["next_cursor"] and len(page["next_cursor"]), "link" in answer.headers)
                    )
        return answers

    before = await everything()
    stranger = library.hub.register("MM-MPF")
    with psycopg.connect(library.hub.conninfo(DatabaseRole.OWNER)) as engine:
        engine.execute("SET ROLE interdesk_engine")
        engine.execute(
            "INSERT INTO records (id, kind, reference, originator, external_id, created_at, updated_at, handling,"
            " audience, names, facets, document, shared_document)"
            " SELECT gen_random_uuid(), r.kind, 'MM-' || n || '-' || r.id, %(agency)s, r.external_id || n || r.id,"
            " clock_timestamp(), clock_timestamp(), r.handling, ARRAY[%(agency)s], r.names || ('Bokorr ' || n),"
            " r.facets, r.document, r.shared_document FROM records r, generate_series(1, 12) AS n",
            {"agency": stranger},
        )
    assert await everything() == before
