"""`/health/live`, `/health/ready`, `/metrics`: for load balancers and monitoring."""

import hmac
from typing import Annotated, Literal, cast

import psycopg
from fastapi import APIRouter, Depends, Request, Response
from psycopg_pool import PoolTimeout
from pydantic import Field

from app.core.problems import NOT_FOUND, UNAVAILABLE, Problem
from app.core.shapes import Shape
from app.web.answers import plain
from app.web.metrics import exposition
from app.web.openapi import operation
from app.web.state import House, bearer_token, house

router = APIRouter(tags=["Operation"])
Home = Annotated[House, Depends(house)]


class Health(Shape):
    """That all is well; otherwise the status says it."""

    status: Literal["ok"] = Field("ok", description="Always `ok`.")


@router.get(
    "/health/live", summary="Is the process alive?", operation_id="health_live", **operation(Health, etag=False)
)
async def live() -> Response:
    """Answer 200 as long as the process answers at all."""
    return plain({"status": "ok"})


@router.get(
    "/health/ready",
    summary="Can the process serve?",
    operation_id="health_ready",
    **operation(Health, etag=False, problems=("unavailable",)),
)
async def ready(home: Home) -> Response:
    """Answer 200 if the database answers, else 503."""
    try:
        async with home.database.pool.connection(timeout=2) as connection:
            await connection.execute("SELECT 1")
    except (psycopg.Error, PoolTimeout) as error:
        raise Problem(UNAVAILABLE, headers={"Retry-After": "5"}, reason=type(error).__name__) from None
    return plain({"status": "ok"})


def _may_see_metrics(request: Request, home: House) -> bool:
    token = home.settings.metrics_token
    sent = bearer_token(request.headers.get("authorization", ""))
    if not token or not sent:
        return False
    return hmac.compare_digest(sent.encode(), token.get_secret_value().encode())


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request, home: Home) -> Response:
    """Figures in Prometheus's format, for the holder of the metrics token; without one there is nobody to see them."""
    if not _may_see_metrics(request, home):
        raise Problem(NOT_FOUND)
    async with home.database.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT f.waiting, f.seconds, s.waiting, s.seconds FROM feed_lag() AS f, sealing_lag() AS s"
        )
        row = await cursor.fetchone()
    figures = cast("tuple[int, float, int, float]", row)
    return Response(exposition(figures[:2], figures[2:]), media_type="text/plain; version=0.0.4")
