"""An upload: bytes that are counted, hashed, looked at, closed and stored as they come, and never held together."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.attachments.recognizing import Recognizer
from app.attachments.sealing import AttachmentKey, AttachmentKeys, Place
from app.core.ids import uuid7
from app.core.problems import BODY_TOO_LARGE, Problem
from app.core.stores import Store

SECONDS: Final = 3600
"""How long an upload may take; what is stored of one that takes longer is deleted."""

GIVEN_UP_AFTER: Final = SECONDS - 60
"""When an upload is given up: sooner than its bytes are deleted."""


@dataclass(frozen=True, slots=True)
class Received:
    """What came, once all of it has."""

    size: int
    sha256: bytes
    media_type: str
    mark: bytes
    """A keyed hash of what was asked and of the body, by which a repeat is known."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes that are stored, and hang on nothing yet."""

    key: AttachmentKey
    received: Received


def too_large(limit: int) -> Problem:
    """413."""
    detail = f"An attachment may have {limit} bytes."
    return Problem(BODY_TOO_LARGE, detail=detail, headers={"Connection": "close"})


async def store_upload(
    parts: AsyncIterable[bytes], store: Store, key: AttachmentKey, *, limit: int, asked: bytes, mark_key: bytes
) -> Upload:
    """Store what comes in `parts`; whatever goes wrong, nothing is stored.

    Raises:
        Problem: 413 past `limit` bytes, 415 for what is not taken, 422 for nothing at all.
        StoreError: it cannot be stored.
        TimeoutError: it took too long.
    """
    intake = _Intake(limit, hmac.new(mark_key, asked, "sha256"))
    async with asyncio.timeout(GIVEN_UP_AFTER):
        await store.put(key.place.attachment, key.seal(intake.passing(parts)))
    return Upload(key, intake.received())


def draw_key(keys: AttachmentKeys, record: UUID) -> AttachmentKey:
    """The id and the key of an attachment to be."""
    return keys.draw(Place(uuid7(), record))


class _Intake:
    """Looks at bytes as they pass."""

    def __init__(self, limit: int, mark: "hmac.HMAC") -> None:
        self._limit = limit
        self._mark = mark
        self._size = 0
        self._sum = hashlib.sha256()
        self._recognizer = Recognizer()
        self._type = ""

    async def passing(self, parts: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        async for part in parts:
            self._size += len(part)
            if self._size > self._limit:
                raise too_large(self._limit)
            self._sum.update(part)
            self._mark.update(part)
            self._recognizer.take(part)
            yield part
        self._type = self._recognizer.end()

    def received(self) -> Received:
        return Received(self._size, self._sum.digest(), self._type, self._mark.digest())
