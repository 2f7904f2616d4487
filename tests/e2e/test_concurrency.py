"""Under load no update is lost, and nothing acknowledged is gone after the server or the database was killed."""

import asyncio
import os
import signal
from collections.abc import Callable

import httpx

from tests.core.embedded.support import process_of
from tests.e2e.conftest import PATH, Site

CLIENTS = 50
WRITERS = 8
ENOUGH = 120
"""Acknowledged writes after which the axe falls."""
PATIENCE = 60.0

TRACES = (
    "SELECT count(*) FROM records r WHERE external_id LIKE '{prefix}-%'"
    " AND 1 = (SELECT count(*) FROM record_versions v WHERE v.record_id = r.id)"
    " AND 1 = (SELECT count(*) FROM audit_entries a WHERE a.action = 'record.create' AND r.id = ANY (a.record_ids))"
    " AND 1 = (SELECT count(*) FROM events e WHERE e.type = 'record.created' AND e.record_id = r.id)"
    " AND 1 = (SELECT count(*) FROM idempotency_keys k WHERE k.resource_id = r.id::text)"
)


def _client(site: Site, headers: dict[str, str]) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=CLIENTS)
    return httpx.AsyncClient(base_url=site.address, headers=headers, timeout=PATIENCE, limits=limits)


async def test_fifty_clients_lose_no_update(site: Site) -> None:
    async with _client(site, site.token("KR-KNPA")) as client:
        path = (await client.post(PATH, json={"name": "Counted", "estimated_members": 0})).headers["Location"]
        refused = 0

        async def count_one() -> None:
            nonlocal refused
            while True:
                seen = await client.get(path)
                answer = await client.patch(
                    path,
                    json={"estimated_members": seen.json()["estimated_members"] + 1},
                    headers={"If-Match": seen.headers["ETag"]},
                )
                if answer.status_code == 200:
                    return
                assert answer.status_code == 412, answer.text
                refused += 1

        await asyncio.gather(*(count_one() for _ in range(CLIENTS)))
        told = (await client.get(path)).json()
        versions = (await client.get(f"{path}/versions", params={"limit": 500})).json()["items"]
    assert (told["estimated_members"], told["version"], len(versions)) == (CLIENTS, CLIENTS + 1, CLIENTS + 1)
    assert refused > 0


class Load:
    """Writers that create records, each under a name and key of its own, and repeat whatever was not answered."""

    def __init__(self, client: httpx.AsyncClient, prefix: str) -> None:
        self.acknowledged: dict[str, str] = {}
        self._client, self._prefix = client, prefix
        self._ended, self._more = asyncio.Event(), asyncio.Event()

    async def write(self, writer: int) -> None:
        number = 0
        while not self._ended.is_set():
            await self._create(f"{self._prefix}-{writer}-{number}")
            number += 1

    async def _create(self, name: str) -> None:
        body = {"name": name, "external_id": name}
        while not self._ended.is_set():
            try:
                answer = await self._client.post(PATH, json=body, headers={"Idempotency-Key": name})
            except httpx.TransportError:
                continue
            if answer.status_code == 201:
                self.acknowledged[name] = answer.json()["id"]
                self._more.set()
                return
            assert answer.status_code == 503, answer.text

    async def wait_for(self, more: int) -> None:
        enough = len(self.acknowledged) + more
        while len(self.acknowledged) < enough:
            self._more.clear()
            await self._more.wait()

    def end(self) -> None:
        self._ended.set()


async def _under_load(site: Site, prefix: str, axe: Callable[[], None], *, and_on: bool) -> dict[str, str]:
    """Write, let the axe fall, write on if the server lives; what was acknowledged, by name."""
    async with _client(site, site.token("KR-KNPA")) as client, asyncio.timeout(PATIENCE):
        load = Load(client, prefix)
        async with asyncio.TaskGroup() as group:
            for writer in range(WRITERS):
                group.create_task(load.write(writer))
            await load.wait_for(ENOUGH)
            axe()
            if and_on:
                await load.wait_for(ENOUGH)
            load.end()
    return load.acknowledged


async def _verify(site: Site, prefix: str, acknowledged: dict[str, str]) -> None:
    """Every acknowledged write is there, whole and once, and a repeat of it does nothing more."""
    async with _client(site, site.token("KR-KNPA")) as client:
        for name, record in acknowledged.items():
            answer = await client.get(f"{PATH}/{record}")
            assert (answer.status_code, answer.json()["name"]) == (200, name)
        for name, record in list(acknowledged.items())[-WRITERS:]:
            again = await client.post(PATH, json={"name": name, "external_id": name}, headers={"Idempotency-Key": name})
            assert (again.status_code, again.json()["id"]) == (201, record)
    there = site.look(f"SELECT count(*) FROM records WHERE external_id LIKE '{prefix}-%'")  # noqa: S608 - our own words
    assert site.look(TRACES.format(prefix=prefix)) == there
    assert there >= len(acknowledged)


async def test_a_killed_server_loses_nothing_it_acknowledged(site: Site) -> None:
    acknowledged = await _under_load(site, "server", site.kill, and_on=False)
    site.start()
    await _verify(site, "server", acknowledged)


async def test_a_killed_database_loses_nothing_that_was_acknowledged(site: Site) -> None:
    def axe() -> None:
        os.kill(process_of(site.data), signal.SIGKILL)

    await _verify(site, "database", await _under_load(site, "database", axe, and_on=True))
