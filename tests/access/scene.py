"""One hidden record with everything that can hang on it, and every kind of caller who must not know of it."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.ids import uuid7
from app.identity.roles import Permission, Role
from tests.conftest import Hub, Partner
from tests.routers import incidents, operating, repatriating, transporting
from tests.routers.agreeing import conclude, draft, moved
from tests.routers.attaching import attached
from tests.routers.convening import assign, call
from tests.routers.convening import draft as draft_meeting
from tests.routers.entrance import below_policies

PATH = "/v1/criminal-organizations"

ORIGINATOR, READER, SEES_BY_GROUP = "KR-KNPA", "KH-CNP", "PH-PNP"
STRANGER, REMOVED, EXCLUDED, LOST, SUSPENDED = "TH-RTP", "VN-MPS", "LA-DOP", "MY-RMP", "ID-INP"
OBSERVER = "SG-SPF"
"""Observes the group, and its observers were not named."""
INVITED, INVITED_TOO, DECLINED = "AU-AFP", "FJ-FPF", "NZ-NZP"
"""Were invited to the group, and have not answered, or declined."""
LEFT = "JP-NPA"
PARTY, LAPSED = "BN-RBPF", "MM-MPF"
"""Saw the record on an agreement that is suspended now, and in an emergency that has lapsed."""
IN_THE_WAY, WITH_THEM = "PE-PNP", "CL-PDI"
"""Lead and take part in an operation that collides with the one of the scene."""


CAVEAT = "Ask the originator before acting on this."

POWERS = ("analyst", "operations_officer", "liaison_officer", "commander", "agency_admin")
"""Roles that may call nearly everything there is."""


@dataclass
class Scene:
    """The hub with the hidden record."""

    hub: Hub
    originator: Partner
    reader: Partner
    strangers: dict[str, Partner]
    """Callers who must not know of the record, each under the reason why."""
    record: dict[str, Any]
    group: UUID
    """A council of which the record's originator is the chair, and through which the record is shared too."""
    recovery: UUID
    agreement: str = ""
    """Between the originator and an agency that sees the record by the group; in force."""
    operation: dict[str, str] = field(default_factory=dict)
    """The id of a joint operation of the originator and a reader, and those of what hangs on it."""
    incident: dict[str, str] = field(default_factory=dict)
    """The id of an urgent incident report of the originator's, and those of what hangs on it."""
    repatriation: dict[str, str] = field(default_factory=dict)
    """The id of a repatriation request of the originator's to a reader, and those of what hangs on it."""
    attachment: str = ""
    """The id of what is attached to the record."""
    transport: dict[str, str] = field(default_factory=dict)
    """The id of a transport of the originator's, which a reader and a member of the group take part in, and those of
    somebody on it who comes from a request to the reader."""
    draft: str = ""
    """An agreement with a reader, of which nobody but the originator knows yet."""
    left: Partner = field(init=False)
    """A participant that has left the operation."""
    meeting: dict[str, str] = field(default_factory=dict)
    """Ids of a meeting of the reader and the group, which strangers were dropped from, and of what hangs on it."""
    draft_meeting: str = ""
    """A meeting to which the originator has not called anybody yet."""
    parts: dict[str, str] = field(default_factory=dict)
    """Ids of what hangs on the record, by the name of the path parameter."""

    @property
    def path(self) -> str:
        return f"{PATH}/{self.record['id']}"

    async def acknowledge(self, reader: Partner) -> None:
        """Let an agency acknowledge the record's caveat, without which it is shown nothing."""
        acknowledged = await reader.post(f"{self.path}/handling/acknowledge", {"caveat": CAVEAT})
        assert acknowledged.status_code == 200, acknowledged.text


def found_group(hub: Hub, chair: str, members: dict[str, str]) -> UUID:
    """A group as it stands in the tables, with roles by agency."""
    group = uuid7()
    below_policies(
        hub,
        "INSERT INTO groups (id, kind, name, chair, created_at, updated_at)"
        " VALUES (%s, 'council', 'Council of the scene', %s, clock_timestamp(), clock_timestamp())",
        group,
        chair,
    )
    for agency, role in {chair: "chair", **members}.items():
        below_policies(hub, "INSERT INTO memberships (group_id, agency, role) VALUES (%s, %s, %s)", group, agency, role)
    return group


def invite(hub: Hub, group: UUID, agency: str, *, declined: bool = False) -> None:
    """An invitation as it stands in the tables."""
    below_policies(
        hub,
        "INSERT INTO invitations (group_id, agency, version, role, invited_at, ended_at)"
        " VALUES (%s, %s, 1, 'member', clock_timestamp(), CASE WHEN %s THEN clock_timestamp() END)",
        *(group, agency, declined),
    )


def expel(hub: Hub, group: UUID, agency: str) -> None:
    end_membership(hub, group, agency)
    below_policies(
        hub,
        "INSERT INTO expulsions (group_id, agency, version, reason)"
        " SELECT group_id, agency, version, 'It told others.' FROM memberships WHERE group_id = %s AND agency = %s",
        *(group, agency),
    )


def end_membership(hub: Hub, group: UUID, agency: str) -> None:
    below_policies(
        hub,
        "UPDATE memberships SET until = clock_timestamp() WHERE group_id = %s AND agency = %s AND until IS NULL",
        group,
        agency,
    )


def _ask_for_recovery(hub: Hub) -> UUID:
    recovery = uuid7()
    below_policies(
        hub,
        "INSERT INTO recoveries (id, agency, label, requested_by, requested_at, effective_at)"
        " VALUES (%s, %s, 'way back', 'hub', now(), now() + interval '24 hours')",
        recovery,
        ORIGINATOR,
    )
    return recovery


async def set_scene(hub: Hub) -> Scene:
    """Build everything over HTTP, except for what another room administers."""
    originator, reader = hub.partner(ORIGINATOR, *POWERS), hub.partner(READER)
    lost, removed = hub.partner(LOST, *POWERS), hub.partner(REMOVED, *POWERS)
    registered = (SEES_BY_GROUP, STRANGER, EXCLUDED, SUSPENDED, OBSERVER)
    for agency in (*registered, INVITED, INVITED_TOO, DECLINED, PARTY, LAPSED):
        hub.register(agency)
    group = found_group(
        hub,
        ORIGINATOR,
        {SEES_BY_GROUP: "member", REMOVED: "member", EXCLUDED: "member", OBSERVER: "observer"},
    )
    invite(hub, group, INVITED)
    invite(hub, group, INVITED_TOO)
    invite(hub, group, DECLINED, declined=True)
    audience = {"agencies": [READER, LOST, SUSPENDED], "groups": [str(group)], "excluded": [EXCLUDED]}
    record = await originator.profile(
        "Bokor Group",
        external_id="2026-1187",
        status="active",
        threat_level="high",
        activities=[{"type": "phone_scam"}],
        locations=[{"country": "KH"}],
        handling={"tlp": "AMBER", "codes": ["H1", "H3"], "caveat": CAVEAT, "audience": audience},
    )
    other = await originator.profile("Sihanouk Ring", handling={"tlp": "AMBER", "audience": audience})
    scene = Scene(hub, originator, reader, {}, record, group, _ask_for_recovery(hub))
    scene.attachment = (await attached(originator, record["id"])).rpartition("/")[2]
    scene.parts = await _hang_on(scene, other["id"], lost, removed)
    scene.agreement = await _agree(originator, hub.caller(SEES_BY_GROUP, *POWERS))
    scene.draft = await draft(originator, READER)
    scene.operation, scene.left = await _operate(scene)
    await _meet(scene)
    scene.incident = await _report(scene, lost, removed)
    scene.repatriation = await _repatriate(scene, lost)
    scene.transport = await _transport(scene)
    await _open_for_a_while(scene)
    # What they contributed while they could see the record must not be a way back to it.
    handling = await originator.get(f"{scene.path}/handling")
    narrower = {**handling.json(), "audience": {**audience, "agencies": [READER, SUSPENDED, PARTY]}}
    answer = await originator.put(f"{scene.path}/handling", narrower, handling.headers["ETag"])
    assert answer.status_code == 200, answer.text
    # Whoever lost sight by that was asked what it did with its copies.
    ((recall,),) = hub.look("SELECT id FROM recalls WHERE record_id = %s", record["id"])
    scene.parts["recall_id"] = str(recall)
    expel(hub, group, REMOVED)
    scene.strangers = _strangers(hub, lost, removed)
    return scene


async def _open_for_a_while(scene: Scene) -> None:
    """Share the record on an agreement and in an emergency, and let both end."""
    party = scene.hub.caller(PARTY, *POWERS)
    agreement = await conclude(scene.originator, party)
    disclosures = f"{scene.path}/disclosures"
    lawful = {
        "agencies": [PARTY],
        "legal_basis": agreement.rpartition("/")[2],
        "purpose": "Search for a missing person.",
    }
    urgent = {"agencies": [LAPSED], "purpose": "Search.", "emergency": True, "reason": "A victim called."}
    for sent in (lawful, urgent):
        answer = await scene.originator.post(disclosures, sent)
        assert answer.status_code == 201, answer.text
    await moved(party, agreement, "suspend", {"reason": "The safeguards are not in place."})
    below_policies(scene.hub, "UPDATE emergencies SET until = clock_timestamp()")


async def _operate(scene: Scene) -> tuple[dict[str, str], Partner]:
    """Propose an operation to a reader and to an agency that leaves it."""
    lead, reader = scene.originator, scene.hub.caller(READER, *POWERS)
    left = scene.hub.partner(LEFT, *POWERS)
    resources = [{"agency": READER, "kind": "officers", "quantity": 40}]
    phases = [{"name": "Entry", "tasks": [{"title": "Watch the gate", "agency": READER}]}]
    path = await operating.draft(lead, READER, LEFT, resources=resources, phases=phases)
    pointer = {"type": "target", "kind": "criminal-organizations", "id": scene.record["id"]}
    link = await lead.post(f"{path}/links", pointer)
    await operating.moved(lead, path, "propose")
    assert (await operating.move(left, path, "leave", {"reason": "Needed at home."})).status_code == 204
    proposed = await operating.moved(lead, path, "propose")
    collides = scene.hub.partner(IN_THE_WAY, *POWERS)
    other = await operating.draft(collides, scene.hub.register(WITH_THEM), targets=[])
    await operating.moved(collides, other, "propose")
    (conflict,) = (await lead.get(f"{path}/conflicts")).json()["items"]
    asked = {"agencies": [STRANGER], "reason": "Search for a missing person.", "respond_by": _tomorrow()}
    made = {
        "link_id": link,
        "approval_id": await operating.decide(reader, path),
        "request_id": await reader.post(f"{path}/onward-requests", asked),
        "amendment_id": await reader.post(f"{path}/amendments", {"patch": {"codename": "Lighthouse"}}),
        "hold_id": await lead.post(f"{path}/legal-holds", {"reason": "Evidence."}),
        "disclosure_id": await lead.post(f"{path}/disclosures", {"agencies": [SUSPENDED], "purpose": "Search."}),
        "recall_id": await lead.post(f"{path}/recalls", {"agencies": [SUSPENDED], "reason": "Consent was withdrawn."}),
    }
    assert {answer.status_code for answer in made.values()} == {201}, {name: a.text for name, a in made.items()}
    parts = {
        "conflict_id": conflict["id"],
        "resource_id": proposed["resources"][0]["id"],
        "task_id": proposed["phases"][0]["tasks"][0]["id"],
    }
    ids = {name: answer.json().get("link_id") or answer.json()["id"] for name, answer in made.items()}
    operation = path.rpartition("/")[2]
    entry = _write_down(scene.hub, operation)
    return {"record_id": operation, "number": "2", "log_entry_id": str(entry), **parts, **ids}, left


def _write_down(hub: Hub, operation: str) -> UUID:
    """An entry of an operation's log as it stands in the table."""
    entry = uuid7()
    below_policies(
        hub,
        "INSERT INTO operation_log (id, record_id, agency, at, kind, entry, created_at)"
        " VALUES (%s, %s, %s, now(), 'sighting', 'Lights at the gate.', now())",
        *(entry, operation, READER),
    )
    return entry


async def _meet(scene: Scene) -> None:
    """Call a meeting of the reader and the group; others were to take part, and are not any more."""
    convener = scene.hub.caller(ORIGINATOR, "operations_officer", "analyst")
    participants = {"agencies": [READER, LOST, PARTY], "groups": [str(scene.group)]}
    said = {
        "kind": "council",
        "title": "Meeting of the scene",
        "starts_at": "2026-11-23T01:00:00Z",
        "ends_at": "2026-11-23T03:00:00Z",
        "participants": participants,
    }
    path = await call(convener, **said)
    about = {"kind": "criminal-organizations", "id": scene.record["id"]}
    link = await convener.post(f"{path}/links", about)
    item = await assign(convener, path, READER)
    narrower = await convener.patch(path, {"participants": {"agencies": [READER]}}, etag="*")
    assert (link.status_code, narrower.status_code) == (201, 200), (link.text, narrower.text)
    operation = await convener.post(f"{path}/links", {"kind": "joint-operations", "id": scene.operation["record_id"]})
    assert operation.status_code == 201, operation.text
    scene.meeting = {
        "meeting_id": path.rpartition("/")[2],
        "action_id": item.rpartition("/")[2],
        "link_id": link.json()["link_id"],
    }
    scene.draft_meeting = (await draft_meeting(convener, **said)).rpartition("/")[2]


async def _report(scene: Scene, *called: Partner) -> dict[str, str]:
    """Report an incident to those who saw the record, all of whom acknowledge it, and merge it; take it from some."""
    originator, reader = scene.originator, scene.hub.caller(READER, *POWERS)
    audience = {"agencies": [READER, LOST, SUSPENDED], "groups": [str(scene.group)], "excluded": [EXCLUDED]}
    handling = {"tlp": "AMBER", "codes": ["H1"], "audience": audience}
    path = await incidents.path_of(originator, external_id="2025-0811", victims=[incidents.HELD], handling=handling)
    other = await incidents.report(originator, handling=handling)
    made = {
        "link_id": await originator.post(f"{path}/merge", {"duplicate_of": other["id"]}),
        "disclosure_id": await originator.post(f"{path}/disclosures", {"agencies": [READER], "purpose": "Search."}),
        "hold_id": await originator.post(f"{path}/legal-holds", {"reason": "Evidence."}),
    }
    made["person_id"] = await originator.post(
        f"{path}/persons",
        {"names": [{"name": "김예시"}], "roles": [{"role": "victim", "since": "2025-07"}]},
        headers={"Access-Purpose": "case 2026-1187"},
    )
    for partner in (*called, reader):
        assert (await partner.post(f"{path}/acknowledge", {"note": "On our way."})).status_code == 200
        asked = {"agencies": [STRANGER], "reason": "Search for a missing person.", "respond_by": _tomorrow()}
        made["request_id"] = await partner.post(f"{path}/onward-requests", asked)
    made["recall_id"] = await originator.post(
        f"{path}/recalls", {"agencies": [LOST], "reason": "Consent was withdrawn."}
    )
    assert {answer.status_code for answer in made.values()} == {201}, {name: a.text for name, a in made.items()}
    ids = {name: answer.json().get("link_id") or answer.json()["id"] for name, answer in made.items()}
    return {"record_id": path.rpartition("/")[2], "number": "1", **ids}


async def _repatriate(scene: Scene, lost: Partner) -> dict[str, str]:
    """Ask a reader for somebody, after another agency; others saw the request, and do not any more."""
    originator, reader = scene.originator, scene.hub.caller(READER, *POWERS)
    audience = {"agencies": [LOST, SUSPENDED], "groups": [str(scene.group)], "excluded": [EXCLUDED]}
    handling = {"tlp": "AMBER", "audience": audience}
    path = await repatriating.submitted(originator, requested_agency=LEFT, handling=handling)
    asked_now = await originator.patch(path, {"requested_agency": READER, "external_id": "2026-2207"}, etag="*")
    assert asked_now.status_code == 200, asked_now.text
    await repatriating.stepped(reader, path, "acknowledge", "accept")
    pointer = {"type": "incident", "kind": "incident-reports", "id": scene.incident["record_id"]}
    asked = {"agencies": [STRANGER], "reason": "Search for a missing person.", "respond_by": _tomorrow()}
    made = {
        "link_id": await originator.post(f"{path}/links", pointer),
        "disclosure_id": await originator.post(f"{path}/disclosures", {"agencies": [PARTY], "purpose": "Search."}),
        "hold_id": await originator.post(f"{path}/legal-holds", {"reason": "Evidence."}),
        "message_id": await reader.post(f"{path}/messages", {"text": "We meet them at the gate."}),
        "request_id": await lost.post(f"{path}/onward-requests", asked),
        "recall_id": await originator.post(f"{path}/recalls", {"agencies": [LOST, PARTY], "reason": "Not needed."}),
    }
    made["person_id"] = await originator.post(
        f"{path}/persons",
        {"names": [{"name": "김예시"}], "roles": [{"role": "victim", "since": "2025-07"}]},
        headers={"Access-Purpose": "case 2026-1187"},
    )
    assert {answer.status_code for answer in made.values()} == {201}, {name: a.text for name, a in made.items()}
    ids = {name: answer.json().get("link_id") or answer.json()["id"] for name, answer in made.items()}
    done = await originator.post(f"{path}/checklist/escorts/complete", {"note": "Two officers."}, etag="*")
    assert done.status_code == 200, done.text
    return {"record_id": path.rpartition("/")[2], "number": "1", "item": "escorts", **ids}


async def _transport(scene: Scene) -> dict[str, str]:
    """Put people on a transport; others took part in it, and do not any more."""
    originator, reader = scene.originator, scene.hub.caller(READER, *POWERS)
    request, persons = await transporting.cleared(originator, reader, 2)
    path = await transporting.planned(originator, READER, SEES_BY_GROUP, LOST, PARTY)
    entry, _ = await transporting.added(originator, path, request, persons)
    narrower = await originator.patch(path, {"participants": [READER, SEES_BY_GROUP]}, etag='"1"')
    apart = await originator.post(f"{path}/separations", {"persons": persons})
    assert (narrower.status_code, apart.status_code) == (200, 201), (narrower.text, apart.text)
    return {
        "transport_id": path.rpartition("/")[2],
        "manifest_entry_id": entry,
        "separation_id": apart.json()["id"],
    }


async def _agree(originator: Partner, other: Partner) -> str:
    path = await conclude(originator, other)
    await moved(other, path, "suspend", {"reason": "The safeguards are not in place."})
    await moved(other, path, "reinstate")
    return path


async def _hang_on(scene: Scene, other: str, *contributors: Partner) -> dict[str, str]:
    path, originator = scene.path, scene.originator
    made = {
        "relation_id": await originator.post(f"{path}/relations", {"type": "funds", "target": other}),
        "link_id": await originator.post(
            f"{path}/links", {"type": "related_to", "kind": "criminal-organizations", "id": other}
        ),
        "disclosure_id": await originator.post(
            f"{path}/disclosures", {"agencies": [READER], "purpose": "Search for a missing person."}
        ),
        "hold_id": await originator.post(f"{path}/legal-holds", {"reason": "Evidence."}),
    }
    for partner in contributors:
        await scene.acknowledge(partner)
        made["amendment_id"] = await partner.post(f"{path}/amendments", {"patch": {"status": "dormant"}})
        asked = {"agencies": [STRANGER], "reason": "Search for a missing person.", "respond_by": _tomorrow()}
        made["request_id"] = await partner.post(f"{path}/onward-requests", asked)
        made["sighting_id"] = await partner.post(f"{path}/sightings", {"assessment": "corroborates"})
    assert {answer.status_code for answer in made.values()} == {201}, {name: a.text for name, a in made.items()}
    return {name: answer.json()["id"] for name, answer in made.items()} | {"number": "1"}


def _tomorrow() -> str:
    return clock.rfc3339(clock.now() + timedelta(days=1))


def _strangers(hub: Hub, lost: Partner, removed: Partner) -> dict[str, Partner]:
    revoked = hub.caller(READER, *POWERS)
    suspended = hub.caller(SUSPENDED, *POWERS)
    powerless = hub.caller(READER, "auditor")
    client = hub.credential(READER, "analyst")
    narrow = Partner(hub, READER, client, hub.token(client, scope=[Permission.EVENTS_READ.value]))
    administrator = hub.credential("HUB", "platform_admin")
    # Its token claims everything there is: rights come from the credential, and the hub's stands in no audience.
    almighty = Partner(hub, "HUB", administrator, hub.token(administrator, scope=[p.value for p in Permission]))
    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", revoked.client_id
    )
    hub.operator("UPDATE agencies SET status = 'suspended' WHERE code = %s", SUSPENDED)
    return {
        "stranger agency": hub.caller(STRANGER, *(role for role in Role if role is not Role.PLATFORM_ADMIN)),
        "removed from the group": removed,
        "invited to the group": hub.caller(INVITED, *POWERS),
        "declined to be in the group": hub.caller(DECLINED, *POWERS),
        "excluded inside the group": hub.caller(EXCLUDED, *POWERS),
        "observer of the group": hub.caller(OBSERVER, *POWERS),
        "lost sight": lost,
        "party to a suspended agreement": hub.caller(PARTY, *POWERS),
        "emergency that lapsed": hub.caller(LAPSED, *POWERS),
        "revoked credential": revoked,
        "suspended agency": suspended,
        "role without the permission": powerless,
        "scope without the permission": narrow,
        "platform_admin": almighty,
    }


def unknown_id() -> str:
    """An id of no record, which looks like every other."""
    return str(uuid7())


def unknown_code() -> str:
    """A code of no agency."""
    return f"ZZ-{secrets.token_hex(3).upper()}"
