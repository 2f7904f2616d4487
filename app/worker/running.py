"""Running the worker: sequencer and jobs side by side, through whatever happens to the database, until cancelled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from app.events.sequencer import keep_sequencing
from app.worker.jobs import job_app

log = structlog.get_logger("interdesk.worker")

_CONCURRENCY: Final = 4
_GRACE_SECONDS: Final = 5.0
"""How long jobs under way may take when the worker ends; what is cut off then is taken up again by the next one."""

_PAUSE_SECONDS: Final = 1.0
"""Between a failure and the next try: a database that restarts is away for about as long."""


@asynccontextmanager
async def running_worker(conninfo: str) -> AsyncIterator[None]:
    """Do the background work for the length of a block, on a database reached as the role interdesk_worker.

    Any number of processes may do so at once. A database that goes away is waited for; leaving the block takes as long
    as the transactions under way, and at most a few seconds.
    """
    tasks = [
        asyncio.create_task(_kept_up(name, conninfo, work), name=name)
        for name, work in (("sequencer", keep_sequencing), ("jobs", _keep_working))
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def run(conninfo: str) -> None:
    """Do the background work until cancelled."""
    async with running_worker(conninfo):
        await asyncio.Event().wait()


async def _keep_working(conninfo: str) -> None:
    async with job_app(conninfo).open_async() as app:
        await app.run_worker_async(
            concurrency=_CONCURRENCY,
            install_signal_handlers=False,
            delete_jobs="always",
            shutdown_graceful_timeout=_GRACE_SECONDS,
        )


async def _kept_up(name: str, conninfo: str, work: Callable[[str], Awaitable[None]]) -> None:
    while True:
        try:
            await work(conninfo)
        except Exception:
            log.exception("background work failed and begins again", work=name)
        await asyncio.sleep(_PAUSE_SECONDS)
