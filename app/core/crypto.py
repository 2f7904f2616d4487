"""The master key, the keys derived from it, and sealing with them."""

import base64
import os
import re
import secrets
import stat
from pathlib import Path
from typing import NoReturn, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEX_KEY = re.compile(r"[0-9A-Fa-f]{64}")
_BASE64_KEY = re.compile(r"[A-Za-z0-9+/_-]{43}=?")
_URLSAFE = re.compile(r"[A-Za-z0-9_-]*")
# Fewer distinct bytes than this come from a person filling in a template, never from 32 random bytes (chance < 1e-24).
_FEWEST_DISTINCT_BYTES = 8
_LARGEST_KEY_FILE = 1024


class MasterKeyError(Exception):
    """The master key is missing, malformed or not kept safely; the message says how to mend it and never quotes it."""


class SealError(Exception):
    """Something sealed does not open: altered, of another purpose or place, or sealed with another key."""


def encode_urlsafe(data: bytes) -> str:
    """`data` in base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_urlsafe(text: str) -> bytes:
    """The bytes written in `text`, which must be exactly what `encode_urlsafe` writes for them.

    Python's own decoder skips characters it does not know and ignores stray bits at the end, so that many texts would
    stand for the same bytes.

    Raises:
        ValueError: padding, foreign characters, an impossible length or stray bits.
    """
    if _URLSAFE.fullmatch(text) and len(text) % 4 != 1:
        data = base64.urlsafe_b64decode(text + "==")  # padding that is not needed is ignored
        if encode_urlsafe(data) == text:
            return data
    message = "not canonical base64url"
    raise ValueError(message)


def derive_key(secret: bytes, purpose: bytes) -> bytes:
    """The 32-byte key that a secret key has for one purpose: HKDF-SHA256 (RFC 5869), the purpose as its info."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"interdesk/" + purpose).derive(secret)


class MasterKey:
    """The installation's one root secret: 32 random bytes from which every purpose gets a key of its own.

    It never appears in a repr, is not compared and refuses to be pickled, so that it cannot slip into a log or a cache.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            message = f"the master key must be {KEY_BYTES} bytes; this one has {len(secret)}"
            raise MasterKeyError(message)
        if len(set(secret)) < _FEWEST_DISTINCT_BYTES:
            message = "the master key looks like a placeholder; use 32 random bytes (openssl rand -base64 32)"
            raise MasterKeyError(message)
        self._secret = secret

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The key written as 64 hexadecimal digits or as base64 (either alphabet); white space around it is ignored.

        Raises:
            MasterKeyError: it is neither.
        """
        compact = text.strip()
        if _HEX_KEY.fullmatch(compact):
            return cls(bytes.fromhex(compact))
        if _BASE64_KEY.fullmatch(compact):
            return cls(base64.urlsafe_b64decode(compact.rstrip("=").translate(str.maketrans("+/", "-_")) + "="))
        message = "the master key must be 32 bytes as 64 hexadecimal digits or as base64 (openssl rand -base64 32)"
        raise MasterKeyError(message)

    def derive(self, purpose: bytes) -> bytes:
        """The 32-byte key of one purpose, for example `b"cursors"`.

        Whoever learns one purpose's key learns neither the master key nor another purpose's.
        """
        return derive_key(self._secret, purpose)

    def text(self) -> str:
        """The key as its file holds it, in base64: for that file, and for a backup that is encrypted itself."""
        return base64.b64encode(self._secret).decode("ascii")

    def __repr__(self) -> str:
        return "MasterKey(hidden)"

    def __reduce__(self) -> NoReturn:
        message = "a master key is never pickled"
        raise TypeError(message)


class Sealer:
    """Seals bytes with AES-256-GCM under one purpose's key: nobody without it can read, alter or move them.

    The nonce is random. NIST SP 800-38D allows 2**32 seals under one key that way (a repeated nonce is then less likely
    than 1 in 2**32), so a purpose that seals for every request should not run for decades on one key.
    """

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            message = f"a sealing key has {KEY_BYTES} bytes"
            raise ValueError(message)
        self._aead = AESGCM(key)

    def seal(self, plaintext: bytes, associated: bytes) -> bytes:
        """Nonce, ciphertext and tag in one. `associated` names the place it belongs to (a key id, an endpoint)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plaintext, associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """What was sealed for the same place.

        Raises:
            SealError: altered, cut, sealed for another place or with another key. Which one is not told.
        """
        if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
            message = "too short to be sealed"
            raise SealError(message)
        try:
            return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated)
        except InvalidTag:
            message = "altered, of another place or sealed with another key"
            raise SealError(message) from None

    def seal_text(self, plaintext: bytes, associated: bytes) -> str:
        """Like `seal`, as base64url text without padding, fit for a URL's query."""
        return encode_urlsafe(self.seal(plaintext, associated))

    def open_text(self, text: str, associated: bytes) -> bytes:
        """Like `open`, for what `seal_text` wrote.

        Raises:
            SealError: as `open`, and where the text is not base64url.
        """
        try:
            sealed = decode_urlsafe(text)
        except ValueError:
            message = "not base64url"
            raise SealError(message) from None
        return self.open(sealed, associated)


def create_master_key_file(path: Path, key: MasterKey | None = None) -> MasterKey:
    """Draw a master key, or take the one given, and write it to a new file at `path` (mode 0600, base64, one line).

    The file appears complete or not at all: it is written and synced under another name and then linked, so that of
    two processes starting at once one wins and the other never reads half a key.

    Raises:
        FileExistsError: there is a file already; it is untouched, so load it.
        MasterKeyError: the folder is missing or cannot be written.
    """
    key = key or MasterKey(secrets.token_bytes(KEY_BYTES))
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), 0o600)  # whatever the umask took away
                file.write(key.text().encode("ascii") + b"\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        message = f"the master key cannot be written to {path}: {error.strerror}"
        raise MasterKeyError(message) from error
    return key


def _sync_folder(folder: Path) -> None:
    """Make the new name durable: what is sealed with a key must not outlive the key in a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load_master_key(path: Path) -> MasterKey:
    """Read the master key from a file that only its owner can read.

    The rule is PostgreSQL's for TLS keys (its manual, "Secure TCP/IP Connections with SSL"): 0600 or less, or 0640 or
    less where root owns the file, which is how orchestrators hand a secret to a process that is not root.

    Raises:
        MasterKeyError: missing, unreadable, not a regular file, readable by others, or not a key.
    """
    try:
        # Not blocking, else a named pipe would hang the start. Symbolic links are followed: orchestrators use them.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _check_kept_safely(path, os.fstat(descriptor))
            content = os.read(descriptor, _LARGEST_KEY_FILE)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        message = f"there is no master key at {path}"
        raise MasterKeyError(message) from None
    except OSError as error:
        message = f"the master key at {path} cannot be read: {error.strerror}"
        raise MasterKeyError(message) from error
    try:
        return MasterKey.from_text(content.decode("ascii"))
    except UnicodeDecodeError:
        message = f"{path}: the master key must be text, base64 or hexadecimal"
        raise MasterKeyError(message) from None
    except MasterKeyError as error:
        message = f"{path}: {error}"
        raise MasterKeyError(message) from None


def _check_kept_safely(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        message = f"the master key at {path} is not a regular file"
        raise MasterKeyError(message)
    forbidden = 0o037 if status.st_uid == 0 else 0o077
    mode = stat.S_IMODE(status.st_mode)
    if mode & forbidden:
        message = f"the master key at {path} can be read or changed by others (mode {mode:04o}); run: chmod 600 {path}"
        raise MasterKeyError(message)
