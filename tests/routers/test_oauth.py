"""Signing in over HTTP: who gets a token, who does not, and what is written down about both."""

import base64
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from app.core import clock
from app.identity import secrets as identity_secrets
from app.identity.secrets import hash_secret, new_client_id, new_client_secret
from tests.conftest import Hub
from tests.routers.entrance import Key, basic, below_policies, called_from, issue

GRANT = {"grant_type": "client_credentials"}


def entries(hub: Hub, action: str = "token.issue") -> list[tuple[Any, ...]]:
    return hub.look(
        "SELECT outcome, agency, client_id, detail FROM audit_entries WHERE action = %s ORDER BY at", action
    )


@pytest.fixture
def key(hub: Hub) -> Key:
    return issue(hub, hub.register("KR-KNPA"), "auditor")


async def test_a_client_signs_in_with_its_secret_in_the_form_or_by_basic(hub: Hub, key: Key) -> None:
    by_form = await key.ask()
    by_basic = await hub.client.post("/oauth/token", data=GRANT, headers=basic(key.client_id, key.secret))

    for answer in (by_form, by_basic):
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        body = answer.json()
        assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
        assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
        assert body["scope"] == "agreements:read audit:read desks:read directory:read groups:read statistics:read"
    assert [entry[:3] for entry in entries(hub)] == [("done", "KR-KNPA", key.client_id)] * 2
    (used,) = hub.look("SELECT last_used_at FROM credentials WHERE client_id = %s", key.client_id)
    assert used[0] is not None


async def test_basic_is_read_form_encoded_and_may_repeat_the_client_id(hub: Hub, key: Key) -> None:
    encoded = {"Authorization": basic(key.client_id.replace("_", "%5F"), key.secret)["Authorization"]}
    answer = await hub.client.post("/oauth/token", data={**GRANT, "client_id": key.client_id}, headers=encoded)
    assert answer.status_code == 200


async def test_a_token_carries_the_scope_that_was_asked_for_and_never_less(key: Key) -> None:
    narrow = await key.ask(scope="directory:read audit:read")
    assert narrow.json()["scope"] == "audit:read directory:read"
    assert set(
        key.hub.app.state.house.tokens.verify(
            narrow.json()["access_token"], key.hub.app.state.house.keys, clock.now()
        ).scope
    ) == {"audit:read", "directory:read"}

    for scope in ("audit:read profiles:write", "audit:read root", " "):
        refused = await key.ask(scope=scope)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    assert "profiles:write" in (await key.ask(scope="profiles:write")).json()["error_description"]
    assert "root" not in (await key.ask(scope="root")).text
    empty = await key.ask(scope="")
    assert "statistics:read" in empty.json()["scope"].split()


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("", "invalid_client"),
        ("client_id={id}&client_secret={secret}", "invalid_request"),
        ("grant_type=&client_id={id}&client_secret={secret}", "invalid_request"),
        ("grant_type=password&client_id={id}&client_secret={secret}", "unsupported_grant_type"),
        (
            "grant_type=client_credentials&grant_type=client_credentials&client_id={id}&client_secret={secret}",
            "invalid_request",
        ),
        ("grant_type=client_credentials&client_id={id}&client_secret={secret}&x=1&x=2", "invalid_request"),
        ("grant_type=client_credentials&client_id={id}", "invalid_client"),
        ("grant_type=client_credentials&client_id={id}&client_secret={secret}&client_assertion=a", "invalid_request"),
        ("grant_type=client_credentials&client_assertion_type=x&client_assertion=a", "invalid_request"),
        ("grant_type=client_credentials&client_id={id}&client_secret=%FF", "invalid_request"),
        ("grant_type=client_credentials&client_id=%00&client_secret={secret}", "invalid_client"),
        ("just text", "invalid_request"),
    ],
)
async def test_what_is_not_formed_right_is_refused_in_oauths_own_shape(
    hub: Hub, key: Key, form: str, error: str
) -> None:
    answer = await hub.client.post(
        "/oauth/token",
        content=form.format(id=key.client_id, secret=key.secret),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == (401 if error == "invalid_client" else 400), answer.text
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.json()["error"] == error
    assert answer.headers["Cache-Control"] == "no-store"
    assert entries(hub)[-1][0] == error


async def test_parameters_in_the_address_and_other_bodies_are_refused(hub: Hub, key: Key) -> None:
    proof = basic(key.client_id, key.secret)
    in_address = await hub.client.post("/oauth/token?scope=audit:read", data=GRANT, headers=proof)
    as_json = await hub.client.post("/oauth/token", json=GRANT, headers=proof)
    both = await hub.client.post("/oauth/token", data={**GRANT, "client_secret": key.secret}, headers=proof)
    other_id = await hub.client.post("/oauth/token", data={**GRANT, "client_id": new_client_id()}, headers=proof)
    for answer in (in_address, as_json, both, other_id):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    huge = await hub.client.post("/oauth/token", data={**GRANT, "scope": "x" * 20_000}, headers=proof)
    assert (huge.status_code, huge.json()["error"]) == (413, "invalid_request")
    assert (await hub.client.get("/oauth/token")).status_code == 405


@pytest.mark.parametrize(
    "header", ["Bearer abc", "Basic", "Basic ???", "Basic " + base64.b64encode(b"no colon").decode()]
)
async def test_another_scheme_or_broken_basic_is_an_invalid_client(hub: Hub, header: str) -> None:
    answer = await hub.client.post("/oauth/token", data=GRANT, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


async def test_every_reason_not_to_let_a_client_in_reads_the_same(
    hub: Hub, key: Key, caplog: pytest.LogCaptureFixture
) -> None:
    expired = issue(hub, "KR-KNPA", "auditor", expires_at=clock.now() - timedelta(seconds=1))
    revoked = issue(hub, "KR-KNPA", "auditor", status="revoked")
    elsewhere = issue(hub, "KR-KNPA", "auditor", allowed_networks=["192.0.2.0/24"])
    suspended = issue(hub, hub.register("TH-RTP"), "auditor")
    hub.operator("UPDATE agencies SET status = 'suspended' WHERE code = 'TH-RTP'")
    asymmetric = issue(hub, "KR-KNPA", "auditor", auth_method="private_key_jwt", secret_hash=None, jwks="{}")
    stranger = Key(hub, "", new_client_id(), new_client_secret())
    malformed = Key(hub, "", "admin", "admin")
    wrong = Key(hub, "", key.client_id, new_client_secret())

    with caplog.at_level(logging.DEBUG):
        answers = [
            await each.ask()
            for each in (wrong, stranger, malformed, expired, revoked, elsewhere, suspended, asymmetric)
        ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    names = {frozenset(answer.headers) for answer in answers}
    assert len(names) == 1
    assert [(entry[2], entry[3]["reason"]) for entry in entries(hub)] == [
        (key.client_id, "secret"),
        (stranger.client_id, "unknown"),
        (None, "unknown"),
        (expired.client_id, "unusable"),
        (revoked.client_id, "unusable"),
        (elsewhere.client_id, "network"),
        (suspended.client_id, "unusable"),
        (asymmetric.client_id, "secret"),
    ]
    assert not any(each.secret in caplog.text for each in (wrong, stranger, expired) if len(each.secret) > 10)


async def test_an_unknown_client_costs_the_same_statements_and_hashing_as_a_wrong_secret(
    hub: Hub, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real_execute, real_hash = psycopg.AsyncCursor.execute, identity_secrets.hash_secret

    async def execute(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(str(query))
        return await real_execute(self, query, *args, **kwargs)

    def hashing(secret: str) -> bytes:
        seen.append("hash")
        return real_hash(secret)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", execute)
    monkeypatch.setattr(identity_secrets, "hash_secret", hashing)
    work = []
    for each in (
        Key(hub, "", key.client_id, "wrong"),
        Key(hub, "", new_client_id(), "wrong"),
        Key(hub, "", "nobody", "x"),
    ):
        seen.clear()
        await each.ask()
        work.append(list(seen))
    assert work[0] == work[1] == work[2]
    assert "hash" in work[0]


async def test_both_secrets_work_during_the_grace_of_a_rotation(hub: Hub, key: Key) -> None:
    former = new_client_secret()
    until = clock.now() + timedelta(hours=1)
    columns = "former_secret_hash = %s, former_secret_until = %s"
    hub.operator(f"UPDATE credentials SET {columns} WHERE client_id = %s", hash_secret(former), until, key.client_id)  # noqa: S608
    assert (await Key(hub, "", key.client_id, former).ask()).status_code == 200
    assert (await key.ask()).status_code == 200

    hub.operator("UPDATE credentials SET former_secret_until = %s WHERE client_id = %s", clock.now(), key.client_id)
    assert (await Key(hub, "", key.client_id, former).ask()).status_code == 401
    assert (await key.ask()).status_code == 200


async def test_failures_slow_a_client_down_from_their_own_network_alone(hub: Hub, key: Key) -> None:
    wrong = Key(hub, "", key.client_id, new_client_secret())
    for _ in range(6):
        assert (await wrong.ask()).status_code == 401

    slowed, right_but_early = await wrong.ask(), await key.ask()
    for answer in (slowed, right_but_early):
        assert (answer.status_code, answer.json()["error"]) == (429, "slow_down")
        assert int(answer.headers["Retry-After"]) >= 1
    assert entries(hub)[-1][:3] == ("slow_down", "KR-KNPA", key.client_id)

    other = issue(hub, "KR-KNPA", "auditor")
    assert (await other.ask()).status_code == 200, "another client of the same network is not affected"
    async with called_from(hub, "198.51.100.7") as elsewhere:
        assert (await replace(key, hub=elsewhere).ask()).status_code == 200, "the same client elsewhere is not affected"

    below_policies(hub, "UPDATE sign_in_failures SET blocked_until = now()")
    assert (await key.ask()).status_code == 200
    assert hub.look("SELECT count(*) FROM sign_in_failures") == [(0,)]


async def test_an_unknown_client_is_slowed_down_like_a_known_one(hub: Hub) -> None:
    stranger = Key(hub, "", new_client_id(), new_client_secret())
    statuses = [(await stranger.ask()).status_code for _ in range(7)]
    assert statuses == [401] * 6 + [429]
