"""Reads of records, by id and as pages: one call to the database, with sign-in, policy and audit inside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import namedtuple_row

from app.access.caveats import acknowledgement_required
from app.access.desk import refuse_entry, refuse_permission
from app.access.exports import refuse_export
from app.access.grouping import Grouped
from app.core.db import Database
from app.core.problems import NOT_FOUND, Problem
from app.identity.callers import Visit
from app.identity.roles import Permission, roles_granting
from app.models.vocabularies import ExportPurpose

_LARGEST_GROUP = 64

# Documents leave as the bytes they are kept as: as text each would be decoded, copied and encoded again.
_RECORDS = "SELECT n, outcome, version, convert_to(document, 'UTF8') AS document FROM read_records(%s::jsonb)"
_PAGE = (
    "SELECT outcome, convert_to(items, 'UTF8') AS items, shown, more, last_at, last_score, last_id, forbidden"
    " FROM list_records(%s::jsonb)"
)


@dataclass(frozen=True, slots=True)
class Served:
    """A record as its bytes, with the version that is its ETag."""

    document: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Page:
    """Rendered items, joined by commas, and the place where the next page goes on."""

    items: bytes
    shown: int
    more: bool
    last: Mapping[str, Any] | None


def entry_of(visit: Visit, permission: Permission, kind: str) -> dict[str, Any]:
    """What a function of the database checks a visit by before it does anything for it."""
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
    return _recorded(problem)


def _recorded(problem: Problem) -> Problem:
    problem.recorded = True
    return problem


class Reader:
    """Answers reads of records for one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._records = Grouped(database, _RECORDS, largest=_LARGEST_GROUP, repeatable=True)

    async def record(self, visit: Visit, permission: Permission, kind: str, record_id: UUID | None) -> Served:
        """Read one record; 401, 403, 404 and, before its caveat is acknowledged, 409 as Problem, each in the audit."""
        row = await self._records.ask({**entry_of(visit, permission, kind), "id": record_id})
        if row.outcome == "acknowledgement-required":
            raise _recorded(acknowledgement_required(kind, record_id, bytes(row.document).decode()))
        if row.outcome != "ok":
            raise _refuse(row.outcome, permission)
        return Served(row.document, row.version)

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
        purpose: ExportPurpose | None = None,
    ) -> Page:
        """Read one page of a kind; 401 and 403 as Problem, each already in the audit.

        `purpose` says what the page is taken out for; 403 also where the handling of a record in it forbids that.
        """
        request = entry_of(visit, permission, kind)
        request |= {"order": order, "filters": filters, "limit": limit, "after": after}
        if purpose is not None:
            request["export_purpose"] = purpose.value
        async with (
            self._database.pool.connection() as connection,
            connection.cursor(binary=True, row_factory=namedtuple_row) as cursor,
        ):
            await cursor.execute(_PAGE, (orjson.dumps(request).decode(),))
            row: Any = await cursor.fetchone()
        if row.outcome == "handling-forbids":
            raise _recorded(refuse_export(row.forbidden))
        if row.outcome != "ok":
            raise _refuse(row.outcome, permission)
        last = None
        if row.last_id is not None:
            last = {"id": str(row.last_id)} | (
                {"score": row.last_score} if row.last_at is None else {"at": row.last_at.isoformat()}
            )
        return Page(row.items, row.shown, row.more, last)
