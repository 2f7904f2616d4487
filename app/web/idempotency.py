"""Idempotency keys: a call repeated within 24 hours moves nothing twice and answers what the first one made.

Kept are a keyed hash of the body, the status, the location, and which version of what came of it; never content, never
a secret. Keyed, because whoever guesses at what a body said of somebody could prove the guess by a plain one.
"""

import hmac
from dataclasses import dataclass

from fastapi import Request

from app.access.desk import Desk
from app.core.problems import (
    IDEMPOTENCY_MISMATCH,
    IDEMPOTENCY_RUNNING,
    INVALID_PARAMETER,
    Flaw,
    Problem,
)
from app.records.creating import OnceKey
from app.web.bodies import read_bytes
from app.web.state import house

KEY_MAX = 255


@dataclass(frozen=True, slots=True)
class Kept:
    """What the first call came to."""

    status: int
    location: str | None
    noun: str
    resource_id: str
    version: int


def key_of(request: Request) -> str | None:
    """The call's key; 400 for one that is none, None where there is none."""
    value = request.headers.get("idempotency-key")
    if value is None:
        return None
    if not 1 <= len(value) <= KEY_MAX or not value.isascii() or not value.isprintable():
        flaw = Flaw("/header/Idempotency-Key", "key-invalid", f"1 to {KEY_MAX} printable ASCII characters.")
        raise Problem(INVALID_PARAMETER, errors=[flaw])
    return value


async def _body_hash(request: Request) -> bytes:
    marked: bytes | None = getattr(request.state, "body_mark", None)
    if marked is not None:  # taken as the body passed, which nobody keeps
        return marked
    home = house(request)
    return hmac.digest(home.body_key, await read_bytes(request, home.settings.body_limit), "sha256")


async def once_key(request: Request) -> OnceKey | None:
    """The call's key, for those who recall and keep it in one go with what they do; None if it has none."""
    key = key_of(request)
    return None if key is None else OnceKey(request.url.path, key, (await _body_hash(request)).hex())


async def recall(request: Request, desk: Desk) -> Kept | None:
    """What a call with this key came to before, or None for the first; 409 while that runs, 422 for another body."""
    key = key_of(request)
    if key is None:
        return None
    kept = await desk.call_one(
        "recall_idempotency_key",
        p_method=request.method,
        p_path=request.url.path,
        p_key=key,
        p_body_hash=await _body_hash(request),
    )
    if kept.outcome == "running":
        raise Problem(IDEMPOTENCY_RUNNING, headers={"Retry-After": "1"})
    if kept.outcome == "mismatch":
        raise Problem(IDEMPOTENCY_MISMATCH)
    if kept.outcome == "fresh":
        return None
    return Kept(kept.status, kept.location, kept.noun, kept.resource_id, kept.version)


async def keep(request: Request, desk: Desk, kept: Kept) -> None:
    """Keep what this call came to, in the transaction of the change itself."""
    key = key_of(request)
    if key is not None:
        await desk.call(
            "keep_idempotency_key",
            p_method=request.method,
            p_path=request.url.path,
            p_key=key,
            p_body_hash=await _body_hash(request),
            p_status=kept.status,
            p_location=kept.location,
            p_noun=kept.noun,
            p_resource_id=kept.resource_id,
            p_version=kept.version,
        )
