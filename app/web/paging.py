"""Cursors and `Link`: opaque, sealed, bound to the list they belong to, and good on any server at any later time."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from fastapi import Request

from app.core.crypto import Sealer, SealError
from app.core.places import Place
from app.core.problems import INVALID_PARAMETER, Flaw, Problem

LIMIT_MAX = 500
LIMIT_DEFAULT = 50
_LENGTH = 128


def _place(path: str, filters: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(orjson.dumps([path, filters], option=orjson.OPT_SORT_KEYS, default=str)).digest()


def seal_cursor(sealer: Sealer, path: str, filters: Mapping[str, Any], place: Mapping[str, Any]) -> str:
    """The cursor for the page after `place`, good only for the same path and filters.

    Blanks at its end make all of them equally long: the digits of a place in the feed would tell how busy others are.
    """
    text = orjson.dumps(place)
    return sealer.seal_text(text + b" " * (-len(text) % _LENGTH), _place(path, filters))


def open_cursor(sealer: Sealer, path: str, filters: Mapping[str, Any], cursor: str | None) -> dict[str, Any] | None:
    """Where a cursor goes on; 400 for one that is broken, or was made for another list or other filters."""
    if cursor is None:
        return None
    try:
        place: dict[str, Any] = orjson.loads(sealer.open_text(cursor, _place(path, filters)))
    except SealError:
        flaw = Flaw("/query/cursor", "cursor-invalid", "Use next_cursor as it was answered, with the same filters.")
        raise Problem(INVALID_PARAMETER, errors=[flaw]) from None
    return place


def next_link(request: Request, public_url: str, cursor: str | None) -> dict[str, str]:
    """The `Link` header to the next page, with all other parameters as they were; empty at the end."""
    if cursor is None:
        return {}
    parameters = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return {"Link": f'<{public_url}{request.url.path}?{urlencode([*parameters, ("cursor", cursor)])}>; rel="next"'}


def _others(request: Request) -> dict[str, Any]:
    return {name: value for name, value in request.query_params.items() if name not in ("cursor", "limit")}


def place_of(request: Request, sealer: Sealer, cursor: str | None) -> Place | None:
    """Where a list that is ordered by moment and id goes on."""
    place = open_cursor(sealer, request.url.path, _others(request), cursor)
    return None if place is None else (datetime.fromisoformat(place["at"]), UUID(place["id"]))


def next_place(request: Request, sealer: Sealer, at: datetime, row_id: UUID) -> str:
    """The cursor for what comes after this moment and id."""
    return seal_cursor(sealer, request.url.path, _others(request), {"at": at.isoformat(), "id": str(row_id)})
