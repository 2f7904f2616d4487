"""Steps that the calls on groups, agreements, meetings and transports have in common."""

from collections.abc import Awaitable, Callable, Sequence
from http.client import CREATED, OK
from typing import cast

from fastapi import Request, Response
from pydantic import BaseModel

from app.access.desk import Desk
from app.access.nouns import Noun, T
from app.core.ids import parse_uuid
from app.web import answers, calls
from app.web.paging import next_place
from app.web.state import house


async def fetch(request: Request, desk: Desk, noun: Noun[T], thing_id: str) -> T:
    """The thing that a path names, or 404; its id goes into the audit of whatever is refused from here on."""
    parsed = parse_uuid(thing_id)
    request.state.subject = (noun.name, parsed)
    return await noun.fetch(desk, parsed)


async def page(request: Request, desk: Desk, noun: Noun[T], action: str, shown: Sequence[T], *, more: bool) -> Response:
    """A page of things, newest change first, noted in the audit as `action`; with a cursor where there are more."""
    await noun.note_read(desk, action, [thing.id for thing in shown])
    cursor = None
    if more:
        cursor = next_place(request, house(request).cursors, shown[-1].updated_at, shown[-1].id)
    return answers.listing_of(request, cast("Sequence[BaseModel]", shown), cursor)


def made(noun: Noun[T], thing: T, status: int = OK) -> calls.Made:
    """A thing as what a call made or moved."""
    location = f"/v1/{noun.name}/{thing.id}" if status == CREATED else None
    return calls.Made(noun.name, str(thing.id), thing.version, thing.model_dump_json(), status, location)


def replay(desk: Desk, noun: Noun[T]) -> calls.Replay:
    """Answers a repeated call with the version of the thing that the first one came to."""

    async def answer(kept: calls.Kept) -> str:
        return (await noun.version(desk, parse_uuid(kept.resource_id), kept.version)).model_dump_json()

    return answer


async def move(request: Request, desk: Desk, noun: Noun[T], thing: T, act: Callable[[], Awaitable[T]]) -> Response:
    """Do something to a thing, based on its ETag, unless a call with this Idempotency-Key has."""

    async def moved() -> calls.Made:
        calls.require_match(request, thing.version)
        return made(noun, await act())

    return await calls.once(request, desk, replay(desk, noun), moved)
