"""The story, told to a hub of its own."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from app.access.desk import Desk, open_operator_desk
from app.core.database_roles import DatabaseRole
from app.core.db import Database
from app.demo.homecoming import People
from app.demo.telling import OpenDesk
from tests.conftest import Hub


@pytest.fixture
async def open_desk(hub: Hub) -> AsyncIterator[OpenDesk]:
    database = Database(hub.conninfo(DatabaseRole.WORKER), 2, {"interdesk.legal_basis": "required"})
    await database.open()

    def desk(agency: str | None) -> AbstractAsyncContextManager[Desk]:
        return open_operator_desk(database, agency, officer="tester", purpose="test", request_id="test")

    yield desk
    await database.close()


@pytest.fixture
def people(hub: Hub) -> People:
    return People.under(hub.app.state.house.master_key)
