"""The hub's own signing keys: ES256, one that signs, and those still published so that its earlier tokens verify.

Nothing here reads or writes the database. A key's private half leaves the process only sealed with the master key.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from app.core.crypto import MasterKey, Sealer, SealError
from app.identity.jwks import public_jwk, thumbprint

ALGORITHM = "ES256"
ACCESS_TOKEN_LIFETIME = timedelta(seconds=900)

PUBLISH_LEAD = timedelta(minutes=5)
"""How long a key is published before it signs, so that every server and every reader of the key set knows it by then.
Servers reload their ring at least twice as often."""

RETIRE_AFTER = PUBLISH_LEAD + ACCESS_TOKEN_LIFETIME + timedelta(minutes=5)
"""How long a key that is being replaced stays published: until its successor signs, and its last token has expired
everywhere. A rotation sets `retires_at` of the old key to now plus this; after a compromise it is set to now."""

_SEALING_PURPOSE = b"signing-keys"


class SigningKeyError(Exception):
    """A signing key cannot be used: it does not open, is not what its name says, or there is none."""


@dataclass(frozen=True)
class SigningKey:
    """A key pair on P-256, named by its RFC 7638 thumbprint.

    `retires_at` None: it stays until it is replaced. Key objects are parsed when loaded and never again.
    """

    kid: str
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)
    created_at: datetime
    retires_at: datetime | None = None

    def __post_init__(self) -> None:
        # ES256 is ECDSA on P-256 and nothing else (RFC 7518, section 3.4); the JOSE library would sign on any curve.
        if not isinstance(self.private_key.curve, ec.SECP256R1):
            message = f"signing key {self.kid} is not on P-256"
            raise SigningKeyError(message)
        if thumbprint(self.private_key.public_key()) != self.kid:
            message = f"signing key {self.kid} is stored under another key's name"
            raise SigningKeyError(message)

    @classmethod
    def generate(cls, created_at: datetime) -> Self:
        """A new random key pair."""
        private_key = ec.generate_private_key(ec.SECP256R1())
        return cls(thumbprint(private_key.public_key()), private_key, created_at)

    @classmethod
    def unseal(
        cls, kid: str, sealed: bytes, master_key: MasterKey, *, created_at: datetime, retires_at: datetime | None
    ) -> Self:
        """The key that `seal` wrote under this `kid`.

        Raises:
            SigningKeyError: sealed with another master key, or under another name, or not an EC key on P-256.
        """
        try:
            pem = Sealer(master_key.derive(_SEALING_PURPOSE)).open(sealed, kid.encode())
        except SealError:
            message = f"signing key {kid} does not open with this master key"
            raise SigningKeyError(message) from None
        private_key = load_pem_private_key(pem, password=None)
        if not isinstance(private_key, ec.EllipticCurvePrivateKey):
            message = f"signing key {kid} is not on P-256"
            raise SigningKeyError(message)
        return cls(kid, private_key, created_at, retires_at)

    def seal(self, master_key: MasterKey) -> bytes:
        """The private key as PKCS #8 PEM, sealed with the master key and bound to its `kid`."""
        pem = self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Sealer(master_key.derive(_SEALING_PURPOSE)).seal(pem, self.kid.encode())

    @cached_property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half, to verify with."""
        return self.private_key.public_key()

    @cached_property
    def public_jwk(self) -> dict[str, str]:
        """The public half as it stands in `/.well-known/jwks.json`."""
        return {**public_jwk(self.public_key), "kid": self.kid, "alg": ALGORITHM, "use": "sig"}

    def is_published(self, now: datetime) -> bool:
        """Whether its tokens are still accepted."""
        return self.retires_at is None or now < self.retires_at


class KeyRing:
    """The signing keys of the installation as they were when loaded; a change of keys is a ring of its own.

    Which key signs follows from the clock, so the servers of one installation agree without talking: the newest that
    has been published for `PUBLISH_LEAD` and stays so for as long as a token lives; else the newest there is.
    """

    def __init__(self, keys: Iterable[SigningKey]) -> None:
        """Newest first, whatever the order given.

        Raises:
            SigningKeyError: two keys under one name.
        """
        self._keys = tuple(sorted(keys, key=lambda key: (key.created_at, key.kid), reverse=True))
        self._by_kid = {key.kid: key for key in self._keys}
        if len(self._by_kid) != len(self._keys):
            message = "two signing keys have the same name"
            raise SigningKeyError(message)

    def signing_key(self, now: datetime) -> SigningKey:
        """The key to sign with at `now`.

        Raises:
            SigningKeyError: every key is retired, or there is none.
        """
        published = [key for key in self._keys if key.is_published(now)]
        settled = [
            key
            for key in published
            if key.created_at + PUBLISH_LEAD <= now and key.is_published(now + ACCESS_TOKEN_LIFETIME)
        ]
        for key in settled or published:
            return key
        message = "there is no signing key in force"
        raise SigningKeyError(message)

    def verification_key(self, kid: str, now: datetime) -> SigningKey | None:
        """The key named `kid` while its tokens are accepted, else None."""
        key = self._by_kid.get(kid)
        return key if key is not None and key.is_published(now) else None

    def jwks(self, now: datetime) -> dict[str, list[dict[str, str]]]:
        """The key set to publish at `now`, newest first."""
        return {"keys": [key.public_jwk for key in self._keys if key.is_published(now)]}
