"""Names in a body: what the caller may not know of is refused like what does not exist."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.access.desk import Desk
from app.access.handling import Handling
from app.core.problems import UNKNOWN_REFERENCE, Flaw, Problem
from app.records.shapes import DisclosureIn


def unknown_reference(*pointers: str) -> Problem:
    """422 that points at each name and says the same of all of them."""
    detail = "There is no such thing that you may know of."
    return Problem(UNKNOWN_REFERENCE, errors=[Flaw(pointer, "unknown-reference", detail) for pointer in pointers])


async def check_audience(desk: Desk, handling: Handling, pointer: str) -> None:
    """422 for what a handling names and the caller may not; `pointer` is the audience's."""
    audience = handling.audience
    pointers = [] if handling.legal_basis is None else [f"{pointer.rpartition('/')[0]}/legal_basis"]
    pointers += await _unknown(
        desk,
        {f"{pointer}/agencies": audience.agencies, f"{pointer}/excluded": audience.excluded},
        {f"{pointer}/groups": audience.groups, f"{pointer}/observers_of": audience.observers_of},
    )
    if pointers:
        raise unknown_reference(*pointers)


async def check_named(desk: Desk, sent: DisclosureIn) -> None:
    """422 for agencies, groups or a legal basis of a disclosure that the caller may not name."""
    pointers = [] if sent.legal_basis is None else ["/legal_basis"]
    pointers += await _unknown(desk, {"/agencies": sent.agencies}, {"/groups": sent.groups})
    if pointers:
        raise unknown_reference(*pointers)


async def _unknown(
    desk: Desk, agencies: Mapping[str, Sequence[str]], groups: Mapping[str, Sequence[UUID]]
) -> list[str]:
    codes = [code for listed in agencies.values() for code in listed]
    ids = [group for listed in groups.values() for group in listed]
    if not codes and not ids:
        return []
    row = await desk.call_one("unknown_in_audience", p_agencies=codes, p_groups=ids)
    unknown: set[Any] = {*row.agencies, *row.groups}
    return [
        f"{pointer}/{number}"
        for pointer, listed in {**agencies, **groups}.items()
        for number, name in enumerate(listed)
        if name in unknown
    ]
