"""Credentials over HTTP: issued, listed, changed, rotated, revoked; each step with a real sign-in."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.core import clock
from app.core.clock import rfc3339
from app.domain.sign_in.requests import ASSERTION_TYPE
from app.identity.jwks import public_jwk
from tests.conftest import PUBLIC_URL, Hub, Partner
from tests.identity.forging import compact, ecdsa
from tests.routers.entrance import Key, admit, below_policies, called_from, grant, key_of, platform_admin

PATH = "/v1/agencies/KR-KNPA/credentials"
CASES = {"label": "case system", "roles": ["analyst"]}


@pytest.fixture
async def admin(hub: Hub) -> Partner:
    return await admit(await platform_admin(hub), "KR-KNPA")


async def read(admin: Partner, client_id: str) -> dict[str, Any]:
    answer = await admin.get(f"{PATH}/{client_id}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body | {"etag": answer.headers["ETag"]}


async def test_a_secret_is_shown_once_and_kept_as_a_hash(
    hub: Hub, admin: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    once = {"Idempotency-Key": "issue-1"}
    issued = await admin.post(PATH, CASES, headers=once)
    again = await admin.post(PATH, CASES, headers=once)

    secret = issued.json()["client_secret"]
    assert (issued.status_code, again.status_code) == (201, 201)
    assert again.json() == issued.json() | {"client_secret": None}
    assert issued.headers["Location"] == again.headers["Location"] == f"{PATH}/{issued.json()['client_id']}"
    body = await read(admin, issued.json()["client_id"])
    assert "client_secret" not in body
    assert (body["status"], body["last_used_at"], body["version"]) == ("active", None, 1)
    everywhere = [
        *hub.look("SELECT row_to_json(c)::text FROM credentials c"),
        *hub.look("SELECT entry::text FROM credential_versions"),
        *hub.look("SELECT detail::text FROM audit_entries"),
        *hub.look("SELECT data::text FROM events"),
        *hub.look("SELECT row_to_json(i)::text FROM idempotency_keys i"),
        *hub.look("SELECT caller FROM (VALUES (%s)) AS logs (caller)", caplog.text),
    ]
    assert not any(secret in str(row) for row in everywhere)
    assert not any("secret_hash" in str(row[0]) for row in hub.look("SELECT entry::text FROM credential_versions"))
    assert (await (await key_of(hub, issued).sign_in()).get("/v1/me")).json()["label"] == "case system"
    assert (await read(admin, body["client_id"]))["last_used_at"] is not None


async def test_an_administrator_grants_every_role_but_platform_admin(admin: Partner) -> None:
    roles = ["analyst", "operations_officer", "liaison_officer", "commander", "connector", "auditor", "agency_admin"]
    granted = await (await grant(admin, *roles)).sign_in()
    assert sorted((await granted.get("/v1/me")).json()["roles"]) == sorted(roles)
    for forbidden in (["platform_admin"], ["analyst", "platform_admin"]):
        assert (await admin.post(PATH, CASES | {"roles": forbidden})).status_code == 403
    body = await read(admin, granted.client_id)
    answer = await admin.patch(f"{PATH}/{granted.client_id}", {"roles": ["platform_admin"]}, etag=body["etag"])
    assert answer.status_code == 403


async def test_a_role_taken_away_and_a_network_narrowed_count_for_tokens_already_issued(
    hub: Hub, admin: Partner
) -> None:
    key = await grant(admin, "analyst", "auditor")
    partner, path = await key.sign_in(), f"{PATH}/{key.client_id}"
    assert (await partner.get("/v1/criminal-organizations")).status_code == 200

    without = await admin.patch(path, {"roles": ["auditor"]}, etag='"1"')
    assert (without.status_code, without.headers["ETag"]) == (200, '"2"')
    assert (await partner.get("/v1/criminal-organizations")).status_code == 403
    assert "profiles:read" not in (await partner.get("/v1/me")).json()["permissions"]
    assert "profiles:read" not in (await key.ask()).json()["scope"].split()
    assert (await admin.patch(path, {"roles": ["auditor", "analyst"]}, etag='"2"')).status_code == 200
    assert (await partner.get("/v1/criminal-organizations")).status_code == 200, "within the token's scope it returns"

    narrowed = await admin.patch(path, {"allowed_networks": ["192.0.2.7", "2001:db8::/32"]}, etag='"3"')
    assert narrowed.json()["allowed_networks"] == ["192.0.2.7/32", "2001:db8::/32"]
    assert (await partner.get("/v1/me")).status_code == 401
    assert (await key.ask()).status_code == 401
    for address in ("192.0.2.7", "2001:db8:1::5", "::ffff:192.0.2.7"):
        async with called_from(hub, address) as allowed:
            there = Partner(allowed, "KR-KNPA", key.client_id, partner.access_token)
            assert (await there.get("/v1/me")).status_code == 200
            assert (await Key(allowed, "KR-KNPA", key.client_id, key.secret).ask()).status_code == 200


async def test_a_revoked_credential_is_out_with_the_next_request_and_for_good(hub: Hub, admin: Partner) -> None:
    key = await grant(admin, "analyst")
    partner, path = await key.sign_in(), f"{PATH}/{key.client_id}"

    revoked = await admin.post(f"{path}/revoke", etag="*", headers={"Idempotency-Key": "r"})

    assert (revoked.json()["status"], revoked.headers["ETag"]) == ("revoked", '"2"')
    assert revoked.json()["revoked_at"] is not None
    assert (await partner.get("/v1/me")).status_code == 401
    assert (await key.ask()).status_code == 401
    assert (await admin.post(f"{path}/revoke", etag="*", headers={"Idempotency-Key": "r"})).json() == revoked.json()
    assert (await admin.post(f"{path}/revoke", etag="*")).status_code == 409
    assert (await admin.post(f"{path}/rotate", etag="*")).status_code == 409
    assert (await admin.patch(path, {"label": "x"}, etag='"2"')).status_code == 409
    assert (await read(admin, key.client_id))["status"] == "revoked"
    types = [
        row[0] for row in hub.look("SELECT type FROM events WHERE data ->> 'client_id' = %s ORDER BY at", key.client_id)
    ]
    assert types == ["credential.issued", "credential.revoked"]
    actions = hub.look(
        "SELECT action FROM audit_entries WHERE agency = 'KR-KNPA' AND detail ->> 'client_id' = %s ORDER BY at",
        key.client_id,
    )
    assert [row[0] for row in actions] == ["credential.issue", "credential.revoke", "credential.read"]


async def test_both_secrets_work_until_the_grace_of_a_rotation_ends(hub: Hub, admin: Partner) -> None:
    key = await grant(admin, "analyst")
    path, before = f"{PATH}/{key.client_id}", await key.sign_in()

    rotated = await admin.post(f"{path}/rotate", {"grace_seconds": 600}, etag="*", headers={"Idempotency-Key": "r"})

    fresh = key_of(hub, rotated)
    assert fresh.secret != key.secret
    assert rotated.json()["former_secret_until"] is not None
    assert (await key.ask()).status_code == (await fresh.ask()).status_code == 200
    assert (await before.get("/v1/me")).status_code == 200, "a rotation ends no token"
    again = await admin.post(f"{path}/rotate", {"grace_seconds": 600}, etag="*", headers={"Idempotency-Key": "r"})
    assert again.json() == rotated.json() | {"client_secret": None}

    below_policies(hub, "UPDATE credentials SET former_secret_until = now() WHERE client_id = %s", key.client_id)
    assert (await key.ask()).status_code == 401
    assert (await fresh.ask()).status_code == 200

    third = key_of(hub, await admin.post(f"{path}/rotate", {"grace_seconds": 0}, etag="*"))
    assert (await fresh.ask()).status_code == 401
    assert (await third.ask()).status_code == 200
    without_body = await admin.call("POST", f"{path}/rotate", headers={"If-Match": "*"})
    assert (await third.ask()).status_code == 200, "an hour without a body"
    assert (await key_of(hub, without_body).ask()).status_code == 200


@pytest.mark.parametrize("grace", [-1, 604_801, "x", 1.5, None])
async def test_a_grace_is_bounded(admin: Partner, grace: object) -> None:
    key = await grant(admin, "analyst")
    answer = await admin.post(f"{PATH}/{key.client_id}/rotate", {"grace_seconds": grace}, etag="*")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/grace_seconds"
    assert (await key.ask()).status_code == 200


def assertion(client_id: str, kid: str, key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    at = clock.now().timestamp()
    body = {"iss": client_id, "sub": client_id, "aud": PUBLIC_URL, "exp": at + 60, "jti": str(uuid4())}
    signed = compact({"alg": "ES256", "kid": kid}, body, ecdsa(key))
    return {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


async def test_keys_are_changed_with_overlap(hub: Hub, admin: Partner) -> None:
    old, new = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    jwk = {"old": public_jwk(old.public_key()) | {"kid": "old"}, "new": public_jwk(new.public_key()) | {"kid": "new"}}
    body = CASES | {"auth_method": "private_key_jwt", "jwks": {"keys": [jwk["old"]]}}
    issued = await admin.post(PATH, body)
    client_id, path = issued.json()["client_id"], f"{PATH}/{issued.json()['client_id']}"
    assert issued.json()["client_secret"] is None

    async def signs_in(kid: str, key: ec.EllipticCurvePrivateKey) -> bool:
        return (await hub.client.post("/oauth/token", data=assertion(client_id, kid, key))).status_code == 200

    assert await signs_in("old", old)
    assert not await signs_in("new", new)
    both = await admin.patch(path, {"jwks": {"keys": [jwk["old"], jwk["new"]]}}, etag='"1"')
    assert [key["kid"] for key in both.json()["jwks"]["keys"]] == ["old", "new"]
    assert await signs_in("old", old)
    assert await signs_in("new", new)
    assert (await admin.patch(path, {"jwks": {"keys": [jwk["new"]]}}, etag='"2"')).status_code == 200
    assert not await signs_in("old", old)
    assert await signs_in("new", new)
    assert (await admin.patch(path, {"jwks": None}, etag='"3"')).status_code == 422
    assert (await admin.post(f"{path}/rotate", etag="*")).status_code == 409


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"label": ""}, "/label"),
        ({"roles": []}, "/roles"),
        ({"roles": ["root"]}, "/roles/0"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"allowed_networks": ["192.0.2.1/24"]}, "/allowed_networks/0"),
        ({"allowed_networks": ["example.org"]}, "/allowed_networks/0"),
        ({"auth_method": "none"}, "/auth_method"),
        ({"auth_method": "private_key_jwt"}, "/jwks"),
        ({"jwks": {"keys": []}, "auth_method": "private_key_jwt"}, "/jwks/keys"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}, "auth_method": "private_key_jwt"}, "/jwks/keys/0/k"),
        ({"client_secret": "chosen"}, "/client_secret"),
        ({"client_id": "chosen"}, "/client_id"),
        ({"agency": "TH-RTP"}, "/agency"),
    ],
)
async def test_a_credential_that_is_not_right_is_refused_with_a_pointer(
    admin: Partner, change: dict[str, Any], pointer: str
) -> None:
    answer = await admin.post(PATH, CASES | change)
    assert answer.status_code == 422, answer.text
    assert [flaw["pointer"] for flaw in answer.json()["errors"]] == [pointer]


async def test_an_expiry_counts_at_once_and_can_be_moved(hub: Hub, admin: Partner) -> None:
    soon = rfc3339(clock.now() + timedelta(hours=1))
    key = await grant(admin, "analyst", expires_at=soon)
    assert (await (await key.sign_in()).get("/v1/me")).json()["expires_at"] == soon
    below_policies(hub, "UPDATE credentials SET expires_at = now() WHERE client_id = %s", key.client_id)
    assert (await key.ask()).status_code == 401
    body = await read(admin, key.client_id)
    assert body["status"] == "expired"
    listed = await admin.get(PATH, params={"status": "expired"})
    assert [each["client_id"] for each in listed.json()["items"]] == [key.client_id]
    path = f"{PATH}/{key.client_id}"
    assert (await admin.patch(path, {"label": "renamed"}, etag='"1"')).status_code == 200, "an old expiry may stay"
    assert (await admin.patch(path, {"expires_at": "2020-01-01T00:00:00Z"}, etag='"2"')).status_code == 422
    assert (await admin.patch(path, {"expires_at": None}, etag='"2"')).json()["status"] == "active"
    assert (await key.ask()).status_code == 200


async def test_the_list_shows_own_credentials_newest_change_first(admin: Partner) -> None:
    first, second = await grant(admin, "analyst"), await grant(admin, "connector", label="feed")
    await admin.patch(f"{PATH}/{first.client_id}", {"label": "=formula"}, etag='"1"')

    async def ids(**filters: str) -> list[str]:
        answer = await admin.get(PATH, params=filters)
        assert answer.status_code == 200, answer.text
        return [each["client_id"] for each in answer.json()["items"]]

    assert await ids() == [first.client_id, second.client_id, admin.client_id]
    assert await ids(order="created_at") == [second.client_id, first.client_id, admin.client_id]
    assert await ids(role="connector") == [second.client_id]
    assert await ids(auth_method="private_key_jwt") == []
    pages, path = [], f"{PATH}?limit=1"
    while path:
        answer = await admin.get(path)
        pages += [each["client_id"] for each in answer.json()["items"]]
        link = answer.headers.get("Link", "")
        path = link[link.index("/v1") : link.index(">")] if link else ""
    assert pages == await ids()
    table = await admin.get(PATH, headers={"Accept": "text/csv"})
    assert "'=formula" in table.text
    assert (await admin.get(PATH, params={"role": "root"})).status_code == 400


async def test_a_change_needs_the_present_version_and_loses_no_other(admin: Partner) -> None:
    key = await grant(admin, "analyst")
    path = f"{PATH}/{key.client_id}"
    assert (await admin.patch(path, {"label": "x"})).status_code == 428
    answers = await asyncio.gather(*(admin.patch(path, {"label": f"n{n}"}, etag='"1"') for n in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
    for move in ("rotate", "revoke"):
        assert (await admin.post(f"{path}/{move}")).status_code == 428
        assert (await admin.post(f"{path}/{move}", etag='"1"')).status_code == 412
    assert (await admin.post(f"{PATH}/idc_none/revoke")).status_code == 404
    assert (await admin.patch(f"{PATH}/idc_none", {"label": "x"}, etag='"1"')).status_code == 404
    assert (await admin.get(f"{PATH}/%00")).status_code == 404
    assert (await admin.patch(path, {"auth_method": "private_key_jwt"}, etag='"2"')).status_code == 422
    assert (await admin.patch(path, {"status": "revoked"}, etag='"2"')).status_code == 422
    assert (await admin.post(f"{path}/rotate", etag='"2"')).headers["ETag"] == '"3"'
    assert (await admin.post(f"{path}/revoke", etag='"3"')).status_code == 200


async def test_an_agency_keeps_an_administrator(admin: Partner) -> None:
    path = f"{PATH}/{admin.client_id}"
    assert (await admin.post(f"{path}/revoke", etag="*")).status_code == 409
    assert (await admin.patch(path, {"roles": ["auditor"]}, etag='"1"')).status_code == 409
    second = await (await grant(admin, "agency_admin")).sign_in()
    both = await asyncio.gather(
        admin.post(f"{PATH}/{second.client_id}/revoke", etag="*"),
        second.post(f"{PATH}/{admin.client_id}/revoke", etag="*"),
    )
    assert sorted(answer.status_code for answer in both) in ([200, 401], [200, 409])
    left = admin if both[0].status_code == 200 else second
    assert (await left.get("/v1/me")).status_code == 200


async def test_warnings_come_30_and_7_days_before_the_end_and_once_each(hub: Hub, admin: Partner) -> None:
    key = await grant(admin, "analyst", expires_at=rfc3339(clock.now() + timedelta(days=40)))
    await grant(admin, "analyst")

    def warned() -> list[Any]:
        hub.operator("SELECT warn_expiring_credentials()")
        statement = "SELECT data FROM events WHERE type = 'credential.expiring' AND audience = '{KR-KNPA}' ORDER BY at"
        return [(row[0]["client_id"], row[0]["days"]) for row in hub.look(statement)]

    def ends_in(days: int) -> None:
        moment = clock.now() + timedelta(days=days)
        below_policies(hub, "UPDATE credentials SET expires_at = %s WHERE client_id = %s", moment, key.client_id)

    assert warned() == []
    ends_in(29)
    assert warned() == warned() == [(key.client_id, 30)]
    ends_in(6)
    assert warned() == warned() == [(key.client_id, 30), (key.client_id, 7)]
    later = {"expires_at": rfc3339(clock.now() + timedelta(days=20))}
    assert (await admin.patch(f"{PATH}/{key.client_id}", later, etag='"1"')).status_code == 200
    assert warned()[-1] == (key.client_id, 30), "a later end is warned of anew"
    moments = hub.look("SELECT data ->> 'expires_at' FROM events WHERE type = 'credential.expiring' ORDER BY at")
    assert moments[-1] == (later["expires_at"],), "written as the API writes moments"
    ends_in(-1)
    assert len(warned()) == 3
    analyst = await (await grant(admin, "analyst")).sign_in()
    hub.operator("SELECT sequence_events()")
    assert "credential.expiring" in (await analyst.get("/v1/events")).text
