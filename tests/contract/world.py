"""The world in which the examples of the description take place: its agencies, their records, and fixed names.

The examples name everything as the documentation does. What the hub names by itself (ids, references, secrets) has a
documented name here, which stands for the actual one wherever an example is played.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx

from app.core import clock
from tests.audit.conftest import seal_now
from tests.conftest import Hub, Partner
from tests.contract import world_meetings
from tests.events.following import place
from tests.routers.entrance import below_policies, issue

PROFILES = "/v1/criminal-organizations"

IN_TWO_WEEKS = "2026-12-06T09:00:00.000000Z"
"""Two weeks after the day on which the examples take place; the actual one is counted from today."""
TWELVE_HOURS_LATER = "2026-12-06T21:00:00.000000Z"
"""The end of what begins then, and must not come before its beginning on any day on which the tests are run."""

AGENCIES = {
    "KR-KNPA": ("Korean National Police Agency", "national_police", "KR"),
    "KH-CNP": ("Cambodian National Police", "national_police", "KH"),
    "TH-RTP": ("Royal Thai Police", "national_police", "TH"),
    "SG-SPF": ("Singapore Police Force", "national_police", "SG"),
    "INTERPOL": ("INTERPOL General Secretariat", "international_organization", None),
}

PROFILE = {
    "name": "Bokor Group",
    "aliases": [{"name": "보코르 그룹", "language": "ko"}],
    "kind": "scam_compound_operator",
    "status": "active",
    "summary": "Runs phone and employment scams from a former hotel and holds recruits against their will.",
    "threat_level": "high",
    "activities": [{"type": "employment_scam", "since": "2024"}, {"type": "illegal_detention"}],
    "estimated_members": 120,
    "nationalities": ["KR", "CN"],
    "locations": [{"name": "Bokor mountain site", "role": "compound", "country": "KH", "subdivision": "KH-7"}],
    "identifiers": [{"type": "phone", "value": "+855 23 000 000"}],
    "members": [{"name": "CHOI Example", "native_name": "최 예시", "role": "recruiter", "nationality": "KR"}],
    "relocations": [{"from": "PH", "to": "KH", "on": "2023", "reason": "Raids in the former place."}],
    "grading": {"scheme": "admiralty", "source": "B", "information": "2"},
    "external_id": "2026-1187",
    "handling": {"tlp": "AMBER", "codes": ["H2"], "audience": {"agencies": ["KH-CNP"], "excluded": ["TH-RTP"]}},
}


CAVEAT = "Do not act on this without asking first: a source would be known by it."
"""Of the profile that readers are to acknowledge."""


def documented_id(number: int) -> str:
    """A UUIDv7 of the day on which the examples take place."""
    return f"01a202b0-{number:04x}-7c52-9d3f-2a6b8e1f4c70"


@dataclass
class World:
    """A hub with everything in it that the examples name."""

    hub: Hub
    names: dict[str, str] = field(default_factory=dict)
    """Documented names, and the actual ones."""
    clients: dict[str, str] = field(default_factory=dict)
    """The credential of each caller."""
    partners: dict[str, Partner] = field(default_factory=dict)

    def on(self, hub: Hub) -> "World":
        """This world on a copy of its database."""
        return replace(self, hub=hub, names=dict(self.names), clients=dict(self.clients), partners={})

    def actual(self, text: str) -> str:
        for documented, actual in self.names.items():
            text = text.replace(documented, actual)
        return text

    def documented(self, text: str) -> str:
        for documented, actual in self.names.items():
            text = text.replace(actual, documented)
        return text

    def caller(self, who: str) -> Partner:
        """A signed-in system: its agency and its roles, for example `KR-KNPA analyst`."""
        if who not in self.partners:
            agency, *roles = who.split()
            self.partners[who] = self.hub.caller(agency, *roles, client_id=self.clients.get(who))
            self.clients[who] = self.partners[who].client_id
            letters = "".join(filter(str.isalpha, who.lower()))
            self.names[f"idc_{letters:a<26.26}"] = self.clients[who]
        return self.partners[who]

    async def call(self, who: str | None, method: str, path: str, **options: Any) -> httpx.Response:
        if who is None:
            return await self.hub.client.request(method, path, **options)
        return await self.caller(who).call(method, path, **options)

    def name(self, number: int, answer: httpx.Response) -> str:
        """Give what was just created its documented id and reference; return the actual id."""
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        self.names[documented_id(number)] = made.get("link_id", made["id"])
        if "reference" in made:
            originator_and_kind = made["reference"].rsplit("-", 2)[0]
            self.names[f"{originator_and_kind}-2026-{481900 + number}"] = made["reference"]
        return self.names[documented_id(number)]


async def build(hub: Hub, *further: Callable[[World], Awaitable[None]]) -> World:
    """Make the world, through the API as partners' systems would; `further` are what has files of its own."""
    soon = (clock.now() + timedelta(days=14)).replace(microsecond=0)
    days = {IN_TWO_WEEKS: clock.rfc3339(soon), TWELVE_HOURS_LATER: clock.rfc3339(soon + timedelta(hours=12))}
    world = World(hub, {"https://hub.example": hub.settings.public_url, **days})
    for code, (name, kind, country) in AGENCIES.items():
        hub.operator(
            "INSERT INTO agencies (code, name, kind, country) VALUES (%s, %s, %s, %s)", code, name, kind, country
        )
    for more in further:
        await more(world)
    await _build_recalls(world)
    await _build_profiles(world)
    await _build_retention(world)
    await _build_sign_in(world)
    await _build_groups(world)
    await _build_agreements(world)
    await _build_administration(world)
    await _build_audit(world)
    await _build_caveat(world)
    await world_meetings.build(world)
    place(hub)
    return world


async def _build_profiles(world: World) -> None:
    korea, cambodia = world.caller("KR-KNPA analyst"), world.caller("KH-CNP analyst")
    profile = world.name(1, await korea.post(PROFILES, PROFILE))
    other = world.name(
        2,
        await korea.post(PROFILES, {"name": "Sihanoukville ring", "handling": {"audience": {"agencies": ["KH-CNP"]}}}),
    )
    path = f"{PROFILES}/{profile}"
    world.name(3, await korea.post(f"{path}/relations", {"type": "funds", "target": other, "since": "2024"}))
    world.name(
        4, await korea.post(f"{path}/links", {"type": "related_to", "kind": "criminal-organizations", "id": other})
    )
    asked = {
        "agencies": ["INTERPOL", "SG-SPF"],
        "reason": "Two of its recruiters travel on to Singapore, case 2026-1188.",
        "respond_by": world.actual(IN_TWO_WEEKS),
    }
    world.name(141, await cambodia.post(f"{PROFILES}/{other}/onward-requests", asked))
    observed = {"assessment": "corroborates", "observed_on": "2026-10", "note": "Lights and guards seen at night."}
    world.name(5, await cambodia.post(f"{path}/sightings", observed))
    proposed = {"patch": {"status": "relocated"}, "note": "The site stood empty on 18 November."}
    world.name(6, await cambodia.post(f"{path}/amendments", proposed))
    opened = {"agencies": ["INTERPOL"], "purpose": "Notices for two of its members, case 2026-1187."}
    world.name(7, await korea.post(f"{path}/disclosures", opened, headers={"On-Behalf-Of": "Insp. Example"}))
    urgent = {"agencies": ["SG-SPF"], "purpose": "Search at sea.", "emergency": True, "reason": "A victim called."}
    commander = world.caller("KR-KNPA commander")
    world.name(40, await commander.post(f"{path}/disclosures", urgent))
    gone = world.name(8, await korea.post(PROFILES, {"name": "Entered twice"}))
    answer = await korea.call("POST", f"{PROFILES}/{gone}/retract", headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text


async def _build_recalls(world: World) -> None:
    korea, interpol = world.caller("KR-KNPA analyst"), world.caller("INTERPOL analyst")
    shared = {"tlp": "AMBER", "audience": {"agencies": ["INTERPOL", "TH-RTP"]}}
    taken = world.name(50, await korea.post(PROFILES, {"name": "Harbour cell", "handling": shared}))
    body = {"agencies": ["INTERPOL", "TH-RTP"], "reason": "The source took back its consent."}
    recall = await korea.post(f"{PROFILES}/{taken}/recalls", body)
    assert recall.status_code == 201, recall.text
    world.names[documented_id(51)] = recall.json()["id"]
    done = await interpol.post(f"/v1/recalls/{recall.json()['id']}/acknowledge", {"outcome": "deleted"})
    assert done.status_code == 200, done.text


async def _build_retention(world: World) -> None:
    korea, today = world.caller("KR-KNPA analyst"), clock.now().date()
    held = {"reason": "Evidence in the Bokor trial.", "authority": "Seoul Central District Court, 2026Gahap1187"}
    world.name(20, await korea.post(f"{PROFILES}/{world.names[documented_id(1)]}/legal-holds", held))
    near = {"name": "Kampot ring", "handling": {"review_on": str(today + timedelta(days=90))}}
    kept = world.name(21, await korea.post(PROFILES, near))
    sooner = {"reason": "Trial pending.", "review_on": str(today + timedelta(days=180))}
    answer = await korea.post(f"{PROFILES}/{kept}/renew", sooner, '"1"', headers={"On-Behalf-Of": "Insp. Example"})
    assert answer.status_code == 200, answer.text


async def _build_sign_in(world: World) -> None:
    key = issue(world.hub, "KR-KNPA", "analyst", label="case system")
    world.names["idc_casesystemaaaaaaaaaaaaaaaa"] = key.client_id
    world.names["ids_0000000000000000000000000000000000000000000"] = key.secret
    world.names["eyJhbGciOiJFUzI1NiJ9.example.token"] = (await key.sign_in()).access_token


async def _build_groups(world: World) -> None:
    chair = world.caller("KR-KNPA commander")
    council = {
        "kind": "council",
        "name": "Bokor response council",
        "purpose": "Find and free the people held at Bokor.",
        "members": [
            {"agency": "KH-CNP"},
            {"agency": "INTERPOL", "role": "observer"},
            {"agency": "SG-SPF"},
            {"agency": "TH-RTP"},
        ],
    }
    path = f"/v1/groups/{world.name(9, await chair.post('/v1/groups', council))}"
    for member in ("KH-CNP", "INTERPOL", "SG-SPF"):
        await world.caller(f"{member} commander").accept(path)
    left = await world.caller("SG-SPF commander").call("DELETE", f"{path}/members/SG-SPF")
    assert left.status_code == 204, left.text
    world.caller("TH-RTP commander")


AGREEMENT = {
    "kind": "mou",
    "title": "Memorandum on scam compounds",
    "parties": ["KH-CNP", "KR-KNPA"],
    "record_kinds": ["criminal-organizations", "incident-reports"],
    "crime_types": ["employment_scam", "kidnapping", "phone_scam"],
    "purposes": ["Search for missing persons", "Joint operations"],
    "persons_data": True,
    "territory": ["KH", "KR"],
    "valid_from": "2025-11-27",
    "valid_until": "2095-11-26",
    "documents": [{"title": "English text", "url": "https://police.example/memorandum.pdf"}],
}


async def _agree(world: World, number: int, *signers: Partner) -> str:
    """An agreement between Korea and Cambodia that is negotiated, and signed by these; its path."""
    korea = world.caller("KR-KNPA commander")
    path = f"/v1/agreements/{world.name(number, await korea.post('/v1/agreements', AGREEMENT))}"
    opened = await korea.post(f"{path}/negotiate", etag='"1"')
    signature = {"content_hash": opened.json()["content_hash"]}
    for signer in signers:
        signed = await signer.post(f"{path}/sign", signature, etag='"2"', headers={"On-Behalf-Of": "Insp. Example"})
        assert signed.status_code == 200, signed.text
    return path


async def _build_agreements(world: World) -> None:
    korea, cambodia = world.caller("KR-KNPA commander"), world.caller("KH-CNP commander")
    await _agree(world, 41, korea)
    await _agree(world, 42, korea, cambodia)
    reason = {"reason": "The safeguards agreed on are not in place."}
    suspended = await cambodia.post(f"{await _agree(world, 43, korea, cambodia)}/suspend", reason, etag='"3"')
    assert suspended.status_code == 200, suspended.text
    world.name(44, await korea.post("/v1/agreements", AGREEMENT))


async def _build_administration(world: World) -> None:
    for agency in ("KR-KNPA", "KH-CNP", "INTERPOL"):
        world.caller(f"{agency} agency_admin")
    hub = world.caller("HUB platform_admin")
    world.name(10, await hub.post("/v1/agencies/KH-CNP/recovery", {"label": "recovered by the hub"}))
    due = world.name(11, await hub.post("/v1/agencies/INTERPOL/recovery", {"label": "recovered by the hub"}))
    below_policies(
        world.hub,
        "UPDATE recoveries SET requested_at = requested_at - interval '1 day',"
        " effective_at = effective_at - interval '1 day' WHERE id = %s",
        due,
    )
    suspended = await hub.post("/v1/agencies/SG-SPF/suspend", etag="*")
    assert suspended.status_code == 200, suspended.text


async def _build_caveat(world: World) -> None:
    korea, interpol = world.caller("KR-KNPA analyst"), world.caller("INTERPOL analyst")
    handling = {
        "tlp": "AMBER",
        "codes": ["H1", "H3"],
        "caveat": CAVEAT,
        "audience": {"agencies": ["KH-CNP", "INTERPOL"]},
    }
    path = f"{PROFILES}/{world.name(60, await korea.post(PROFILES, {'name': 'Lantern Circle', 'handling': handling}))}"
    answer = await interpol.post(f"{path}/handling/acknowledge", {"caveat": CAVEAT})
    assert answer.status_code == 200, answer.text
    world.names[documented_id(61)] = answer.json()["id"]


async def _build_audit(world: World) -> None:
    await seal_now(world.hub)
    trail = await world.caller("KR-KNPA auditor").get("/v1/audit-entries", params={"of": "records", "limit": 1})
    world.names[documented_id(12)] = trail.json()["items"][0]["id"]
