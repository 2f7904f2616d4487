"""`/.well-known/…`: the hub's keys and metadata, for anybody."""

from fastapi import APIRouter, Response

from app.core import clock
from app.core.shapes import Shape
from app.domain.sign_in.metadata import (
    AuthorizationServer,
    JsonWebKeySet,
    ProtectedResource,
    authorization_server,
    protected_resource,
)
from app.identity.signing import every_public_key
from app.web import answers
from app.web.callers import Home
from app.web.openapi import operation

router = APIRouter(prefix="/.well-known", tags=["Sign-in"])

# Well below the time that a key is published before it signs, so that whoever caches the set knows the key by then.
_CACHED = {"Cache-Control": "public, max-age=60"}


def _public(shape: Shape) -> Response:
    return Response(shape.model_dump_json(), headers=_CACHED, media_type=answers.JSON)


@router.get(
    "/jwks.json",
    summary="Keys that tokens are signed with",
    operation_id="read_jwks",
    **operation(JsonWebKeySet, etag=False),
)
async def read_jwks(home: Home) -> Response:
    """Answer the public keys (RFC 7517). A key stands here minutes before it signs its first token."""
    return _public(JsonWebKeySet.model_validate(home.keys.jwks(clock.now())))


@router.get(
    "/approval-keys.json",
    summary="Keys that approvals are signed with",
    operation_id="read_approval_keys",
    **operation(JsonWebKeySet, etag=False),
)
async def read_approval_keys(home: Home) -> Response:
    """Answer every public key that ever signed for the hub, newest first, for anybody.

    The statements of approvals on joint operations are checked with these: unlike tokens they are shown years later.
    """
    async with home.database.pool.connection() as connection:
        return _public(JsonWebKeySet.model_validate({"keys": await every_public_key(connection)}))


@router.get(
    "/oauth-authorization-server",
    summary="Metadata of the authorization server",
    operation_id="read_authorization_server",
    **operation(AuthorizationServer, etag=False),
)
async def read_authorization_server(home: Home) -> Response:
    """Answer where and how to sign in (RFC 8414)."""
    return _public(authorization_server(home.settings.public_url))


@router.get(
    "/oauth-protected-resource",
    summary="Metadata of the API as a protected resource",
    operation_id="read_protected_resource",
    **operation(ProtectedResource, etag=False),
)
async def read_protected_resource(home: Home) -> Response:
    """Answer whose tokens the API takes, and which permissions there are (RFC 9728)."""
    return _public(protected_resource(home.settings.public_url))
