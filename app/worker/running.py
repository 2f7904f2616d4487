"""Running the worker: sequencer and jobs side by side, through whatever happens to the database, until cancelled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import structlog

from app.core.crypto import MasterKey
from app.core.stores import Store
from app.events.sequencer import keep_sequencing
from app.worker.jobs import ACKNOWLEDGE_HOURS, job_app

log = structlog.get_logger("interdesk.worker")

_CONCURRENCY: Final = 4
_GRACE_SECONDS: Final = 5.0
"""How long jobs under way may take when the worker ends; what is cut off then is taken up again by the next one."""

_PAUSE_SECONDS: Final = 1.0
"""Between a failure and the next try: a database that restarts is away for about as long."""


@asynccontextmanager
async def running_worker(
    conninfo: str,
    master_key: MasterKey | None = None,
    acknowledge_hours: int = ACKNOWLEDGE_HOURS,
    store: Store | None = None,
) -> AsyncIterator[None]:
    """Do the background work for the length of a block, on a database reached as the role interdesk_worker.

    Without the master key everything but sealing the audit is done, without the store everything but emptying it.
    `acknowledge_hours` is what `job_app` takes.

    Any number of processes may do so at once. A database that goes away is waited for; leaving the block takes as long
    as the transactions under way, and at most a few seconds.
    """
    tasks = [
        asyncio.create_task(_kept_up(name, conninfo, work), name=name)
        for name, work in (
            ("sequencer", keep_sequencing),
            (
                "jobs",
                partial(_keep_working, master_key=master_key, acknowledge_hours=acknowledge_hours, store=store),
            ),
        )
    ]
    try:
        yield
    finally:
        await _end(tasks)


async def run(
    conninfo: str,
    master_key: MasterKey | None = None,
    acknowledge_hours: int = ACKNOWLEDGE_HOURS,
    store: Store | None = None,
) -> None:
    """Do the background work until cancelled."""
    async with running_worker(conninfo, master_key, acknowledge_hours, store):
        await asyncio.Event().wait()


async def _keep_working(
    conninfo: str, master_key: MasterKey | None, acknowledge_hours: int, store: Store | None
) -> None:
    app = job_app(conninfo, master_key, acknowledge_hours, store)
    try:
        await app.open_async()
        await app.run_worker_async(
            concurrency=_CONCURRENCY,
            install_signal_handlers=False,
            delete_jobs="always",
            shutdown_graceful_timeout=_GRACE_SECONDS,
        )
    finally:
        # Also where opening was cut off half-way: a pool that is left open goes on connecting, whatever cancels it.
        await app.close_async()


async def _kept_up(name: str, conninfo: str, work: Callable[[str], Awaitable[None]]) -> None:
    this = asyncio.current_task()
    while True:
        try:
            await work(conninfo)
        except Exception:
            log.exception("background work failed", work=name)
            if this and this.cancelling():
                return  # it failed while it was being ended, and its failure took the place of the cancellation
        await asyncio.sleep(_PAUSE_SECONDS)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel the tasks until they have ended: whatever lost one cancellation gets the next."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=2 * _GRACE_SECONDS)
