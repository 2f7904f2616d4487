"""Running the server: the socket, the processes, the signals, and an embedded database that comes back if it dies."""

import asyncio
import gc
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from app.cli.connections import BoundedConnection
from app.cli.demo import show_credentials, tell
from app.cli.host import load_settings
from app.cli.listening import SIGNALS, Signals, address_of, bound
from app.cli.terminal import say, show
from app.core import logs
from app.core.crypto import MasterKey
from app.core.database_roles import DatabaseRole
from app.core.db import Database
from app.core.embedded import EmbeddedPostgres
from app.core.stores import Store, open_store
from app.identity.signing import KeyKeeper
from app.installation import Installation, InstallationError, open_installation, require_plain_role
from app.main import create_app
from app.settings import Settings
from app.worker import run as work
from app.worker import running_worker

DRAIN_SECONDS = 25
"""How long calls under way may take after SIGTERM; orchestrators kill after thirty seconds."""

KEEP_ALIVE_SECONDS = 75
"""Longer than a proxy in front keeps an idle connection, so that the server never closes one that is being used."""

_WATCH_SECONDS = 2.0
_START_SECONDS = 60.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

_Background = tuple[str, MasterKey, int, Store]
"""What the background work needs: a connection string, the master key to seal the audit, the hours within which a
repatriation request is to be acknowledged while a life is at risk, and the store of attachments."""

log = structlog.get_logger("interdesk.server")


def serve(host: str, port: int, workers: int, *, worker: bool, demo: bool, as_json: bool) -> None:
    """Serve until a signal; returns when all calls under way are answered.

    With `worker` the background work is done here too: beside the API where that is one process, else by the process
    that watches over the others.

    Raises:
        RefusedError: the port cannot be had.
        InstallationError: the set-up does not do.
    """
    _settle()
    with Signals() as signals, bound(host, port) as listener:
        address = address_of(listener)
        settings = _with_public_url(load_settings(), host, address)
        configure_logs(settings)
        with open_installation(settings) as installation, kept_alive(installation.postgres):
            master_key = installation.master_key()
            installation.prepare()
            require_plain_role(installation.conninfo(DatabaseRole.API), "DATABASE_URL")
            asyncio.run(_check_keys(installation, master_key))
            hours, store = settings.repatriation_acknowledge_hours, open_store(settings.attachment_store, settings.data)
            background = (_background(installation), master_key, hours, store) if worker else None
            told = tell(installation, unless_used=True) if demo else None

            def announce() -> None:
                if as_json:
                    demonstration = {} if told is None else {"demo": told}
                    listening = {"address": address, "public_url": settings.public_url, "workers": workers}
                    show({**listening, **demonstration}, as_json=True)
                    return
                if told is not None:
                    show_credentials(installation, told)
                say(f"Interdesk answers at {address}, and its documentation stands at {address}/docs")

            if workers == 1:
                app = create_app(settings, installation.conninfo(DatabaseRole.API), master_key)
                server = _Server(_config(app), signals.leave_to_the_server, announce)
                _run_here(server, background, listener)
            else:
                with _working_thread(background):
                    _run_processes(settings, listener, workers, announce)


def work_alone(*, as_json: bool) -> None:
    """Do the background work until a signal; what is under way is finished, or left to the next worker."""
    _settle()
    settings = load_settings()
    configure_logs(settings)
    with Signals() as signals, open_installation(settings) as installation, kept_alive(installation.postgres):
        installation.prepare()
        conninfo = installation.conninfo(DatabaseRole.WORKER)
        require_plain_role(conninfo, "INTERDESK_WORKER_DATABASE_URL")
        master_key = installation.master_key()
        store = open_store(settings.attachment_store, settings.data)

        async def run() -> None:
            ended = asyncio.Event()
            for number in SIGNALS:
                asyncio.get_running_loop().add_signal_handler(number, ended.set)
            signals.leave_to_the_server()
            async with running_worker(conninfo, master_key, settings.repatriation_acknowledge_hours, store):
                if as_json:
                    show({"status": "working"}, as_json=True)
                else:
                    say("Working in the background.")
                await ended.wait()

        asyncio.run(run())


def application() -> FastAPI:
    """The application of one server process among several, from the environment alone."""
    _settle()
    settings = load_settings()
    configure_logs(settings)
    # Never released: the process that started this one does so when all have ended.
    installation = Installation(settings, None if settings.database_url else EmbeddedPostgres.start(settings.data))
    return create_app(settings, installation.conninfo(DatabaseRole.API), installation.master_key())


def _settle() -> None:
    """What was imported stays as long as the process: garbage is looked for from now on, and elsewhere."""
    gc.freeze()
    gc.enable()


def configure_logs(settings: Settings) -> None:
    """Start logging as the settings say."""
    try:
        logs.configure(settings.log_level)
    except ValueError as error:
        raise InstallationError(str(error)) from None


@contextmanager
def kept_alive(postgres: EmbeddedPostgres | None) -> Iterator[None]:
    """Start an embedded database again whenever it dies; of a managed one others take care."""
    if postgres is None:
        yield
        return
    ended = threading.Event()

    def watch(server: EmbeddedPostgres) -> None:
        while not ended.wait(_WATCH_SECONDS):
            try:
                server.revive()
            except Exception:
                log.exception("the embedded database does not start")  # the next round may succeed

    thread = threading.Thread(target=watch, args=(postgres,), name="embedded-database", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class _Server(uvicorn.Server):
    """A server that says when it has taken over the signals, and when it listens."""

    def __init__(self, config: uvicorn.Config, take_over: Callable[[], None], announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._take_over = take_over
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._take_over()
        await super().startup(sockets)
        if self.started:
            self._announce()


def _run_here(server: _Server, background: _Background | None, listener: socket.socket) -> None:
    async def run() -> None:
        async with running_worker(*background) if background else nullcontext():
            await server.serve(sockets=[listener])

    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(run())


class _Supervisor(Multiprocess):
    """Watches over several server processes, and says when the first of them listens."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, announce: Callable[[], None]) -> None:
        super().__init__(config, sockets=[listener])
        self._announce = announce

    def init_processes(self) -> None:
        super().init_processes()
        if self.processes[0].wait_until_ready(_START_SECONDS, self.should_exit):
            self._announce()


def _run_processes(settings: Settings, listener: socket.socket, workers: int, announce: Callable[[], None]) -> None:
    # The settings that may come from the command line.
    os.environ |= {"INTERDESK_PUBLIC_URL": settings.public_url, "INTERDESK_LEGAL_BASIS": settings.legal_basis}
    supervisor = _Supervisor(_config("app.cli.serving:application", workers), listener, announce)
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        message = "A server process could not start; the log says why."
        raise InstallationError(message)


def _config(app: FastAPI | str, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        loop="uvloop",
        http=BoundedConnection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # the porch writes one, without query strings
        server_header=False,
        proxy_headers=False,  # the porch believes trusted proxies alone
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


async def _check_keys(installation: Installation, master_key: MasterKey) -> None:
    """Open the signing keys before anything listens: a wrong master key is said in a sentence."""
    database = Database(installation.conninfo(DatabaseRole.API), connections=2)
    await database.open()
    try:
        await KeyKeeper.open(database, master_key)
    finally:
        await database.close()


def _background(installation: Installation) -> str:
    """The connection string for the background work."""
    try:
        conninfo = installation.conninfo(DatabaseRole.WORKER)
    except InstallationError as error:
        message = f"{error} Or serve with --no-worker, and run `interdesk worker` where it is set."
        raise InstallationError(message) from None
    require_plain_role(conninfo, "INTERDESK_WORKER_DATABASE_URL")
    return conninfo


@contextmanager
def _working_thread(background: _Background | None) -> Iterator[None]:
    """Do the background work in a thread of this process, whose own is taken up by watching over others."""
    if background is None:
        yield
        return
    loop = asyncio.new_event_loop()
    task = loop.create_task(work(*background))
    thread = threading.Thread(target=loop.run_until_complete, args=(asyncio.wait([task]),), name="worker")
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


def _with_public_url(settings: Settings, host: str, address: str) -> Settings:
    """Where no public address is set and only this machine can call, the address served is the public one."""
    if "public_url" in settings.model_fields_set:
        return settings
    if host not in _LOOPBACK:
        say("INTERDESK_PUBLIC_URL is not set: partners' tokens and links will name http://127.0.0.1:8000.")
        return settings
    return settings.model_copy(update={"public_url": address})
