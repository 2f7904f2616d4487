"""How an attachment is closed: with a key of its own, drawn for the upload and destroyed with the attachment.

From the key come two: one for the bytes, which are sealed in pieces, and one for what the attachment is called. All
three are bound to attachment and record: what is moved to another row, or under another name, does not open there.
"""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

from psycopg import sql

from app.core.crypto import MasterKey, Sealer, derive_key
from app.core.data_keys import DataKeys, Kek, WrappedKey, fresh_key, open_sealed
from app.core.sealed_streams import open_stream, seal_stream
from app.records.rotation import Ring

_BLOCK: Final = 256
"""Names are filled up with blanks to a multiple of this: their length would tell something of them."""


class Place(NamedTuple):
    """Where an attachment belongs: its id and the record's."""

    attachment: UUID
    record: UUID

    def of(self, part: bytes) -> bytes:
        """The place of a part of it."""
        return part + self.attachment.bytes + self.record.bytes


@dataclass(frozen=True, slots=True)
class AttachmentKey:
    """An attachment's key, opened."""

    place: Place
    secret: bytes = field(repr=False)

    def seal(self, parts: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The attachment's bytes as ciphertext; once for each key."""
        return seal_stream(parts, derive_key(self.secret, b"attachment"), self.place.of(b"attachment"))

    def open(self, parts: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The attachment's bytes.

        Raises:
            SealError: they are not what was sealed; what came before is right.
        """
        return open_stream(parts, derive_key(self.secret, b"attachment"), self.place.of(b"attachment"))

    def close_name(self, name: str) -> bytes:
        """What the attachment is called, as ciphertext."""
        content = name.encode()
        return self._namer().seal(content + b" " * (-len(content) % _BLOCK), self.place.of(b"attachment-name"))

    def open_name(self, sealed: bytes) -> str:
        """What the attachment is called.

        Raises:
            DataKeyError: it does not open.
        """
        return open_sealed(self._namer(), sealed, self.place.of(b"attachment-name"), "an attachment").decode().rstrip()

    def _namer(self) -> Sealer:
        return Sealer(derive_key(self.secret, b"attachment-name"))


class AttachmentKeys:
    """Draws, wraps and unwraps attachments' keys under one master key."""

    def __init__(self, master_key: MasterKey) -> None:
        self._keys = DataKeys(master_key)

    def draw_kek(self) -> Kek:
        """A fresh key-encryption key."""
        return self._keys.draw_kek()

    def draw(self, place: Place) -> AttachmentKey:
        """A fresh key for an attachment."""
        return AttachmentKey(place, fresh_key())

    def wrap(self, key: AttachmentKey, kek: Kek) -> WrappedKey:
        """The key as it is kept.

        Raises:
            DataKeyError: the key-encryption key was sealed with another master key.
        """
        return self._keys.wrap(key.place.of(b"attachment-key"), key.secret, kek)

    def unwrap(self, place: Place, key: WrappedKey) -> AttachmentKey:
        """An attachment's key.

        Raises:
            DataKeyError: it does not open.
        """
        return AttachmentKey(place, self._keys.unwrap(place.of(b"attachment-key"), key, "an attachment's key"))


ATTACHMENTS: Final = Ring(
    sql.SQL("SELECT * FROM attachment_keys_to_rewrap(%s, %s)"),
    sql.SQL("SELECT rewrap_attachment_keys(%s, %s, %s)"),
    lambda attachment, record: Place(attachment, record).of(b"attachment-key"),
)
"""The keys of attachments, for a rotation."""
