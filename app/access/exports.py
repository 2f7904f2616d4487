"""What records may be taken out for. Which handling code forbids what is decided by the database, in one function."""

from collections.abc import Sequence
from uuid import UUID

from app.access.desk import Desk
from app.core.problems import HANDLING_FORBIDS, Problem
from app.models.vocabularies import ExportPurpose


def refuse_export(references: Sequence[str]) -> Problem:
    """403 that names the records which stand in the way; the caller sees each of them."""
    detail = f"H1 keeps {', '.join(references)} out of judicial proceedings: ask for permission, or leave them out."
    return Problem(HANDLING_FORBIDS, detail=detail, extra={"references": list(references)})


async def require_exportable(desk: Desk, purpose: ExportPurpose | None, record_ids: Sequence[UUID]) -> None:
    """403 if the handling of any of these records forbids to take it out for this purpose. None: no purpose was said.

    Pages of records ask the same in the call that makes them; every other export asks here before it answers.
    """
    if purpose is None:
        return
    row = await desk.call_one("kept_from_export", p_purpose=purpose.value, p_ids=list(record_ids))
    if row[0] is not None:
        raise refuse_export(row[0])
