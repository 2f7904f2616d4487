"""Refusals leave an entry too, in a transaction of their own, since what they refused was rolled back."""

from dataclasses import dataclass
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core.db import Database


@dataclass(frozen=True, slots=True)
class Refusal:
    """Who was refused what; `record_id` is the id asked for, whether or not there is such a record."""

    action: str
    outcome: str
    request_id: str
    peer: str | None = None
    agency: str | None = None
    client_id: str | None = None
    officer: str | None = None
    purpose: str | None = None
    kind: str | None = None
    record_id: UUID | None = None
    reason: str | None = None


async def record_refusal(database: Database, refusal: Refusal) -> None:
    """Write the entry; one statement, the same whatever was refused."""
    detail = Jsonb({"reason": refusal.reason}) if refusal.reason else None
    async with database.pool.connection() as connection:
        await connection.execute(
            "SELECT audit_refusal(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                refusal.agency,
                refusal.client_id,
                refusal.officer,
                refusal.purpose,
                refusal.action,
                refusal.outcome,
                refusal.kind,
                refusal.record_id,
                refusal.request_id,
                refusal.peer,
                detail,
            ),
        )
