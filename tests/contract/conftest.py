"""The documented world, built once for each worker and copied for each test."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from app.core.crypto import MasterKey
from app.settings import Settings
from tests.conftest import PUBLIC_URL, ROOT, Cluster, Hub, hub_on
from tests.contract import (
    world_attachments,
    world_checklists,
    world_conflicts,
    world_incidents,
    world_operations,
    world_persons,
    world_repatriations,
    world_running,
    world_statistics,
    world_transports,
)
from tests.contract.world import World, build

# A copy holds signing keys sealed under the key that the world was built with.
_KEY = MasterKey(secrets.token_bytes(32))


def world_on(cluster: Cluster, database: str) -> AbstractAsyncContextManager[Hub]:
    """The application on one of the databases made here."""
    settings = Settings(_env_file=None, data=Path(os.environ[ROOT]) / "world", public_url=PUBLIC_URL)
    return hub_on(cluster, database, settings, _KEY)


@pytest.fixture(scope="session")
def built(cluster: Cluster, template: str, worker_id: str) -> Iterator[World]:
    """The world as it was built; its hub is closed, its database is there to be copied."""
    name = f"documented_{worker_id}"
    cluster.clone(template, name)

    async def make() -> World:
        async with world_on(cluster, name) as hub:
            further = (world_operations.build, world_running.build, world_conflicts.build, world_incidents.build)
            people = (world_persons.build, world_repatriations.build, world_checklists.build, world_statistics.build)
            return await build(hub, *further, *people, world_attachments.build, world_transports.build)

    yield asyncio.run(make())
    cluster.drop(name)


@pytest.fixture
async def world(cluster: Cluster, built: World) -> AsyncIterator[World]:
    """A copy of the world for one test."""
    name = f"{built.hub.database}_{secrets.token_hex(4)}"
    cluster.clone(built.hub.database, name)
    try:
        async with world_on(cluster, name) as hub:
            yield built.on(hub)
    finally:
        cluster.drop(name)
