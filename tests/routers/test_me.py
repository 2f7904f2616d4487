"""The caller as it sees itself, at this moment."""

from datetime import timedelta
from uuid import uuid4

from app.core import clock
from app.core.clock import rfc3339
from tests.conftest import Hub
from tests.routers.entrance import admit, below_policies, grant, issue, platform_admin


async def test_a_caller_learns_who_it_is(hub: Hub) -> None:
    ends = clock.now() + timedelta(days=90)
    key = issue(hub, hub.register("KR-KNPA"), "analyst", "auditor", label="case system", expires_at=ends)
    partner = await key.sign_in(scope="profiles:read audit:read")

    answer = await partner.get("/v1/me")

    assert answer.status_code == 200, answer.text
    body = answer.json()
    left = body.pop("token_expires_at")
    assert rfc3339(clock.now() + timedelta(seconds=890)) < left < rfc3339(clock.now() + timedelta(seconds=901))
    assert body == {
        "agency": "KR-KNPA",
        "client_id": key.client_id,
        "label": "case system",
        "roles": ["analyst", "auditor"],
        "permissions": ["audit:read", "profiles:read"],
        "groups": [],
        "expires_at": rfc3339(ends),
    }
    assert hub.look("SELECT agency, client_id FROM audit_entries WHERE action = 'me.read'") == [
        ("KR-KNPA", key.client_id)
    ]


async def test_permissions_are_the_scope_and_what_the_roles_grant_now(hub: Hub) -> None:
    korea = await admit(await platform_admin(hub), "KR-KNPA")
    key = await grant(korea, "analyst", "auditor")
    partner = await key.sign_in(scope="profiles:read audit:read")
    path = f"/v1/agencies/KR-KNPA/credentials/{key.client_id}"
    await korea.patch(path, {"roles": ["auditor", "commander"]}, etag='"1"')
    body = (await partner.get("/v1/me")).json()
    assert body["roles"] == ["auditor", "commander"]
    assert body["permissions"] == ["audit:read", "profiles:read"], (
        "the commander reads profiles too, and nothing is added"
    )
    await korea.patch(path, {"roles": ["auditor"]}, etag='"2"')
    assert (await partner.get("/v1/me")).json()["permissions"] == ["audit:read"]


async def test_groups_are_those_of_this_moment(hub: Hub) -> None:
    partner, outsider = hub.partner("KR-KNPA"), hub.partner("TH-RTP")
    hub.register("KH-CNP")
    group = uuid4()
    below_policies(
        hub,
        "INSERT INTO groups (id, kind, name, chair, created_at, updated_at)"
        " VALUES (%s, 'council', 'Bokor', 'KH-CNP', now(), now())",
        group,
    )
    below_policies(hub, "INSERT INTO memberships (group_id, agency, role) VALUES (%s, 'KR-KNPA', 'observer')", group)
    assert (await partner.get("/v1/me")).json()["groups"] == [
        {"id": str(group), "name": "Bokor", "kind": "council", "role": "observer"}
    ]
    assert (await outsider.get("/v1/me")).json()["groups"] == []
    below_policies(hub, "UPDATE memberships SET until = clock_timestamp()")
    assert (await partner.get("/v1/me")).json()["groups"] == []


async def test_without_a_good_token_nobody_is_anybody(hub: Hub) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
        answer = await hub.client.get("/v1/me", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
        assert "/.well-known/oauth-protected-resource" in answer.headers["WWW-Authenticate"]
