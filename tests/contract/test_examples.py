"""Every example of the description is played, and what is documented is what comes back.

With INTERDESK_RECORD_EXAMPLES=1 an answer that differs is written into its file instead: an example is made by writing
its request, and kept true by looking at what changed.
"""

import json
import os
from typing import Any

import httpx
import pytest

from app.web.openapi.examples import FOLDER, exchanges
from tests.contract.description import Call, flaws, operations, resolved
from tests.contract.playing import body_of, documented, play, settled
from tests.contract.world import World

RECORDING = os.environ.get("INTERDESK_RECORD_EXAMPLES") == "1"
CALLS = list(operations())


def _content(call: Call, answer: httpx.Response) -> dict[str, Any]:
    response = resolved(call.spec["responses"][str(answer.status_code)])
    media_type = answer.headers["content-type"].partition(";")[0]
    assert media_type in response["content"], f"{media_type} is not documented for {answer.status_code}"
    return dict(response["content"][media_type])


def _check_headers(call: Call, exchange: dict[str, Any], answer: httpx.Response) -> None:
    response = resolved(call.spec["responses"][str(answer.status_code)])
    optional = {"Link", "Idempotency-Replayed"}
    optional |= {"ETag"} if "dry_run" in exchange["request"].get("query", {}) else set()
    # A refusal may be one of several with the same status, each with its header.
    promised = response["headers"].keys() - optional if answer.is_success else set()
    missing = [name for name in promised if name not in answer.headers]
    assert not missing, f"documented, but not there: {missing}"
    known = ("ETag", "Link", "Location", "Retry-After", "Idempotency-Replayed", "WWW-Authenticate", "Accept-Patch")
    undocumented = [name for name in known if name in answer.headers and name not in response["headers"]]
    assert not undocumented, f"there, but not documented: {undocumented}"


def _check_request(call: Call, exchange: dict[str, Any]) -> None:
    if "body" in exchange["request"] and exchange["response"]["status"] != 422:
        for content in call.spec["requestBody"]["content"].values():
            assert flaws(exchange["request"]["body"], content["schema"]) == []


def _record(world: World, exchange: dict[str, Any], answer: httpx.Response) -> None:
    kept = exchange.get("response", {})
    fresh: dict[str, Any] = {"status": answer.status_code}
    if kept.get("headers"):
        fresh["headers"] = kept["headers"]
    body = documented(world, answer)
    if body is not None:
        fresh["body"] = kept["body"] if "body" in kept and settled(kept["body"]) == settled(body) else body
    exchange["response"] = fresh


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
async def test_an_example_is_what_happens(world: World, call: Call) -> None:
    found = exchanges(call.name)
    assert found, f"write openapi/examples/{call.name}.json: see app/web/openapi/examples.py for its form"
    for name, exchange in found.items():
        answer = await play(world, call, exchange)
        if RECORDING:
            _record(world, exchange, answer)
        response = exchange["response"]
        assert answer.status_code == response["status"], f"{name}: {answer.text}"
        assert str(answer.status_code) in call.spec["responses"], f"{name}: {answer.status_code} is not documented"
        _check_request(call, exchange)
        _check_headers(call, exchange, answer)
        body = body_of(answer)
        if body is not None:
            schema = _content(call, answer)["schema"]
            assert flaws(body, schema) == [], name
            assert flaws(response["body"], schema) == [], name
            assert settled(json.loads(world.documented(json.dumps(body, ensure_ascii=False)))) == settled(
                response["body"]
            ), name
        else:
            assert "body" not in response, name
    if RECORDING:
        text = json.dumps(found, ensure_ascii=False, indent=2) + "\n"
        (FOLDER / f"{call.name}.json").write_text(text, "utf-8")


async def test_a_head_answers_as_its_get_does_without_a_body(world: World) -> None:
    reads = [(call, exchange) for call in CALLS if call.method == "get" for exchange in exchanges(call.name).values()]
    for call, exchange in reads:
        whole, head = [await play(world, call, exchange, method) for method in ("GET", "HEAD")]
        assert (head.status_code, head.content) == (whole.status_code, b""), call.name
        assert head.headers.keys() == whole.headers.keys(), call.name
        for name in ("content-type", "etag", "cache-control", "vary", "retry-after", "www-authenticate"):
            assert head.headers.get(name) == whole.headers.get(name), call.name


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_every_body_has_an_example(call: Call) -> None:
    answers = [response for status, response in call.spec["responses"].items() if status.startswith("2")]
    for content in (content for answer in answers for content in answer.get("content", {}).values()):
        assert content.get("examples")
    for media_type, content in call.spec.get("requestBody", {"content": {}})["content"].items():
        assert content.get("examples"), media_type


def test_every_file_belongs_to_an_operation() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} <= {call.name for call in CALLS}
