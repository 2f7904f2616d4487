"""`/oauth/token`, `/oauth/introspect`, `/oauth/revoke`: in the shapes of RFC 6749, 7662 and 7009, errors included."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

import psycopg
from fastapi import APIRouter, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security.http import HTTPBase
from psycopg_pool import PoolTimeout

from app.audit.refusals import Refusal, record_refusal
from app.core.problems import Problem
from app.domain.sign_in.clients import Lobby
from app.domain.sign_in.granting import GRANT_TYPE, TokenAnswer, grant
from app.domain.sign_in.introspection import ActiveToken, InactiveToken, introspect
from app.domain.sign_in.refusals import OAuthError
from app.domain.sign_in.requests import ASSERTION_TYPE, FORM_LIMIT, FORM_TYPE, read_form
from app.domain.sign_in.revocation import revoke
from app.web import answers
from app.web.bodies import read_bytes
from app.web.oauth_answers import NO_STORE, OAuthRefusal, answer_oauth, oauth_error
from app.web.rates import source_network
from app.web.state import house

log = logging.getLogger("interdesk.oauth")

_ACTIONS = {"/oauth/token": "token.issue", "/oauth/introspect": "token.introspect", "/oauth/revoke": "token.revoke"}
_UNAVAILABLE = OAuthError("temporarily_unavailable", "The hub cannot reach its database or its audit.", 503, 5)

client_basic = HTTPBase(
    scheme="basic",
    scheme_name="client_basic",
    description="Client id and client secret, as an administrator of the agency issued them.",
    auto_error=False,
)


async def _refuse(request: Request, refusal: OAuthError) -> Response:
    """Record a refusal, then answer it; one that cannot be recorded answers 503 instead."""
    if not refusal.recorded:
        try:
            await record_refusal(
                house(request).database,
                Refusal(
                    action=_ACTIONS[request.url.path],
                    outcome=refusal.code,
                    request_id=request.state.request_id,
                    peer=request.state.peer,
                    agency=refusal.agency,
                    client_id=refusal.client_id,
                    reason=refusal.description,
                ),
            )
        except (psycopg.Error, PoolTimeout):
            log.exception("a refusal could not be recorded")
            refusal = _UNAVAILABLE
    return answer_oauth(refusal)


class OAuthRoute(APIRoute):
    """A route whose every refusal has the shape that OAuth clients read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler, so that what it raises is answered here and not by the porch."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except OAuthError as refusal:
                return await _refuse(request, refusal)
            except Problem as problem:
                return await _refuse(request, oauth_error(problem))
            except (psycopg.Error, PoolTimeout):
                log.exception("the database failed")
                return answer_oauth(_UNAVAILABLE)

        return answer


router = APIRouter(prefix="/oauth", tags=["Sign-in"], route_class=OAuthRoute, dependencies=[Security(client_basic)])

_PROOF = {
    "client_id": {"type": "string", "maxLength": 64, "description": "With `client_secret`, or beside an assertion."},
    "client_secret": {"type": "string", "maxLength": 128, "description": "The secret, where Basic is not used."},
    "client_assertion_type": {"type": "string", "enum": [ASSERTION_TYPE]},
    "client_assertion": {
        "type": "string",
        "maxLength": 4096,
        "description": "A JWT signed by one of the client's keys (RFC 7523): `iss` and `sub` the client id, `aud` the "
        "hub's issuer and nothing else, `exp` at most five minutes ahead, `jti` used once.",
    },
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": OAuthRefusal, "description": "The request is not right; `error` says how."},
    401: {
        "model": OAuthRefusal,
        "description": "`invalid_client`: unknown, wrong proof, revoked, expired, suspended or from a network that is "
        "not allowed; the answer is the same for all of them.",
    },
    413: {"model": OAuthRefusal, "description": f"The form has more than {FORM_LIMIT} bytes."},
    429: {
        "model": OAuthRefusal,
        "description": "`slow_down`: this client failed too often from this network, or the network asked too often. "
        "Wait as `Retry-After` says; other networks are not affected.",
    },
    503: {"model": OAuthRefusal, "description": "`temporarily_unavailable`: try again later."},
}


def _form(required: list[str], **properties: object) -> dict[str, Any]:
    schema = {"type": "object", "properties": {**properties, **_PROOF}, "required": required}
    return {"requestBody": {"required": True, "content": {FORM_TYPE: {"schema": schema}}}}


async def _read(request: Request) -> tuple[Lobby, dict[str, str]]:
    home = house(request)
    lobby = Lobby(
        home.database,
        home.settings.public_url,
        _ACTIONS[request.url.path],
        request.state.request_id,
        request.state.peer,
        source_network(request.state.peer),
    )
    body = await read_bytes(request, FORM_LIMIT)
    return lobby, read_form(request.headers.get("content-type", ""), request.url.query, body)


@router.post(
    "/token",
    summary="Get an access token",
    operation_id="create_token",
    responses={200: {"model": TokenAnswer, "description": "The token."}, **_REFUSALS},
    openapi_extra=_form(
        ["grant_type"],
        grant_type={"type": "string", "enum": [GRANT_TYPE]},
        scope={
            "type": "string",
            "maxLength": 2000,
            "description": "Permissions separated by spaces; without it, all that the credential holds. What the "
            "credential does not hold is refused as `invalid_scope`, never left out silently.",
        },
    ),
)
async def create_token(request: Request) -> Response:
    """Sign in with a client secret (Basic or in the form) or a signed assertion, and get a token for 15 minutes.

    The token carries the permissions asked for in `scope`. What it may do is looked up with every call: a role that is
    taken away, a revoked credential or a suspended agency counts from the next request on.
    """
    lobby, form = await _read(request)
    granted = await grant(lobby, house(request).keys, request.headers.get("authorization"), form)
    return Response(granted.model_dump_json(), headers=NO_STORE, media_type=answers.JSON)


_TOKEN_FIELDS = {
    "token": {"type": "string", "maxLength": 4096, "description": "The access token."},
    "token_type_hint": {"type": "string", "maxLength": 50, "description": "Not needed: there is one type of token."},
}


@router.post(
    "/introspect",
    summary="Ask about a token",
    operation_id="introspect_token",
    responses={200: {"model": ActiveToken | InactiveToken, "description": "What the token is good for."}, **_REFUSALS},
    openapi_extra=_form(["token"], **_TOKEN_FIELDS),
)
async def introspect_token(request: Request) -> Response:
    """Tell a client what one of its own tokens may do at this moment (RFC 7662).

    Another client's token, an expired or revoked one and any other text are all answered `{"active": false}`.
    """
    lobby, form = await _read(request)
    state = await introspect(lobby, house(request).keys, request.headers.get("authorization"), form)
    return Response(state.model_dump_json(), headers=NO_STORE, media_type=answers.JSON)


@router.post(
    "/revoke",
    summary="Give a token back",
    operation_id="revoke_token",
    responses={
        200: {"description": "The token is not, or no longer, in force.", "content": {}},
        **_REFUSALS,
    },
    openapi_extra=_form(["token"], **_TOKEN_FIELDS),
)
async def revoke_token(request: Request) -> Response:
    """End one of the client's own tokens, from the next request on (RFC 7009).

    A token that is unknown or expired is answered the same way; another client's is refused as `invalid_grant` and
    stays in force.
    """
    lobby, form = await _read(request)
    await revoke(lobby, house(request).keys, request.headers.get("authorization"), form)
    return Response(status_code=200, headers=NO_STORE)
