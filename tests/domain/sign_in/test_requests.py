"""Reading what a client sends to sign in."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.sign_in.refusals import OAuthError
from app.domain.sign_in.requests import ASSERTION_TYPE, FORM_TYPE, Proof, read_basic, read_form, read_proof


def refusal(content_type: str, query: str, body: bytes) -> str:
    with pytest.raises(OAuthError) as caught:
        read_form(content_type, query, body)
    return caught.value.code


def test_a_form_is_read_with_its_encodings() -> None:
    body = b"grant_type=client_credentials&scope=a+b%20c&name=%ED%95%9C&empty="
    found = read_form(f"{FORM_TYPE}; charset=UTF-8", "", body)
    assert found == {"grant_type": "client_credentials", "scope": "a b c", "name": "한"}
    assert read_form(FORM_TYPE.upper(), "", b"") == {}


@pytest.mark.parametrize(
    ("content_type", "query", "body"),
    [
        ("application/json", "", b"a=b"),
        ("", "", b"a=b"),
        (FORM_TYPE, "a=b", b"a=b"),
        (FORM_TYPE, "", b"a=b&a=b"),
        (FORM_TYPE, "", b"a=&a=b"),
        (FORM_TYPE, "", b"a"),
        (FORM_TYPE, "", b"a=%FF"),
        (FORM_TYPE, "", "a=é".encode()),
        (FORM_TYPE, "", b"&".join(b"f%d=1" % number for number in range(51))),
    ],
)
def test_what_is_no_form_is_an_invalid_request(content_type: str, query: str, body: bytes) -> None:
    assert refusal(content_type, query, body) == "invalid_request"


@given(st.text(), st.text(), st.binary())
def test_nothing_but_a_refusal_is_ever_raised(content_type: str, query: str, body: bytes) -> None:
    for kind in (content_type, FORM_TYPE):
        with suppress(OAuthError):
            read_proof(None, read_form(kind, query, body))


@given(st.text())
def test_any_authorization_is_read_or_refused(header: str) -> None:
    with suppress(OAuthError):
        client_id, secret = read_basic(header)
        assert isinstance(client_id + secret, str)


def basic(client_id: str, secret: str) -> str:
    return "basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def test_one_proof_is_taken_and_two_are_not() -> None:
    assert read_proof(basic("a", "b:c"), {}) == Proof("a", "b:c")
    assert read_proof(basic("a%2Fb", "c+d"), {"client_id": "a/b"}) == Proof("a/b", "c d")
    assert read_proof(None, {"client_id": "a", "client_secret": "b"}) == Proof("a", "b")
    signed = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": "x.y.z"}
    assert read_proof(None, signed) == Proof(None, None, "x.y.z")
    for authorization, form in (
        (basic("a", "b"), {"client_secret": "b"}),
        (basic("a", "b"), signed),
        (None, signed | {"client_secret": "b"}),
        (None, {"client_assertion": "x.y.z"}),
        (None, {"client_assertion_type": ASSERTION_TYPE}),
        (None, signed | {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}),
        (basic("a", "b"), {"client_id": "c"}),
    ):
        with pytest.raises(OAuthError) as caught:
            read_proof(authorization, form)
        assert caught.value.code == "invalid_request"


def test_a_proof_never_stands_in_a_log() -> None:
    assert "b" not in repr(Proof("a", "b", "b")).removeprefix("Proof(")
