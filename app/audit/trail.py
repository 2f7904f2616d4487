"""Entries for what is done at a desk, in the desk's own transaction."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.models.vocabularies import RecordKind


async def note(
    desk: Desk,
    action: str,
    kind: RecordKind | None = None,
    ids: Sequence[UUID] = (),
    originators: Sequence[str] = (),
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Record that the caller did `action`; who it is, from where and why, the database takes from the desk itself.

    `originators` are those of `ids`, in the same order, so that each of them can be shown what others did with its
    records; left empty where no record was seen.
    """
    await desk.call(
        "audit",
        p_action=action,
        p_outcome="done",
        p_kind=kind.value if kind else None,
        p_ids=list(ids),
        p_originators=list(originators),
        p_detail=Jsonb(dict(detail)) if detail is not None else None,
    )
