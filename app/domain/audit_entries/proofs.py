"""Proofs of single entries, for the agency that may see them."""

from typing import Any, Final, Literal
from uuid import UUID

from pydantic import Field

from app.access.desk import Desk
from app.audit.checkpoints import Checkpoint
from app.audit.proofs import fetch_checkpoints, prove_leaves
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.problems import CONFLICT, INVALID_PARAMETER, Flaw, Problem, not_found
from app.core.shapes import Shape
from app.domain.audit_entries.reading import AuditEntry

NOUN: Final = "audit-entries"
NOT_SEALED: Final = "The entry waits to be sealed, which takes about a minute. Ask again then."
_RETRY_SECONDS: Final = "60"

HASH = r"^[0-9a-f]{64}$"
_HASH_EXAMPLE: Final = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


class AuditLeaf(Shape):
    """What a leaf of the tree commits to; its hash is SHA-256 over a zero byte and this object's canonical JSON."""

    entry: AuditEntry = Field(description="The entry as your agency sees it.")
    reader: AgencyCode = Field(description="Whose view of the entry this is: your agency's.")
    salt: str = Field(pattern=r"^[0-9a-f]{32}$", description="Random, so that nobody can guess a leaf by its hash.")
    hidden: str | None = Field(
        pattern=HASH, description="Commits to what of your own entry is not yours to know; null in another's entry."
    )


class AuditCheckpoint(Shape):
    """The size and root of the tree at a moment, signed."""

    type: Literal["interdesk-audit-checkpoint"] = Field(description="What is signed.")
    tree_size: int = Field(ge=1, description="How many leaves the tree has.", examples=[4096])
    root_hash: str = Field(pattern=HASH, description="The tree's root.", examples=[_HASH_EXAMPLE])
    at: UtcDateTime = Field(description="When it was sealed.")
    kid: str = Field(description="Which of the audit keys signed.")
    signature: str = Field(
        pattern=r"^[0-9a-f]{128}$",
        description="ES256 over the canonical JSON of `at`, `root_hash`, `tree_size`, `type`: r and s, 32 bytes each.",
    )


class AuditInclusion(Shape):
    """A leaf and the hashes that lead from it to a root."""

    leaf: AuditLeaf | None = Field(description="The leaf; null if its entry is gone, which must never be.")
    leaf_index: int = Field(ge=0, description="Its place in the tree.")
    inclusion_path: list[str] = Field(description="The other hashes on the way to the root, nearest first (RFC 9162).")


class AuditProof(AuditInclusion):
    """That an entry stands in the log as it is, for whoever has the audit keys, without the hub."""

    checkpoint: AuditCheckpoint = Field(description="The state of the tree that the path leads to.")


async def prove(desk: Desk, entry_id: UUID | None, tree_size: int | None) -> dict[str, Any]:
    """The proof of one entry as `AuditProof` describes it, in the tree of that size or the newest.

    404 for an entry that is not the caller's to see, whether or not there is one; 409 for one that waits to be sealed;
    400 for a size that no checkpoint has, or whose tree is older than the entry.
    """
    rows = await desk.call("own_audit_leaf", p_entry=entry_id)
    if not rows:
        raise not_found()
    if rows[0].leaf_index is None:
        raise Problem(CONFLICT, detail=NOT_SEALED, headers={"Retry-After": _RETRY_SECONDS})
    checkpoint = await _checkpoint(desk, tree_size)
    if checkpoint.tree_size <= rows[0].leaf_index:
        raise _wrong_size("tree-too-small", "The entry was sealed later than this checkpoint.")
    (proof,) = await prove_leaves(desk.connection, [(rows[0].leaf_index, rows[0].document)], checkpoint)
    return {**proof, "checkpoint": checkpoint.document()}


async def _checkpoint(desk: Desk, tree_size: int | None) -> Checkpoint:
    below = None if tree_size is None else tree_size + 1
    found = await fetch_checkpoints(desk.connection, at_least=tree_size, below=below)
    if not found:
        raise _wrong_size(
            "checkpoint-unknown", "There is no checkpoint of this size; /v1/audit/checkpoints lists them."
        )
    return found[0]


def _wrong_size(code: str, detail: str) -> Problem:
    return Problem(INVALID_PARAMETER, errors=[Flaw("/query/tree_size", code, detail)])


async def note_proof(desk: Desk, entry_id: UUID) -> None:
    """Record that a proof was given."""
    await desk.call(
        "audit",
        p_action="audit.prove",
        p_outcome="done",
        p_kind=NOUN,
        p_ids=[entry_id],
        p_originators=[],
    )
