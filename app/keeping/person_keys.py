"""The keys of persons and attachments, in a file of their own: what a backup leaves out, and a restore takes beside it.

A backup lies for years, and a person may have to be forgotten before. So it holds persons as ciphertext and not the
keys to them. The keys go to this file, which each backup replaces: of it there is only ever the last, and in that
nobody who was removed. It opens nothing by itself; the master key that seals what is in it is in the backups. The marks
by which persons are known again go the same way: in a backup they would prove a guess at somebody's name for years. The
same holds for the keys of attachments, whose bytes lie in the store and in whatever copies are made of that.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg

from app.access.desk import Desk
from app.core import clock
from app.core.clock import rfc3339
from app.core.data_keys import Kek, WrappedKey
from app.keeping.envelope import Key, Lock, open_sealed, seal
from app.keeping.errors import BackupError
from app.keeping.files import replaced_file

FORMAT: Final = "interdesk-person-keys/2"

SUFFIX: Final = ".keys"

_KEKS: Final = "SELECT id, sealed, created_at FROM person_keks ORDER BY created_at, id"
_KEYS: Final = (
    "SELECT k.person_id, k.kek_id, k.wrapped, ARRAY(SELECT m.mark FROM person_marks m WHERE m.person_id = k.person_id)"
    " FROM person_keys k ORDER BY k.person_id"
)
_ATTACHMENT_KEYS: Final = "SELECT attachment_id, kek_id, wrapped FROM attachment_keys ORDER BY attachment_id"
_BATCH: Final = 1000
_ATTACHMENT: Final = "attachment"
"""Stands at the end of a line that is not of a person."""

_Keys = Sequence[tuple[UUID, UUID, bytes]]


@dataclass(frozen=True)
class PersonKeyFile:
    """What such a file holds."""

    made_at: str
    keks: Sequence[tuple[Kek, datetime]]
    """Key-encryption keys, and when each was made."""
    keys: _Keys
    """Persons, the key-encryption key of each, and the wrapped key."""
    marks: Sequence[tuple[UUID, bytes]]
    """By what persons are known again."""
    attachments: _Keys = ()
    """The same as `keys` of attachments."""

    def wrapped(self) -> dict[UUID, WrappedKey]:
        """The keys by person."""
        keks = {kek.id: kek for kek, _ in self.keks}
        return {person: WrappedKey(keks[kek_id], wrapped) for person, kek_id, wrapped in self.keys}


def require_key_file(target: Path | None) -> None:
    """Refuse a name that could be another file's, since this one is replaced.

    Raises:
        BackupError: it does not end in `.keys`.
    """
    if target is not None and target.suffix != SUFFIX:
        message = f"{target} is replaced by the keys of persons: give it a name that ends in {SUFFIX}."
        raise BackupError(message)


def write_person_keys(connection: psycopg.Connection, target: Path, lock: Lock) -> None:
    """Replace the file by the keys of persons as the connection's transaction sees them, encrypted like a backup.

    Raises:
        BackupError: it cannot be written.
    """
    with replaced_file(target) as file:
        seal(_Lines(_written(connection)), file, lock)


def read_person_keys(path: Path, key: Key) -> PersonKeyFile:
    """The keys in a file, which is read whole before anything is done with it.

    Raises:
        BackupError: the key does not open it, or it was cut or altered, or it is no such file.
    """
    parts: list[bytes] = []
    try:
        open_sealed(path, key, parts.append, lambda _: None)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise BackupError(message) from error
    try:
        head, *lines = (json.loads(line) for line in b"".join(parts).splitlines())
        if head["format"] != FORMAT:
            message = f"{path} has another form, of a later version: restore with that one."
            raise BackupError(message)
        return PersonKeyFile(
            head["made_at"],
            [(Kek(UUID(kek), _bytes(sealed)), datetime.fromisoformat(at)) for kek, sealed, at in head["keks"]],
            [_key(line) for line in lines if line[3] != _ATTACHMENT],
            [(UUID(line[0]), _bytes(mark)) for line in lines if line[3] != _ATTACHMENT for mark in line[3]],
            [_key(line) for line in lines if line[3] == _ATTACHMENT],
        )
    except (ValueError, KeyError, TypeError):
        message = f"{path} opens, but holds no keys of persons."
        raise BackupError(message) from None


async def adopt(desk: Desk, file: PersonKeyFile) -> int:
    """Bring keys and marks to the persons and attachments of a restored hub, as the operator; to how many persons."""
    count, keks = 0, file.keks
    for first in range(0, max(1, len(file.keys)), _BATCH):
        keys = file.keys[first : first + _BATCH]
        row = await desk.call_one(
            "adopt_person_keys",
            p_kek_ids=[kek.id for kek, _ in keks],
            p_kek_sealed=[kek.sealed for kek, _ in keks],
            p_kek_at=[at for _, at in keks],
            p_persons=[person for person, _, _ in keys],
            p_keks=[kek for _, kek, _ in keys],
            p_wrapped=[wrapped for _, _, wrapped in keys],
        )
        count += row[0]
    for first in range(0, len(file.marks), _BATCH):
        marks = file.marks[first : first + _BATCH]
        await desk.call(
            "adopt_person_marks", p_persons=[person for person, _ in marks], p_marks=[mark for _, mark in marks]
        )
    for first in range(0, len(file.attachments), _BATCH):
        attachments, of, wrapped = zip(*file.attachments[first : first + _BATCH], strict=True)
        await desk.call(
            "adopt_attachment_keys", p_attachments=list(attachments), p_keks=list(of), p_wrapped=list(wrapped)
        )
    return count


def _written(connection: psycopg.Connection) -> Iterator[bytes]:
    keks = [
        [str(kek_id), _text(sealed), created_at.isoformat()]
        for kek_id, sealed, created_at in connection.execute(_KEKS).fetchall()
    ]
    yield _line({"format": FORMAT, "made_at": rfc3339(clock.now()), "keks": keks})
    with connection.cursor(name="person_keys") as cursor:
        for person, kek_id, wrapped, marks in cursor.execute(_KEYS):
            yield _line([str(person), str(kek_id), _text(wrapped), [_text(mark) for mark in marks]])
    with connection.cursor(name="attachment_keys") as cursor:
        for attachment, kek_id, wrapped in cursor.execute(_ATTACHMENT_KEYS):
            yield _line([str(attachment), str(kek_id), _text(wrapped), _ATTACHMENT])


class _Lines:
    """Lines to be read in pieces."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._left = b""

    def read(self, size: int, /) -> bytes:
        while len(self._left) < size and (line := next(self._lines, None)) is not None:
            self._left += line
        part, self._left = self._left[:size], self._left[size:]
        return part


def _key(line: list[str]) -> tuple[UUID, UUID, bytes]:
    thing, kek, wrapped = line[:3]
    return UUID(thing), UUID(kek), _bytes(wrapped)


def _line(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    return json.dumps(value).encode() + b"\n"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
