"""People who must not share a section, named one pair at a time by an agency that knows both."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, FORBIDDEN, Problem, not_found
from app.domain.transports.manifest_shapes import Separation, SeparationIn
from app.domain.transports.shapes import Transport
from app.records.references import unknown_reference

NOUN: Final = "manifest-separations"

_SELECT: Final = (
    "SELECT id, transport_id, ARRAY[first_person, second_person] AS persons, agency, reason, created_at"
    " FROM manifest_separations WHERE transport_id = %(transport)s"
)
_ONE: Final = sql.SQL(f"{_SELECT} AND id = %(id)s")
_PAGE: Final = sql.SQL(
    f"{_SELECT} AND (created_at, id) < (%(at)s, %(last)s) ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
)


def _separation(row: Any) -> Separation:  # noqa: ANN401 - a row of one of the above
    return Separation.model_validate(row._asdict())


async def listed(desk: Desk, transport: Transport, after: Place | None, limit: int) -> Sequence[Separation]:
    """Pairs to be kept apart on a transport, of whom the caller sees both, newest first."""
    at, last = after or NEWEST
    return [_separation(row) for row in await desk.rows(_PAGE, transport=transport.id, at=at, last=last, limit=limit)]


async def one(desk: Desk, transport_id: UUID, separation_id: UUID | None) -> Separation:
    """A pair of whom the caller sees both; 404 if there is none."""
    rows = await desk.rows(_ONE, transport=transport_id, id=separation_id)
    if not rows:
        raise not_found()
    return _separation(rows[0])


async def add(desk: Desk, transport: Transport, sent: SeparationIn) -> Separation:
    """Name two people to be kept apart; 422 for whom the caller does not know.

    409 if they are named already, or sit together on a manifest that is frozen.
    """
    separation_id = uuid7()
    row = await desk.call_one(
        "separate_on_manifest",
        p_id=separation_id,
        p_transport=transport.id,
        p_persons=list(sent.persons),
        p_reason=sent.reason,
    )
    if row.outcome == "unknown":
        raise unknown_reference(*(f"/persons/{place}" for place in row.detail))
    if row.outcome == "named":
        raise Problem(CONFLICT, detail="These two are kept apart already.")
    if row.outcome == "together":
        raise Problem(
            CONFLICT, detail="They sit in one section, and the manifest is frozen: have it opened again first."
        )
    if row.outcome == "closed":
        raise Problem(CONFLICT, detail=f"Nobody boards any more: the transport is {transport.state}.")
    if row.outcome != "added":
        raise not_found()
    return await one(desk, transport.id, separation_id)


async def remove(desk: Desk, transport: Transport, separation: Separation) -> None:
    """Take back what the caller's agency named; 403 for what another did."""
    if separation.agency != desk.caller.agency:
        raise Problem(FORBIDDEN, detail="The agency that named these two takes it back.")
    row = await desk.call_one("end_separation", p_id=separation.id, p_transport=transport.id)
    if row[0] != "removed":
        raise not_found()
