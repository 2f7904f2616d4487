"""Checkpoints: the size and root of the tree at a moment, signed by a key of the hub that signs nothing else.

The key's public half is published for ever, and who fetched it once can verify without the hub.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from psycopg.rows import AsyncRowFactory, tuple_row
from psycopg.types.json import Jsonb

from app.audit.canonical import canonical
from app.core import clock
from app.core.clock import rfc3339
from app.core.crypto import MasterKey
from app.core.db import Connection
from app.identity.jwks import JwksError, load_jwks
from app.identity.keys import SigningKey

TYPE: Final = "interdesk-audit-checkpoint"
"""Stands in what is signed, so that no other signature of the hub's can pass for one of a checkpoint."""

_NUMBER_BYTES: Final = 32
_ROWS: Final[AsyncRowFactory[Any]] = tuple_row

PublicKeys = Mapping[str, ec.EllipticCurvePublicKey]
"""Keys to verify with, by `kid`."""


class Checkpoint(NamedTuple):
    """A signed state of the tree, in the order of the table's columns."""

    tree_size: int
    root_hash: bytes
    at: datetime
    kid: str
    signature: bytes

    def document(self) -> dict[str, Any]:
        """The checkpoint as partners are given it."""
        return {
            **_statement(self.tree_size, self.root_hash, self.at),
            "kid": self.kid,
            "signature": self.signature.hex(),
        }


def _statement(tree_size: int, root_hash: bytes, at: datetime) -> dict[str, Any]:
    return {"type": TYPE, "tree_size": tree_size, "root_hash": root_hash.hex(), "at": rfc3339(at)}


def sign(key: SigningKey, tree_size: int, root_hash: bytes, at: datetime) -> Checkpoint:
    """Sign the state of the tree: ES256 (RFC 7518, section 3.4) over canonical JSON of type, size, root and time."""
    der = key.private_key.sign(canonical(_statement(tree_size, root_hash, at)), ec.ECDSA(SHA256()))
    signature = b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in decode_dss_signature(der))
    return Checkpoint(tree_size, root_hash, at, key.kid, signature)


def is_signed(document: Mapping[str, Any], keys: PublicKeys) -> bool:
    """Whether a checkpoint, as partners are given it, bears the signature of one of these keys.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    statement = {name: document[name] for name in ("type", "tree_size", "root_hash", "at")}
    signature = bytes.fromhex(document["signature"])
    key = keys.get(document["kid"])
    if statement["type"] != TYPE or key is None or len(signature) != 2 * _NUMBER_BYTES:
        return False
    r, s = (int.from_bytes(part, "big") for part in (signature[:_NUMBER_BYTES], signature[_NUMBER_BYTES:]))
    try:
        key.verify(encode_dss_signature(r, s), canonical(statement), ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def read_keys(key_set: object) -> dict[str, ec.EllipticCurvePublicKey]:
    """The keys of a set as `/v1/audit/keys` answers it.

    Raises:
        ValueError: it is no such set.
    """
    entries = key_set.get("keys") if isinstance(key_set, Mapping) else None
    if not isinstance(entries, list) or not entries:
        raise ValueError("This is no set of keys.")
    found = {}
    for entry in entries:
        try:
            (key,) = load_jwks({"keys": [entry]})
        except JwksError as error:
            message = f"This is no set of audit keys: {error}"
            raise ValueError(message) from None
        if not isinstance(key.public_key, ec.EllipticCurvePublicKey) or key.algorithm != "ES256":
            raise ValueError("Audit keys are keys for ES256.")
        found[key.kid] = key.public_key
    return found


async def fetch_keys(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """The public halves of every key that ever signed a checkpoint, the newest first."""
    async with connection.cursor(row_factory=_ROWS) as cursor:
        await cursor.execute("SELECT public_jwk FROM audit_public_keys()")
        return {"keys": [jwk for (jwk,) in await cursor.fetchall()]}


async def signing_key(connection: Connection, master_key: MasterKey) -> SigningKey:
    """The newest key; the first of an installation is made here. Within the transaction that seals.

    Raises:
        SigningKeyError: it was sealed with another master key.
    """
    async with connection.cursor(row_factory=_ROWS) as cursor:
        await cursor.execute(
            "SELECT kid, sealed_private_key, created_at FROM load_audit_keys() ORDER BY created_at DESC, kid LIMIT 1"
        )
        row = await cursor.fetchone()
    if row is None:
        return await add_key(connection, master_key)
    kid, sealed, created_at = row
    return SigningKey.unseal(kid, sealed, master_key, created_at=created_at, retires_at=None)


async def add_key(connection: Connection, master_key: MasterKey) -> SigningKey:
    """Add a key, which signs from the next checkpoint on. Needs the role interdesk_worker."""
    key = SigningKey.generate(clock.now())
    await connection.execute(
        "SELECT add_audit_key(%s, %s, %s, %s)",
        (key.kid, Jsonb(key.public_jwk), key.seal(master_key), key.created_at),
    )
    return key
