"""The application: routers, refusals, the porch, and what a process opens at start and closes at the end."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import routers
from app.access.reading import Reader
from app.core.crypto import MasterKey
from app.core.db import Database
from app.core.registers import read_registers
from app.identity.signing import KeyKeeper
from app.identity.tokens import VerifiedTokens
from app.settings import Settings
from app.web.openapi import describe
from app.web.porch import Porch
from app.web.problems import HANDLERS
from app.web.state import House


def create_app(settings: Settings, database_conninfo: str, master_key: MasterKey) -> FastAPI:
    """An application on a database that it reaches as the role interdesk_api, with the installation's master key."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, object]]:
        database = Database(database_conninfo, settings.database_connections, settings.session)
        await database.open()
        try:
            keeper = await KeyKeeper.open(database, master_key)
            tokens = VerifiedTokens(issuer=settings.public_url, audience=settings.public_url)
            app.state.house = House(settings, database, master_key, keeper, Reader(database), tokens)
            # In a thread beside the first requests, so that neither they nor the start wait for the registers of codes.
            reading = asyncio.create_task(asyncio.to_thread(read_registers))
            async with keeper.at_work():
                yield {}
            await reading
        finally:
            await database.close()

    app = FastAPI(
        # As they stand: `include_router` would derive every route anew for this application, in a tenth of a second.
        routes=[route for router in routers.ALL for route in router.routes],
        title="Interdesk",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        exception_handlers=HANDLERS,
        redirect_slashes=False,
        # FastAPI would hand spans with whole query strings to whatever exporter the environment sets up: what is
        # searched for, and which record is read, leaves the hub through no side door.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.add_middleware(Porch, settings=settings)
    describe(app)
    return app
