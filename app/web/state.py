"""What one server process holds, made at start and handed to every call."""

from dataclasses import dataclass, field
from typing import cast

from fastapi import Request

from app.access.reading import Reader
from app.attachments.sealing import AttachmentKeys
from app.core.crypto import MasterKey, Sealer
from app.core.db import Database
from app.core.stores import Store, open_store
from app.identity.keys import KeyRing
from app.identity.signing import KeyKeeper
from app.identity.tokens import VerifiedTokens
from app.persons.marks import PersonMarks
from app.persons.sealing import PersonKeys
from app.records.creating import Creations
from app.settings import Settings


@dataclass
class House:
    """Settings, database, keys and what is derived from them, for the life of a process."""

    settings: Settings
    database: Database
    master_key: MasterKey
    key_keeper: KeyKeeper
    reader: Reader
    tokens: VerifiedTokens
    cursors: Sealer = field(init=False)
    creations: Creations = field(init=False)
    person_keys: PersonKeys = field(init=False)
    person_marks: PersonMarks = field(init=False)
    attachment_keys: AttachmentKeys = field(init=False)
    store: Store = field(init=False)
    body_key: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Derive the keys of what is sealed and marked here, and make what creates records."""
        self.creations = Creations(self.database)
        self.cursors = Sealer(self.master_key.derive(b"cursors"))
        self.person_keys = PersonKeys(self.master_key)
        self.person_marks = PersonMarks(self.master_key)
        self.attachment_keys = AttachmentKeys(self.master_key)
        self.store = open_store(self.settings.attachment_store, self.settings.data)
        self.body_key = self.master_key.derive(b"bodies")

    @property
    def keys(self) -> KeyRing:
        """The signing keys as this process knows them now."""
        return self.key_keeper.ring


def bearer_token(authorization: str) -> str | None:
    """The token of an Authorization header (RFC 6750, section 2.1), as it was sent; None for any other scheme."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def house(request: Request) -> House:
    """The process that answers this request."""
    return cast("House", request.app.state.house)
