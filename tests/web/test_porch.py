"""What every call passes: ids, peers, limits, headers, and logs that hold nothing they should not."""

import gzip
import ipaddress
import json
import logging
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import structlog
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from app.core.database_roles import DatabaseRole
from app.settings import Settings
from app.web.porch import Porch, peer_of
from app.web.rates import Rates, rate_key, source_network
from tests.conftest import Hub

PATH = "/v1/criminal-organizations"
NOWHERE = f"{PATH}/01920000-0000-7000-8000-000000000000"


async def test_a_request_id_is_taken_over_if_it_is_one(hub: Hub) -> None:
    given = await hub.client.get("/health/live", headers={"X-Request-Id": "case-7.a"})
    wild = await hub.client.get("/health/live", headers={"X-Request-Id": "a b\tc"})
    long = await hub.client.get("/health/live", headers={"X-Request-Id": "x" * 65})

    assert given.headers["X-Request-Id"] == "case-7.a"
    assert len(wild.headers["X-Request-Id"]) == len(long.headers["X-Request-Id"]) == 36


async def test_every_answer_carries_the_same_protection(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    created = await korea.profile()
    answers = [
        await korea.get(f"{PATH}/{created['id']}"),
        await korea.get(NOWHERE),
        await hub.client.get(NOWHERE),
        await hub.client.get("/nowhere"),
        await hub.client.put("/health/live"),
        await korea.post(PATH, {"name": ""}),
    ]

    assert [answer.status_code for answer in answers] == [200, 404, 401, 404, 405, 422]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["RateLimit-Policy"].startswith('"default";q=')
        assert "server" not in answer.headers
    for answer in answers[1:]:
        assert answer.headers["Content-Type"] == "application/problem+json"
        document = answer.json()
        assert document["request_id"] == answer.headers["X-Request-Id"]


async def test_large_answers_are_compressed_for_those_who_ask(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    await korea.profile(summary="x" * 3000)
    headers = {"Authorization": f"Bearer {korea.access_token}", "Accept-Encoding": "gzip"}

    async with hub.client.stream("GET", PATH, headers=headers) as answer:
        packed = b"".join([part async for part in answer.aiter_raw()])

    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed))["items"][0]["summary"] == "x" * 3000
    assert "Content-Encoding" not in (await korea.get(PATH, headers={"Accept-Encoding": "identity"})).headers


async def test_a_head_is_recorded_as_the_read_that_it_is(hub: Hub) -> None:
    korea, thailand = hub.partner("KR-KNPA"), hub.partner("TH-RTP")
    path = f"{PATH}/{(await korea.profile())['id']}"

    whole, head = await korea.get(path), await korea.call("HEAD", path)
    hidden = await thailand.call("HEAD", path)
    unchanged = await korea.call("HEAD", path, headers={"If-None-Match": whole.headers["ETag"]})

    assert (head.status_code, head.content, hidden.status_code, unchanged.status_code) == (200, b"", 404, 304)
    assert head.headers["Content-Length"] == whole.headers["Content-Length"] != "0"
    reads = hub.look("SELECT agency, outcome FROM audit_entries WHERE action = 'record.read' ORDER BY at")
    done, refused = ("KR-KNPA", "done"), ("TH-RTP", "missing")
    assert reads == [done, done, refused, done]
    assert (await hub.client.head(path)).status_code == 401


async def test_a_head_ends_whatever_would_make_a_body_without_end() -> None:
    async def endless(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await receive())["type"] != "http.disconnect":
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect" if len(sent) > 1 else "http.request"}

    app = FastAPI()
    app.state.house = SimpleNamespace(tokens=None)
    scope = {"type": "http", "method": "HEAD", "path": "/", "headers": [], "client": None, "app": app}
    await Porch(endless, Settings(_env_file=None))(scope, receive, send)  # type: ignore[call-arg]

    assert sent[1:] == [{"type": "http.response.body", "body": b""}]


async def test_a_body_over_the_limit_is_refused_whatever_its_length_claims(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    limit = hub.settings.body_limit

    async def endless() -> Any:
        for _ in range(limit // 65536 + 2):
            yield b" " * 65536

    declared = await korea.call("POST", PATH, content=b" " * (limit + 1), headers={"Content-Type": "application/json"})
    streamed = await korea.call("POST", PATH, content=endless(), headers={"Content-Type": "application/json"})

    assert declared.status_code == streamed.status_code == 413
    # Sign-in comes first: nobody without a token makes the hub read a body.
    assert (await hub.client.post(PATH, content=b" " * (limit + 1))).status_code == 401


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 422, "json-invalid"),
        (b"\xff", "application/json", 422, "json-invalid"),
        (b"[" * 100_000, "application/json", 422, "json-invalid"),
        (b'{"a":' * 13 + b"{}" + b"}" * 13, "application/json", 422, "too-deep"),
        (b"[]", "application/json", 422, "model-type"),
        (b"{}", "application/json", 422, "missing"),
        (b"", "application/json", 422, "json-invalid"),
        (b'{"name":"a","name":"b"}', "application/json", 422, "field-repeated"),
        (b'{"name":"a","surprise":1}', "application/json", 422, "extra-forbidden"),
        (b'{"name":"a\\u0000b"}', "application/json", 422, "text-control-character"),
        (b'{"name":"' + b"x" * 201 + b'"}', "application/json", 422, "string-too-long"),
        (b"", "", 415, None),
        (b"{}", "text/plain", 415, None),
        (b"{}", "application/merge-patch+json", 415, None),
    ],
)
async def test_a_bad_body_is_told_where_and_why(
    hub: Hub, body: bytes, content_type: str, status: int, code: str | None
) -> None:
    korea = hub.partner("KR-KNPA")

    answer = await korea.call("POST", PATH, content=body, headers={"Content-Type": content_type})

    assert answer.status_code == status, answer.text
    assert [flaw["code"] for flaw in answer.json()["errors"]] == ([code] if code else [])


async def test_a_patch_of_another_type_learns_which_are_taken(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    path = f"{PATH}/{(await korea.profile())['id']}"

    answer = await korea.call("PATCH", path, content=b"{}", headers={"Content-Type": "text/plain", "If-Match": '"1"'})

    assert answer.status_code == 415
    assert answer.headers["Accept-Patch"] == "application/merge-patch+json, application/json"


async def test_refusals_come_in_the_contracts_order(hub: Hub) -> None:
    """401, 403, 404, 428/412, 415/422: with everything wrong at once, the first of them speaks."""
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    connector = hub.caller("KH-CNP", "commander")
    path = f"{PATH}/{(await korea.profile(share=['KH-CNP']))['id']}"
    wrong: dict[str, Any] = {"content": b"{", "headers": {"Content-Type": "text/plain", "If-Match": '"9"'}}

    assert (await hub.client.patch(NOWHERE, **wrong)).status_code == 401
    assert (await connector.call("PATCH", NOWHERE, **wrong)).status_code == 403
    assert (await cambodia.call("PATCH", NOWHERE, **wrong)).status_code == 404
    assert (await cambodia.call("PATCH", path, **wrong)).status_code == 403
    assert (await korea.call("PATCH", path, **wrong)).status_code == 412
    wrong["headers"]["If-Match"] = '"1"'
    assert (await korea.call("PATCH", path, **wrong)).status_code == 415
    wrong["headers"]["Content-Type"] = "application/json"
    assert (await korea.call("PATCH", path, **wrong)).status_code == 422


async def test_headers_for_the_audit_are_bounded(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")

    assert (await korea.get(PATH, headers={"On-Behalf-Of": "x" * 201})).status_code == 400
    assert (await korea.get(PATH, headers={"Access-Purpose": "x" * 501})).status_code == 400
    assert (await korea.get(PATH, headers={"On-Behalf-Of": "경위 한예시".encode()})).status_code == 200
    assert hub.look("SELECT officer FROM audit_entries WHERE action = 'record.list'") == [("경위 한예시",)]


async def test_unknown_parameters_are_refused(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")

    for query in ({"stauts": "active"}, {"limit": "0"}, {"limit": "501"}, {"order": "name"}, {"country": "XX"}):
        answer = await korea.get(PATH, params=query)
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-parameter"), query


async def test_a_parameter_is_sent_once_unless_it_is_a_list(hub: Hub) -> None:
    korea, unknown = hub.partner("KR-KNPA"), hub.partner("XX-NOBODY")
    path = f"{PATH}/{(await korea.profile())['id']}"

    twice = await korea.get(f"{PATH}?limit=1&limit=500&status=active&q=x&q=x")
    dry = await korea.post(
        f"{path}/disclosures?dry_run=true&dry_run=false", {"agencies": ["XX-NOBODY"], "purpose": "x"}
    )

    assert (twice.status_code, twice.json()["type"]) == (400, "/problems/invalid-parameter")
    assert [(flaw["pointer"], flaw["code"]) for flaw in twice.json()["errors"]] == [
        ("/query/limit", "parameter-repeated"),
        ("/query/q", "parameter-repeated"),
    ]
    assert [flaw["pointer"] for flaw in dry.json()["errors"]] == ["/query/dry_run"]
    assert (await hub.client.get(f"{PATH}?limit=1&limit=1")).status_code == 401
    assert (await unknown.get(path)).status_code == 404
    types = "types=interdesk.record.created&types=interdesk.record.shared"
    assert (await hub.caller("KR-KNPA", "connector").get(f"/v1/events?{types}")).status_code == 200


@pytest.mark.parametrize("kind", [None, "application/json", "text/plain"])
async def test_where_nothing_needs_to_be_said_no_body_is_as_good_as_an_empty_one(hub: Hub, kind: str | None) -> None:
    korea, thailand = hub.partner("KR-KNPA"), hub.partner("TH-RTP")
    path = f"{PATH}/{(await korea.profile(share=['TH-RTP']))['id']}"
    proposed = await thailand.post(f"{path}/amendments", {"patch": {"status": "active"}})
    headers = {"If-Match": '"1"', "Idempotency-Key": "once"} | ({"Content-Type": kind} if kind else {})

    accepted = await korea.call("POST", f"{path}/amendments/{proposed.json()['id']}/accept", headers=headers)
    handling = await korea.call("PUT", f"{path}/handling", headers=headers)

    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    # Without a body this would take the record from everybody.
    assert handling.status_code == (422 if kind == "application/json" else 415)


async def test_a_read_that_cannot_be_recorded_is_not_answered(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    created = await korea.profile("Secret name")
    with psycopg.connect(hub.conninfo(DatabaseRole.OWNER)) as owner:
        owner.execute("ALTER TABLE audit_entries RENAME TO audit_entries_away")

    for path in (f"{PATH}/{created['id']}", PATH, f"{PATH}/{created['id']}/versions", NOWHERE):
        answer = await korea.get(path)
        assert answer.status_code >= 500
        assert "Secret name" not in answer.text
    changed = await korea.patch(f"{PATH}/{created['id']}", {"name": "Other"}, '"1"')
    assert changed.status_code >= 500
    assert hub.look("SELECT version FROM records") == [(1,)]


async def test_logs_hold_neither_tokens_nor_content(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    korea = hub.partner("KR-KNPA")
    with structlog.testing.capture_logs() as entries, caplog.at_level(logging.DEBUG):
        created = await korea.profile("Hidden words")
        await korea.get(f"{PATH}/{created['id']}", headers={"On-Behalf-Of": "Officer Example"})
        await korea.get(PATH, params={"q": "Hidden words"})
        await korea.post(PATH, {"name": "Hidden words", "surprise": 1})

    assert [entry["status"] for entry in entries if entry["event"] == "request"] == [201, 200, 200, 422]
    text = str(entries) + "".join(record.getMessage() for record in caplog.records if record.name != "httpx")
    for secret in ("Hidden words", korea.access_token, "Officer Example", created["id"]):
        assert secret not in text


async def test_metrics_are_for_the_holder_of_their_token(hub: Hub) -> None:
    await hub.partner("KR-KNPA").profile()
    assert (await hub.client.get("/metrics")).status_code == 404

    house = hub.app.state.house
    house.settings = house.settings.model_copy(update={"metrics_token": SecretStr("an invented token")})
    for wrong in ("Bearer wrong", "an invented token", "Basic an invented token", "Bearer", ""):
        assert (await hub.client.get("/metrics", headers={"Authorization": wrong})).status_code == 404
    answer = await hub.client.get("/metrics", headers={"Authorization": "Bearer an invented token"})
    assert b'interdesk_requests_total{method="POST",route="/v1/criminal-organizations",status="201"}' in answer.content
    assert b"interdesk_feed_lag_seconds" in answer.content


def test_the_peer_is_believed_only_through_trusted_proxies() -> None:
    trusted = (ipaddress.ip_network("10.0.0.0/8"),)

    def peer(address: str, forwarded: str | None = None) -> str | None:
        headers = Headers({"x-forwarded-for": forwarded} if forwarded else {})
        return peer_of({"client": (address, 1)}, headers, trusted)

    assert peer("203.0.113.9", "198.51.100.1") == "203.0.113.9"
    assert peer("10.0.0.1", "198.51.100.1") == "198.51.100.1"
    assert peer("10.0.0.1", "198.51.100.66, 198.51.100.1, 10.0.0.2") == "198.51.100.1"
    assert peer("10.0.0.1", "nonsense") == "10.0.0.1"
    assert peer("10.0.0.1") == "10.0.0.1"
    assert peer("::ffff:203.0.113.9") == "203.0.113.9"
    assert peer_of({"client": None}, Headers({}), trusted) is None


def test_an_allowance_slides_over_the_minute() -> None:
    rates = Rates(quota=10, quota_without_token=2)
    key = rate_key("abc", "kr-knpa-1", "203.0.113.9")

    assert [rates.take(key, moment=600.0 + n).remaining for n in range(10)] == list(range(9, -1, -1))
    refused = rates.take(key, moment=630.0)
    assert (refused.exceeded, refused.reset) == (True, 31)
    # Half a minute into the next window half of the last one's calls still count.
    assert [rates.take(key, moment=690.0).exceeded for _ in range(6)] == [False] * 5 + [True]
    assert not rates.take(key, moment=900.0).exceeded
    nobody = rate_key(None, None, "203.0.113.9")
    assert [rates.take(nobody, moment=900.0).exceeded for _ in range(3)] == [False, False, True]


def test_a_subscriber_counts_as_one() -> None:
    assert source_network("2001:db8:1:2:3:4:5:6") == source_network("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert source_network("203.0.113.9") != source_network("203.0.113.10")
    assert source_network(None) == "unknown"


async def test_too_many_calls_are_told_when_to_come_back(hub: Hub) -> None:
    quota = hub.settings.sign_in_rate_limit
    for _ in range(quota):
        await hub.client.get("/nowhere")

    answer = await hub.client.get("/nowhere")

    assert answer.status_code == 429
    assert (await hub.client.get("/health/live")).status_code == 200
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    sign_in = await hub.client.post("/oauth/token", data={"grant_type": "client_credentials"})
    assert (sign_in.status_code, sign_in.headers["Retry-After"]) == (429, answer.headers["Retry-After"])
    assert sign_in.headers["Content-Type"] == "application/json"
    assert sign_in.json().keys() == {"error", "error_description"}
    assert sign_in.json()["error"] == "slow_down"
    assert (await hub.partner("KR-KNPA").get(PATH)).status_code == 200
