"""Client ids and client secrets: drawing them, hashing them, comparing them."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence

# A fixed prefix lets secret scanners (in repositories, tickets, logs) recognize a leaked secret by a pattern:
# ids_[A-Za-z0-9_-]{43}
SECRET_PREFIX = "ids_"  # noqa: S105 - what every secret begins with, and no secret
_CALENDAR_PREFIX = "idf_"
_SECRET_BYTES = 32

_CLIENT_ID_PREFIX = "idc_"
_CLIENT_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_CLIENT_ID_LENGTH = 26
_CLIENT_ID = re.compile(f"{_CLIENT_ID_PREFIX}[{_CLIENT_ID_ALPHABET}]{{{_CLIENT_ID_LENGTH}}}")

# The secret in force and, while a rotation's grace lasts, the one before it.
MAX_SECRETS = 2
_NO_HASH = bytes(hashlib.sha256().digest_size)


def new_client_id() -> str:
    """A new client id: `idc_` and 130 random bits in base32. It names nobody and cannot be guessed."""
    return _CLIENT_ID_PREFIX + "".join(secrets.choice(_CLIENT_ID_ALPHABET) for _ in range(_CLIENT_ID_LENGTH))


def is_client_id(text: str) -> bool:
    """Whether `text` is formed like a client id; whether there is such a client is another question."""
    return _CLIENT_ID.fullmatch(text) is not None


def new_client_secret() -> str:
    """A new client secret: `ids_` and 256 random bits in base64url. Shown once; only its hash is stored."""
    return SECRET_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def new_calendar_secret() -> str:
    """A new secret for the address of a calendar: `idf_` and 256 random bits in base64url. Only its hash is stored."""
    return _CALENDAR_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def hash_secret(secret: str) -> bytes:
    """The SHA-256 that is stored for a secret, as 32 bytes.

    A slow password hash protects what people choose; 256 random bits cannot be searched, and slowness would only cap
    the rate of sign-ins.
    """
    # A form field may hold any text, lone surrogates too; it gets a hash like every other wrong secret.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def secret_matches(presented: str, hashes: Sequence[bytes]) -> bool:
    """Whether `presented` is one of the secrets behind `hashes` (none to `MAX_SECRETS` of them).

    Always one hash and `MAX_SECRETS` whole comparisons: pass no hashes for an unknown client, and it takes the same
    work as a wrong secret.

    Raises:
        ValueError: more hashes than a credential can have.
    """
    if len(hashes) > MAX_SECRETS:
        message = f"a credential has at most {MAX_SECRETS} secrets"
        raise ValueError(message)
    digest = hash_secret(presented)
    found = False
    for position in range(MAX_SECRETS):
        real = position < len(hashes)
        same = hmac.compare_digest(digest, hashes[position] if real else _NO_HASH)
        found |= same & real
    return found
