"""Profiles: created by their originator, changed by merge patches."""

from typing import Any

from app.access.desk import Desk
from app.access.envelope import changed_fields
from app.core.validation import validated
from app.domain.criminal_organizations.content import CriminalOrganizationContent, facets, search_names
from app.domain.criminal_organizations.shapes import (
    CriminalOrganizationCreate,
    CriminalOrganizationPatch,
    OwnCriminalOrganization,
    ProposedPatch,
)
from app.identity.callers import Visit
from app.identity.roles import Permission
from app.models.vocabularies import RecordKind
from app.records import links, shelf
from app.records.amendments import Amendable
from app.records.creating import Creations, OnceKey
from app.records.shelf import Body, Stored

KIND = RecordKind.CRIMINAL_ORGANIZATIONS


def body_of(content: CriminalOrganizationContent) -> Body:
    """What the shelf keeps of a profile."""
    return Body(content, facets(content), search_names(content))


async def create(desk: Desk, sent: CriminalOrganizationCreate) -> Stored:
    """Create a profile under its handling, with its links; all of it or nothing."""
    stored = await shelf.create(desk, KIND, body_of(sent.content()), sent.handling, sent.external_id)
    await links.add_sent(desk, stored, sent.links, [f"/links/{number}" for number in range(len(sent.links))])
    return stored


async def create_at_once(
    creations: Creations, visit: Visit, sent: CriminalOrganizationCreate, once: OnceKey | None
) -> Stored | None:
    """Create a profile together with others; None, and nothing done, where that takes a desk, as links do."""
    if sent.links:
        return None
    body = body_of(sent.content())
    return await creations.create(visit, Permission.PROFILES_WRITE, KIND, body, sent.handling, sent.external_id, once)


async def take_over(desk: Desk, stored: Stored, change: dict[str, Any]) -> None:
    """Apply a merge patch that a reader proposed; 422 if the whole would not be right."""
    before = stored.fields
    content = validated(CriminalOrganizationContent, ProposedPatch.model_validate(change).merged(before))
    changed = changed_fields(before, content.model_dump(mode="json", by_alias=True))
    if changed:
        await shelf.change(desk, stored, body_of(content), changed)


AMENDABLE = Amendable(CriminalOrganizationContent, lambda stored: stored.fields, take_over)


async def patch(desk: Desk, stored: Stored, sent: CriminalOrganizationPatch) -> Stored:
    """Apply a merge patch; the profile as it stands if nothing differs, 422 if the whole would not be right."""
    shelf.require_current(stored)
    before = {"external_id": stored.envelope.external_id, **stored.fields}
    after = validated(OwnCriminalOrganization, sent.merged(before))
    changed = changed_fields(before, after.model_dump(mode="json", by_alias=True))
    if not changed:
        return stored
    return await shelf.change(desk, stored.numbered(after.external_id), body_of(after.content()), changed)
