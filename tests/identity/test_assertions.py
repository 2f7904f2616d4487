"""Sign-in by signed assertion: what is taken, and every way of sending something else."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from app.core.crypto import encode_urlsafe
from app.identity import assertions
from app.identity.assertions import AssertionClaims, claimed_client_id, verify_assertion
from app.identity.jwks import JwksError, PublicKey, public_jwk, validate_jwks
from app.identity.keys import SigningKey
from app.identity.tokens import CLOCK_SKEW, InvalidToken, issue, verified_body
from tests.identity.forging import Json, Signer, compact, ecdsa, hs256, rs256, rsa_key, without

NOW = datetime(2026, 11, 22, 8, 15, 30, 123456, tzinfo=UTC)
EPOCH = int(NOW.timestamp())
ISSUER = "https://hub.example"
CLIENT = "idc_abcdefghijklmnopqrstuvwxyz"
P256, P384, P521 = (ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()))
SIGNERS: Mapping[str, Signer] = {
    "ES256": ecdsa(P256),
    "ES384": ecdsa(P384, hashes.SHA384()),
    "ES512": ecdsa(P521, hashes.SHA512()),
    "RS256": rs256(rsa_key()),
}
JWKS = validate_jwks(
    {
        "keys": [
            public_jwk(P256.public_key()) | {"kid": "ES256"},
            public_jwk(P384.public_key()) | {"kid": "ES384"},
            public_jwk(P521.public_key()) | {"kid": "ES512"},
            public_jwk(rsa_key().public_key()) | {"kid": "RS256"},
        ]
    }
)
ONE_KEY = validate_jwks({"keys": [public_jwk(P256.public_key())]})
HEADER: dict[str, object] = {"alg": "ES256", "kid": "ES256", "typ": "JWT"}
BODY: dict[str, object] = {"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "exp": EPOCH + 60, "iat": EPOCH, "jti": "a-1"}
SIGN = SIGNERS["ES256"]


def forged(header: Json = HEADER, body: Json = BODY, sign: Signer = SIGN) -> str:
    return compact(header, body, sign)


def check(assertion: str, jwks: Mapping[str, Any] | None = JWKS) -> AssertionClaims:
    return verify_assertion(assertion, jwks, client_id=CLIENT, issuer=ISSUER, now=NOW)


def refusal(assertion: str, jwks: Mapping[str, Any] | None = JWKS) -> str:
    with pytest.raises(InvalidToken) as caught:
        check(assertion, jwks)
    return caught.value.reason


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_each_supported_algorithm_is_taken(algorithm: str) -> None:
    assertion = forged({"alg": algorithm, "kid": algorithm}, sign=SIGNERS[algorithm])
    assert check(assertion) == AssertionClaims("a-1", NOW.replace(microsecond=0) + timedelta(seconds=60))


@pytest.mark.parametrize("algorithm", SIGNERS)
@pytest.mark.parametrize("kid", SIGNERS)
def test_a_key_is_used_with_its_own_algorithm_only(algorithm: str, kid: str) -> None:
    for signer in SIGNERS:
        assertion = forged({"alg": algorithm, "kid": kid}, sign=SIGNERS[signer])
        if algorithm == kid == signer:
            assert check(assertion)
        elif algorithm == kid:
            assert refusal(assertion) == "signature"
        else:
            assert refusal(assertion) == "no key of this client fits"


@pytest.mark.parametrize("typ", [{}, {"typ": "JWT"}, {"typ": "jwt"}, {"typ": "client-authentication+jwt"}])
@pytest.mark.parametrize("hint", [{}, {"x5t": "thumbprint"}, {"x5t": "thumbprint", "x5t#S256": "thumbprint"}])
def test_what_common_libraries_write_is_taken(typ: dict[str, object], hint: dict[str, object]) -> None:
    assert check(forged({"alg": "ES256", "kid": "ES256"} | typ | hint))


def test_the_only_key_needs_no_name() -> None:
    assert check(forged(without(HEADER, "kid")), ONE_KEY)
    assert refusal(forged(without(HEADER, "kid")), JWKS) == "no key of this client fits"


@pytest.mark.parametrize("kid", ["", "unknown", "es256", "../../dev/null"])
def test_a_name_must_be_one_of_the_client_s(kid: str) -> None:
    for jwks in (JWKS, ONE_KEY):
        assert refusal(forged(HEADER | {"kid": kid}), jwks) == "no key of this client fits"


def test_keys_overlap_while_they_are_replaced() -> None:
    replacement = ec.generate_private_key(ec.SECP256R1())
    both = validate_jwks({"keys": [*ONE_KEY["keys"], public_jwk(replacement.public_key()) | {"kid": "next"}]})
    assert check(forged(HEADER | {"kid": ONE_KEY["keys"][0]["kid"]}), both)
    assert check(forged(HEADER | {"kid": "next"}, sign=ecdsa(replacement)), both)


@pytest.mark.parametrize(
    "algorithm", ["none", "HS256", "HS512", "RS384", "RS512", "PS256", "EdDSA", "ES256K", "es256", ""]
)
def test_other_algorithms_are_refused(algorithm: str) -> None:
    pem = P256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = P256.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for signer in (SIGN, hs256(pem), hs256(der), lambda _: b"x"):
        assert refusal(forged(HEADER | {"alg": algorithm}, sign=signer)) == "header: alg"


def test_an_algorithm_must_be_named() -> None:
    assert refusal(forged(without(HEADER, "alg"))) == "header: alg"


@pytest.mark.parametrize(
    "extra",
    [
        {"crit": ["exp"]},
        {"jwk": public_jwk(P256.public_key())},
        {"jku": "https://elsewhere.example/jwks.json"},
        {"x5u": "https://elsewhere.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"x5c": "MIIB"},
        {"b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"kid": ["ES256"]},
    ],
)
def test_nothing_else_may_stand_in_the_header(extra: dict[str, object]) -> None:
    assert refusal(forged(HEADER | extra)).startswith("header:")


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "secevent+jwt", "JOSE", ""])
def test_a_token_made_for_something_else_is_refused(typ: str) -> None:
    assert refusal(forged(HEADER | {"typ": typ})) == "header: typ"


def test_our_own_access_token_is_no_assertion() -> None:
    key = SigningKey(ONE_KEY["keys"][0]["kid"], P256, NOW)
    token = issue(key, client_id=CLIENT, scope=[], issuer=CLIENT, audience=ISSUER, now=NOW).token
    assert refusal(token, ONE_KEY) == "header: typ"


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "jti"])
def test_no_needed_claim_is_missing(claim: str) -> None:
    assert refusal(forged(body=without(BODY, claim))) == f"claims: {claim}"


def test_the_time_of_issue_may_be_missing() -> None:
    assert check(forged(body=without(BODY, "iat")))


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "idc_zzzzzzzzzzzzzzzzzzzzzzzzzz"),
        ("sub", "idc_zzzzzzzzzzzzzzzzzzzzzzzzzz"),
        ("iss", [CLIENT]),
        ("aud", ISSUER + "/"),
        ("aud", ISSUER + "/oauth/token"),
        ("aud", [ISSUER]),
        ("aud", [ISSUER, "https://elsewhere.example"]),
        ("aud", None),
        ("exp", str(EPOCH + 60)),
        ("exp", True),
        ("jti", ""),
        ("jti", 7),
        ("jti", "x" * 129),
        ("jti", "two words"),
        ("jti", "zero\0"),
        ("jti", "\ud800"),
        ("jti", "줄"),
        ("jti", "line\n"),
        ("iat", "now"),
        ("nbf", []),
    ],
)
def test_each_claim_says_what_it_must(claim: str, value: object) -> None:
    assert refusal(forged(body=BODY | {claim: value})) == f"claims: {claim}"


def test_an_id_has_up_to_128_characters() -> None:
    assert check(forged(body=BODY | {"jti": "x" * 128})).jti == "x" * 128


def test_an_expiry_lies_ahead_but_not_far() -> None:
    assert refusal(forged(body=BODY | {"exp": EPOCH})) == "claims: expired"
    assert check(forged(body=BODY | {"exp": EPOCH + 1}))
    furthest = NOW.timestamp() + CLOCK_SKEW.total_seconds() + 300
    assert check(forged(body=BODY | {"exp": furthest}))
    assert refusal(forged(body=BODY | {"exp": furthest + 0.01})) == "claims: exp too far ahead"


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_an_assertion_from_the_future_waits(claim: str) -> None:
    assert check(forged(body=BODY | {claim: EPOCH + 30}))
    assert refusal(forged(body=BODY | {claim: EPOCH + 31})) == f"claims: {claim} in the future"


def test_fractions_of_a_second_are_read() -> None:
    assert check(forged(body=BODY | {"exp": EPOCH + 60.5, "iat": EPOCH + 0.25})).expires_at.microsecond == 500_000


def test_deep_nesting_under_a_good_signature_is_no_recursion_error() -> None:
    assert refusal(forged(body="[" * 2_700)) == "not JSON"
    with pytest.raises(InvalidToken, match="not JSON"):
        claimed_client_id(forged(body="[" * 2_700))


def test_a_wrong_signature_is_refused() -> None:
    assert refusal(forged(sign=ecdsa(ec.generate_private_key(ec.SECP256R1())))) == "signature"
    assert refusal(forged(sign=lambda _: bytes(64))) == "signature"


def test_keys_that_were_never_cleaned_are_refused() -> None:
    with pytest.raises(JwksError):
        check(forged(), {"keys": [public_jwk(P256.public_key()) | {"d": "AQAB"}]})


class TestUnknownClient:
    @pytest.fixture
    def verified(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The algorithm of each signature that was verified."""
        algorithms: list[str] = []
        original = verified_body

        def recorded(assertion: str, key: PublicKey, algorithm: str) -> object:
            algorithms.append(algorithm)
            return original(assertion, key, algorithm)

        monkeypatch.setattr(assertions, "verified_body", recorded)
        return algorithms

    @pytest.mark.parametrize("algorithm", SIGNERS)
    def test_costs_one_signature_as_a_known_one_does(self, algorithm: str, verified: list[str]) -> None:
        header = {"alg": algorithm, "kid": algorithm}
        assertion = forged(header, sign=SIGNERS[algorithm])
        check(assertion)
        refusal(forged(header, sign=lambda _: b"wrong"))
        refusal(assertion, None)
        refusal(assertion, ONE_KEY)
        refusal(forged(header | {"kid": "unknown"}, sign=SIGNERS[algorithm]))
        assert verified == [algorithm] * 5

    def test_is_refused_even_if_the_spare_key_s_signature_were_good(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(assertions, "_decoy", lambda _: P256.public_key())
        assert refusal(forged(), None) == "no key of this client fits"


class TestClaimedClientId:
    def test_is_read_before_anything_is_proved(self) -> None:
        assert claimed_client_id(forged(sign=lambda _: b"wrong")) == CLIENT

    @pytest.mark.parametrize("iss", [None, 7, [CLIENT], "", "client", CLIENT + "\0", CLIENT.upper(), "' OR 1=1 --"])
    def test_must_be_formed_like_one(self, iss: object) -> None:
        with pytest.raises(InvalidToken, match="iss"):
            claimed_client_id(forged(body=BODY | {"iss": iss}))

    @given(st.text() | st.lists(st.binary(max_size=60).map(encode_urlsafe), max_size=4).map(".".join))
    def test_of_arbitrary_text_is_refused(self, assertion: str) -> None:
        with pytest.raises(InvalidToken):
            claimed_client_id(assertion)


@given(st.text(max_size=300))
def test_arbitrary_text_is_refused(assertion: str) -> None:
    refusal(assertion)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([*HEADER.values(), *BODY.values()]),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=4,
)


@given(
    st.dictionaries(st.sampled_from([*HEADER, "x5t", "crit"]), json_values, max_size=2),
    st.dictionaries(st.sampled_from([*BODY, "nbf"]), json_values, max_size=3),
)
def test_arbitrary_members_under_a_good_signature(header: dict[str, object], body: dict[str, object]) -> None:
    try:
        claims = check(forged(HEADER | header, BODY | body))
    except InvalidToken:
        return
    assert claims.jti.isascii()
    assert claims.expires_at > NOW
