"""What the calls on the parts of a record share: the audit of their reads, pages of them, and trying without doing."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Request, Response

from app.access.desk import Desk
from app.audit.trail import note
from app.records.shelf import Stored
from app.web import answers
from app.web.paging import next_place
from app.web.state import house

COVERED = ("acknowledgement-required",)
"""What a reader is answered who would be shown something of a record whose caveat is to be acknowledged first."""
DryRun = Annotated[bool, Query(description="`true`: answer who would see it, and change nothing.")]


async def note_read(desk: Desk, action: str, stored: Stored) -> None:
    """Record that something of a record was read."""
    await note(desk, action, stored.kind, [stored.envelope.id], [stored.envelope.originator])


def page(request: Request, found: Sequence[Any], limit: int, moment: str, key: str = "id") -> Response:
    """A page of what hangs on a record; `found` has one row more than `limit` where there is a next page.

    `moment` and `key` name the fields that the list is ordered by.
    """
    shown = found[:limit]
    cursor = None
    if len(found) > limit:
        cursor = next_place(request, house(request).cursors, getattr(shown[-1], moment), getattr(shown[-1], key))
    return answers.listing_of(request, shown, cursor)
