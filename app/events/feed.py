"""The feed: what a caller may know of what happened, in the order of its final positions, as CloudEvents 1.0.

An event says that something changed and where to look, never what it says now. It is shown only while the caller sees
what it tells of, except for the news that it does not see it any more.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from psycopg.rows import namedtuple_row
from pydantic import Field

from app.access.desk import refuse_entry, refuse_permission
from app.core.clock import rfc3339
from app.core.dates import UtcDateTime
from app.core.db import Database
from app.core.problems import INVALID_PARAMETER, Flaw, Problem
from app.core.shapes import Shape
from app.events.catalogue import PREFIX, EventType
from app.identity.callers import Visit
from app.identity.roles import Permission, roles_granting
from app.models.vocabularies import RecordKind

START: Final = 0
"""The place before every event."""

_READ_BY: Final = {
    **{kind.value: Permission(kind.read) for kind in RecordKind},
    "groups": Permission.GROUPS_READ,
    "agreements": Permission.AGREEMENTS_READ,
    "meetings": Permission.MEETINGS_READ,
    "transports": Permission.TRANSPORTS_READ,
}
"""What an event of each kind may be read with; one without a kind tells an agency of its own affairs."""

_CURSOR_ADVICE: Final = {
    "cursor": ("cursor-invalid", "This cursor was given to another agency."),
    "ahead": (
        "cursor-ahead",
        "The hub was set back to an earlier state than this cursor's. Begin again: `cursor=now`, then walk the lists.",
    ),
}


class EventData(Shape):
    """What an event points at."""

    kind: str | None = Field(description="The noun of its path, for example `criminal-organizations` or `groups`.")
    id: UUID | None = Field(description="Its id.")
    reference: str | None = Field(description="A record's number for people.", examples=["KR-KNPA-CO-2026-481902"])
    version: int | None = Field(description="The version that came with the event; by now there may be a later one.")
    href: str | None = Field(description="Where to fetch it.")
    detail: dict[str, Any] | None = Field(description="Which part of it, or which credential: ids, never content.")


class CloudEvent(Shape):
    """That something happened (CloudEvents 1.0, JSON format)."""

    specversion: Literal["1.0"] = Field(description="Version of CloudEvents.")
    id: UUID = Field(description="The event's id; the same event never comes twice under another one.")
    source: str = Field(description="The hub's public address.", examples=["https://hub.example"])
    type: EventType = Field(description="What happened.")
    subject: str | None = Field(description="The reference of a record, the id of anything else; null for neither.")
    time: UtcDateTime = Field(description="When it happened.")
    datacontenttype: Literal["application/json"] = Field(description="What `data` is.")
    data: EventData = Field(description="What it happened to.")


class EventPage(Shape):
    """The next events, oldest first."""

    items: list[CloudEvent] = Field(description="The events.")
    next_cursor: str = Field(description="Where to go on; there is always one, also where there was nothing to tell.")
    more: bool = Field(description="Whether further events wait already. If not, come back later.")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where a reader stands in the feed; `position` None stands for its end, wherever that is."""

    position: int | None = START
    agency: str | None = None
    """Whose cursor it was."""


@dataclass(frozen=True, slots=True)
class Page:
    """The events after a place, and the place to go on from."""

    events: Sequence[dict[str, Any]]
    next: Bookmark
    more: bool


async def read(
    database: Database, visit: Visit, after: Bookmark, types: Collection[EventType] | None, limit: int
) -> Page:
    """The caller's next events; 401, 403, and 400 for a cursor that leads nowhere, each already in the audit.

    `types` narrows; None means all.
    """
    request = {
        **_caller(visit),
        "types": None if types is None else sorted(kind.stored for kind in types),
        "limit": limit,
        "after": after.position,
        "agency": after.agency,
    }
    async with database.pool.connection() as connection, connection.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute("SELECT * FROM list_events(%s::jsonb)", (orjson.dumps(request).decode(),))
        row: Any = await cursor.fetchone()
    if row.outcome != "ok":
        raise _refusal(row.outcome)
    last = row.items[-1]["position"] if row.items else START
    return Page(row.items, Bookmark(last if row.more else max(last, row.end), row.agency), row.more)


def cloud_event(event: dict[str, Any], public_url: str) -> dict[str, Any]:
    """One event of a page as it is answered; the fields of `CloudEvent`, in their order."""
    kind, subject = event["kind"], event["record_id"]
    return {
        "specversion": "1.0",
        "id": event["id"],
        "source": public_url,
        "type": f"{PREFIX}{event['type']}",
        "subject": event["reference"] or subject,
        "time": rfc3339(datetime.fromisoformat(event["at"])),
        "datacontenttype": "application/json",
        "data": {
            "kind": kind,
            "id": subject,
            "reference": event["reference"],
            "version": event["version"],
            "href": f"{public_url}/v1/{kind}/{subject}" if kind and subject else None,
            "detail": event["data"],
        },
    }


def _caller(visit: Visit) -> dict[str, Any]:
    claims = visit.claims

    def roles(permission: Permission) -> list[str]:
        return sorted(roles_granting(permission)) if permission in claims.scope else []

    return {
        "client": claims.client_id,
        "jti": claims.jti,
        "issued": claims.issued_at.timestamp(),
        "peer": visit.peer,
        "request": visit.request_id,
        "officer": visit.officer,
        "purpose": visit.purpose,
        "roles": roles(Permission.EVENTS_READ),
        "kinds": {kind: roles(permission) for kind, permission in _READ_BY.items()},
    }


def _refusal(outcome: str) -> Problem:
    if outcome == "forbidden":
        problem = refuse_permission(Permission.EVENTS_READ)
    elif outcome in _CURSOR_ADVICE:
        problem = Problem(INVALID_PARAMETER, errors=[Flaw("/query/cursor", *_CURSOR_ADVICE[outcome])])
    else:
        problem = refuse_entry(outcome)
    problem.recorded = True
    return problem
