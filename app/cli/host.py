"""The host that a command runs on: its settings, its installation, and the operator who typed the command."""

import asyncio
import gc
import os
import pwd
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import psycopg
from pydantic import ValidationError

from app.access.desk import Desk, open_operator_desk
from app.core.database_roles import DatabaseRole
from app.core.db import Database
from app.core.ids import uuid7
from app.installation import Installation, InstallationError, open_installation
from app.settings import Settings

_T = TypeVar("_T")


def load_settings() -> Settings:
    """The settings of the environment and the `.env` file.

    Raises:
        InstallationError: some are not right; the message names them and quotes no value, which may be a secret.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"  {_setting(flaw['loc'])}: {flaw['msg']}" for flaw in error.errors(include_input=False)]
        message = "\n".join(["These settings are not right:", *wrong])
        raise InstallationError(message) from None


def _setting(location: tuple[str | int, ...]) -> str:
    name = str(location[0]).upper()
    return name if name == "DATABASE_URL" else f"INTERDESK_{name}"


@contextmanager
def installation() -> Iterator[Installation]:
    """The installation of this host, its database answering."""
    gc.enable()  # everything is imported by now
    with open_installation(load_settings()) as opened:
        yield opened


@asynccontextmanager
async def operator_database(opened: Installation) -> AsyncIterator[Database]:
    """The database as the role by which the operator acts.

    Raises:
        psycopg.OperationalError: it cannot be reached, at once and with the reason, for which a pool would wait.
    """
    conninfo = opened.conninfo(DatabaseRole.WORKER)
    await (await psycopg.AsyncConnection.connect(conninfo)).close()
    database = Database(conninfo, connections=2, session=opened.settings.session)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def operator_desk(database: Database, command: str, agency: str | None = None) -> AsyncIterator[Desk]:
    """One transaction of the operator's, for the hub or for one agency; the audit names who typed which command."""
    async with open_operator_desk(
        database, agency, officer=operator_name(), purpose=f"interdesk {command}", request_id=str(uuid7())
    ) as desk:
        yield desk


def at_desk(command: str, act: Callable[[Desk], Awaitable[_T]], agency: str | None = None) -> _T:
    """Do one thing as the operator, in one transaction, on this host's installation."""

    async def work(opened: Installation) -> _T:
        async with operator_database(opened) as database, operator_desk(database, command, agency) as desk:
            return await act(desk)

    with installation() as opened:
        return run(work(opened))


def operator_name() -> str:
    """Who is at the keyboard, as the operating system knows it; behind sudo both names."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid {os.getuid()}"
    behind = os.environ.get("SUDO_USER")
    return f"{name} ({behind})" if behind and behind != name else name


def run(task: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end."""
    return asyncio.run(task)
