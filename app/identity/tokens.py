"""Signed tokens: the only place that imports `jose`, and everything that library leaves to its user.

python-jose 3.5 by default accepts a token without the audience that was asked for, without `exp`, with an unknown
`crit`, any `typ`, any `kid`, a P-384 key for ES256, HMAC keyed with a public key in DER, and foreign characters
inside the signature; it reads the wall clock itself; and a header of `[[[[…` ends in a RecursionError, which is none
of its own errors. So a token is taken apart and checked here first, and `jose` is asked for the signature alone.

A signature can be written in more than one way (ECDSA: s and n - s), so a token is known by its `jti`, never by a hash.
"""

import json
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from jose import jwk, jws, jwt  # noqa: TID251 - this is that one place

from app.core.crypto import decode_urlsafe
from app.core.ids import parse_uuid, uuid7
from app.identity.jwks import PublicKey
from app.identity.keys import ACCESS_TOKEN_LIFETIME, ALGORITHM, KeyRing, SigningKey

ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068, section 2.1: the type of an access token, not a token
CLOCK_SKEW = timedelta(seconds=30)
"""How far another clock may be ahead of ours. An expiry gets no such grace: it is checked as written."""

_MAX_TOKEN_CHARS = 4096
_MAX_HEADER_CHARS = 512
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
# Ours carry exactly these. A list of what is allowed needs no list of what is dangerous (crit, jku, jwk, x5u, x5c, b64,
# zip, and what will be registered next).
_ACCESS_HEADER = frozenset({"alg", "typ", "kid"})
_LAST_MOMENT = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


class InvalidToken(Exception):  # noqa: N818 - reads as what happened, and is caught in every door
    """The token is not believed. `reason` is for the log, never for the caller, and quotes nothing of the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified access token says. `scope` may name permissions that this server does not know."""

    client_id: str
    subject: str
    jti: UUID
    issued_at: datetime
    expires_at: datetime
    scope: frozenset[str]
    kid: str


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new access token and what it says."""

    token: str = field(repr=False)
    claims: Claims


def issue(
    key: SigningKey, *, client_id: str, scope: Iterable[str], issuer: str, audience: str, now: datetime
) -> IssuedToken:
    """A new access token (RFC 9068) for a client that acts for itself, so its subject is the client id."""
    # With the fraction of the second, which a NumericDate may have: a token issued just after a revocation of all
    # earlier ones must not look older than it.
    issued_at, expires_at = now, now + ACCESS_TOKEN_LIFETIME
    claims = Claims(client_id, client_id, uuid7(), issued_at, expires_at, frozenset(scope), key.kid)
    body = {
        "iss": issuer,
        "aud": audience,
        "sub": claims.subject,
        "client_id": claims.client_id,
        "iat": issued_at.timestamp(),
        "exp": expires_at.timestamp(),
        "jti": str(claims.jti),
        "scope": " ".join(sorted(claims.scope)),
    }
    signing_key = jwk.construct(key.private_key, ALGORITHM)
    token = jwt.encode(body, signing_key, ALGORITHM, headers={"typ": ACCESS_TOKEN_TYPE, "kid": key.kid})
    return IssuedToken(token, claims)


def sign_statement(key: SigningKey, kind: str, claims: Mapping[str, object]) -> str:
    """A statement of the hub's, to be kept and shown: a JWS whose `typ` says what it is, so it passes for no token."""
    signing_key = jwk.construct(key.private_key, ALGORITHM)
    return str(jwt.encode(dict(claims), signing_key, ALGORITHM, headers={"typ": kind, "kid": key.kid}))


def verify(token: str, ring: KeyRing, *, issuer: str, audience: str, now: datetime) -> Claims:
    """What an access token says, if this hub issued it for this audience and it is in force at `now`.

    Whether its client, agency and the token itself are still welcome is in the database and asked on every request.

    Raises:
        InvalidToken: anything about it is not exactly as `issue` makes it. Nothing else is ever raised.
    """
    header = read_header(token)
    if header.keys() != _ACCESS_HEADER:
        raise InvalidToken("header: other members than alg, typ and kid")
    if header["alg"] != ALGORITHM:
        raise InvalidToken("header: alg")
    if header["typ"] != ACCESS_TOKEN_TYPE:
        raise InvalidToken("header: typ")
    key = ring.verification_key(header["kid"], now)
    if key is None:
        raise InvalidToken("header: unknown or retired kid")
    body = verified_body(token, key.public_key, ALGORITHM)
    require_equal(body, "iss", issuer)
    require_equal(body, "aud", audience)
    check_not_before(body, now)
    issued_at, expires_at = read_moment(body, "iat"), read_expiry(body, now)
    if not timedelta(0) < expires_at - issued_at <= ACCESS_TOKEN_LIFETIME:
        raise InvalidToken("claims: lifetime")
    client_id = read_text(body, "client_id")
    require_equal(body, "sub", client_id)
    jti = parse_uuid(read_text(body, "jti"))
    if jti is None:
        raise InvalidToken("claims: jti")
    scope = frozenset(read_text(body, "scope").split())
    return Claims(client_id, client_id, jti, issued_at, expires_at, scope, key.kid)


class VerifiedTokens:
    """`verify` with a memory. A verification costs about a hundred microseconds, and a client uses its token often.

    What is remembered is only that the hub signed these claims, which does not change. Expiry and the signing key's
    retirement are looked at each time, and whether token, credential and agency still hold is asked of the database on
    every request. Refusals are not remembered. The whole token is the key: with one more character it is another.
    """

    def __init__(self, *, issuer: str, audience: str, capacity: int = 4096) -> None:
        """Keep up to `capacity` tokens, at 2 to 8 kB each; when full, the one that came first leaves."""
        self._issuer = issuer
        self._audience = audience
        self._capacity = capacity
        self._lock = threading.Lock()
        # Replaced as one: whoever reads them has a ring with its own entries, never with another ring's.
        self._ring_and_known: tuple[KeyRing, dict[str, Claims]] = (KeyRing(()), {})

    def verify(self, token: str, ring: KeyRing, now: datetime) -> Claims:
        """Do as `tokens.verify` does; with another ring than the last time, start from nothing.

        Raises:
            InvalidToken: as `tokens.verify`.
        """
        last_ring, known = self._ring_and_known
        if last_ring is not ring:
            known = {}
            self._ring_and_known = (ring, known)
        claims = known.get(token)
        if claims is not None and now < claims.expires_at and ring.verification_key(claims.kid, now) is not None:
            return claims
        claims = verify(token, ring, issuer=self._issuer, audience=self._audience, now=now)
        with self._lock:
            while len(known) >= self._capacity:
                del known[next(iter(known))]
            known[token] = claims
        return claims

    def client_of(self, token: str) -> str | None:
        """Whose token it is, if it was verified before; whether it still holds is not asked."""
        claims = self._ring_and_known[1].get(token)
        return None if claims is None else claims.client_id

    def __len__(self) -> int:
        """How many tokens are remembered."""
        return len(self._ring_and_known[1])


def read_header(token: str) -> Mapping[str, str]:
    """The header of a token in the compact form: an object of texts. Nothing in it is proved yet.

    Raises:
        InvalidToken: too large, not three segments of canonical base64url, or no such header.
    """
    if len(token) > _MAX_TOKEN_CHARS:
        raise InvalidToken("too large")
    segments = _COMPACT.fullmatch(token)
    if segments is None:
        raise InvalidToken("not three segments of base64url")
    if len(segments[1]) > _MAX_HEADER_CHARS:
        raise InvalidToken("header too large")
    try:
        header, _, _ = (decode_urlsafe(segment) for segment in segments.groups())
    except ValueError:
        raise InvalidToken("not canonical base64url") from None
    members = _parse(header)
    texts = {name: value for name, value in members.items() if isinstance(value, str)}
    if len(texts) != len(members):
        raise InvalidToken("header: a member is not a text")
    return texts


def verified_body(token: str, public_key: PublicKey, algorithm: str) -> Mapping[str, object]:
    """The claims of a token that `read_header` took, once its signature is verified with this key and algorithm.

    Raises:
        InvalidToken: the signature is not this key's, or what it signs is not an object.
    """
    try:
        payload: bytes = jws.verify(token, jwk.construct(public_key, algorithm), algorithms=[algorithm])
    except Exception:  # noqa: BLE001 - whatever a forger makes the library raise, the answer is "not believed"
        raise InvalidToken("signature") from None
    return _parse(payload)


def unverified_body(token: str) -> Mapping[str, object]:
    """The claims of a token that `read_header` took, proved by nothing: to look up whose key to verify with.

    Raises:
        InvalidToken: they are not an object.
    """
    return _parse(decode_urlsafe(token.split(".")[1]))


def require_equal(body: Mapping[str, object], name: str, expected: str) -> None:
    """Insist that a claim is exactly this one text. A list that holds it is something else."""
    if body.get(name) != expected:
        raise _wrong_claim(name)


def read_text(body: Mapping[str, object], name: str) -> str:
    """A claim that must be there and be a text."""
    value = body.get(name)
    if not isinstance(value, str):
        raise _wrong_claim(name)
    return value


def read_moment(body: Mapping[str, object], name: str) -> datetime:
    """A claim that must be there and be a NumericDate (RFC 7519, section 2: seconds, perhaps with a fraction)."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_MOMENT:
        raise _wrong_claim(name)
    return datetime.fromtimestamp(value, UTC)


def read_expiry(body: Mapping[str, object], now: datetime) -> datetime:
    """The moment of `exp`, which must be there and lie ahead."""
    expires_at = read_moment(body, "exp")
    if expires_at <= now:
        raise InvalidToken("claims: expired")
    return expires_at


def check_not_before(body: Mapping[str, object], now: datetime) -> None:
    """Refuse a token from the future: `iat` and `nbf`, where given, must lie behind, but for `CLOCK_SKEW`."""
    for name in ("iat", "nbf"):
        if name in body and read_moment(body, name) > now + CLOCK_SKEW:
            raise _wrong_claim(name + " in the future")


def _wrong_claim(what: str) -> InvalidToken:
    return InvalidToken(f"claims: {what}")


def _parse(data: bytes) -> dict[str, object]:
    """A JSON object in UTF-8 without doubled names: readers differ in which of two they believe."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidToken("not JSON") from None
    if not isinstance(value, dict):
        raise InvalidToken("not a JSON object")
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        message = "a name stands twice"
        raise ValueError(message)
    return members


def _refuse_constant(name: str) -> float:
    message = f"{name} is not JSON"
    raise ValueError(message)
