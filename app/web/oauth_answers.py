"""Refusals below `/oauth/` in the shape that OAuth clients read, whoever refuses: sign-in, the router or the porch."""

import re
from collections.abc import Mapping

from fastapi import Response
from pydantic import Field

from app.core.problems import INTERNAL, RATE_LIMITED, UNAVAILABLE, Problem
from app.core.shapes import Shape
from app.domain.sign_in.refusals import OAuthError
from app.web import answers

PREFIX = "/oauth/"
NO_STORE: Mapping[str, str] = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""RFC 6749, section 5.1, wants both."""

# RFC 6749 has no code for what is not the request's fault at its token endpoint; these are the ones of its section
# 4.1.2.1, and RFC 8628's for haste.
_CODES = {RATE_LIMITED: "slow_down", INTERNAL: "server_error", UNAVAILABLE: "temporarily_unavailable"}
_NOT_ALLOWED = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")
"""What RFC 6749, section 5.2, keeps out of a description."""


class OAuthRefusal(Shape):
    """An error in the shape of RFC 6749, section 5.2."""

    error: str = Field(description="A code to react to.", examples=["invalid_client"])
    error_description: str = Field(description="A sentence for whoever integrates.", examples=["The scope is empty."])


def oauth_error(problem: Problem) -> OAuthError:
    """A problem as sign-in says it; its headers are not in it."""
    sentence = _NOT_ALLOWED.sub("'", problem.detail or problem.type.explanation)
    return OAuthError(_CODES.get(problem.type, "invalid_request"), sentence, problem.type.status)


def answer_oauth(refusal: OAuthError, headers: Mapping[str, str] | None = None) -> Response:
    """The refusal as it goes out, with these headers besides its own."""
    sent = {**NO_STORE, **(headers or {})}
    if refusal.status == 401:  # noqa: PLR2004 - Unauthorized
        sent["WWW-Authenticate"] = 'Basic realm="interdesk", charset="UTF-8"'
    if refusal.retry_after is not None:
        sent["Retry-After"] = str(refusal.retry_after)
    body = OAuthRefusal(error=refusal.code, error_description=refusal.description)
    return Response(body.model_dump_json(), refusal.status, headers=sent, media_type=answers.JSON)
