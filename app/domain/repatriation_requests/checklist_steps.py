"""Completing, waiving and opening again the items of a checklist: each by the side that answers for it."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access.desk import Desk, refuse_permission
from app.core.problems import CONFLICT, NOT_YOUR_SIDE, PRECONDITION_FAILED, Flaw, Problem, invalid, not_found
from app.domain.repatriation_requests.checklist_shapes import ChecklistCompletionIn, ChecklistReasonIn
from app.domain.repatriation_requests.requests import side_of, state_of
from app.domain.repatriation_requests.workflow import ANSWERED
from app.identity.roles import Permission
from app.models.checklist_vocabularies import (
    ChecklistAction,
    ChecklistNeed,
    ChecklistPer,
    ChecklistStep,
    ScreeningResult,
)
from app.models.repatriation_vocabularies import RepatriationState
from app.persons import persons
from app.records.references import unknown_reference
from app.records.shelf import Stored

_ROW = sql.SQL("SELECT * FROM checklist_rows(%(record)s) WHERE code = %(code)s")

WORKED_ON: Final = (*ANSWERED, RepatriationState.ON_HOLD)
"""States in which what has to be done before the journey is worked on."""

WORKED_ON_TO_THE_END: Final = (*WORKED_ON, RepatriationState.IN_TRANSIT, RepatriationState.HANDED_OVER)
"""States in which what has to be done before the end is."""


async def require_own_item(desk: Desk, stored: Stored, code: str) -> Any:  # noqa: ANN401 - a row of checklist_rows
    """The item of that code, for the side that answers for it.

    404 if there is none; 403 for another side, for whom an agreement keeps from the persons it is done for, and for a
    screening without the permission to write of persons.
    """
    rows = await desk.rows(_ROW, record=stored.envelope.id, code=code)
    if not rows:
        raise not_found()
    (row,) = rows
    if side_of(desk, stored) != row.side:
        raise Problem(NOT_YOUR_SIDE, detail=f"This item is for the {row.side} side.")
    if row.per == ChecklistPer.PERSON:
        await persons.require_carried(desk, stored)
    if row.needs == ChecklistNeed.RESULT and Permission.PERSONS_WRITE not in desk.caller.permissions:
        raise refuse_permission(Permission.PERSONS_WRITE)
    return row


async def complete(desk: Desk, stored: Stored, code: str, version: int, sent: ChecklistCompletionIn) -> int:
    """Complete an item of a held request, for whom it is open; the checklist's version by it.

    422 without what it needs, or for what is no attachment of the request; 409 where it is settled already, or an
    extradition stands against it.
    """
    row = await require_own_item(desk, stored, code)
    _check_evidence(row, sent)
    _require_worked_on(stored, row)
    open_ = _concerned(row, row.open, sent.persons, "is settled: open it again first")
    flagged = set(row.flagged)
    if flagged & set(open_):
        flaws = [
            Flaw(f"/persons/{person}", "extradition-pending", "Waive it for this person, with the reason.")
            for person in open_
            if person in flagged
        ]
        detail = "An extradition is pending for persons who are to be deported. Name the others in persons."
        raise Problem(CONFLICT, detail=detail, errors=flaws)
    settles = sent.result is not ScreeningResult.INCONCLUSIVE
    return await _write(desk, stored, code, version, ChecklistAction.COMPLETE, open_, sent, settles=settles)


async def waive(desk: Desk, stored: Stored, code: str, version: int, sent: ChecklistReasonIn) -> int:
    """Waive an item of a held request; 409 for one that is never waived, or is settled already."""
    row = await require_own_item(desk, stored, code)
    _require_worked_on(stored, row)
    if not row.waivable:
        raise Problem(CONFLICT, detail="This item is never waived.")
    open_ = _concerned(row, row.open, sent.persons, "is settled: open it again first")
    return await _write(desk, stored, code, version, ChecklistAction.WAIVE, open_, sent)


async def reopen(desk: Desk, stored: Stored, code: str, version: int, sent: ChecklistReasonIn) -> int:
    """Open an item of a held request again; 409 for one that is open."""
    row = await require_own_item(desk, stored, code)
    _require_worked_on(stored, row)
    settled = _concerned(row, [*row.completed, *row.waived], sent.persons, "is open", wanted_open=False)
    return await _write(desk, stored, code, version, ChecklistAction.REOPEN, settled, sent)


def _check_evidence(row: Any, sent: ChecklistCompletionIn) -> None:  # noqa: ANN401 - as above
    if row.needs == ChecklistNeed.DOCUMENT and sent.document is None and sent.attachment is None:
        raise invalid(Flaw("/document", "document-missing", "Name the document that shows it, or an attachment."))
    if row.needs == ChecklistNeed.RESULT and sent.result is None:
        raise invalid(Flaw("/result", "result-missing", "Say what the screening found."))
    if row.needs != ChecklistNeed.RESULT and sent.result is not None:
        raise invalid(Flaw("/result", "result-not-asked", "Leave the result out: this item has none."))


def _require_worked_on(stored: Stored, row: Any) -> None:  # noqa: ANN401 - as above
    worked_on = WORKED_ON if row.before == ChecklistStep.CLEAR else WORKED_ON_TO_THE_END
    if state_of(stored) not in worked_on:
        raise Problem(CONFLICT, detail=f"The request is {state_of(stored)}: this item stays as it is.")


def _concerned(
    row: Any,  # noqa: ANN401 - as above
    those: Sequence[UUID],
    named: Sequence[UUID] | None,
    otherwise: str,
    *,
    wanted_open: bool = True,
) -> list[UUID]:
    """Whom a step is about, of those whom it can be about; empty for an item of the whole request.

    422 for persons whom the request does not name, 409 where there is nobody whom it can be about.
    """
    if row.per == ChecklistPer.REQUEST:
        if named is not None:
            raise invalid(Flaw("/persons", "not-for-persons", "Leave persons out: it is done once for the request."))
        if (row.state == "open") is not wanted_open:
            raise Problem(CONFLICT, detail=f"The item {otherwise}.")
        return []
    everybody = {*row.open, *row.completed, *row.waived}
    unknown = [f"/persons/{number}" for number, person in enumerate(named or []) if person not in everybody]
    if unknown:
        raise unknown_reference(*unknown)
    if not everybody:
        raise Problem(CONFLICT, detail="The request names nobody yet: enter its persons first.")
    fitting = [person for person in (those if named is None else named) if person in those]
    if not fitting or (named is not None and len(fitting) < len(named)):
        flaws = [
            Flaw(f"/persons/{number}", "state-does-not-fit", f"For this person the item {otherwise}.")
            for number, person in enumerate(named or [])
            if person not in fitting
        ]
        raise Problem(CONFLICT, detail=f"The item {otherwise}.", errors=flaws)
    return fitting


async def _write(
    desk: Desk,
    stored: Stored,
    code: str,
    version: int,
    action: ChecklistAction,
    concerned: Sequence[UUID],
    sent: ChecklistCompletionIn | ChecklistReasonIn,
    *,
    settles: bool | None = None,
) -> int:
    done = sent if isinstance(sent, ChecklistCompletionIn) else ChecklistCompletionIn()
    row = await desk.call_one(
        "write_checklist_step",
        p_record=stored.envelope.id,
        p_code=code,
        p_expected=version,
        p_action=action.value,
        p_settles=action is not ChecklistAction.REOPEN if settles is None else settles,
        p_persons=list(concerned),
        p_note=sent.note if isinstance(sent, ChecklistCompletionIn) else sent.reason,
        p_document=None if done.document is None else Jsonb(done.document.model_dump(mode="json")),
        p_attachment=done.attachment,
        p_result=done.result and done.result.value,
    )
    if row.outcome == "unknown-attachment":
        raise unknown_reference("/attachment")
    if row.outcome == "stale":
        raise Problem(PRECONDITION_FAILED)
    if row.outcome != "written":
        raise not_found()
    return int(row.version)
