"""How a person is closed: with a key of its own, drawn when the person is entered and destroyed with it.

A person's content is bound to person, record and version (AES-GCM's associated data), its wrapped key to person and
record: what is moved to another row does not open there.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from psycopg import sql

from app.core.crypto import MasterKey, Sealer
from app.core.data_keys import DataKeys, Kek, WrappedKey, open_sealed
from app.records.rotation import Ring

_BLOCK: Final = 1024
"""Contents are filled up with blanks to a multiple of this: their length would tell how much is known of somebody."""

_KEY: Final = "a person's key"


class Place(NamedTuple):
    """Where a person belongs: the person's id and the record's."""

    person: UUID
    record: UUID

    @property
    def of_key(self) -> bytes:
        """The place of the person's key."""
        return b"person-key" + self.person.bytes + self.record.bytes

    def of_content(self, version: int) -> bytes:
        """The place of what is known of the person, in one version."""
        return b"person" + self.person.bytes + self.record.bytes + version.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A person's key, opened: closes and opens that person's content, of whatever version."""

    place: Place
    sealer: Sealer

    def close(self, content: bytes, version: int) -> bytes:
        """A version's content, which is JSON, as ciphertext."""
        filled = content + b" " * (-len(content) % _BLOCK)
        return self.sealer.seal(filled, self.place.of_content(version))

    def open(self, sealed: bytes, version: int) -> bytes:
        """A version's content, with the blanks at its end.

        Raises:
            DataKeyError: it does not open.
        """
        return open_sealed(self.sealer, sealed, self.place.of_content(version), "a person")


class PersonKeys:
    """Draws, wraps and unwraps persons' keys under one master key."""

    def __init__(self, master_key: MasterKey) -> None:
        self._keys = DataKeys(master_key)

    def draw_kek(self) -> Kek:
        """A fresh key-encryption key."""
        return self._keys.draw_kek()

    def draw(self, place: Place, kek: Kek) -> tuple[PersonKey, WrappedKey]:
        """A fresh key for a person, and the same wrapped.

        Raises:
            DataKeyError: the key-encryption key was sealed with another master key.
        """
        key, wrapped = self._keys.draw(place.of_key, kek)
        return PersonKey(place, Sealer(key)), wrapped

    def unwrap(self, place: Place, key: WrappedKey) -> PersonKey:
        """A person's key.

        Raises:
            DataKeyError: it does not open.
        """
        return PersonKey(place, Sealer(self._keys.unwrap(place.of_key, key, _KEY)))


PERSONS: Final = Ring(
    sql.SQL("SELECT person_id AS id, record_id, wrapped, kek_id, kek_sealed FROM person_keys_to_rewrap(%s, %s)"),
    sql.SQL("SELECT rewrap_person_keys(%s, %s, %s)"),
    lambda person, record: Place(person, record).of_key,
)
"""The keys of persons, for a rotation."""
