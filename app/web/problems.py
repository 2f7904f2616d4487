"""Refusals as `application/problem+json`, and the audit entry that each of them leaves."""

import logging
from typing import Any

import orjson
import psycopg
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException

from app.audit.refusals import Refusal, record_refusal
from app.core.problems import (
    CONFLICT,
    INTERNAL,
    INVALID_PARAMETER,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    UNAUTHORIZED,
    UNAVAILABLE,
    Flaw,
    Problem,
)
from app.web.oauth_answers import PREFIX as OAUTH
from app.web.oauth_answers import answer_oauth, oauth_error
from app.web.state import house

log = logging.getLogger("interdesk.problems")

_UNRECORDED = {"internal", "unavailable", "rate-limited", "method-not-allowed", "body-too-large"}


def respond(problem: Problem, request: Request) -> Response:
    """The problem document and its headers; below `/oauth/` the error that OAuth clients read."""
    if request.url.path.startswith(OAUTH):
        return answer_oauth(oauth_error(problem), problem.headers)
    kind = problem.type
    headers = dict(problem.headers)
    if kind is UNAUTHORIZED:
        settings = house(request).settings
        headers.setdefault(
            "WWW-Authenticate",
            f'Bearer realm="interdesk", error="invalid_token", '
            f'resource_metadata="{settings.public_url}/.well-known/oauth-protected-resource"'
            if request.headers.get("authorization")
            else f'Bearer realm="interdesk", '
            f'resource_metadata="{settings.public_url}/.well-known/oauth-protected-resource"',
        )
    document = {
        "type": f"/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail or kind.explanation,
        "instance": request.url.path,
        "request_id": getattr(request.state, "request_id", ""),
        "errors": [flaw.document() for flaw in problem.errors],
        **problem.extra,
    }
    return Response(orjson.dumps(document), kind.status, headers=headers, media_type="application/problem+json")


async def answer_problem(request: Request, problem: Problem) -> Response:
    """Record the refusal, then answer it; one that cannot be recorded answers 503 instead."""
    if not problem.recorded and problem.type.slug not in _UNRECORDED:
        visit = getattr(request.state, "visit", None)
        caller = getattr(request.state, "caller", None)
        kind, record_id = getattr(request.state, "subject", (None, None))
        try:
            await record_refusal(
                house(request).database,
                Refusal(
                    action=f"{request.method} {route_path(request)}",
                    outcome=problem.type.slug,
                    request_id=getattr(request.state, "request_id", ""),
                    peer=getattr(request.state, "peer", None),
                    agency=caller.agency if caller else None,
                    client_id=visit.claims.client_id if visit else None,
                    officer=visit.officer if visit else None,
                    purpose=visit.purpose if visit else None,
                    kind=kind,
                    record_id=record_id,
                    reason=problem.reason,
                ),
            )
        except Exception:
            log.exception("a refusal could not be recorded")
            problem = Problem(UNAVAILABLE, headers={"Retry-After": "5"})
    return respond(problem, request)


def route_path(request: Request) -> str:
    """The path as the documentation writes it (`/v1/…/{record_id}`), so that no id stands in logs and metrics."""
    route = request.scope.get("route")
    return getattr(route, "path", "unknown")


async def answer_invalid_parameter(request: Request, error: RequestValidationError) -> Response:
    """Query and header parameters that FastAPI refused."""
    flaws = [
        Flaw("/".join(("", *map(str, item["loc"]))), item["type"].replace("_", "-"), item["msg"])
        for item in error.errors()
    ]
    return await answer_problem(request, Problem(INVALID_PARAMETER, errors=flaws))


async def answer_http_exception(request: Request, error: HTTPException) -> Response:
    """What the router itself refuses: unknown paths and methods."""
    kind = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED}.get(error.status_code, INTERNAL)
    headers = dict(error.headers or {})
    if kind is METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    problem = Problem(kind, headers=headers)
    problem.recorded = True
    return await answer_problem(request, problem)


def _methods(request: Request) -> list[str]:
    """What the path of a request takes: the router looks no further than the first of its routes."""
    path = route_path(request)
    contexts = iter_route_contexts(request.app.routes)
    methods = {method for context in contexts if context.path == path for method in context.methods or ()}
    return sorted({*methods, "HEAD"} if "GET" in methods else methods)


async def answer_database_error(request: Request, error: Exception) -> Response:
    """The database is away or refused: a serialization conflict is the caller's to repeat, the rest is ours."""
    if isinstance(
        error, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected | psycopg.errors.QueryCanceled
    ):
        return respond(Problem(CONFLICT, detail="Others are changing the same thing. Repeat the call."), request)
    log.error("the database failed", exc_info=error)
    if isinstance(error, psycopg.OperationalError | PoolTimeout):
        return respond(Problem(UNAVAILABLE, headers={"Retry-After": "5"}), request)
    return respond(Problem(INTERNAL), request)


async def answer_unexpected(request: Request, error: Exception) -> Response:
    """A defect of the hub: the caller learns the request id, the log everything but content."""
    log.error("unexpected failure", exc_info=error)
    return respond(Problem(INTERNAL), request)


HANDLERS: dict[int | type[Exception], Any] = {
    Problem: answer_problem,
    RequestValidationError: answer_invalid_parameter,
    HTTPException: answer_http_exception,
    psycopg.Error: answer_database_error,
    PoolTimeout: answer_database_error,
}
