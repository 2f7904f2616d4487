"""`/v1/me`: who the hub takes the caller for."""

from fastapi import APIRouter, Request, Response

from app.domain.sign_in.myself import Myself, myself
from app.web import answers
from app.web.callers import AnyCaller
from app.web.openapi import operation

router = APIRouter(prefix="/v1/me", tags=["Sign-in"])


@router.get("", summary="Who am I?", operation_id="read_me", **operation(Myself, etag=False))
async def read_me(request: Request, desk: AnyCaller) -> Response:
    """Answer the caller's agency, credential, roles, permissions and groups, as they are now. Any token may ask."""
    return answers.model(request, await myself(desk, request.state.visit.claims.expires_at))
