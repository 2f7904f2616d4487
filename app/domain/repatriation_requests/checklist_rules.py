"""The rules that checklists are made of: read by every agency, changed by the hub's operator."""

from collections.abc import Sequence
from typing import Any

from psycopg import errors, sql
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, Flaw, Problem, invalid, not_found
from app.domain.repatriation_requests.checklist_shapes import ChecklistRule, ChecklistRuleIn, ChecklistRuleKey

_COLUMNS = sql.SQL(", ").join(sql.Identifier(name) for name in ChecklistRule.model_fields)
_PAGE = sql.SQL(
    "SELECT {} FROM checklist_rules WHERE (changed_at, id) < (%(at)s, %(last)s)"
    " AND (%(code)s::text IS NULL OR code = %(code)s) ORDER BY changed_at DESC, id DESC LIMIT %(limit)s"
).format(_COLUMNS)
_ALL = sql.SQL("SELECT {} FROM checklist_rules ORDER BY place, code, id").format(_COLUMNS)


async def listed(desk: Desk, code: str | None, after: Place | None, limit: int) -> Sequence[ChecklistRule]:
    """Rules, those set last first."""
    at, last = after or NEWEST
    return [_rule(row) for row in await desk.rows(_PAGE, code=code, at=at, last=last, limit=limit)]


async def every(desk: Desk) -> Sequence[ChecklistRule]:
    """All rules, in the order of work."""
    return [_rule(row) for row in await desk.rows(_ALL)]


async def put(desk: Desk, rule: ChecklistRuleIn) -> ChecklistRule:
    """Set a rule as the operator: checklists that are made from now on go by it.

    422 for one that would make what nobody goes home without optional.
    """
    try:
        row = await desk.call_one("set_checklist_rule", p_rule=Jsonb(rule.model_dump(mode="json")))
    except errors.CheckViolation:
        detail = (
            "Screening for trafficking, what awaits somebody on return and the consent of the next of kin are asked "
            "always and never waived; a result is asked of the screening alone, for each person, before clear."
        )
        raise invalid(Flaw("/code", "rule-kept", detail)) from None
    return _rule(row)


async def remove(desk: Desk, key: ChecklistRuleKey) -> None:
    """Take a rule out of the set as the operator; 404 if there is none, 409 for what nobody goes home without."""
    row = await desk.call_one(
        "remove_checklist_rule",
        p_code=key.code,
        p_category=key.category,
        p_legal_act=key.legal_act,
        p_from=key.from_country,
        p_to=key.to_country,
    )
    if row[0] == "missing":
        raise not_found()
    if row[0] != "removed":
        raise Problem(CONFLICT, detail="Nobody goes home without this: the rule stays.")


def _rule(row: Any) -> ChecklistRule:  # noqa: ANN401 - a row of the table
    return ChecklistRule.model_validate({name: getattr(row, name) for name in ChecklistRule.model_fields})
