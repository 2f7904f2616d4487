"""JSON Web Keys (RFC 7517): writing ours, and taking a partner's public keys without taking anything dangerous."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from app.core.crypto import decode_urlsafe, encode_urlsafe

MAX_KEYS = 10
_LONGEST_KID = 128
_FEWEST_RSA_BITS, _MOST_RSA_BITS = 2048, 4096
_RSA_EXPONENT = 65537

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

RSA_ALGORITHM = "RS256"
# RFC 7518, section 3.4: each ECDSA algorithm belongs to one curve.
ECDSA_CURVES: Mapping[str, ec.EllipticCurve] = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
}
SUPPORTED_ALGORITHMS = frozenset({RSA_ALGORITHM, *ECDSA_CURVES})
_ALGORITHM_OF_CURVE = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")  # RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1


@dataclass(frozen=True, slots=True)
class JwkProblem:
    """What is wrong with a key set: a JSON pointer from the set's root, a code, and a sentence."""

    pointer: str
    code: str
    detail: str


class JwksError(ValueError):
    """A key set that is refused; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: tuple[JwkProblem, ...]) -> None:
        super().__init__("; ".join(f"{problem.pointer or '/'}: {problem.detail}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key and the one algorithm it verifies. The algorithm follows from the key, never from a token."""

    kid: str
    algorithm: str
    public_key: PublicKey


class _RefusedError(Exception):
    """One key's defect, at one of its members."""

    def __init__(self, member: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.member = member
        self.code = code
        self.detail = detail


def public_jwk(key: PublicKey) -> dict[str, str]:
    """The members that RFC 7638 calls required, and no others."""
    if isinstance(key, rsa.RSAPublicKey):
        rsa_numbers = key.public_numbers()
        return {"e": _encode(rsa_numbers.e), "kty": "RSA", "n": _encode(rsa_numbers.n)}
    name = next(name for name, alg in _ALGORITHM_OF_CURVE.items() if ECDSA_CURVES[alg].name == key.curve.name)
    size = (key.key_size + 7) // 8
    numbers = key.public_numbers()
    return {"crv": name, "kty": "EC", "x": _encode(numbers.x, size), "y": _encode(numbers.y, size)}


def thumbprint(key: PublicKey) -> str:
    """The key's name as it follows from the key itself: RFC 7638, SHA-256, base64url."""
    canonical = json.dumps(public_jwk(key), sort_keys=True, separators=(",", ":"))
    return encode_urlsafe(hashlib.sha256(canonical.encode("ascii")).digest())


def load_jwks(jwks: object) -> tuple[VerificationKey, ...]:
    """The keys of a set that `validate_jwks` returned.

    Raises:
        JwksError: it did not come from there.
    """
    keys, problems = _read(jwks)
    if problems:
        raise JwksError(problems)
    return keys


def validate_jwks(jwks: object) -> dict[str, list[dict[str, str]]]:
    """A partner's key set, cleaned: public members only, each with `kid`, `alg` and `use`.

    Accepted are EC keys on P-256, P-384 and P-521 and RSA keys of 2048 to 4096 bits with the exponent 65537; one to
    ten of them, each once. A key without `kid` gets its thumbprint. Members that say nothing about the key itself
    (`x5c`, `x5u`, `key_ops` and whatever else) are dropped; nothing is ever fetched.

    Raises:
        JwksError: with every problem and its pointer. A private member is a problem: that key is no secret any more.
    """
    keys = load_jwks(jwks)
    return {
        "keys": [{**public_jwk(key.public_key), "kid": key.kid, "alg": key.algorithm, "use": "sig"} for key in keys]
    }


def _read(jwks: object) -> tuple[tuple[VerificationKey, ...], tuple[JwkProblem, ...]]:
    entries = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(entries, list) or not entries:
        return (), (JwkProblem("/keys", "required", "a key set has a list of keys, at least one"),)
    if len(entries) > MAX_KEYS:
        return (), (JwkProblem("/keys", "too-many", f"a key set has at most {MAX_KEYS} keys"),)
    keys: list[VerificationKey] = []
    problems: list[JwkProblem] = []
    for position, entry in enumerate(entries):
        try:
            key = _key(entry)
            _refuse_duplicate(key, keys)
            keys.append(key)
        except _RefusedError as error:
            pointer = f"/keys/{position}" + (f"/{error.member}" if error.member else "")
            problems.append(JwkProblem(pointer, error.code, error.detail))
    return tuple(keys), tuple(problems)


def _key(entry: object) -> VerificationKey:
    if not isinstance(entry, Mapping):
        raise _RefusedError("", "type", "a key is an object")
    for member in _PRIVATE_MEMBERS:
        if member in entry:
            detail = "this is part of a private or secret key; discard that key and send the public half of a fresh one"
            raise _RefusedError(member, "private-key", detail)
    public_key, algorithm = _public_key(entry)
    if entry.get("alg", algorithm) != algorithm:
        raise _RefusedError("alg", "unsupported", f"a key of this type is used with {algorithm}")
    if entry.get("use", "sig") != "sig":
        raise _RefusedError("use", "unsupported", "a key to sign in with has the use sig")
    kid = entry["kid"] if "kid" in entry else thumbprint(public_key)
    if not isinstance(kid, str) or not _is_plain(kid):
        raise _RefusedError("kid", "format", f"a kid is 1 to {_LONGEST_KID} visible ASCII characters")
    return VerificationKey(kid, algorithm, public_key)


def _public_key(entry: Mapping[str, Any]) -> tuple[PublicKey, str]:
    match entry.get("kty"):
        case "EC":
            return _ec_key(entry)
        case "RSA":
            return _rsa_key(entry), RSA_ALGORITHM
        case _:
            raise _RefusedError("kty", "unsupported", "the key types EC and RSA are supported")


def _ec_key(entry: Mapping[str, Any]) -> tuple[ec.EllipticCurvePublicKey, str]:
    name = entry.get("crv")
    algorithm = _ALGORITHM_OF_CURVE.get(name) if isinstance(name, str) else None
    if algorithm is None:
        raise _RefusedError("crv", "unsupported", "the curves P-256, P-384 and P-521 are supported")
    curve = ECDSA_CURVES[algorithm]
    size = (curve.key_size + 7) // 8
    x, y = _integer(entry, "x", size), _integer(entry, "y", size)
    try:
        return ec.EllipticCurvePublicNumbers(x, y, curve).public_key(), algorithm
    except ValueError:
        raise _RefusedError("x", "invalid", "the point (x, y) does not lie on the curve") from None


def _rsa_key(entry: Mapping[str, Any]) -> rsa.RSAPublicKey:
    modulus, exponent = _integer(entry, "n"), _integer(entry, "e")
    if not _FEWEST_RSA_BITS <= modulus.bit_length() <= _MOST_RSA_BITS or modulus % 2 == 0:
        detail = f"an RSA modulus is an odd number of {_FEWEST_RSA_BITS} to {_MOST_RSA_BITS} bits"
        raise _RefusedError("n", "weak-key", detail)
    if exponent != _RSA_EXPONENT:
        raise _RefusedError("e", "weak-key", f"the RSA exponent is {_RSA_EXPONENT} (AQAB)")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _integer(entry: Mapping[str, Any], member: str, size: int | None = None) -> int:
    """A number in base64url, big-endian; of exactly `size` bytes where that is fixed, else without leading zeros."""
    value = entry.get(member)
    try:
        data = decode_urlsafe(value) if isinstance(value, str) else b""
    except ValueError:
        data = b""
    if not data or (data[0] == 0 if size is None else len(data) != size):
        length = "" if size is None else f" of {size} bytes"
        raise _RefusedError(member, "format", f"a number in base64url without padding{length}")
    return int.from_bytes(data, "big")


def _refuse_duplicate(key: VerificationKey, earlier: list[VerificationKey]) -> None:
    if any(other.kid == key.kid for other in earlier):
        raise _RefusedError("kid", "duplicate", "another key of the set has the same kid")
    if any(other.public_key == key.public_key for other in earlier):
        raise _RefusedError("", "duplicate", "the same key stands in the set twice")


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text and 1 <= len(text) <= _LONGEST_KID


def _encode(number: int, size: int | None = None) -> str:
    return encode_urlsafe(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))
