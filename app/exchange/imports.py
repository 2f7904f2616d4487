"""Bringing a published list in as one agency's profiles, as often as one likes.

What the list says is added to what the agency has; nothing the agency wrote, shared or took back is undone. So a
second run of the same list changes nothing, and a later edition adds what is new in it.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.access.handling import HandlingIn
from app.domain.criminal_organizations import profiles, relations
from app.domain.criminal_organizations.content import CriminalOrganizationContent
from app.domain.criminal_organizations.shapes import (
    CriminalOrganizationCreate,
    CriminalOrganizationPatch,
    RelationIn,
)
from app.models.vocabularies import RecordState, RelationType
from app.records import links, shelf

BATCH: Final = 100
"""Profiles in one transaction: events wait for the oldest open one, so it must not stay open for long."""

_FIND: Final = sql.SQL(
    "SELECT external_id, id, state FROM records"
    " WHERE originator = %(agency)s AND kind = %(kind)s AND external_id = ANY (%(numbers)s)"
)
_LINKS_READ: Final = 1_000

OpenDesk = Callable[[], AbstractAsyncContextManager[Desk]]
"""Opens a transaction for the agency that imports; called once for each batch."""


@dataclass(frozen=True, slots=True)
class Published:
    """One organization of a list: the list's own number, what it says, and the names it is linked to."""

    external_id: str
    content: CriminalOrganizationContent
    linked_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """A published list: where it comes from, its organizations, and what a link in it means."""

    source: str
    organizations: Sequence[Published]
    relation: RelationType


@dataclass
class Outcome:
    """What an import came to, in numbers of profiles and relations."""

    read: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    retracted: int = 0
    """Profiles that the agency has retracted: they stay so."""
    aliases: int = 0
    places: int = 0
    identifiers: int = 0
    relations_created: int = 0
    relations_unchanged: int = 0
    unresolved: list[str] = field(default_factory=list)
    """Links to names that no organization of the list has, or several."""

    def document(self) -> dict[str, Any]:
        """The outcome as JSON values."""
        return asdict(self)


async def bring_in(
    open_desk: OpenDesk, listing: Listing, handling: HandlingIn, done: Callable[[int], None] = lambda _count: None
) -> Outcome:
    """Create or complete the profiles of a list, then their relations; `done` is told after each batch how many.

    `handling` is for the profiles that are created; those that exist keep theirs. Interrupted half-way it is simply
    run again.
    """
    outcome = Outcome(read=len(listing.organizations))
    outcome.aliases = sum(len(one.content.aliases) for one in listing.organizations)
    outcome.places = sum(len(one.content.locations) for one in listing.organizations)
    outcome.identifiers = sum(len(one.content.identifiers) for one in listing.organizations)
    for start in range(0, len(listing.organizations), BATCH):
        batch = listing.organizations[start : start + BATCH]
        async with open_desk() as desk:
            present = await _present(desk, (one.external_id for one in batch))
            for published in batch:
                await _bring_one(desk, published, present.get(published.external_id), handling, outcome)
        done(start + len(batch))
    linked = [one for one in listing.organizations if one.linked_to]
    for start in range(0, len(linked), BATCH):
        async with open_desk() as desk:
            await _relate(desk, listing, linked[start : start + BATCH], outcome)
    async with open_desk() as desk:
        detail = Jsonb({"source": listing.source, **outcome.document()})
        await desk.call(
            "audit",
            p_action="import.run",
            p_outcome="done",
            p_kind=profiles.KIND.value,
            p_ids=[],
            p_originators=[],
            p_detail=detail,
        )
    return outcome


async def _present(desk: Desk, numbers: Iterable[str]) -> dict[str, tuple[UUID, RecordState]]:
    rows = await desk.rows(_FIND, agency=desk.caller.agency, kind=profiles.KIND.value, numbers=list(numbers))
    return {row.external_id: (row.id, RecordState(row.state)) for row in rows}


async def _bring_one(
    desk: Desk, published: Published, present: tuple[UUID, RecordState] | None, handling: HandlingIn, outcome: Outcome
) -> None:
    if present is None:
        fields = published.content.model_dump(by_alias=True)
        sent = CriminalOrganizationCreate(**fields, external_id=published.external_id, handling=handling)
        await profiles.create(desk, sent)
        outcome.created += 1
        return
    record_id, state = present
    if state is RecordState.RETRACTED:
        outcome.retracted += 1
        return
    stored = await shelf.fetch(desk, profiles.KIND, record_id)
    additions = _additions(stored.fields, published.content.model_dump(mode="json", by_alias=True))
    if additions:
        await profiles.patch(desk, stored, CriminalOrganizationPatch(additions))
        outcome.changed += 1
    else:
        outcome.unchanged += 1


def _additions(own: dict[str, Any], published: dict[str, Any]) -> dict[str, Any]:
    """What a list says and a profile does not, as a merge patch that only adds."""
    names = {own["name"], *(alias["name"] for alias in own["aliases"])}
    aliases = [alias for alias in published["aliases"] if alias["name"] not in names]
    if published["name"] not in names:
        aliases.insert(0, {"name": published["name"]})
    known = {(one["type"], one["value"]) for one in own["identifiers"]}
    new = {
        "aliases": aliases,
        "locations": [place for place in published["locations"] if place not in own["locations"]],
        "identifiers": [one for one in published["identifiers"] if (one["type"], one["value"]) not in known],
    }
    patch = {name: [*own[name], *values] for name, values in new.items() if values}
    if own["summary"] is None and published["summary"] is not None:
        patch["summary"] = published["summary"]
    return patch


async def _relate(desk: Desk, listing: Listing, linked: Sequence[Published], outcome: Outcome) -> None:
    numbers = _numbers_by_name(listing)
    wanted = {number for one in linked for name in one.linked_to for number in numbers.get(name.casefold(), ())}
    found = await _present(desk, wanted | {one.external_id for one in linked})
    present = {number: record_id for number, (record_id, state) in found.items() if state is RecordState.CURRENT}
    for one in linked:
        if one.external_id not in present:
            continue
        stored = await shelf.fetch(desk, profiles.KIND, present[one.external_id])
        types = [f"relation:{listing.relation.value}"]
        stated = {link.target for link in await links.listed(desk, stored.envelope.id, types, None, _LINKS_READ)}
        for name in dict.fromkeys(one.linked_to):
            targets = [present[number] for number in numbers.get(name.casefold(), ()) if number in present]
            if len(targets) != 1:
                outcome.unresolved.append(f"{one.content.name} → {name}")
            elif targets[0] in stated:
                outcome.relations_unchanged += 1
            else:
                await relations.state(desk, stored, RelationIn(type=listing.relation, target=targets[0]))
                stated.add(targets[0])
                outcome.relations_created += 1


def _numbers_by_name(listing: Listing) -> dict[str, list[str]]:
    numbers: dict[str, list[str]] = {}
    for one in listing.organizations:
        numbers.setdefault(one.content.name.casefold(), []).append(one.external_id)
    return numbers
