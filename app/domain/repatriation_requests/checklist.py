"""The checklist of a repatriation request: how it stands, and what is refused while it is open."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from psycopg import sql

from app.access.desk import Desk
from app.core import clock
from app.core.problems import CHECKLIST_OPEN, Flaw, Problem
from app.domain.repatriation_requests.checklist_shapes import (
    Checklist,
    ChecklistHistoryEntry,
    ChecklistItem,
    ChecklistPersons,
    PersonScreening,
)
from app.domain.repatriation_requests.screening import results_of, return_forbidden
from app.models.checklist_vocabularies import ChecklistItemState, ChecklistNeed, ChecklistPer, ChecklistStep
from app.records.shelf import Stored

NOUN: Final = "checklists"

_HEAD = sql.SQL("SELECT * FROM checklist_head(%(record)s, %(version)s)")
_ROWS = sql.SQL("SELECT * FROM checklist_rows(%(record)s, %(version)s)")
_HISTORY = sql.SQL("SELECT * FROM checklist_history(%(record)s, %(version)s)")


async def read(desk: Desk, stored: Stored, *, results: bool, version: int | None = None) -> Checklist:
    """The checklist as the caller sees it, without items before the request is submitted.

    `results`: with what persons were screened as, which takes a purpose. `version`: as it stood by then, for a day.
    """
    at = {"record": stored.envelope.id, "version": version}
    heads = await desk.rows(_HEAD, **at)
    if not heads:
        return Checklist(version=0, submitted_at=None, updated_at=None, open=0, items=[])
    (head,) = heads
    screened = await results_of(desk, stored, version) if results else None
    history: dict[str, list[Any]] = {}
    for row in await desk.rows(_HISTORY, **at):
        history.setdefault(row.code, []).append(row)
    items = [_item(row, history.get(row.code, []), screened) for row in await desk.rows(_ROWS, **at)]
    return Checklist(
        version=head.version,
        submitted_at=head.submitted_at,
        updated_at=head.updated_at,
        open=sum(item.state is ChecklistItemState.OPEN for item in items),
        items=items,
    )


async def present_version(desk: Desk, stored: Stored) -> int:
    """The checklist's version; 0 before it is made."""
    heads = await desk.rows(_HEAD, record=stored.envelope.id, version=None)
    return heads[0].version if heads else 0


def _item(row: Any, steps: Sequence[Any], screened: Sequence[PersonScreening] | None) -> ChecklistItem:  # noqa: ANN401 - rows of the functions
    results = screened if row.needs == ChecklistNeed.RESULT and row.sees_persons else None
    is_open = row.state == ChecklistItemState.OPEN
    # That a screening came to no result is a result too.
    shown = [step for step in steps if step.settles or step.action == "reopen" or results is not None]
    last = None if is_open else next((step for step in reversed(steps) if step.settles), None)
    return ChecklistItem(
        code=row.code,
        title=row.title,
        state=row.state,
        side=row.side,
        per=row.per,
        before=row.before,
        needs=row.needs,
        waivable=row.waivable,
        due_at=row.due_at,
        overdue=is_open and row.due_at is not None and row.due_at <= clock.now(),
        flagged=bool(row.flagged),
        persons=_persons(row) if row.per == ChecklistPer.PERSON and row.sees_persons else None,
        settled_by=last and last.agency,
        settled_at=last and last.at,
        note=last and last.note,
        document=last and last.document,
        attachment=last and last.attachment_id,
        results=None if results is None else list(results),
        source=row.source,
        history=[
            ChecklistHistoryEntry(
                action=step.action,
                agency=step.agency,
                at=step.at,
                note=step.note,
                document=step.document,
                attachment=step.attachment_id,
                persons=step.persons if step.persons and row.sees_persons else None,
            )
            for step in shown
        ],
    )


def _persons(row: Any) -> ChecklistPersons:  # noqa: ANN401 - as above
    completed, waived = len(row.completed), len(row.waived)
    total = completed + waived + len(row.open)
    return ChecklistPersons(total=total, completed=completed, waived=waived, open=row.open, flagged=row.flagged)


STEPS: Final[Mapping[str, ChecklistStep]] = {
    "clear": ChecklistStep.CLEAR,
    "schedule": ChecklistStep.CLEAR,
    "depart": ChecklistStep.CLEAR,
    "close": ChecklistStep.CLOSE,
}
"""The steps of a request that wait for its checklist, and for which part of it: what is opened again, or is to be done
for a person entered after the request was cleared, stops it before it leaves."""


async def require_complete(desk: Desk, stored: Stored, action: str) -> None:
    """409 with everything that is open and has to be done before this step of a held request.

    409 too for suspects whom a screening found to be victims: as if it were open, to whoever does not read results. The
    checklist stays as it is until the end of the transaction.
    """
    step = STEPS.get(action)
    if step is None:
        return
    await desk.call("hold_checklist", p_record=stored.envelope.id)
    forbidden = step is ChecklistStep.CLEAR and await return_forbidden(desk, stored)
    rows = await desk.rows(_ROWS, record=stored.envelope.id, version=None)
    flaws = [
        _open(row)
        for row in rows
        if row.before == step
        and (row.state == ChecklistItemState.OPEN or (forbidden and row.needs == ChecklistNeed.RESULT))
    ]
    if flaws:
        count = "One item is" if len(flaws) == 1 else f"{len(flaws)} items are"
        raise Problem(CHECKLIST_OPEN, detail=f"{count} to be done before.", errors=flaws)


def _open(row: Any) -> Flaw:  # noqa: ANN401 - as above
    said = f"{row.title}: the {row.side} side"
    pending = set(row.flagged) & set(row.open)
    if pending:
        code, said = "extradition-pending", f"{said}. An extradition is pending for {len(pending)} of the persons"
    elif row.per == ChecklistPer.PERSON and not (row.open or row.completed or row.waived) and row.sees_persons:
        code, said = "no-person-entered", f"{said}. The request names nobody yet"
    else:
        code, said = "item-open", f"{said}, for {len(row.open)} of the persons" if row.open else said
    return Flaw(f"/checklist/{row.code}", code, f"{said}.")
