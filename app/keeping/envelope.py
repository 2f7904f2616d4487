"""The encryption of a backup: the age format (https://age-encryption.org/v1), which any age program opens too.

The content is encrypted to age keys. Where a passphrase is to open it, a key is drawn for this one file and stands in
front of it, itself encrypted with the passphrase, as an armored age file: scrypt makes each guess expensive. Content of
any length passes through in pieces, and every piece is authenticated, the last one as the last.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import pyrage
from pyrage import passphrase as scrypt
from pyrage import x25519

from app.keeping.errors import BackupError

SHORTEST_PASSPHRASE: Final = 16
"""Characters; a file can be guessed at for years by whoever has it."""

_ARMOR: Final = b"-----BEGIN AGE ENCRYPTED FILE-----\n"
_ARMOR_END: Final = b"-----END AGE ENCRYPTED FILE-----\n"
_LONGEST_ARMOR: Final = 8192
_WRONG: Final = "is not opened by this key or passphrase, or it was cut or altered"


class Reads(Protocol):
    """Something to read from."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


@dataclass(frozen=True)
class Lock:
    """Who is to open a file: holders of age keys, by their public halves, and whoever knows a passphrase."""

    recipients: Sequence[str] = ()
    passphrase: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Key:
    """What opens a file: a passphrase, or private age keys."""

    passphrase: str | None = field(default=None, repr=False)
    identities: Sequence[str] = field(default=(), repr=False)


class _Guarded:
    """A reader or a writer for the library, which reports what is raised here in its own words, or not at all."""

    def __init__(self, act: Callable[[Any], Any]) -> None:
        self._act = act
        self.raised: BaseException | None = None

    def __call__(self, argument: Any) -> Any:  # noqa: ANN401 - bytes one way, a number the other
        if self.raised is not None:
            message = "the transfer has ended"
            raise OSError(message)
        try:
            return self._act(argument)
        except BaseException as error:
            self.raised = error
            raise


class _Reader:
    def __init__(self, source: Reads) -> None:
        self.guard = _Guarded(source.read)

    def read(self, size: int = -1) -> bytes:
        data: bytes = self.guard(size)
        return data


class _Writer:
    def __init__(self, take: Callable[[bytes], object]) -> None:
        self.guard = _Guarded(take)

    def write(self, data: bytes) -> int:
        self.guard(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Everything is passed on at once."""


def seal(source: Reads, target: BinaryIO, lock: Lock) -> None:
    """Encrypt everything that `source` gives into `target`.

    Raises:
        BackupError: a recipient is none, or the passphrase is too short.
    """
    recipients = [_recipient(text) for text in lock.recipients]
    if lock.passphrase is not None:
        if len(lock.passphrase) < SHORTEST_PASSPHRASE:
            message = (
                f"The passphrase has fewer than {SHORTEST_PASSPHRASE} characters. Draw one: openssl rand -base64 24"
            )
            raise BackupError(message)
        identity = x25519.Identity.generate()
        target.write(scrypt.encrypt(f"{identity}\n".encode(), lock.passphrase, armored=True))
        recipients.append(identity.to_public())
    reader, writer = _Reader(source), _Writer(_all_of(target))
    _run(lambda: pyrage.encrypt_io(reader, writer, recipients), reader, writer)


def _all_of(target: BinaryIO) -> Callable[[bytes], None]:
    def take(data: bytes) -> None:
        if target.write(data) != len(data):
            message = "the file could not be written whole"
            raise OSError(message)

    return take


def _recipient(text: str) -> Any:  # noqa: ANN401 - the library's own, which has no types
    try:
        return x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        message = f"{text} is no age public key (age1…)."
        raise BackupError(message) from None


def open_sealed(path: Path, key: Key, take: Callable[[bytes], object], read: Callable[[int], None]) -> None:
    """Decrypt a file, handing its content on piece by piece; `read` is told how many bytes of the file are done.

    What `take` raises comes through. Pieces are authentic when they are handed on, but only the return says that none
    is missing.

    Raises:
        BackupError: the key does not open it, or it was cut or altered.
    """
    with path.open("rb") as file:
        armored = _armored_key(file, path)
        identities = _identities(path, key, armored)

        def next_piece(size: int) -> bytes:
            data = file.read(size)
            read(file.tell())
            return data

        reader, writer = _Reader(_Source(next_piece)), _Writer(take)
        try:
            _run(lambda: pyrage.decrypt_io(reader, writer, identities), reader, writer)
        except (pyrage.DecryptError, OSError) as error:
            if error in (reader.guard.raised, writer.guard.raised):
                raise
            message = f"{path} {_WRONG}."
            raise BackupError(message) from None


@dataclass(frozen=True)
class _Source:
    read: Callable[[int], bytes]


def _run(act: Callable[[], object], reader: _Reader, writer: _Writer) -> None:
    """Run the library, and raise what the reader or the writer raised: the library drops errors of its last flush."""
    try:
        act()
    except BaseException:
        for guard in (writer.guard, reader.guard):
            if guard.raised is not None:
                raise guard.raised from None
        raise
    if writer.guard.raised is not None:
        raise writer.guard.raised


def _armored_key(file: BinaryIO, path: Path) -> bytes | None:
    """The key in front of the content, still encrypted, if there is one; the file stands behind it afterwards."""
    if file.read(len(_ARMOR)) != _ARMOR:
        file.seek(0)
        return None
    start = _ARMOR + file.read(_LONGEST_ARMOR)
    armored, end, _ = start.partition(_ARMOR_END)
    if not end:
        message = f"{path} is no backup, or it was cut."
        raise BackupError(message)
    file.seek(len(armored) + len(end))
    return armored + end


def _identities(path: Path, key: Key, armored: bytes | None) -> list[Any]:
    if key.identities:
        return [_identity(text) for text in key.identities]
    if key.passphrase is None or armored is None:
        needed = "a private age key, and no passphrase" if armored is None else "its passphrase, or a private age key"
        message = f"{path} is opened by {needed}."
        raise BackupError(message)
    try:
        drawn = scrypt.decrypt(armored, key.passphrase)
    except pyrage.DecryptError as error:
        # scrypt is tuned to a second on the machine that encrypts, and refuses what is far beyond that on this one.
        slow = "needs far more work than this machine can do in a reasonable time: try again when it is idle"
        message = f"{path} {slow if 'work' in str(error).lower() else _WRONG}."
        raise BackupError(message) from None
    return [_identity(drawn.decode("ascii").strip())]


def _identity(text: str) -> Any:  # noqa: ANN401 - as above
    try:
        return x25519.Identity.from_str(text)
    except pyrage.IdentityError:
        message = "A line of the identity file is no private age key (AGE-SECRET-KEY-1…)."
        raise BackupError(message) from None
