"""The documented world, built once for each worker and copied for each test."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from app.core.crypto import MasterKey
from app.core.database_roles import DatabaseRole
from app.main import create_app
from app.settings import Settings
from tests.conftest import PUBLIC_URL, Cluster, Hub
from tests.contract import (
    world_conflicts,
    world_incidents,
    world_operations,
    world_persons,
    world_repatriations,
    world_running,
)
from tests.contract.world import World, build

# A copy holds signing keys sealed under the key that the world was built with.
_KEY = MasterKey(secrets.token_bytes(32))


@asynccontextmanager
async def hub_on(cluster: Cluster, database: str) -> AsyncIterator[Hub]:
    """The application on one of the databases made here."""
    settings = Settings(_env_file=None, public_url=PUBLIC_URL)
    app = create_app(settings, cluster.conninfo(DatabaseRole.API, database), _KEY)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", 50000))
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        yield Hub(app, cluster, database, client, settings)


@pytest.fixture(scope="session")
def built(cluster: Cluster, template: str, worker_id: str) -> Iterator[World]:
    """The world as it was built; its hub is closed, its database is there to be copied."""
    name = f"documented_{worker_id}"
    cluster.clone(template, name)

    async def make() -> World:
        async with hub_on(cluster, name) as hub:
            further = (world_operations.build, world_running.build, world_conflicts.build, world_incidents.build)
            return await build(hub, *further, world_persons.build, world_repatriations.build)

    yield asyncio.run(make())
    cluster.drop(name)


@pytest.fixture
async def world(cluster: Cluster, built: World) -> AsyncIterator[World]:
    """A copy of the world for one test."""
    name = f"{built.hub.database}_{secrets.token_hex(4)}"
    cluster.clone(built.hub.database, name)
    try:
        async with hub_on(cluster, name) as hub:
            yield built.on(hub)
    finally:
        cluster.drop(name)
