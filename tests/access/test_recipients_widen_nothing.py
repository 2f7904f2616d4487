"""No call lets a recipient widen an audience. Every operation of the description is tried by agencies that read the
record, with every role a member can hold and with bodies that would do; nothing of who sees the record moves."""

import json
from collections.abc import Iterator
from typing import Any

from app.identity.roles import Role
from app.web.openapi.examples import exchanges
from tests.access.scene import OBSERVER, ORIGINATOR, READER, SEES_BY_GROUP, STRANGER, Scene, set_scene, unknown_id
from tests.access.test_leak_matrix import BODIES, RECORD, operations
from tests.conftest import Hub, Partner

FORM = "application/x-www-form-urlencoded"
ROLES = [role for role in Role if role is not Role.PLATFORM_ADMIN]

AUDIENCES = (
    "SELECT id::text, audience, excluded, audience_version FROM records WHERE originator = %s ORDER BY 1",
    (
        "SELECT record_id::text, principal, since, disclosure_id::text FROM record_grants"
        " WHERE record_id IN (SELECT id FROM records WHERE originator = %s) ORDER BY 1, 2"
    ),
    (
        "SELECT id::text, agencies, groups FROM disclosures"
        " WHERE record_id IN (SELECT id FROM records WHERE originator = %s) ORDER BY 1"
    ),
    (
        "SELECT group_id::text, agency, role FROM memberships"
        " WHERE until IS NULL AND group_id IN (SELECT id FROM groups WHERE chair = %s) ORDER BY 1, 2"
    ),
)
"""Everything that decides who sees the originator's records."""


def audiences(hub: Hub) -> list[list[tuple[Any, ...]]]:
    return [hub.look(statement, ORIGINATOR) for statement in AUDIENCES]


def _bodies(name: str) -> Iterator[Any]:
    """Bodies that would do, with the stranger in the place of whoever they name."""
    documented = [exchange["request"].get("body") for exchange in exchanges(name).values()]
    for body in [BODIES.get(name), *documented]:
        text = json.dumps(body)
        for agency in (READER, SEES_BY_GROUP, "INTERPOL"):
            text = text.replace(agency, STRANGER)
        yield json.loads(text)


async def _try(caller: Partner, operation: tuple[str, str, dict[str, Any]], names: dict[str, str]) -> set[int]:
    method, path, spec = operation
    for part in [part.partition("}")[0] for part in path.split("{")[1:]]:
        path = path.replace(f"{{{part}}}", names.get(part, unknown_id()))
    kinds = spec.get("requestBody", {}).get("content", {"": None})
    statuses = set()
    for body in _bodies(spec["operationId"]):
        options: dict[str, Any] = {}
        if body is not None:
            options = {"data": body} if FORM in kinds else {"json": body}
        answer = await caller.call(method, path, headers={"If-Match": "*"}, **options)
        statuses.add(answer.status_code)
    return statuses


def _names(scene: Scene, own_request: str) -> dict[str, str]:
    return {
        **scene.parts,
        "record_id": scene.record["id"],
        "request_id": own_request,
        "group_id": str(scene.group),
        # Who could see more by another role.
        "agency": OBSERVER,
        "code": ORIGINATOR,
        "client_id": scene.originator.client_id,
        "recovery_id": str(scene.recovery),
        "slug": "not-found",
    }


async def test_no_call_of_a_recipient_widens_an_audience(hub: Hub) -> None:
    scene = await set_scene(hub)
    before = audiences(hub)
    assert all(before)
    for agency in (READER, SEES_BY_GROUP):
        recipient = hub.caller(agency, *ROLES)
        asked = BODIES["request_criminal_organization_onward_sharing"] | {"agencies": [STRANGER]}
        own = await recipient.post(f"{scene.path}/onward-requests", asked)
        assert own.status_code == 201, own.text
        names = _names(scene, own.json()["id"])
        statuses: dict[str, set[int]] = {}
        for operation in operations(hub):
            name = operation[2]["operationId"]
            statuses[name] = await _try(recipient, operation, names)
            assert audiences(hub) == before, f"{agency}: {name}"
            if operation[1].startswith(RECORD):
                assert 401 not in statuses[name], name
        # They were refused as readers, who know the record, and not because they missed it.
        refused = {name for name, found in statuses.items() if 403 in found}
        assert refused >= {
            f"{verb}_criminal_organization{noun}"
            for verb, noun in (
                ("replace", "_handling"),
                ("disclose", ""),
                ("retract", ""),
                ("grant", "_onward_request"),
                ("refuse", "_onward_request"),
            )
        }
        assert (await recipient.get(scene.path)).status_code == 200
