"""What a client sends to sign in: the form, and the one proof of who it is (RFC 6749, sections 2.3 and 3.2)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_plus

from app.domain.sign_in.refusals import OAuthError, invalid_request

FORM_TYPE = "application/x-www-form-urlencoded"
FORM_LIMIT = 16_384
"""Bytes of a form: an assertion and a token of the largest size fit in several times over."""

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_MOST_FIELDS = 50


@dataclass(frozen=True, slots=True)
class Proof:
    """Who a client says it is, and the one thing that shall prove it: a secret or a signed assertion."""

    client_id: str | None
    secret: str | None = field(default=None, repr=False)
    assertion: str | None = field(default=None, repr=False)


def read_form(content_type: str, query: str, body: bytes) -> dict[str, str]:
    """The parameters of a form; those without a value count as not sent (RFC 6749, section 3.1).

    Raises:
        OAuthError: `invalid_request` for another media type, parameters in the address (where they end up in logs),
            a parameter sent twice, or what is no form in UTF-8.
    """
    if query:
        raise invalid_request("Send every parameter in the body and none in the address.")
    if content_type.partition(";")[0].strip().lower() != FORM_TYPE:
        raise invalid_request("Send the body as application/x-www-form-urlencoded.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:  # UnicodeDecodeError is one
        raise invalid_request("The body is not a form in UTF-8.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise invalid_request("A parameter may stand there once.")
    return {name: value for name, value in form.items() if value}


def read_proof(authorization: str | None, form: Mapping[str, str]) -> Proof:
    """The one proof in a request.

    Raises:
        OAuthError: `invalid_request` for more than one proof or two different client ids; `invalid_client` for none.
    """
    kind = form.get("client_assertion_type")
    assertion = form.get("client_assertion")
    if (kind is None) != (assertion is None) or kind not in (None, ASSERTION_TYPE):
        message = f"client_assertion comes with the client_assertion_type {ASSERTION_TYPE}."
        raise invalid_request(message)
    secret = form.get("client_secret")
    if sum(proof is not None for proof in (authorization, secret, assertion)) > 1:
        raise invalid_request("Prove who you are in one way: by Basic, by client_secret or by client_assertion.")
    if authorization is not None:
        client_id, secret = read_basic(authorization)
        if form.get("client_id", client_id) != client_id:
            raise invalid_request("The client_id in the body is another than in the Authorization header.")
        return Proof(client_id, secret)
    if secret is None and assertion is None:
        raise OAuthError("invalid_client", "Send the client's proof: Basic, client_secret or client_assertion.", 401)
    return Proof(form.get("client_id"), secret, assertion)


def read_basic(authorization: str) -> tuple[str, str]:
    """Client id and secret of a Basic header; both are form-encoded inside (RFC 6749, section 2.3.1).

    Raises:
        OAuthError: `invalid_client` for another scheme or what cannot be decoded.
    """
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            pair = ""
        client_id, colon, secret = pair.partition(":")
        if colon:
            return unquote_plus(client_id), unquote_plus(secret)
    raise OAuthError("invalid_client", "Authorization must be Basic with the client id and secret.", 401)
