"""Checking the whole log against the trail: is every entry what was sealed, and is none missing or slipped in?

It reads leaves, entries and checkpoints up to the newest checkpoint of its start, in pages, so that it may run for
hours beside everything else. Whoever holds the master key can seal a false log anew; that, only checkpoints kept
elsewhere can tell: the anchors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import sql
from psycopg.rows import AsyncRowFactory, namedtuple_row

from app.audit.canonical import canonical
from app.audit.checkpoints import Checkpoint, PublicKeys, is_signed
from app.audit.merkle import leaf_hash
from app.audit.regrowth import Regrowth
from app.audit.tree import fetch
from app.audit.verification import FINDINGS_MAX
from app.core.db import Connection

_PAGE: Final = 4096
_LATE: Final = timedelta(minutes=15)
"""Longer than any transaction may take: an entry this much older than one of an earlier batch came afterwards."""

_BEFORE_ALL: Final = -(2**63)
_NAMED: Final[AsyncRowFactory[Any]] = namedtuple_row
_SIZE: Final = sql.SQL("SELECT audit_tree_size() AS size")
_LEAVES: Final = sql.SQL("SELECT * FROM audit_log_page(%s, %s)")
_CHECKPOINTS: Final = sql.SQL("SELECT * FROM audit_checkpoints_after(%s, %s)")
_STRAYS: Final = sql.SQL("SELECT * FROM audit_strays(%s, %s)")


class AnchorError(ValueError):
    """What was given as an anchor is no checkpoint."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was sealed."""

    kind: str
    """`changed`, `removed`, `inserted` (an entry); `tree`, `signature`, `cut` (the log itself)."""
    what: str
    leaf_index: int | None = None
    entry_id: str | None = None


@dataclass
class Report:
    """What came of checking the log."""

    tree_size: int
    root_hash: str | None = None
    checkpoints: int = 0
    anchors: int = 0
    entries: int = 0
    waiting: int = 0
    """Entries that are not sealed yet, and of which nothing can be said."""
    findings: list[Finding] = field(default_factory=list)

    def found(self, kind: str, what: str, leaf_index: int | None = None, entry_id: object = None) -> None:
        """Add a finding."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(kind, what, leaf_index, str(entry_id) if entry_id else None))

    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        return {"holds": not self.findings, **asdict(self)}


async def inspect(
    connection: Connection,
    keys: PublicKeys,
    anchors: Sequence[Mapping[str, Any]] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Check everything; the connection is in autocommit, of the role interdesk_worker.

    `anchors` are checkpoints kept elsewhere, as partners are given them; `progress` is told how many leaves are done.

    Raises:
        AnchorError: an anchor is no checkpoint.
    """
    walk = _Walk(connection, Report(await tree_size(connection)), keys)
    walk.take_anchors(anchors)
    await walk.through_leaves(progress)
    await walk.through_entries()
    size = walk.report.tree_size
    beyond = await walk.rows(_LEAVES, size, size + _PAGE)
    if beyond and await tree_size(connection) == size:
        walk.report.found("tree", "There are leaves that no checkpoint covers.", beyond[0].leaf_index)
    return walk.report


async def tree_size(connection: Connection) -> int:
    """How many leaves the newest checkpoint covers."""
    async with connection.cursor(row_factory=_NAMED) as cursor:
        await cursor.execute(_SIZE)
        row: Any = await cursor.fetchone()
    return int(row.size)


class _Walk:
    """One way through the log, and what was met on it."""

    def __init__(self, connection: Connection, report: Report, keys: PublicKeys) -> None:
        self.report = report
        self._connection = connection
        self._keys = keys
        self._tree = Regrowth()
        self._roots: dict[int, str] = {}
        self._ahead: list[Checkpoint] = []
        self._checked = 0
        self._newest: datetime | None = None
        """Time of the newest entry in the batches before the present one."""
        self._newest_here: datetime | None = None

    async def rows(self, query: sql.SQL, *arguments: object) -> list[Any]:
        async with self._connection.cursor(row_factory=_NAMED) as cursor:
            await cursor.execute(query, arguments)
            return await cursor.fetchall()

    def take_anchors(self, anchors: Sequence[Mapping[str, Any]]) -> None:
        for anchor in anchors:
            try:
                size, signed = int(anchor["tree_size"]), is_signed(anchor, self._keys)
            except (KeyError, TypeError, ValueError):
                raise AnchorError("This is no checkpoint.") from None
            if not signed:
                self.report.found("signature", f"The kept checkpoint of {size} leaves is not signed by these keys.")
            elif size > self.report.tree_size:
                self.report.found("cut", f"The log once had {size} leaves, and has {self.report.tree_size} now.")
            else:
                self.report.anchors += 1
                self._roots[size] = str(anchor["root_hash"])

    async def through_leaves(self, progress: Callable[[int], None]) -> None:
        for start in range(0, self.report.tree_size, _PAGE):
            past = min(start + _PAGE, self.report.tree_size)
            leaves = {leaf.leaf_index: leaf for leaf in await self.rows(_LEAVES, start, past)}
            for index in range(start, past):
                self._leaf(index, leaves.get(index))
                if self._tree.size in self._roots:
                    self._compare(self._roots[self._tree.size], "a checkpoint kept elsewhere")
                await self._checkpoint()
            await self._nodes()
            progress(past)
        if self._checked < self.report.tree_size:
            self.report.found("tree", "The newest checkpoint is not where the tree ends.", self._checked)

    def _leaf(self, index: int, leaf: Any) -> None:  # noqa: ANN401 - a row of audit_log_page
        if leaf is None:
            self.report.found("removed", "The leaf is gone.", index)
            self._tree.lose()
            return
        self._tree.add(leaf.leaf_hash)
        if leaf.document is None:
            self.report.found("removed", "The entry is gone, or has another id or time now.", index, leaf.entry_id)
            return
        if leaf_hash(canonical(leaf.document)) != leaf.leaf_hash:
            self.report.found("changed", "The entry is not what was sealed.", index, leaf.entry_id)
        elif leaf.complete is False:
            self.report.found("changed", "Others may see the entry now than when it was sealed.", index, leaf.entry_id)
        if leaf.at is None:
            return
        if self._newest is not None and leaf.at < self._newest - _LATE:
            what = "The entry claims to be older than entries that were sealed before it came."
            self.report.found("inserted", what, index, leaf.entry_id)
        self._newest_here = max(leaf.at, self._newest_here or leaf.at)

    async def _checkpoint(self) -> None:
        """Check the checkpoint of the tree so far, if there is one."""
        if not self._ahead:
            rows = await self.rows(_CHECKPOINTS, self._checked, _PAGE)
            self._ahead = [Checkpoint(*row) for row in rows]
        if not self._ahead or self._ahead[0].tree_size != self._tree.size:
            return
        checkpoint = self._ahead.pop(0)
        self._checked = checkpoint.tree_size
        self.report.checkpoints += 1
        self._newest = self._newest_here
        if not is_signed(checkpoint.document(), self._keys):
            what = f"The checkpoint of {checkpoint.tree_size} leaves is not signed by these keys."
            self.report.found("signature", what)
        self._compare(checkpoint.root_hash.hex(), "its checkpoint")
        self.report.root_hash = checkpoint.root_hash.hex()

    def _compare(self, root: str, witness: str) -> None:
        if self._tree.whole and self._tree.root().hex() != root:
            what = f"The tree of {self._tree.size} leaves is not that of {witness}: leaves were changed or reordered."
            self.report.found("tree", what, self._tree.size - 1)

    async def _nodes(self) -> None:
        """Compare the kept subtrees with those grown again: proofs are made from the kept ones."""
        grown, self._tree.completed = self._tree.completed, {}
        kept = await fetch(self._connection, [(level, index, index + 1) for level, index in grown])
        for (level, index), node in grown.items():
            if kept.get((level, index)) != node:
                what = f"The kept hash of subtree {index} of level {level} is wrong: proofs that use it fail."
                self.report.found("tree", what, index << level)

    async def through_entries(self) -> None:
        arrival = _BEFORE_ALL
        while rows := await self.rows(_STRAYS, arrival, _PAGE):
            arrival = rows[-1].arrival
            for stray in rows[:-1]:
                old = self._newest is not None and stray.at < self._newest - _LATE
                if stray.settled or old:
                    what = "The entry was not there when its time was sealed."
                    self.report.found("inserted", what, entry_id=stray.entry_id)
                else:
                    self.report.waiting += 1
            self.report.entries += rows[-1].entries
