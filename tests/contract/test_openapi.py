"""The description is whole, valid, and the one that is committed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.core.problems import PROBLEM_TYPES
from app.identity.roles import Permission
from app.web.callers import LISTS
from tests.contract.description import Call, document, operations, resolved

COMMITTED = Path(__file__).parents[2] / "openapi" / "openapi.json"
CALLS = list(operations())
OPEN = ("/oauth/", "/.well-known/", "/health/", "/problems", "/v1/audit/keys", "/v1/meetings/calendar/")


def test_the_committed_description_is_this_one() -> None:
    written = json.dumps(document(), ensure_ascii=False, indent=2) + "\n"
    assert COMMITTED.read_text("utf-8") == written, "openapi/openapi.json is stale: run make openapi"


def test_the_description_is_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []


def test_names_are_unique() -> None:
    names = [call.name for call in CALLS]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)


def test_parameters_that_may_be_repeated_are_known() -> None:
    parameters = [parameter for call in CALLS for parameter in call.spec.get("parameters", [])]
    lists = {found["name"] for found in parameters if found["in"] == "query" and found["schema"].get("type") == "array"}
    assert lists == LISTS


def test_every_group_of_calls_is_described_and_used() -> None:
    described = {tag["name"] for tag in document()["tags"] if tag["description"].endswith(".")}
    assert {tag for call in CALLS for tag in call.spec["tags"]} == described


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_call_says_what_it_does(call: Call) -> None:
    spec = call.spec
    assert len(spec["tags"]) == 1
    assert 3 <= len(spec["summary"]) <= 60
    assert not spec["summary"].endswith(".")
    assert re.search(r"[.`]$", spec["description"])
    assert any(status.startswith("2") for status in spec["responses"])


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_call_says_who_may_make_it(call: Call) -> None:
    scopes = [need["client_credentials"] for need in call.spec["security"] if "client_credentials" in need]
    assert bool(scopes) is not call.path.startswith(OPEN)
    assert {scope for needed in scopes for scope in needed} <= {permission.value for permission in Permission}
    if scopes:
        assert "401" in call.spec["responses"]
    assert ("403" in call.spec["responses"]) is any(scopes)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_parameters_are_described(call: Call) -> None:
    parameters = call.spec.get("parameters", [])
    assert {p["name"] for p in parameters if p["in"] == "path"} == set(re.findall(r"{(\w+)}", call.path))
    for parameter in parameters:
        assert parameter.get("description", "").endswith((".", "`")), parameter["name"]
        schema = parameter["schema"]
        assert "$ref" in schema or "type" in schema or "anyOf" in schema, parameter["name"]
        if parameter["in"] == "path":
            assert "example" in parameter, f"{parameter['name']}: the first exchange names one"


def test_every_list_is_offered_as_a_table() -> None:
    """The examples show that it is: each media type of each answer has one, and is played."""
    offered = {}
    for call in CALLS:
        content = call.spec["responses"].get("200", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {}).get("$ref", "")
        if call.method == "get" and schema.endswith(("Page", "List")):
            offered[call.name] = "text/csv" in content
    otherwise = {
        "list_events": "is followed, not looked at",
        "list_problem_types": "has HTML for people",
        "list_incident_report_persons": "persons leave in no table",
        "list_repatriation_request_persons": "persons leave in no table",
    }
    assert {name for name, table in offered.items() if not table} == otherwise.keys()


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_refusals_are_problem_documents(call: Call) -> None:
    assert {"429", "500"} <= call.spec["responses"].keys()
    if "{" in call.path:
        assert "404" in call.spec["responses"]
    if "requestBody" in call.spec and not call.path.startswith("/oauth/"):
        assert {"413", "415", "422"} <= call.spec["responses"].keys()
    for status, response in call.spec["responses"].items():
        content = resolved(response).get("content", {})
        if int(status) >= 400 and not call.path.startswith("/oauth/"):
            assert list(content) == ["application/problem+json"], status
        assert resolved(response)["description"]


def test_every_refusal_is_explained_with_an_example() -> None:
    examples = document()["components"]["examples"]
    assert examples.keys() <= PROBLEM_TYPES.keys()
    for slug, example in examples.items():
        assert example["value"]["status"] == PROBLEM_TYPES[slug].status


def _properties(part: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        for name, described in part.get("properties", {}).items() if part.get("type") == "object" else ():
            yield f"{where}/{name}", described
        for name, inner in part.items():
            yield from _properties(inner, f"{where}/{name}")
    elif isinstance(part, list):
        for inner in part:
            yield from _properties(inner, where)


def test_every_field_is_described() -> None:
    silent = [
        where
        for where, described in _properties(document()["components"]["schemas"])
        if not resolved(described).get("description") and not described.get("description")
    ]
    assert silent == []


def test_no_foreign_address_stands_in_the_description() -> None:
    hosts = set(re.findall(r"https?://([^/\"\s]+)", json.dumps(document(), ensure_ascii=False)))
    # The last is the name that drawings declare what they are by; nobody asks there.
    assert hosts <= {"hub.example", "police.example", "…>;", "www.w3.org"}
