"""`POST /oauth/token`: an access token for a client that proved who it is (RFC 6749, section 4.4)."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from app.core.shapes import Shape
from app.domain.sign_in.clients import Client, Lobby, admit, authenticate
from app.domain.sign_in.refusals import OAuthError, invalid_request
from app.domain.sign_in.requests import read_proof
from app.identity.keys import ACCESS_TOKEN_LIFETIME, KeyRing
from app.identity.roles import Permission, UnknownScopeError, parse_scope, permissions_of
from app.identity.tokens import issue

GRANT_TYPE = "client_credentials"


class TokenAnswer(Shape):
    """An access token (RFC 6749, section 5.1)."""

    access_token: str = Field(description="Send it as `Authorization: Bearer …`.", examples=["eyJhbGciOiJFUzI1NiIs…"])
    token_type: Literal["Bearer"] = Field(default="Bearer", description="How it is sent.")
    expires_in: int = Field(description="Seconds the token lives; fetch the next one a little earlier.", examples=[900])
    scope: str = Field(description="The permissions it carries.", examples=["directory:read profiles:read"])


def _granted(client: Client, asked: str | None) -> frozenset[Permission]:
    """What the token may carry: what is asked for, or without a wish everything the credential holds.

    A scope is never narrowed silently: a client that asks for what it no longer holds learns it here and not from the
    403 of some later call.
    """
    held = permissions_of(client.roles)
    if asked is None:
        return held
    refusal = OAuthError("invalid_scope", "", agency=client.agency, client_id=client.client_id)
    try:
        wanted = parse_scope(asked)
    except UnknownScopeError:
        refusal.description = "The scope names what is no permission; scopes_supported in the metadata lists them all."
        raise refusal from None
    missing = wanted - held
    if missing or not wanted:
        refusal.description = (
            f"The credential does not hold: {' '.join(sorted(missing))}" if missing else "The scope is empty."
        )
        raise refusal
    return wanted


async def grant(lobby: Lobby, ring: KeyRing, authorization: str | None, form: Mapping[str, str]) -> TokenAnswer:
    """Sign a client in and issue its token.

    Raises:
        OAuthError: the request, the client, the grant type or the scope is not right.
    """
    proof = read_proof(authorization, form)
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise invalid_request("grant_type is missing; send client_credentials.")
    if grant_type != GRANT_TYPE:
        raise OAuthError("unsupported_grant_type", f"The only grant type is {GRANT_TYPE}.")
    async with lobby.database.pool.connection() as connection:
        client = await authenticate(lobby, connection, proof)
        scope = _granted(client, form.get("scope"))
        issued = issue(
            ring.signing_key(client.at),
            client_id=client.client_id,
            scope=scope,
            issuer=lobby.issuer,
            audience=lobby.issuer,
            now=client.at,
        )
        method = "private_key_jwt" if client.assertion else "client_secret"
        await admit(
            lobby,
            connection,
            client,
            {"jti": str(issued.claims.jti), "scope": sorted(issued.claims.scope), "auth_method": method},
        )
    return TokenAnswer(
        access_token=issued.token,
        expires_in=int(ACCESS_TOKEN_LIFETIME.total_seconds()),
        scope=" ".join(sorted(issued.claims.scope)),
    )
