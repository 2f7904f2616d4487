"""Steps that calls have in common, each in the order in which the contract refuses: 404, key, 428/412, body, 409."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from http.client import NO_CONTENT
from typing import TypeVar

from fastapi import Request, Response
from pydantic import BaseModel

from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.core.merge_patch import MergePatch
from app.core.problems import PURPOSE_REQUIRED, Flaw, Problem
from app.models.vocabularies import RecordKind
from app.records import shelf
from app.records.creating import OnceKey
from app.records.shelf import Stored
from app.web import answers, bodies, idempotency
from app.web.callers import Door, desk_behind
from app.web.idempotency import Kept
from app.web.preconditions import check_if_match
from app.web.state import house

_M = TypeVar("_M", bound=BaseModel)
_P = TypeVar("_P", bound=MergePatch)


async def fetch(request: Request, desk: Desk, kind: RecordKind, record_id: str) -> Stored:
    """The record that a path names, or 404, or 409 for a reader who is to acknowledge its caveat first."""
    stored = await find(request, desk, kind, record_id)
    shelf.require_uncovered(stored)
    return stored


async def find(request: Request, desk: Desk, kind: RecordKind, record_id: str) -> Stored:
    """The record that a path names, though it may be covered still, or 404.

    Its id goes into the audit of whatever is refused from here on.
    """
    parsed = parse_uuid(record_id)
    request.state.subject = (kind.value, parsed)
    return await shelf.find(desk, kind, parsed)


async def fetch_own(request: Request, desk: Desk, kind: RecordKind, record_id: str) -> Stored:
    """The record that a path names, for its originator; 404 for whom it is hidden from, 403 for its readers."""
    stored = await find(request, desk, kind, record_id)
    shelf.require_originator(stored)
    return stored


async def fetch_as_party(request: Request, desk: Desk, kind: RecordKind, record_id: str) -> Stored:
    """The record that a path names, for its originator and those it is about; 404 for whom it is hidden from.

    403 for its other readers, 409 for a tombstone, or while its caveat is to be acknowledged.
    """
    stored = await fetch(request, desk, kind, record_id)
    shelf.require_party(stored)
    shelf.require_current(stored)
    return stored


async def read_body(request: Request, model: type[_M]) -> _M:
    """The body as `model`; 413, 415 or 422."""
    return await bodies.read_model(request, model, house(request).settings.body_limit)


async def read_patch(request: Request, model: type[_P]) -> _P:
    """The body as a merge patch; 413, 415 or 422."""
    return await bodies.read_patch(request, model, house(request).settings.body_limit)


@dataclass(frozen=True, slots=True)
class Made:
    """What a call made or moved: its rendered form, empty with the status 204, and what a repeat finds it by."""

    noun: str
    resource_id: str
    version: int
    body: str
    status: int = 200
    location: str | None = None


Replay = Callable[[Kept], Awaitable[str]]
"""Renders again, as the caller may see it now, the version that a kept call came to."""


async def once(request: Request, desk: Desk, replay: Replay | None, act: Callable[[], Awaitable[Made]]) -> Response:
    """Act, unless a call with this Idempotency-Key has: then answer what that one made; nothing without a replay."""
    kept = await idempotency.recall(request, desk)
    if kept is not None:
        headers = {"Idempotency-Replayed": "true"} | ({"Location": kept.location} if kept.location else {})
        if replay is None:
            return Response(status_code=kept.status, headers=headers)
        return answers.document(request, await replay(kept), kept.version, kept.status, headers)
    made = await act()
    await idempotency.keep(request, desk, Kept(made.status, made.location, made.noun, made.resource_id, made.version))
    return _answer_made(request, made)


async def create(
    request: Request,
    door: Door,
    at_once: Callable[[OnceKey | None], Awaitable[Made | None]],
    replay: Callable[[Desk], Replay],
    act: Callable[[Desk], Awaitable[Made]],
) -> Response:
    """Create with others in one transaction; whatever is refused that way is done at a desk, in the refusals' order."""
    try:
        made = await at_once(await idempotency.once_key(request))
    except Problem:
        made = None
    if made is not None:
        return _answer_made(request, made)
    async with desk_behind(request, door) as desk:
        door.house.creations.remember(desk.caller.client_id, desk.caller.agency)
        return await once(request, desk, replay(desk), partial(act, desk))


def _answer_made(request: Request, made: Made) -> Response:
    if made.status == NO_CONTENT:
        return Response(status_code=made.status)
    headers = {"Location": made.location} if made.location else {}
    return answers.document(request, made.body, made.version, made.status, headers)


def record_made(stored: Stored, status: int = 200) -> Made:
    """A record as what a call made."""
    location = f"/v1/{stored.kind}/{stored.envelope.id}" if status == 201 else None  # noqa: PLR2004 - Created
    return Made(stored.kind.value, str(stored.envelope.id), stored.envelope.version, stored.text, status, location)


def require_match(request: Request, version: int) -> None:
    """428 or 412."""
    check_if_match(request, version)


def require_purpose(request: Request) -> None:
    """400 for a call that does not say in `Access-Purpose` what for it touches what is kept of persons."""
    if request.state.visit.purpose is None:
        flaw = Flaw("/header/Access-Purpose", "purpose-missing", "Send a case number or a reason.")
        raise Problem(PURPOSE_REQUIRED, errors=[flaw])


__all__ = [
    "Kept",
    "Made",
    "Replay",
    "create",
    "fetch",
    "fetch_as_party",
    "fetch_own",
    "find",
    "once",
    "read_body",
    "read_patch",
    "record_made",
    "require_match",
    "require_purpose",
]
