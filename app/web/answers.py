"""Answers: rendered bytes with their headers, the same for every noun."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import Request, Response
from pydantic import BaseModel

from app.core.problems import NOT_ACCEPTABLE, Problem
from app.web.paging import next_link
from app.web.preconditions import etag, is_unchanged
from app.web.state import house
from app.web.tables import csv_table

JSON = "application/json"
CSV = "text/csv"


def accepts(request: Request, *offered: str) -> str:
    """The best media type of those offered, by the caller's Accept (RFC 9110, section 12.5.1); 406 if it takes none."""
    value = request.headers.get("accept", "*/*")
    best, best_rank = None, (0.0, -1)
    for part in value.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((_quality(p[2:]) for p in parameters if p.lower().startswith("q=")), 1.0)
        for number, media_type in enumerate(offered):
            major = media_type.partition("/")[0]
            if name.lower() in (media_type, f"{major}/*", "*/*") and (quality, -number) > best_rank and quality > 0:
                best, best_rank = media_type, (quality, -number)
    if best is None:
        raise Problem(NOT_ACCEPTABLE, detail=f"This call answers {' or '.join(offered)}.")
    return best


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def document(
    request: Request, body: bytes | str, version: int, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """One resource with its ETag; 304 without a body if the caller of a GET has this version already."""
    all_headers = {"ETag": etag(version), **(headers or {})}
    if request.method == "GET" and is_unchanged(request, version):
        return Response(status_code=304, headers=all_headers)
    return Response(body, status, headers=all_headers, media_type=JSON)


def model(
    request: Request,
    value: BaseModel,
    version: int | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A shape as a document; with an ETag where it has a version."""
    body = value.model_dump_json(by_alias=True).encode()
    if version is None:
        return Response(body, status, headers=dict(headers or {}), media_type=JSON)
    return document(request, body, version, status, headers)


def listing(request: Request, items: str | bytes, cursor: str | None) -> Response:
    """A page as JSON: items rendered and joined by commas, the cursor of the next page, and its `Link`."""
    rendered = items.encode() if isinstance(items, str) else items
    body = b"".join([b'{"items":[', rendered, b'],"next_cursor":', orjson.dumps(cursor), b"}"])
    return Response(body, headers=_page_headers(request, cursor), media_type=JSON)


def listing_of(request: Request, items: Sequence[BaseModel], cursor: str | None) -> Response:
    """A page of shapes, as JSON or as a table."""
    if accepts(request, JSON, CSV) == CSV:
        return table(request, [item.model_dump(mode="json", by_alias=True) for item in items], cursor)
    return listing(request, ",".join(item.model_dump_json(by_alias=True) for item in items), cursor)


def table(request: Request, rows: Sequence[Mapping[str, Any]], cursor: str | None) -> Response:
    """A page as CSV; the next one stands in `Link`."""
    return Response(csv_table(rows), headers=_page_headers(request, cursor), media_type=CSV)


def _page_headers(request: Request, cursor: str | None) -> dict[str, str]:
    """Where the next page is; and that this one was answered as `Accept` asked, for whoever keeps it."""
    return {"Vary": "Accept, Accept-Encoding", **next_link(request, house(request).settings.public_url, cursor)}


def plain(value: Any, status: int = 200) -> Response:  # noqa: ANN401 - any JSON value
    """A small answer without a version."""
    return Response(orjson.dumps(value), status, media_type=JSON)
