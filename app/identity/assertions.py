"""Sign-in with a signed assertion instead of a secret: `private_key_jwt` (RFC 7523)."""

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from app.identity.jwks import ECDSA_CURVES, RSA_ALGORITHM, SUPPORTED_ALGORITHMS, PublicKey, load_jwks
from app.identity.secrets import is_client_id
from app.identity.tokens import (
    CLOCK_SKEW,
    InvalidToken,
    check_not_before,
    read_expiry,
    read_header,
    read_text,
    require_equal,
    unverified_body,
    verified_body,
)

MAX_LIFETIME = timedelta(minutes=5)

_HEADER = frozenset({"alg", "typ", "kid", "x5t", "x5t#S256"})  # thumbprints are hints and are not looked at
# RFC 7523 names no type and most libraries write JWT; its revision names the second. Any other is a token for something
# else.
_TYPES = frozenset({"jwt", "client-authentication+jwt"})
_JTI = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class AssertionClaims:
    """What makes an assertion usable once: remember `jti` for this client until `expires_at`, refuse a second."""

    jti: str
    expires_at: datetime


def claimed_client_id(assertion: str) -> str:
    """Who an assertion says it is from, to look up the keys to verify it with. Proved by nothing yet.

    Raises:
        InvalidToken: it is no assertion, or what it names is not formed like a client id.
    """
    read_header(assertion)
    client_id = read_text(unverified_body(assertion), "iss")
    if not is_client_id(client_id):
        raise InvalidToken("claims: iss")
    return client_id


def verify_assertion(
    assertion: str, jwks: Mapping[str, Any] | None, *, client_id: str, issuer: str, now: datetime
) -> AssertionClaims:
    """Check that `client_id` signed this assertion for this hub and now.

    `jwks` is the client's set as `validate_jwks` returned it; None for a client that is unknown or has no keys: then a
    signature is verified all the same, so that the answer takes as long. `issuer` is the hub's own and must be the only
    audience, as a plain text: an assertion that other servers take as well could be replayed by them.

    Raises:
        InvalidToken: it is not believed.
        JwksError: `jwks` is not what `validate_jwks` returned.
    """
    header = read_header(assertion)
    if not header.keys() <= _HEADER:
        raise InvalidToken("header: unexpected member")
    if header.get("typ", "JWT").lower() not in _TYPES:
        raise InvalidToken("header: typ")
    algorithm = header.get("alg", "")
    if algorithm not in SUPPORTED_ALGORITHMS:
        raise InvalidToken("header: alg")
    key = _choose(jwks, header.get("kid"), algorithm)
    if key is None:
        with suppress(InvalidToken):
            verified_body(assertion, _decoy(algorithm), algorithm)
        raise InvalidToken("no key of this client fits")
    body = verified_body(assertion, key, algorithm)
    for name in ("iss", "sub"):
        require_equal(body, name, client_id)
    require_equal(body, "aud", issuer)
    check_not_before(body, now)
    expires_at = read_expiry(body, now)
    if expires_at > now + MAX_LIFETIME + CLOCK_SKEW:
        raise InvalidToken("claims: exp too far ahead")
    jti = read_text(body, "jti")
    if not _JTI.fullmatch(jti):
        raise InvalidToken("claims: jti")
    return AssertionClaims(jti, expires_at)


def _choose(jwks: Mapping[str, Any] | None, kid: str | None, algorithm: str) -> PublicKey | None:
    """The key an assertion names, or the only one where it names none; and only for the algorithm that is the key's."""
    if jwks is None:
        return None
    keys = [key for key in load_jwks(jwks) if kid in (None, key.kid)]
    if len(keys) != 1 or keys[0].algorithm != algorithm:
        return None
    return keys[0].public_key


@cache
def _decoy(algorithm: str) -> PublicKey:
    """A key that nobody holds the private half of, to spend on an unknown client what a known one costs."""
    if algorithm == RSA_ALGORITHM:
        # No primes were searched for this number; it only has the size of a modulus.
        digits = b"".join(hashlib.sha512(bytes([block])).digest() for block in range(4))
        return rsa.RSAPublicNumbers(65537, int.from_bytes(digits, "big") | 1 << 2047 | 1).public_key()
    return ec.generate_private_key(ECDSA_CURVES[algorithm]).public_key()
