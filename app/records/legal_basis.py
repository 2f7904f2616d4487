"""What sharing rests on: an agreement for agencies, its charter for a group; and how its lack is said.

Which principals rest on what is decided in the database, by `gate_audience`. A principal that rests on an agreement is
written with it: `KH-CNP@<agreement>`, `group:<id>@<charter>`; one that an emergency opened is `KH-CNP!<disclosure>`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from app.access.desk import Desk
from app.access.handling import Audience, Handling, principals
from app.core.problems import NO_LEGAL_BASIS, Flaw, Problem
from app.core.shapes import distinct
from app.models.vocabularies import TLP, RecordKind
from app.records.references import unknown_reference

FREE: Final = frozenset({TLP.GREEN, TLP.CLEAR})
"""Labels that need no legal basis."""

_DETAILS: Final[Mapping[str, str]] = {
    "basis-not-in-force": "This agreement is not in force.",
    "kind-not-covered": "This agreement does not cover this kind of record.",
    "recipient-no-party": "This agency is no party to the agreement.",
    "basis-missing": "Name in legal_basis an agreement that covers this agency.",
    "charter-missing": "This group has no charter: name agencies instead.",
    "charter-not-in-force": "This group's charter is not in force: name agencies instead.",
    "kind-not-covered-by-charter": "This group's charter does not cover this kind of record.",
    "originator-no-party": "Your agency is no party to this group's charter.",
}


def describe_flaw(code: str) -> str:
    """What is wrong, and what to do about it, in a sentence."""
    return _DETAILS[code]


class Rest(NamedTuple):
    """A principal taken apart: who it is, and what its sight rests on."""

    who: str
    agreement: UUID | None
    emergency: UUID | None


def rest_of(principal: str) -> Rest:
    """Take a principal of an audience apart."""
    who, at, agreement = principal.partition("@")
    if at:
        return Rest(who, UUID(agreement), None)
    who, mark, disclosure = principal.partition("!")
    return Rest(who, None, UUID(disclosure) if mark else None)


async def gated(
    desk: Desk,
    kind: RecordKind,
    handling: Handling,
    originator: str,
    standing: Sequence[str],
    former: UUID | None,
    *,
    parties: Sequence[str] = (),
) -> list[str]:
    """The principals of a handling with what each rests on, as it would be written; 422 for what nothing covers.

    The record's parties are among them, whether or not the handling names them.
    """
    row = await desk.call_one(
        "gate_audience",
        p_kind=kind.value,
        p_originator=originator,
        p_tlp=handling.tlp.value,
        p_principals=distinct([*principals(handling.audience, originator).audience, *parties]),
        p_basis=handling.legal_basis,
        p_former=former,
        p_standing=list(standing),
    )
    if row.flaws:
        raise no_legal_basis(row.flaws, handling.audience, "/audience", "/legal_basis")
    return list(row.audience)


async def check_known(desk: Desk, agreement: UUID | None, pointer: str) -> None:
    """422 for an agreement that the caller's agency may not know of."""
    if agreement is not None and not (await desk.call_one("knows_agreement", p_agreement=agreement))[0]:
        raise unknown_reference(pointer)


def no_legal_basis(flaws: Iterable[Mapping[str, Any]], audience: Audience, pointer: str, basis: str) -> Problem:
    """422 that points at each recipient whom nothing covers.

    `pointer` and `basis` are where the audience and the basis stand in the body.
    """
    found = {
        Flaw(_place(flaw["principal"], audience, pointer) or basis, code, _DETAILS[code])
        for flaw in flaws
        for code in [flaw["code"]]
    }
    return Problem(NO_LEGAL_BASIS, errors=sorted(found, key=lambda flaw: (flaw.pointer, flaw.code)))


def _place(principal: str | None, audience: Audience, pointer: str) -> str | None:
    """Where an audience names a principal; None for a basis, and for a party that it need not name."""
    if principal is None:
        return None
    word, colon, group = principal.partition(":")
    if not colon:
        return f"{pointer}/agencies/{audience.agencies.index(principal)}" if principal in audience.agencies else None
    if word == "group":
        return f"{pointer}/groups/{audience.groups.index(UUID(group))}"
    return f"{pointer}/observers_of/{audience.observers_of.index(UUID(group))}"
