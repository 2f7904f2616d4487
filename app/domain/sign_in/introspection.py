"""`POST /oauth/introspect`: what a token of the asking client is good for at this moment (RFC 7662)."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from app.core.shapes import Shape
from app.domain.sign_in.clients import Client, Lobby, admit, authenticate
from app.domain.sign_in.refusals import invalid_request
from app.domain.sign_in.requests import read_proof
from app.identity.keys import KeyRing
from app.identity.roles import effective
from app.identity.tokens import Claims, InvalidToken, verify


class InactiveToken(Shape):
    """A token that is not in force, is not this hub's, or is another client's: nothing else is said about it."""

    active: Literal[False] = Field(default=False, description="It is not in force.")


class ActiveToken(Shape):
    """A token in force."""

    active: Literal[True] = Field(default=True, description="It is in force.")
    scope: str = Field(description="What it may do now: its scope and what the credential's roles grant.")
    client_id: str = Field(description="The client it was issued to.")
    token_type: Literal["Bearer"] = Field(default="Bearer", description="How it is sent.")
    exp: int = Field(description="When it expires, in seconds since 1970.")
    iat: int = Field(description="When it was issued, in seconds since 1970.")
    sub: str = Field(description="The client again: it acts for itself.")
    aud: str = Field(description="The hub.")
    iss: str = Field(description="The hub.")
    jti: str = Field(description="The token's own id, as the audit names it.")


def read_token(form: Mapping[str, str]) -> str:
    """The token that a request is about; `token_type_hint` is a hint, and there is one type of token.

    Raises:
        OAuthError: `invalid_request`: there is none.
    """
    token = form.get("token")
    if token is None:
        raise invalid_request("token is missing.")
    return token


def claims_of(token: str, ring: KeyRing, lobby: Lobby, client: Client) -> Claims | None:
    """What a token says if it is this hub's and has not expired, whosever it is."""
    try:
        return verify(token, ring, issuer=lobby.issuer, audience=lobby.issuer, now=client.at)
    except InvalidToken:
        return None


async def introspect(
    lobby: Lobby, ring: KeyRing, authorization: str | None, form: Mapping[str, str]
) -> ActiveToken | InactiveToken:
    """Describe a token to the client it belongs to; to anybody else it is not active.

    Raises:
        OAuthError: the request or the client is not right.
    """
    proof, token = read_proof(authorization, form), read_token(form)
    async with lobby.database.pool.connection() as connection:
        client = await authenticate(lobby, connection, proof)
        claims = claims_of(token, ring, lobby, client)
        own = claims if claims is not None and claims.client_id == client.client_id else None
        await admit(lobby, connection, client, {"jti": str(own.jti)} if own else {})
        cursor = await connection.execute(
            "SELECT token_holds(%s, %s, %s)",
            (client.client_id, own.jti if own else None, own.issued_at if own else None),
        )
        row = await cursor.fetchone()
    if own is None or row is None or not row[0]:
        return InactiveToken()
    return ActiveToken(
        scope=" ".join(sorted(effective(own.scope, client.roles))),
        client_id=own.client_id,
        exp=int(own.expires_at.timestamp()),
        iat=int(own.issued_at.timestamp()),
        sub=own.subject,
        aud=lobby.issuer,
        iss=lobby.issuer,
        jti=str(own.jti),
    )
