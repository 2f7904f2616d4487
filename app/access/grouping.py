"""Calls that share a transaction: while a group is being answered, the next one gathers.

A commit waits for the disk, and a round trip costs more than what most calls ask. An answer waits for the commit of
its own group, so nothing is answered before it is recorded.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, LiteralString

import orjson
import psycopg
from psycopg.rows import namedtuple_row

from app.core.db import Database

_GROUPS_AT_ONCE = 2

Request = dict[str, Any]


class Grouped:
    """Asks one function of the database, which takes an array of requests and returns a row for each, in their order.

    The number of a request in its array is added to it as `n`.
    """

    def __init__(self, database: Database, statement: LiteralString, *, largest: int, repeatable: bool) -> None:
        """Group up to `largest` calls of `statement`; `repeatable`: nothing is done twice if a group is asked twice."""
        self._database = database
        self._statement = statement
        self._largest = largest
        self._repeatable = repeatable
        self._waiting: list[tuple[Request, asyncio.Future[Any]]] = []
        self._groups: set[asyncio.Task[None]] = set()

    async def ask(self, request: Request) -> Any:  # noqa: ANN401 - a row of the function's columns
        """The row that answers this request, committed."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if len(self._groups) < _GROUPS_AT_ONCE:
            group = asyncio.create_task(self._answer_groups())
            self._groups.add(group)
            group.add_done_callback(self._groups.discard)
        return await answer

    async def _answer_groups(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
            await self._answer(group)

    async def _answer(self, group: Sequence[tuple[Request, asyncio.Future[Any]]]) -> None:
        try:
            rows = await self._call_again([request for request, _ in group])
        except Exception as error:  # noqa: BLE001 - whatever went wrong belongs to those who wait
            if len(group) > 1 and _undone(error):
                for one in group:  # what is wrong with one of them must not fail the others
                    await self._answer([one])
                return
            for _, answer in group:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), row in zip(group, rows, strict=True):
            if not answer.done():
                answer.set_result(row)

    async def _call_again(self, requests: list[Request]) -> list[Any]:
        """Call, and once more if the connection turns out to be dead, as all of them are after a restart."""
        try:
            return await self._call(requests)
        except psycopg.OperationalError as error:
            if not self._repeatable and not _undone(error):
                raise
            await self._database.pool.check()
            return await self._call(requests)

    async def _call(self, requests: list[Request]) -> list[Any]:
        for number, request in enumerate(requests):
            request["n"] = number
        async with (
            self._database.pool.connection() as connection,
            connection.cursor(binary=True, row_factory=namedtuple_row) as cursor,
        ):
            await cursor.execute(self._statement, (orjson.dumps(requests).decode(),))
            return await cursor.fetchall()


def _undone(error: Exception) -> bool:
    """Whether the server itself refused the statement, so that for certain nothing of it is left."""
    return isinstance(error, psycopg.Error) and error.sqlstate is not None and error.sqlstate[:2] not in ("08", "57")
