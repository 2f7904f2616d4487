"""Screening for trafficking in persons, and what a result forbids.

Who was made to commit a crime by those who trafficked them is not punished for it (ASEAN Convention against Trafficking
in Persons, article 14 (7); OHCHR Recommended Principles and Guidelines on Human Rights and Human Trafficking, principle
7), and is brought home as a victim or not at all. A result is told by nothing but the checklist, and the refusal here.
"""

from app.access.desk import Desk
from app.core.problems import SCREENED_AS_VICTIM, Flaw, Problem
from app.domain.repatriation_requests.requests import content_of
from app.models.repatriation_vocabularies import RepatriationCategory
from app.records.shelf import Stored


async def require_no_victims(desk: Desk, stored: Stored) -> None:
    """409, naming them by id, for a request that would return as suspects whom a screening found to be victims."""
    if content_of(stored).category is not RepatriationCategory.SUSPECT:
        return
    row = await desk.call_one("screened_as_victims", p_record=stored.envelope.id)
    if row[0]:
        detail = "This person was screened as a victim, and is not returned as a suspect."
        flaws = [Flaw(f"/persons/{person}", "screened-as-victim", detail) for person in row[0]]
        raise Problem(SCREENED_AS_VICTIM, errors=flaws)
