"""What a backup says of itself, in its first line, before the dump: what it holds, and the key to it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

import psycopg

from app.audit.checkpoints import Checkpoint
from app.core import clock
from app.core.clock import rfc3339
from app.core.crypto import MasterKey
from app.keeping.errors import BackupError
from app.keeping.tables import Content, contents

FORMAT: Final = "interdesk-backup/1"

_POSITION: Final = "SELECT last_position, home <> '' FROM feed_state"
_CHECKPOINT: Final = "SELECT tree_size, root_hash, at, kid, signature FROM audit_checkpoints ORDER BY 1 DESC LIMIT 1"
_KEYS: Final = "SELECT public_jwk FROM audit_keys ORDER BY created_at DESC, kid"


@dataclass(frozen=True)
class Manifest:
    """The state of a hub at the moment of its backup."""

    made_at: str
    version: str
    """Of Interdesk."""
    postgresql: int
    """The major version of the server that was dumped."""
    schema: str
    """The newest migration that was applied."""
    tables: Mapping[str, Content]
    feed_position: int
    """Up to here cursors had been handed out."""
    feed_placed: bool
    """Whether the feed had ever been put in order."""
    checkpoint: Mapping[str, Any] | None
    """The newest of the audit; None if nothing was ever sealed."""
    audit_keys: Mapping[str, Any]
    """The public keys of the audit, as `/v1/audit/keys` answers them."""
    master_key: MasterKey = field(repr=False)

    @property
    def persons(self) -> int:
        """How many persons it holds, as ciphertext; the keys to them are kept apart."""
        return self.tables["public.persons"].rows if "public.persons" in self.tables else 0

    @property
    def attachments(self) -> int:
        """How many attachments it knows of; their bytes and keys are kept apart."""
        return self.tables["public.attachments"].rows if "public.attachments" in self.tables else 0

    @property
    def summary(self) -> dict[str, Any]:
        """What an operator is told of it: no secret, no content."""
        held = self.tables
        return {
            "made_at": self.made_at,
            "version": self.version,
            "postgresql": self.postgresql,
            "schema": self.schema,
            "records": held["public.records"].rows if "public.records" in held else 0,
            "persons": self.persons,
            "attachments": self.attachments,
            "rows": sum(content.rows for content in held.values()),
            "feed_position": self.feed_position,
            "checkpoint_size": self.checkpoint["tree_size"] if self.checkpoint else 0,
            "checkpoint_root": self.checkpoint["root_hash"] if self.checkpoint else None,
        }

    def line(self) -> bytes:
        """The manifest with the master key, for the inside of a file that is encrypted."""
        document = {**vars(self), "format": FORMAT, "master_key": self.master_key.text()}
        return json.dumps(document, ensure_ascii=False).encode() + b"\n"


def read(line: bytes) -> Manifest:
    """The manifest in the first line of a backup.

    Raises:
        BackupError: it is none, or of a later version.
    """
    try:
        document = json.loads(line)
        if document.pop("format") != FORMAT:
            raise BackupError("The backup has another form, of a later version: restore it with that one.")
        held = {name: Content(*content) for name, content in document.pop("tables").items()}
        return Manifest(**document | {"tables": held, "master_key": MasterKey.from_text(document["master_key"])})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupError("What was encrypted is no backup of Interdesk.") from None


def take(
    connection: psycopg.Connection, master_key: MasterKey, schema: str, counted: Callable[[int], None]
) -> Manifest:
    """Describe the state that the connection's transaction sees; `counted` is told how many tables are done."""
    held = {}
    for name, content in contents(connection):
        held[name] = content
        counted(len(held))
    position, placed = connection.execute(_POSITION).fetchone() or (0, False)
    newest = connection.execute(_CHECKPOINT).fetchone()
    return Manifest(
        made_at=rfc3339(_moment(connection)),
        version=version("interdesk"),
        postgresql=connection.info.server_version // 10_000,
        schema=schema,
        tables=held,
        feed_position=position,
        feed_placed=placed,
        checkpoint=Checkpoint(*newest).document() if newest else None,
        audit_keys={"keys": [jwk for (jwk,) in connection.execute(_KEYS).fetchall()]},
        master_key=master_key,
    )


def _moment(connection: psycopg.Connection) -> datetime:
    row = connection.execute("SELECT now()").fetchone()
    return row[0] if row else clock.now()
