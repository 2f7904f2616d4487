"""Agreements as they stand in the tables, for tests of what rests on them."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from app.core.ids import uuid7
from tests.conftest import Hub
from tests.routers.entrance import below_policies

KINDS = ("criminal-organizations",)


def agree(hub: Hub, *parties: str, kind: str = "mou", kinds: Sequence[str] = KINDS, in_force: bool = True) -> str:
    """An agreement that all its parties have signed; in force unless told otherwise."""
    agreement = uuid7()
    below_policies(
        hub,
        "INSERT INTO agreements (id, reference, kind, title, originator, record_kinds, crime_types, purposes,"
        " persons_data, territory, valid_from, documents, state, content_hash, proposed_at, created_at, updated_at)"
        " VALUES (%s, %s, %s, 'Memorandum', %s, %s, '{}', '{}', false, '{}', current_date, '[]', 'in_force',"
        " repeat('0', 64), now(), now(), now())",
        *(agreement, f"{parties[0]}-AG-2026-{agreement.int % 1_000_000:06}", kind, parties[0], list(kinds)),
    )
    for agency in parties:
        below_policies(
            hub,
            "INSERT INTO agreement_parties (agreement_id, agency, signed_at, signed_hash)"
            " VALUES (%s, %s, now(), repeat('0', 64))",
            *(agreement, agency),
        )
    if in_force:
        put_in_force(hub, agreement, in_force=True)
    return str(agreement)


def put_in_force(hub: Hub, agreement: UUID | str, *, in_force: bool) -> None:
    """Put an agreement in force, or take it out."""
    below_policies(hub, "SELECT set_agreement_force(%s, %s)", agreement, in_force)


def charter(hub: Hub, group: UUID | str, agreement: str | None) -> None:
    """Make an agreement the charter of a group."""
    below_policies(
        hub,
        "UPDATE groups SET charter = %s, charter_since = CASE WHEN %s::uuid IS NOT NULL THEN clock_timestamp() END,"
        " version = version + 1 WHERE id = %s",
        agreement,
        agreement,
        group,
    )


def expire(hub: Hub, agreement: str) -> None:
    """Let yesterday have been an agreement's last day."""
    yesterday = date.today() - timedelta(days=1)  # noqa: DTZ011 - the machine's own day is near enough
    below_policies(
        hub,
        "UPDATE agreements SET valid_from = %s, valid_until = %s WHERE id = %s",
        *(yesterday - timedelta(days=30), yesterday, agreement),
    )
