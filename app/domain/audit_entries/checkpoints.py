"""Checkpoints of the log, and the proofs that it only ever grew. They hold no content."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from app.access.desk import Desk, refuse_permission
from app.audit.checkpoints import Checkpoint, fetch_keys
from app.audit.proofs import fetch_checkpoints, prove_growth
from app.core.problems import INVALID_PARAMETER, Flaw, Problem
from app.core.shapes import Shape
from app.domain.audit_entries.proofs import AuditCheckpoint
from app.identity.roles import Permission

READ_BY = (Permission.AUDIT_READ, Permission.AUDIT_VERIFY)
"""Permissions of which one is enough to see checkpoints."""


class GrowingCheckpoint(AuditCheckpoint):
    """A checkpoint, and the proof that it continues an earlier one."""

    consistency_path: list[str] | None = Field(
        description="With `from`: the hashes that lead from that tree's root to this one's (RFC 9162). Else null."
    )


class AuditKey(Shape):
    """A public key of the hub's that signs checkpoints and nothing else (RFC 7517)."""

    kty: str = Field(description="Always `EC`.", examples=["EC"])
    crv: str = Field(description="Always `P-256`.", examples=["P-256"])
    x: str = Field(description="The point's first coordinate, base64url.")
    y: str = Field(description="The point's second coordinate, base64url.")
    kid: str = Field(description="The key's name: its thumbprint (RFC 7638).")
    alg: str = Field(description="Always `ES256`.", examples=["ES256"])
    use: str = Field(description="Always `sig`.", examples=["sig"])


class AuditKeySet(Shape):
    """Every key that ever signed a checkpoint, the newest first."""

    keys: list[AuditKey] = Field(description="The keys; none before the first entry was sealed.")


def require_any(desk: Desk) -> None:
    """403 for a caller that may see no checkpoints."""
    if not desk.caller.permissions & set(READ_BY):
        raise refuse_permission(Permission.AUDIT_VERIFY)


async def listed(desk: Desk, first: int | None, below: int | None, limit: int) -> Sequence[Checkpoint]:
    """Checkpoints of less than `below` leaves, the newest first; of at least `first`, where that is given.

    400 for a `first` beyond the end of the log.
    """
    if first is not None:
        newest = await fetch_checkpoints(desk.connection)
        if not newest or newest[0].tree_size < first:
            detail = (
                "The log has not grown so far. If you hold a signed checkpoint of this size, the log was cut back "
                "since: keep the checkpoint, and ask the operator."
            )
            raise Problem(INVALID_PARAMETER, errors=[Flaw("/query/from", "from-ahead", detail)])
    return await fetch_checkpoints(desk.connection, at_least=first, below=below, limit=limit)


async def documents(desk: Desk, checkpoints: Sequence[Checkpoint], first: int | None) -> list[dict[str, Any]]:
    """The checkpoints as `GrowingCheckpoint` describes them, each proved to continue the tree of `first` leaves."""
    paths: Sequence[list[str] | None] = [None] * len(checkpoints)
    if first is not None:
        paths = await prove_growth(desk.connection, first, checkpoints)
    return [
        {**checkpoint.document(), "consistency_path": path} for checkpoint, path in zip(checkpoints, paths, strict=True)
    ]


__all__ = ["READ_BY", "AuditKeySet", "GrowingCheckpoint", "documents", "fetch_keys", "listed", "require_any"]
