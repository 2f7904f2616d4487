"""Comparing what should be in the store with what is."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.attachments.sealing import AttachmentKeys, Place
from app.core.crypto import SealError
from app.core.data_keys import DataKeyError, Kek, WrappedKey
from app.core.sealed_streams import sealed_size
from app.core.stores import Store, StoreError

_BATCH: Final = 500
_FIRST: Final = UUID(int=0)
_EXPECTED: Final = sql.SQL("SELECT * FROM attachments_to_verify(%(after)s, %(limit)s)")


@dataclass(slots=True)
class Verification:
    """How the store compares; all but `whole` by the ids of attachments."""

    whole: int = 0
    missing: list[UUID] = field(default_factory=list)
    """There is a row and nothing stored."""
    damaged: list[UUID] = field(default_factory=list)
    """What is stored has another size, or, where contents were read, does not open or is not what was attached."""
    keyless: list[UUID] = field(default_factory=list)
    """Their keys are gone: a restore did not bring them."""
    unknown: list[UUID] = field(default_factory=list)
    """Something is stored that is no attachment, and that nothing is going to delete."""

    @property
    def holds(self) -> bool:
        """Whether everything that should be there is, and opens."""
        return not (self.missing or self.damaged or self.keyless)

    def document(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        lists = {name: [str(one) for one in getattr(self, name)] for name in _LISTS}
        return {"holds": self.holds, "whole": self.whole, **lists}


_LISTS: Final = ("missing", "damaged", "keyless", "unknown")


async def verify(
    desk: Desk, store: Store, keys: AttachmentKeys, *, contents: bool, done: Callable[[int], None] = lambda _count: None
) -> Verification:
    """Compare every attachment with what is stored; with `contents` each is read, opened and hashed.

    What is uploaded or removed meanwhile may be reported: ask again. The desk is the operator's.

    Raises:
        StoreError: the store cannot be listed.
    """
    found, sizes, count = Verification(), {kept.name: kept.size async for kept in store.listed()}, 0
    async for row in _expected(desk):
        size = sizes.pop(row.id, None)
        if row.wrapped is None:
            found.keyless.append(row.id)
        elif size is None:
            found.missing.append(row.id)
        elif size != sealed_size(row.size) or (contents and not await _opens(store, keys, row)):
            found.damaged.append(row.id)
        else:
            found.whole += 1
        count += 1
        done(count)
    ((unknown,),) = await desk.call("unknown_attachments", p_ids=list(sizes))
    found.unknown = list(unknown)
    return found


async def _expected(desk: Desk) -> AsyncIterator[Any]:
    after = _FIRST
    while rows := await desk.rows(_EXPECTED, after=after, limit=_BATCH):
        for row in rows:
            yield row
        after = rows[-1].id


async def _opens(store: Store, keys: AttachmentKeys, row: Any) -> bool:  # noqa: ANN401 - a row of the statement above
    wrapped = WrappedKey(Kek(row.kek_id, bytes(row.kek_sealed)), bytes(row.wrapped))
    total = hashlib.sha256()
    try:
        async for part in keys.unwrap(Place(row.id, row.record_id), wrapped).open(store.get(row.id)):
            total.update(part)
    except (SealError, DataKeyError, StoreError):
        return False
    return total.digest() == bytes(row.sha256)
