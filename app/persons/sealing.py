"""How a person is closed: with a key of its own, which a key-encryption key wraps, which the master key seals.

Whoever lacks one of the three reads nothing. A person's key is drawn when the person is entered and destroyed with it;
the key-encryption key is replaced by a rotation. Each part is bound to where it belongs (AES-GCM's associated data): a
person's content to person, record and version, a wrapped key to person, record and key-encryption key. So nothing that
is moved to another row opens there.
"""

import secrets
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from app.core.crypto import KEY_BYTES, MasterKey, Sealer, SealError
from app.core.ids import uuid7

_BLOCK: Final = 1024
"""Contents are filled up with blanks to a multiple of this: their length would tell how much is known of somebody."""

_REMEMBERED: Final = 8
"""Key-encryption keys that a process keeps opened; there are two during a rotation, and one else."""


class PersonKeyError(Exception):
    """What is kept of a person does not open: another master key, or altered, or moved. Nothing of it is quoted."""


class Place(NamedTuple):
    """Where a person belongs: the person's id and the record's."""

    person: UUID
    record: UUID


class Kek(NamedTuple):
    """A key-encryption key, sealed with the master key."""

    id: UUID
    sealed: bytes


class WrappedKey(NamedTuple):
    """A person's key, and the key-encryption key that it is wrapped with."""

    kek: Kek
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A person's key, opened: closes and opens that person's content, of whatever version."""

    place: Place
    sealer: Sealer

    def close(self, content: bytes, version: int) -> bytes:
        """A version's content, which is JSON, as ciphertext."""
        filled = content + b" " * (-len(content) % _BLOCK)
        return self.sealer.seal(filled, _content_place(self.place, version))

    def open(self, sealed: bytes, version: int) -> bytes:
        """A version's content, with the blanks at its end.

        Raises:
            PersonKeyError: it does not open.
        """
        return _open(self.sealer, sealed, _content_place(self.place, version), "a person")


class PersonKeys:
    """Draws, wraps and unwraps persons' keys under one master key; remembers what it unsealed last."""

    def __init__(self, master_key: MasterKey) -> None:
        self._root = Sealer(master_key.derive(b"person-keks"))
        self._opened: dict[Kek, Sealer] = {}

    def draw_kek(self) -> Kek:
        """A fresh key-encryption key."""
        kek_id = uuid7()
        return Kek(kek_id, self._root.seal(secrets.token_bytes(KEY_BYTES), _kek_place(kek_id)))

    def draw(self, place: Place, kek: Kek) -> tuple[PersonKey, WrappedKey]:
        """A fresh key for a person, and the same wrapped.

        Raises:
            PersonKeyError: the key-encryption key was sealed with another master key.
        """
        key = secrets.token_bytes(KEY_BYTES)
        wrapped = self._unsealed(kek).seal(key, _key_place(place, kek))
        return PersonKey(place, Sealer(key)), WrappedKey(kek, wrapped)

    def unwrap(self, place: Place, key: WrappedKey) -> PersonKey:
        """A person's key.

        Raises:
            PersonKeyError: it does not open.
        """
        return PersonKey(place, Sealer(self._key(place, key)))

    def rewrap(self, place: Place, key: WrappedKey, kek: Kek) -> bytes:
        """The same key of a person, wrapped with another key-encryption key.

        Raises:
            PersonKeyError: it does not open.
        """
        return self._unsealed(kek).seal(self._key(place, key), _key_place(place, kek))

    def _key(self, place: Place, key: WrappedKey) -> bytes:
        return _open(self._unsealed(key.kek), key.wrapped, _key_place(place, key.kek), "a person's key")

    def _unsealed(self, kek: Kek) -> Sealer:
        found = self._opened.get(kek)
        if found is None:
            found = Sealer(_open(self._root, kek.sealed, _kek_place(kek.id), "the key-encryption key of persons"))
            if len(self._opened) >= _REMEMBERED:
                self._opened.clear()
            self._opened[kek] = found
        return found


def _open(sealer: Sealer, sealed: bytes, place: bytes, what: str) -> bytes:
    try:
        return sealer.open(sealed, place)
    except SealError:
        message = f"{what} does not open with this master key, or was altered or moved"
        raise PersonKeyError(message) from None


def _content_place(place: Place, version: int) -> bytes:
    return b"person" + place.person.bytes + place.record.bytes + version.to_bytes(4, "big")


def _key_place(place: Place, kek: Kek) -> bytes:
    return b"person-key" + place.person.bytes + place.record.bytes + kek.id.bytes


def _kek_place(kek_id: UUID) -> bytes:
    return b"person-kek" + kek_id.bytes
