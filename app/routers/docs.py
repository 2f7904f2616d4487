"""`/openapi.json` and `/docs`: the description of the API, for programs and for people."""

import hashlib
from functools import cache

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.core.problems import not_found
from app.web import answers
from app.web.pages import ASSETS, docs_page

router = APIRouter(include_in_schema=False)

# Asked again after a few minutes, so that an upgraded hub's description is soon known; unchanged, it costs no bytes.
_CACHE = "public, max-age=300"


def _cached(request: Request, body: bytes, media_type: str) -> Response:
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "Cache-Control": _CACHE}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


@router.get("/openapi.json")
async def read_openapi(request: Request) -> Response:
    """Answer this description of the API, as OpenAPI 3.1; to generate clients from, and to compare after an upgrade."""
    state = request.app.state
    if not hasattr(state, "openapi"):
        # A few hundred milliseconds of work, once; nobody else's call waits for it.
        state.openapi = orjson.dumps(await run_in_threadpool(request.app.openapi))
    return _cached(request, state.openapi, answers.JSON)


@router.get("/docs")
async def read_docs() -> Response:
    """Show the description, with every call to try out."""
    return docs_page()


@cache
def _asset(name: str) -> bytes:
    return ASSETS[name][0].read_bytes()


@router.get("/docs/assets/{name}")
async def read_asset(request: Request, name: str) -> Response:
    """Answer a file that a page loads."""
    if name not in ASSETS:
        raise not_found()
    return _cached(request, _asset(name), ASSETS[name][1])
