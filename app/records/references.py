"""Names in a body: what the caller may not know of is refused like what does not exist."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.access.desk import Desk
from app.access.handling import Audience, Handling
from app.core.problems import UNKNOWN_REFERENCE, Flaw, Problem
from app.records.shapes import DisclosureIn


def unknown_reference(*pointers: str) -> Problem:
    """422 that points at each name and says the same of all of them."""
    detail = "There is no such thing that you may know of."
    return Problem(UNKNOWN_REFERENCE, errors=[Flaw(pointer, "unknown-reference", detail) for pointer in pointers])


def audience_pointers(audience: Audience, unknown: set[Any], pointer: str) -> list[str]:
    """Where an audience names what is unknown to the caller; `pointer` is the audience's own."""
    lists: dict[str, Sequence[Any]] = {
        "agencies": audience.agencies,
        "excluded": audience.excluded,
        "groups": audience.groups,
        "observers_of": audience.observers_of,
    }
    return _pointers({f"{pointer}/{name}": listed for name, listed in lists.items()}, unknown)


async def check_audience(desk: Desk, handling: Handling, standing: Audience, pointer: str) -> None:
    """422 for agencies and groups that a handling names and the caller may not; `pointer` is the handling's own.

    Groups of the `standing` audience may be named again by an originator that is in them no more.
    """
    audience = handling.audience
    groups = [
        *(group for group in audience.groups if group not in standing.groups),
        *(group for group in audience.observers_of if group not in standing.observers_of),
    ]
    unknown = await _unknown(desk, [*audience.agencies, *audience.excluded], groups)
    if unknown:
        raise unknown_reference(*audience_pointers(audience, unknown, f"{pointer}/audience"))


async def check_named(desk: Desk, sent: DisclosureIn) -> None:
    """422 for agencies and groups of a disclosure that the caller may not name."""
    unknown = await _unknown(desk, sent.agencies, sent.groups)
    if unknown:
        raise unknown_reference(*_pointers({"/agencies": sent.agencies, "/groups": sent.groups}, unknown))


async def check_agencies(desk: Desk, agencies: Sequence[str], pointer: str) -> None:
    """422 for names that are no agency's; `pointer` is the list's own."""
    unknown = await _unknown(desk, agencies, [])
    if unknown:
        raise unknown_reference(*_pointers({pointer: agencies}, unknown))


async def check_each(desk: Desk, agencies: Mapping[str, str]) -> None:
    """422 for names that are no agency's, given by where each stands."""
    unknown = await _unknown(desk, list(agencies.values()), [])
    if unknown:
        raise unknown_reference(*(pointer for pointer, agency in agencies.items() if agency in unknown))


def _pointers(lists: Mapping[str, Sequence[Any]], unknown: set[Any]) -> list[str]:
    return [
        f"{pointer}/{number}"
        for pointer, listed in lists.items()
        for number, name in enumerate(listed)
        if name in unknown
    ]


async def _unknown(desk: Desk, agencies: Sequence[str], groups: Sequence[UUID]) -> set[Any]:
    if not agencies and not groups:
        return set()
    row = await desk.call_one("unknown_in_audience", p_agencies=list(agencies), p_groups=list(groups))
    return {*row.agencies, *row.groups}
