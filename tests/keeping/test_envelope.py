"""The encryption of backups: any age program can open them, nobody opens a part of one, and no error is lost."""

import io
from pathlib import Path
from typing import Any

import pyrage
import pytest
from pyrage import passphrase, x25519

from app.keeping.envelope import Key, Lock, open_sealed, seal
from app.keeping.errors import BackupError

IDENTITY = x25519.Identity.generate()
PUBLIC = str(IDENTITY.to_public())
PRIVATE = Key(identities=[str(IDENTITY)])
SECRET = "four words of nobody's poem"
CONTENT = bytes(range(256)) * 1000


def sealed(folder: Path, lock: Lock, content: bytes = CONTENT) -> Path:
    path = folder / "sealed"
    with path.open("wb") as file:
        seal(io.BytesIO(content), file, lock)
    return path


def opened(path: Path, key: Key) -> bytes:
    content = bytearray()
    open_sealed(path, key, content.extend, lambda _: None)
    return bytes(content)


def test_what_was_sealed_to_a_key_is_a_plain_age_file(tmp_path: Path) -> None:
    path = sealed(tmp_path, Lock([PUBLIC]))

    assert opened(path, PRIVATE) == CONTENT
    assert pyrage.decrypt(path.read_bytes(), [IDENTITY]) == CONTENT


def test_a_passphrase_opens_a_key_that_stands_in_front(tmp_path: Path) -> None:
    path = sealed(tmp_path, Lock([PUBLIC], SECRET))

    assert opened(path, Key(SECRET)) == opened(path, PRIVATE) == CONTENT
    with pytest.raises(BackupError, match="not opened by this key or passphrase, or it was cut or altered"):
        opened(path, Key("four words of another poem"))
    # As any age program does it: the armored part holds the key, the rest is opened by it.
    end = b"-----END AGE ENCRYPTED FILE-----\n"
    armored, _, rest = path.read_bytes().partition(end)
    drawn = x25519.Identity.from_str(passphrase.decrypt(armored + end, SECRET).decode().strip())
    assert pyrage.decrypt(rest, [drawn]) == CONTENT


def test_a_short_passphrase_and_a_wrong_recipient_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="fewer than 16 characters"):
        sealed(tmp_path, Lock(passphrase="too short"))
    with pytest.raises(BackupError, match="age1nobody is no age public key"):
        sealed(tmp_path, Lock(["age1nobody"]))


def _cut(content: bytes) -> bytes:
    return content[:-1]


CHANGES: dict[str, Any] = {
    "cut by a byte": _cut,
    "cut at a piece": lambda content: content[: len(content) - len(content) % 65552],
    "cut to its half": lambda content: content[: len(content) // 2],
    "cut in its header": lambda content: content[:20],
    "empty": lambda _: b"",
    "longer": lambda content: content + b"x",
    "twice": lambda content: content + content,
    "altered at its end": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "altered inside": lambda content: content[:70_000] + bytes([content[70_000] ^ 1]) + content[70_001:],
    "altered in its header": lambda content: content[:30] + b"!" + content[31:],
    "something else": lambda _: b"what is this\n" * 100,
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_but_the_whole_file_opens(tmp_path: Path, change: str) -> None:
    path = sealed(tmp_path, Lock([PUBLIC]))
    path.write_bytes(CHANGES[change](path.read_bytes()))

    with pytest.raises(BackupError, match="not opened by this key"):
        opened(path, PRIVATE)


def test_what_opens_a_file_is_told(tmp_path: Path) -> None:
    path = sealed(tmp_path, Lock([PUBLIC]))

    with pytest.raises(BackupError, match="opened by a private age key, and no passphrase"):
        opened(path, Key(SECRET))
    with pytest.raises(BackupError, match="not opened by this key"):
        opened(path, Key(identities=[str(x25519.Identity.generate())]))
    with pytest.raises(BackupError, match="no private age key"):
        opened(path, Key(identities=["AGE-SECRET-KEY-1NONE"]))
    path.write_bytes(b"-----BEGIN AGE ENCRYPTED FILE-----\nand no end")
    with pytest.raises(BackupError, match="no backup, or it was cut"):
        opened(path, Key(SECRET))


class _Full(io.BytesIO):
    """A disk with room for nothing."""

    def write(self, _: Any) -> int:
        raise OSError(28, "No space left on device")


def test_a_full_disk_and_an_interruption_are_not_swallowed() -> None:
    with pytest.raises(OSError, match="No space left"):
        seal(io.BytesIO(b"little"), _Full(), Lock([PUBLIC]))

    class Interrupted(io.BytesIO):
        def read(self, _: Any = -1) -> bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seal(Interrupted(), io.BytesIO(), Lock([PUBLIC]))


def test_what_the_taker_raises_comes_through(tmp_path: Path) -> None:
    def refuse(_: bytes) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        open_sealed(sealed(tmp_path, Lock([PUBLIC])), PRIVATE, refuse, lambda _: None)


def test_no_secret_stands_in_a_repr() -> None:
    assert SECRET not in repr(Lock(passphrase=SECRET)) + repr(Key(SECRET))
    assert str(IDENTITY) not in repr(PRIVATE)
