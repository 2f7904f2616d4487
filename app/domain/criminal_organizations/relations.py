"""Relations between profiles: links of their own types, shown to those who see both ends."""

from collections.abc import Sequence
from uuid import UUID

from app.access.desk import Desk
from app.core.places import Place
from app.domain.criminal_organizations.profiles import KIND
from app.domain.criminal_organizations.shapes import Relation, RelationIn
from app.models.vocabularies import RelationType
from app.records import links
from app.records.links import Link, Pointer
from app.records.shelf import Stored

TYPES = [f"relation:{member.value}" for member in RelationType]
"""As they stand beside other links, of which some have the same words."""


def _relation(link: Link, seen_from: UUID) -> Relation:
    source, target = (seen_from, link.target) if link.outgoing else (link.target, seen_from)
    return Relation(
        id=link.id,
        type=RelationType(link.type.removeprefix("relation:")),
        source=source,
        target=target,
        since=link.since,
        note=link.note,
        created_at=link.created_at,
    )


async def state(desk: Desk, stored: Stored, sent: RelationIn) -> Relation:
    """State what the organization of the caller's own profile is to another; 422 if the other may not be known."""
    pointer = Pointer(f"relation:{sent.type.value}", KIND, sent.target, sent.since, sent.note)
    return _relation(await links.add(desk, stored, pointer, "/target"), stored.envelope.id)


async def listed(desk: Desk, stored: Stored, after: Place | None, limit: int) -> Sequence[Relation]:
    """Relations from and to the profile, newest first, as far as the caller sees both ends."""
    found = await links.listed(desk, stored.envelope.id, TYPES, after, limit)
    return [_relation(link, stored.envelope.id) for link in found]


async def one(desk: Desk, stored: Stored, relation_id: UUID | None) -> Relation:
    """One relation that starts at the profile."""
    return _relation(await links.one(desk, stored.envelope.id, relation_id, TYPES), stored.envelope.id)


async def withdraw(desk: Desk, stored: Stored, relation_id: UUID | None) -> None:
    """Take a relation of the caller's own profile back."""
    await links.remove(desk, stored, await links.one(desk, stored.envelope.id, relation_id, TYPES))
