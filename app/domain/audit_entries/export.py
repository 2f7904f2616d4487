"""An agency's entries with their proofs as one file, which `interdesk audit verify` checks without the hub."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import Field

from app.access.desk import Desk
from app.audit.proofs import fetch_checkpoints, prove_leaves
from app.core.codes import AgencyCode
from app.core.shapes import Shape
from app.domain.audit_entries.proofs import AuditCheckpoint, AuditInclusion

TYPE: Final = "interdesk-audit-export"
LIMIT_DEFAULT: Final = 1000
LIMIT_MAX: Final = 5000


class AuditExport(Shape):
    """Entries of one agency, all proved in one tree; a part of them, if there are many."""

    type: Literal["interdesk-audit-export"] = Field(description="What the file is.")
    agency: AgencyCode = Field(description="Whose view of the entries this is.")
    checkpoint: AuditCheckpoint | None = Field(
        description="The state of the tree that the paths lead to; null if nothing was ever sealed."
    )
    items: list[AuditInclusion] = Field(max_length=LIMIT_MAX, description="The entries, oldest first.")
    next_cursor: str | None = Field(max_length=2048, description="Where the next part starts; null at the end.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are wanted; None stands for all."""

    since: datetime | None = None
    until: datetime | None = None
    officer: str | None = None
    """On whose behalf, exactly as the calls said."""
    record: UUID | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Entries that are wanted, and after which place the part goes on."""

    wanted: Wanted
    tree_size: int | None = None
    at: str | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an export, and the place it reached if there is more."""

    document: dict[str, Any]
    next: Span | None

    @property
    def items(self) -> Sequence[dict[str, Any]]:
        """Its entries."""
        found: Sequence[dict[str, Any]] = self.document["items"]
        return found


async def part(desk: Desk, span: Span, limit: int) -> Part:
    """The caller's sealed entries of a span as `AuditExport` describes them, but for the cursor; at most `limit`."""
    below = None if span.tree_size is None else span.tree_size + 1
    found = await fetch_checkpoints(desk.connection, at_least=span.tree_size, below=below)
    document: dict[str, Any] = {"type": TYPE, "agency": desk.caller.agency, "checkpoint": None, "items": []}
    if not found:
        return Part(document, None)
    (checkpoint,) = found
    rows = await desk.call(
        "own_audit_leaves",
        p_tree_size=checkpoint.tree_size,
        p_since=span.wanted.since,
        p_until=span.wanted.until,
        p_officer=span.wanted.officer,
        p_record=span.wanted.record,
        p_at=span.at,
        p_index=span.index,
        p_limit=limit + 1,
    )
    shown = rows[:limit]
    items = await prove_leaves(desk.connection, [(row.leaf_index, row.document) for row in shown], checkpoint)
    place = None
    if len(rows) > limit:
        place = Span(span.wanted, checkpoint.tree_size, shown[-1].at.isoformat(), shown[-1].leaf_index)
    return Part({**document, "checkpoint": checkpoint.document(), "items": items}, place)
