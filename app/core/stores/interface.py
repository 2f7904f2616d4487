"""What a store does, whatever it is."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import NamedTuple, Protocol
from uuid import UUID


class StoreError(Exception):
    """The store cannot be reached, is full, or lacks what was asked for; the message is for the operator."""


class Kept(NamedTuple):
    """Something that is kept."""

    name: UUID
    size: int
    """In bytes."""


class Store(Protocol):
    """Keeps bytes under ids; what they are it does not know."""

    async def put(self, name: UUID, parts: AsyncIterable[bytes]) -> None:
        """Keep what comes in `parts`; it is there whole and for good when this returns, or not at all.

        What `parts` raises is raised here. Nothing is kept twice under a name.

        Raises:
            StoreError: it cannot be kept.
        """
        ...

    def get(self, name: UUID) -> AsyncIterator[bytes]:
        """What is kept, in parts of any length.

        Raises:
            StoreError: there is nothing, or it cannot be read; from the first part on.
        """
        ...

    async def delete(self, name: UUID) -> None:
        """Delete what is kept, and what a put that was cut off has left; nothing is as good as something.

        Raises:
            StoreError: it cannot be deleted.
        """
        ...

    def listed(self) -> AsyncIterator[Kept]:
        """Everything that is kept, in no order.

        Raises:
            StoreError: it cannot be listed.
        """
        ...

    async def check(self) -> str:
        """What the store is, once it is known to answer.

        Raises:
            StoreError: it does not.
        """
        ...
