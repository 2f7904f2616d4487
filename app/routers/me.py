"""`/v1/me`: who the hub takes the caller for."""

from typing import Any

from fastapi import APIRouter, Request, Response

from app.domain.sign_in.myself import Myself, myself
from app.web import answers
from app.web.callers import AnyCaller

router = APIRouter(prefix="/v1/me", tags=["Sign-in"])

_ANSWERS: dict[int | str, dict[str, Any]] = {200: {"model": Myself, "description": "The caller."}}


@router.get("", summary="Who am I?", operation_id="read_me", responses=_ANSWERS)
async def read_me(request: Request, desk: AnyCaller) -> Response:
    """Answer the caller's agency, credential, roles, permissions and groups, as they are now. Any token may ask."""
    return answers.model(request, await myself(desk, request.state.visit.claims.expires_at))
