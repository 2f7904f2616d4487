"""Messages between the two sides of a repatriation request: written down, and never changed."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from app.access.desk import Desk
from app.core.ids import uuid7
from app.core.places import Place
from app.core.problems import CONFLICT, Problem, not_found
from app.domain.repatriation_requests.requests import state_of
from app.domain.repatriation_requests.shapes import RepatriationMessage, RepatriationMessageIn
from app.models.repatriation_vocabularies import RepatriationState
from app.records import contributions
from app.records.shelf import Stored

_TABLE: Final = "repatriation_messages"


async def write(desk: Desk, stored: Stored, sent: RepatriationMessageIn) -> RepatriationMessage:
    """Write a message to the other side, which is told.

    409 before the request is submitted; 404 if it was taken from the caller's sight meanwhile.
    """
    if state_of(stored) is RepatriationState.DRAFT:
        raise Problem(CONFLICT, detail="Nobody else sees the request yet: submit it first.")
    message_id = uuid7()
    row = await desk.call_one(
        "write_repatriation_message", p_id=message_id, p_record=stored.envelope.id, p_text=sent.text
    )
    if row[0] != "written":
        raise not_found()
    return await one(desk, stored, message_id)


async def listed(desk: Desk, stored: Stored, after: Place | None, limit: int) -> Sequence[RepatriationMessage]:
    """Messages of a request that the caller's side wrote or was sent, newest first."""
    rows = await contributions.page(desk, _TABLE, stored.envelope.id, after, limit)
    return [_message(row) for row in rows]


async def one(desk: Desk, stored: Stored, message_id: UUID | None) -> RepatriationMessage:
    """One message of a request; 404 if there is none between the caller's side and another."""
    return _message(await contributions.one(desk, _TABLE, stored.envelope.id, message_id))


def _message(row: Any) -> RepatriationMessage:  # noqa: ANN401 - a row of the table
    return RepatriationMessage(
        id=row.id, agency=row.agency, officer=row.officer, text=row.text, created_at=row.created_at
    )
