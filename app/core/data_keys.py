"""Keys of single things: each drawn for one of them, wrapped by a key-encryption key, which the master key seals.

Whoever lacks one of the three reads nothing. A thing's key is destroyed with the thing; the key-encryption key is
replaced by a rotation. Each part is bound to where it belongs (AES-GCM's associated data): a wrapped key to the thing
and to the key-encryption key, that one to its id. So nothing that is moved to another row opens there.
"""

import secrets
from typing import Final, NamedTuple
from uuid import UUID

from app.core.crypto import KEY_BYTES, MasterKey, Sealer, SealError
from app.core.ids import uuid7

_REMEMBERED: Final = 8
"""Key-encryption keys that a process keeps opened; there are two during a rotation, and one else."""


class DataKeyError(Exception):
    """What is kept does not open: another master key, or altered, or moved. Nothing of it is quoted."""


class Kek(NamedTuple):
    """A key-encryption key, sealed with the master key."""

    id: UUID
    sealed: bytes


class WrappedKey(NamedTuple):
    """A thing's key, and the key-encryption key that it is wrapped with."""

    kek: Kek
    wrapped: bytes


class DataKeys:
    """Draws, wraps and unwraps keys under one master key; remembers what it unsealed last.

    `place` says in bytes which thing a key is of; `what` names it for people where it does not open.
    """

    def __init__(self, master_key: MasterKey) -> None:
        self._root = Sealer(master_key.derive(b"keks"))
        self._opened: dict[Kek, Sealer] = {}

    def draw_kek(self) -> Kek:
        """A fresh key-encryption key."""
        kek_id = uuid7()
        return Kek(kek_id, self._root.seal(secrets.token_bytes(KEY_BYTES), _kek_place(kek_id)))

    def draw(self, place: bytes, kek: Kek) -> tuple[bytes, WrappedKey]:
        """A fresh key of 32 bytes, and the same wrapped.

        Raises:
            DataKeyError: the key-encryption key was sealed with another master key.
        """
        key = fresh_key()
        return key, self.wrap(place, key, kek)

    def wrap(self, place: bytes, key: bytes, kek: Kek) -> WrappedKey:
        """A key that was drawn before.

        Raises:
            DataKeyError: the key-encryption key was sealed with another master key.
        """
        return WrappedKey(kek, self._unsealed(kek).seal(key, place + kek.id.bytes))

    def unwrap(self, place: bytes, key: WrappedKey, what: str = "a key") -> bytes:
        """The key of 32 bytes.

        Raises:
            DataKeyError: it does not open.
        """
        return open_sealed(self._unsealed(key.kek), key.wrapped, place + key.kek.id.bytes, what)

    def rewrap(self, place: bytes, key: WrappedKey, kek: Kek, what: str = "a key") -> bytes:
        """The same key, wrapped with another key-encryption key.

        Raises:
            DataKeyError: it does not open.
        """
        return self._unsealed(kek).seal(self.unwrap(place, key, what), place + kek.id.bytes)

    def _unsealed(self, kek: Kek) -> Sealer:
        found = self._opened.get(kek)
        if found is None:
            found = Sealer(open_sealed(self._root, kek.sealed, _kek_place(kek.id), "a key-encryption key"))
            if len(self._opened) >= _REMEMBERED:
                self._opened.clear()
            self._opened[kek] = found
        return found


def fresh_key() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def open_sealed(sealer: Sealer, sealed: bytes, place: bytes, what: str) -> bytes:
    """What was sealed for this place; `what` names it where it does not open.

    Raises:
        DataKeyError: it does not open.
    """
    try:
        return sealer.open(sealed, place)
    except SealError:
        message = f"{what} does not open with this master key, or was altered or moved"
        raise DataKeyError(message) from None


def _kek_place(kek_id: UUID) -> bytes:
    return b"kek" + kek_id.bytes
