"""`POST /oauth/revoke`: a client gives a token back before it expires (RFC 7009)."""

from collections.abc import Mapping

from app.domain.sign_in.clients import Lobby, admit, authenticate
from app.domain.sign_in.introspection import claims_of, read_token
from app.domain.sign_in.refusals import OAuthError
from app.domain.sign_in.requests import read_proof
from app.identity.keys import KeyRing


async def revoke(lobby: Lobby, ring: KeyRing, authorization: str | None, form: Mapping[str, str]) -> None:
    """End a token of the asking client, from the next request on. One that is not in force is as good as revoked.

    Raises:
        OAuthError: the request or the client is not right; `invalid_grant` for a token of another client, which stays
            in force (RFC 7009, section 2.1).
    """
    proof, token = read_proof(authorization, form), read_token(form)
    async with lobby.database.pool.connection() as connection:
        client = await authenticate(lobby, connection, proof)
        claims = claims_of(token, ring, lobby, client)
        if claims is not None and claims.client_id != client.client_id:
            raise OAuthError(
                "invalid_grant",
                "The token was issued to another client.",
                agency=client.agency,
                client_id=client.client_id,
            )
        await admit(lobby, connection, client, {"jti": str(claims.jti)} if claims else {}, ended=claims)
