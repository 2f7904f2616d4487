"""Bodies: read late, so that sign-in, permission, visibility and preconditions speak first, and never past a limit."""

from typing import TypeVar, cast

from fastapi import Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from app.core.merge_patch import MEDIA_TYPE as MERGE_PATCH_TYPE
from app.core.merge_patch import MergePatch
from app.core.problems import BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, Flaw, Problem, invalid
from app.core.strict_json import read_json
from app.core.validation import validated

JSON_TYPE = "application/json"

Model = TypeVar("Model", bound=BaseModel)
Patch = TypeVar("Patch", bound=MergePatch)


def media_type(request: Request) -> str:
    """The body's media type without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def take_in(request: Request, limit: int) -> None:
    """Take the body in before a transaction is opened, so that none waits for a caller that sends slowly or never.

    What is wrong with it is said by `read_bytes`, when its turn comes.
    """
    try:
        await read_bytes(request, limit)
    except Problem as refusal:
        request.state.body_refusal = refusal


async def read_bytes(request: Request, limit: int) -> bytes:
    """The whole body; 413 as soon as it is known to be longer than `limit` bytes, whatever Content-Length claims.

    422 for a body that ends before it should, whose sender will hardly read that.
    """
    kept: bytes | None = getattr(request.state, "body", None)
    if kept is not None:
        return kept
    refused: Problem | None = getattr(request.state, "body_refusal", None)
    if refused is not None:  # what is left of it would look like a shorter one
        raise refused
    try:
        request.state.body = await _receive(request, limit)
    except Problem as refusal:
        request.state.body_refusal = refusal
        raise
    except ClientDisconnect:
        raise invalid(Flaw("", "body-cut-off", "The body ended before it was complete.")) from None
    return cast("bytes", request.state.body)


async def _receive(request: Request, limit: int) -> bytes:
    refusal = Problem(BODY_TOO_LARGE, detail=f"A body may have {limit} bytes.", headers={"Connection": "close"})
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdecimal() and int(length) > limit:
        raise refusal
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise refusal
        parts.append(part)
    return b"".join(parts)


def needs_nothing(model: type[BaseModel]) -> bool:
    """Whether every field of a shape may be left out."""
    return not any(field.is_required() for field in model.model_fields.values())


def require_media_type(request: Request, *accepted: str) -> None:
    """415 unless the body is of one of the accepted types; PATCH learns them from Accept-Patch."""
    if media_type(request) not in accepted:
        headers = (
            {"Accept-Patch": ", ".join(accepted)} if request.method == "PATCH" else {"Accept": ", ".join(accepted)}
        )
        raise Problem(UNSUPPORTED_MEDIA_TYPE, detail=f"Send the body as {' or '.join(accepted)}.", headers=headers)


async def read_model(request: Request, model: type[Model], limit: int) -> Model:
    """The body as `model`; 415, 413 or 422 with every flaw and its pointer.

    Where a POST needs nothing to be said, no body is as good as an empty object, whatever its type.
    """
    if request.method == "POST" and needs_nothing(model) and not await read_bytes(request, limit):
        return validated(model, {})
    require_media_type(request, JSON_TYPE)
    return validated(model, read_json(await read_bytes(request, limit)))


async def read_patch(request: Request, model: type[Patch], limit: int) -> Patch:
    """The body as a merge patch (RFC 7396); what it makes of the resource is validated by the resource's room."""
    require_media_type(request, MERGE_PATCH_TYPE, JSON_TYPE)
    return validated(model, read_json(await read_bytes(request, limit)))
