"""No call lets a recipient widen an audience. Every operation of the description is tried by agencies that read the
record, with every role a member can hold and with bodies that would do; nothing of who sees the record moves."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors

from app.core import clock
from app.core.database_roles import DatabaseRole
from app.core.ids import uuid7
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
        "SELECT disclosure_id::text, agency, until, ended_at FROM emergencies"
        " WHERE record_id IN (SELECT id FROM records WHERE originator = %s) ORDER BY 1, 2"
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
        await scene.acknowledge(recipient)
        asked = BODIES["request_criminal_organization_onward_sharing"] | {"agencies": [STRANGER]}
        own = await recipient.post(f"{scene.path}/onward-requests", asked)
        assert own.status_code == 201, own.text
        names = _names(scene, own.json()["id"])
        statuses: dict[str, set[int]] = {}
        for operation in operations():
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


async def test_the_same_bodies_do_for_the_originator(hub: Hub) -> None:
    """What recipients were refused above was not refused because of what they sent."""
    scene = await set_scene(hub)
    await scene.acknowledge(scene.reader)
    asked = BODIES["request_criminal_organization_onward_sharing"] | {"agencies": [STRANGER]}
    own = await scene.reader.post(f"{scene.path}/onward-requests", asked)
    originator = hub.caller(ORIGINATOR, *ROLES)
    names = _names(scene, own.json()["id"])
    chosen = {operation[2]["operationId"]: operation for operation in operations()}
    for name in ("grant_criminal_organization_onward_request", "disclose_criminal_organization", "change_group_member"):
        before = audiences(hub)
        statuses = await _try(originator, chosen[name], names)
        assert statuses & {200, 201}, f"{name}: {statuses}"
        assert audiences(hub) != before, name


ASK = "SELECT request_onward_sharing(%s, %s, ARRAY['TH-RTP'], 'why', now() + interval '1 day')"
MOVE = "SELECT move_onward_request(%s, %s, 1, %s, %s, 'why', %s)"


async def test_the_database_holds_it_without_the_server(hub: Hub) -> None:
    """Its functions themselves know who may ask, who may answer, and that a grant is a disclosure."""
    scene = await set_scene(hub)
    record = scene.record["id"]
    await scene.acknowledge(scene.reader)
    asked = BODIES["request_criminal_organization_onward_sharing"] | {"agencies": [STRANGER]}
    own = (await scene.reader.post(f"{scene.path}/onward-requests", asked)).json()["id"]
    before = audiences(hub)
    # Permissions are the server's to check: a reader's credential without them is a reader's here.
    strangers = [caller for caller in scene.strangers.values() if caller.agency != READER]

    def done(caller: Partner, statement: str, *parameters: object) -> object:
        with psycopg.connect(hub.conninfo(DatabaseRole.API), autocommit=True) as connection, connection.transaction():
            enter = "SELECT enter(%s, %s, %s, NULL, 'r', NULL, NULL)"
            connection.execute(enter, (caller.client_id, uuid7(), clock.now()))
            (answer,) = connection.execute(statement, parameters).fetchone() or (None,)  # type: ignore[arg-type]
            return answer

    for caller in (*strangers, scene.originator):
        assert done(caller, ASK, uuid7(), record) == "closed"
    granted, refused = ("granted", [STRANGER], None), ("refused", None, None)
    for caller in (*strangers, scene.reader):
        for move in (granted, refused):
            assert done(caller, MOVE, own, record, *move) == "stale"
    for caller in (*strangers, scene.originator):
        assert done(caller, MOVE, own, record, "withdrawn", None, None) == "stale"
    # Neither without a disclosure, nor by one to others or of another request.
    for disclosure in (None, scene.parts["disclosure_id"]):
        with pytest.raises(errors.CheckViolation):
            done(scene.originator, MOVE, own, record, "granted", [STRANGER], disclosure)
    assert audiences(hub) == before
    assert hub.look("SELECT state FROM onward_requests WHERE id = %s", own) == [("requested",)]
