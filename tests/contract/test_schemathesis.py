"""Calls drawn from the description, right ones and wrong ones: every answer is one that it promises.

Schemathesis draws the calls and checks the answers; they go straight into the application. Ids in paths are those of
records that are there, since a drawn one is never: else nearly every answer would be 404.
"""

from collections.abc import Iterator
from typing import Any

import anyio.from_thread
import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.web.openapi.examples import exchanges
from tests.conftest import PUBLIC_URL, Cluster
from tests.contract.conftest import world_on
from tests.contract.description import Call, document, operations
from tests.contract.world import World

EXAMPLES = 5
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CALLERS = {
    "Agencies": "HUB platform_admin",
    "Audit": "KR-KNPA auditor",
    "Credentials": "KH-CNP agency_admin",
    "Groups": "KR-KNPA commander",
    "Meetings": "KR-KNPA operations_officer",
    "Recalls": "TH-RTP analyst",
    "Transports": "KR-KNPA liaison_officer",
}
SCHEMA = schemathesis.openapi.from_dict(document())
CALLS = list(operations())


class Application:
    """The application on a copy of the documented world, called from a thread that knows no event loop."""

    def __init__(self, world: World, portal: anyio.from_thread.BlockingPortal) -> None:
        self.world = world
        self._portal = portal

    def send(self, case: Case) -> httpx.Response:
        prepared = requests.Request(**case.as_transport_kwargs(base_url=PUBLIC_URL)).prepare()
        # A header is bytes: what a client writes there need not be ASCII.
        headers = [(name.encode(), str(value).encode()) for name, value in prepared.headers.items()]
        request = httpx.Request(str(prepared.method), str(prepared.url), headers=headers, content=prepared.body)
        return self._portal.call(self._send, request)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        answer = await self.world.hub.client.send(request)
        await answer.aread()
        return answer

    def known(self, call: Call) -> dict[str, str]:
        """What the placeholders of a call's path stand for in the first of its examples."""
        first = next(iter(exchanges(call.name).values()), {"request": {}})
        path: dict[str, str] = first["request"].get("path", {})
        return {name: self.world.actual(value) for name, value in path.items()}

    def headers(self, call: Call) -> dict[str, str]:
        if not any("client_credentials" in need for need in call.spec["security"]):
            return {}
        caller = self.world.caller(CALLERS.get(call.spec["tags"][0], "KR-KNPA analyst"))
        return {"Authorization": f"Bearer {caller.access_token}"}


@pytest.fixture(scope="module")
def application(cluster: Cluster, built: World) -> Iterator[Application]:
    name = f"{built.hub.database}_drawn"
    cluster.clone(built.hub.database, name)
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(world_on(cluster, name)) as hub,
    ):
        yield Application(built.on(hub), portal)
    cluster.drop(name)


@pytest.mark.parametrize(
    ("call", "mode"),
    [
        pytest.param(call, mode, id=f"{call.name}-{mode.value}")
        for call in CALLS
        for mode in GenerationMode
        # Without parameters and a body there is nothing to be wrong.
        if mode is GenerationMode.POSITIVE or call.spec.get("parameters") or "requestBody" in call.spec
    ],
)
def test_every_answer_is_one_that_the_description_promises(
    application: Application, call: Call, mode: GenerationMode
) -> None:
    operation = SCHEMA[call.path][call.method.upper()]
    headers, known = application.headers(call), application.known(call)
    drawn: Any = operation.as_strategy(mode, headers=headers)
    if known:
        drawn = st.one_of(operation.as_strategy(mode, headers=headers, path_parameters=known), drawn)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=drawn)
    def play(case: Case) -> None:
        answer = application.send(case)
        # A stale version or too long a body is refused before anybody looks at what else is wrong.
        refused = answer.status_code in {412, 413}
        case.validate_response(answer, checks=[*CHECKS, *([] if refused else [negative_data_rejection])])

    play()
