"""Screening for trafficking in persons: to whom results are shown, and what a result forbids.

Who was made to commit a crime by those who trafficked them is not punished for it (ASEAN Convention against Trafficking
in Persons, article 14 (7); OHCHR Recommended Principles and Guidelines on Human Rights and Human Trafficking, principle
7), and is brought home as a victim or not at all. A result is told by nothing but the checklist, and the refusal here.
"""

from typing import Final

from psycopg import sql

from app.access.desk import Desk
from app.core.problems import SCREENED_AS_VICTIM, Flaw, Problem
from app.domain.repatriation_requests.checklist_shapes import PersonScreening
from app.domain.repatriation_requests.requests import content_of
from app.identity.roles import Permission
from app.models.checklist_vocabularies import ScreeningResult
from app.models.repatriation_vocabularies import RepatriationCategory
from app.records.shelf import Stored

_RESULTS: Final = sql.SQL("SELECT * FROM screenings_of(%(record)s, %(version)s)")


def may_read_results(desk: Desk) -> bool:
    """Whether this credential may be shown results at all; the database asks for a side, its sight and a purpose."""
    return Permission.PERSONS_READ in desk.caller.permissions


async def results_of(desk: Desk, stored: Stored, version: int | None = None) -> list[PersonScreening]:
    """What persons were screened as last, as far as the caller reads it; `version`: as it stood by then, for a day."""
    if not may_read_results(desk):
        return []
    rows = await desk.rows(_RESULTS, record=stored.envelope.id, version=version)
    return [PersonScreening(person=row.person_id, result=row.result) for row in rows]


async def return_forbidden(desk: Desk, stored: Stored) -> bool:
    """Whether a request would return as suspects whom a screening found to be victims.

    409 that names them by id, for whoever reads results. Everybody else is refused without a word of what was found.
    """
    if content_of(stored).category is not RepatriationCategory.SUSPECT:
        return False
    row = await desk.call_one("holds_victims", p_record=stored.envelope.id)
    if not row[0]:
        return False
    found = await results_of(desk, stored)
    victims = [one.person for one in found if one.result is ScreeningResult.VICTIM]
    if victims:
        detail = "This person was screened as a victim, and is not returned as a suspect."
        flaws = [Flaw(f"/persons/{person}", "screened-as-victim", detail) for person in victims]
        # What was shown of whom is kept, as it is where the checklist is read.
        raise Problem(SCREENED_AS_VICTIM, errors=flaws, reason=f"screenings shown: {', '.join(map(str, victims))}")
    return True
