"""Tokens written by hand, without the library under test: what a forger, or another library, would send."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from app.core.crypto import encode_urlsafe

Json = str | bytes | Mapping[str, object]
Signer = Callable[[bytes], bytes]


def compact(header: Json, body: Json, sign: Signer) -> str:
    """A token in JWS compact form; texts and bytes go in as they are, so that they may be no JSON at all."""
    signed = f"{encode_urlsafe(_as_bytes(header))}.{encode_urlsafe(_as_bytes(body))}"
    return f"{signed}.{encode_urlsafe(sign(signed.encode()))}"


def _as_bytes(part: Json) -> bytes:
    if isinstance(part, bytes):
        return part
    return (part if isinstance(part, str) else json.dumps(part)).encode()


def ecdsa(key: ec.EllipticCurvePrivateKey, algorithm: hashes.HashAlgorithm | None = None) -> Signer:
    """Sign as RFC 7518, section 3.4 says: r and s, each of the curve's length."""

    def sign(data: bytes) -> bytes:
        size = (key.key_size + 7) // 8
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(algorithm or hashes.SHA256())))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    return sign


def rs256(key: rsa.RSAPrivateKey) -> Signer:
    return lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def hs256(secret: bytes) -> Signer:
    return lambda data: hmac.digest(secret, data, hashlib.sha256)


def without(members: Mapping[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in members.items() if key != name}


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)
