"""Reads by id and pages: one call to the database each, with sign-in, policy and audit inside.

Concurrent reads share one commit: while a group is being answered, the next one gathers. An answer waits for the
commit of its own group, so no read leaves before it is recorded.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg.rows import namedtuple_row

from app.access.desk import refuse_entry, refuse_permission
from app.core.db import Database
from app.core.problems import NOT_FOUND, Problem
from app.identity.callers import Visit
from app.identity.roles import Permission, roles_granting

_LARGEST_GROUP = 64
_GROUPS_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Served:
    """A record as its bytes, with the version that is its ETag."""

    document: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Page:
    """Rendered items, joined by commas, and the place where the next page goes on."""

    items: str
    shown: int
    more: bool
    last: Mapping[str, Any] | None


def _request(visit: Visit, permission: Permission, kind: str) -> dict[str, Any]:
    claims = visit.claims
    return {
        "client": claims.client_id,
        "jti": claims.jti,
        "issued": claims.issued_at.timestamp(),
        "peer": visit.peer,
        "request": visit.request_id,
        "officer": visit.officer,
        "purpose": visit.purpose,
        "roles": sorted(roles_granting(permission)) if permission in claims.scope else [],
        "kind": kind,
    }


def _refuse(outcome: str, permission: Permission) -> Problem:
    if outcome == "missing":
        problem = Problem(NOT_FOUND)
    elif outcome == "forbidden":
        problem = refuse_permission(permission)
    else:
        problem = refuse_entry(outcome)
    problem.recorded = True
    return problem


class Reader:
    """Answers reads of records for one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[dict[str, Any], asyncio.Future[Any]]] = []
        self._groups: set[asyncio.Task[None]] = set()

    async def record(self, visit: Visit, permission: Permission, kind: str, record_id: UUID | None) -> Served:
        """Read one record; 401, 403 and 404 as Problem, each already in the audit."""
        request = _request(visit, permission, kind)
        request["id"] = record_id
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if len(self._groups) < _GROUPS_AT_ONCE:
            group = asyncio.create_task(self._answer_groups())
            self._groups.add(group)
            group.add_done_callback(self._groups.discard)
        row = await answer
        if row.outcome != "ok":
            raise _refuse(row.outcome, permission)
        return Served(row.document.encode(), row.version)

    async def page(
        self,
        visit: Visit,
        permission: Permission,
        kind: str,
        *,
        order: str,
        filters: Mapping[str, Any],
        limit: int,
        after: Mapping[str, Any] | None,
    ) -> Page:
        """Read one page of a kind; 401 and 403 as Problem, each already in the audit."""
        request = _request(visit, permission, kind)
        request |= {"order": order, "filters": filters, "limit": limit, "after": after}
        async with (
            self._database.reads.connection() as connection,
            connection.cursor(row_factory=namedtuple_row) as cursor,
        ):
            await cursor.execute("SELECT * FROM list_records(%s::jsonb)", (orjson.dumps(request).decode(),))
            row: Any = await cursor.fetchone()
        if row.outcome != "ok":
            raise _refuse(row.outcome, permission)
        last = None
        if row.shown:
            last = {"id": str(row.last_id)} | (
                {"score": row.last_score} if row.last_at is None else {"at": row.last_at.isoformat()}
            )
        return Page(row.items, row.shown, row.more, last)

    async def _answer_groups(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:_LARGEST_GROUP], self._waiting[_LARGEST_GROUP:]
            try:
                rows = await self._read_again([request for request, _ in group])
            except Exception as error:  # noqa: BLE001 - whatever went wrong belongs to those who wait
                for _, answer in group:
                    if not answer.done():
                        answer.set_exception(error)
                continue
            for (_, answer), row in zip(group, rows, strict=True):
                if not answer.done():
                    answer.set_result(row)

    async def _read_again(self, requests: list[dict[str, Any]]) -> list[Any]:
        """Read, and once more if the connection turns out to be dead, as all of them are after a restart."""
        try:
            return await self._read(requests)
        except psycopg.OperationalError:
            await self._database.reads.check()
            return await self._read(requests)

    async def _read(self, requests: list[dict[str, Any]]) -> list[Any]:
        for number, request in enumerate(requests):
            request["n"] = number
        async with (
            self._database.reads.connection() as connection,
            connection.cursor(row_factory=namedtuple_row) as cursor,
        ):
            await cursor.execute("SELECT * FROM read_records(%s::jsonb)", (orjson.dumps(requests).decode(),))
            return await cursor.fetchall()
