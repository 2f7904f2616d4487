"""Closed vocabularies hold nothing that is never said: every problem is answered somewhere, every event written, every
permission granted, and every call asks for permissions that exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.core import problems
from app.core.problems import PROBLEM_TYPES, ProblemType
from app.events.catalogue import EventType
from app.identity.roles import PERMISSIONS, Permission, Role
from tests.conftest import Hub

ROOT = Path(__file__).parents[2]

OF_NO_CALL = {
    "method-not-allowed",  # answered where no call is
}


def _sources(*folders: str) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".sql"):
                yield path, path.read_text(encoding="utf-8")


def _calls(hub: Hub) -> Iterator[dict[str, Any]]:
    for calls in hub.app.openapi()["paths"].values():
        yield from calls.values()


def test_every_problem_is_raised_somewhere() -> None:
    names = {name: value for name, value in vars(problems).items() if isinstance(value, ProblemType)}
    code = "\n".join(text for path, text in _sources("app") if path.name != "problems.py" or path.parent.name == "web")
    unused = {name for name in names if not re.search(rf"\b{name}\b", code)}
    assert unused <= {"NOT_FOUND", "INVALID_BODY"}
    assert set(names.values()) == set(PROBLEM_TYPES.values())


async def test_every_problem_is_explained(hub: Hub) -> None:
    for slug, kind in PROBLEM_TYPES.items():
        answer = await hub.client.get(f"/problems/{slug}")
        assert answer.status_code == 200
        assert kind.title in answer.text
    assert (await hub.client.get("/problems/nonsense")).status_code == 404


def test_every_problem_is_documented_with_a_call(hub: Hub) -> None:
    shared = hub.app.openapi()["components"]["responses"]
    answers = [
        shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        for call in _calls(hub)
        for answer in call["responses"].values()
    ]
    documented = {slug for answer in answers for slug in re.findall(r"\(`([a-z0-9-]+)`\)", answer["description"])}
    assert documented <= set(PROBLEM_TYPES)
    assert set(PROBLEM_TYPES) - documented == OF_NO_CALL


def test_every_event_is_written_and_every_written_event_is_known() -> None:
    known = {event.stored for event in EventType}
    words = {path: text for path, text in _sources("app", "migrations") if path.name != "catalogue.py"}
    said = "\n".join(words.values())
    # Two words that are put together where they are written.
    composed = {f"amendment.{state}" for state in ("accepted", "rejected")}
    assert {event for event in known - composed if f"'{event}'" not in said and f'"{event}"' not in said} == set()
    written = set()
    for pattern in (
        r"announce\('([a-z_.]+)'",
        r"tell_agency\(\w+, '([a-z_.]+)'",
        r"VALUES \('([a-z_]+\.[a-z_]+)', p_kind",
    ):
        written |= set(re.findall(pattern, said))
    assert written
    assert written <= known


def test_every_permission_is_granted_and_every_role_grants() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert all(PERMISSIONS.values())
    assert {permission for granted in PERMISSIONS.values() for permission in granted} == set(Permission)
    for word in (*Permission, *Role):
        assert word.description.endswith(".")


def test_calls_ask_for_permissions_that_exist(hub: Hub) -> None:
    asked = {
        scope
        for call in _calls(hub)
        for requirement in call.get("security", [])
        for scopes in requirement.values()
        for scope in scopes
    }
    assert asked
    assert asked <= {permission.value for permission in Permission}
