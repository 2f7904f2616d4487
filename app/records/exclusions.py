"""Whom a handling may not shut out of a record."""

from collections.abc import Sequence

from app.access.handling import Handling
from app.core.problems import Flaw, invalid


def check_exclusion(handling: Handling, originator: str, pointer: str) -> None:
    """422 for an originator that would lock itself out."""
    if originator in handling.audience.excluded:
        number = handling.audience.excluded.index(originator)
        detail = "Take your own agency out: the originator always sees its record."
        raise invalid(Flaw(f"{pointer}/audience/excluded/{number}", "originator-excluded", detail))


def check_parties(handling: Handling, parties: Sequence[str]) -> None:
    """422 for an agency that the record is about, and that is to be shut out all the same."""
    excluded = handling.audience.excluded
    detail = "The record is about this agency: it leaves by the call that ends its part."
    flaws = [
        Flaw(f"/audience/excluded/{number}", "party-excluded", detail)
        for number, agency in enumerate(excluded)
        if agency in parties
    ]
    if flaws:
        raise invalid(*flaws)
