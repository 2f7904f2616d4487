import copy
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from app.core.crypto import decode_urlsafe, encode_urlsafe
from app.identity.jwks import MAX_KEYS, JwksError, load_jwks, public_jwk, thumbprint, validate_jwks

# The example of RFC 7638, section 3.1.
RFC_7638_KEY = {
    "kty": "RSA",
    "n": (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
        "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
        "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
        "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    ),
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
CURVES = [("P-256", "ES256", ec.SECP256R1()), ("P-384", "ES384", ec.SECP384R1()), ("P-521", "ES512", ec.SECP521R1())]

EC_KEY: dict[str, Any] = public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())


def number(value: int) -> str:
    return encode_urlsafe(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def problems_of(jwks: object) -> list[tuple[str, str]]:
    with pytest.raises(JwksError) as caught:
        validate_jwks(jwks)
    assert all(problem.detail for problem in caught.value.problems)
    return [(problem.pointer, problem.code) for problem in caught.value.problems]


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    (key,) = load_jwks({"keys": [RFC_7638_KEY]})
    assert thumbprint(key.public_key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize(("name", "algorithm", "curve"), CURVES)
def test_each_curve_goes_with_its_algorithm(name: str, algorithm: str, curve: ec.EllipticCurve) -> None:
    public_key = ec.generate_private_key(curve).public_key()
    cleaned = validate_jwks({"keys": [public_jwk(public_key)]})["keys"][0]
    assert (cleaned["crv"], cleaned["alg"], cleaned["use"]) == (name, algorithm, "sig")
    assert cleaned["kid"] == thumbprint(public_key)
    (key,) = load_jwks({"keys": [cleaned]})
    assert (key.algorithm, key.public_key) == (algorithm, public_key)


def test_coordinates_keep_their_leading_zeros() -> None:
    """RFC 7518, section 6.2.1.2: a coordinate always has the curve's full length."""
    curve = ec.SECP256R1()
    public_key = next(
        key
        for scalar in range(1, 10_000)
        if (key := ec.derive_private_key(scalar, curve).public_key()).public_numbers().x >> 248 == 0
    )
    jwk = public_jwk(public_key)
    assert len(decode_urlsafe(jwk["x"])) == 32
    assert load_jwks({"keys": [jwk]})[0].public_key == public_key


def test_what_says_nothing_about_the_key_is_dropped() -> None:
    noisy = RFC_7638_KEY | {
        "x5c": ["MIIB"],
        "x5u": "https://elsewhere.example/",
        "key_ops": ["verify"],
        "note": {"a": 1},
    }
    cleaned = validate_jwks({"keys": [noisy], "comment": "ours"})
    assert cleaned == {"keys": [RFC_7638_KEY | {"use": "sig"}]}
    assert validate_jwks(cleaned) == cleaned


@pytest.mark.parametrize(
    "jwks",
    [None, [], "keys", {}, {"keys": None}, {"keys": {"0": EC_KEY}}, {"keys": "EC"}, {"keys": []}, {"Keys": [EC_KEY]}],
)
def test_a_set_has_keys(jwks: object) -> None:
    assert problems_of(jwks) == [("/keys", "required")]


def test_a_set_has_at_most_ten_keys() -> None:
    keys = [public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()) for _ in range(MAX_KEYS + 1)]
    assert problems_of({"keys": keys}) == [("/keys", "too-many")]
    assert len(validate_jwks({"keys": keys[:-1]})["keys"]) == MAX_KEYS


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_private_member_is_refused_whatever_it_holds(member: str) -> None:
    values: list[object] = ["AQAB", None, 7, []]
    for value in values:
        assert problems_of({"keys": [EC_KEY | {member: value}]}) == [(f"/keys/0/{member}", "private-key")]


def test_a_secret_key_is_refused() -> None:
    assert problems_of({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}) == [("/keys/0/k", "private-key")]


SHIFTED = EC_KEY | {"x": EC_KEY["y"], "y": EC_KEY["x"]}
WEAK_MODULUS = number((1 << 2046) + 1)
HUGE_MODULUS = number((1 << 4096) + 1)
EVEN_MODULUS = number((1 << 2047) + 2)


@pytest.mark.parametrize(
    ("key", "pointer", "code"),
    [
        ("a key", "", "type"),
        (None, "", "type"),
        ({}, "/kty", "unsupported"),
        (EC_KEY | {"kty": "OKP"}, "/kty", "unsupported"),
        (EC_KEY | {"kty": ["EC"]}, "/kty", "unsupported"),
        (EC_KEY | {"crv": "secp256k1"}, "/crv", "unsupported"),
        (EC_KEY | {"crv": "Ed25519"}, "/crv", "unsupported"),
        (EC_KEY | {"crv": ["P-256"]}, "/crv", "unsupported"),
        (EC_KEY | {"crv": None}, "/crv", "unsupported"),
        (EC_KEY | {"crv": "P-384"}, "/x", "format"),
        (SHIFTED, "/x", "invalid"),
        (EC_KEY | {"x": encode_urlsafe(bytes(32)), "y": encode_urlsafe(bytes(32))}, "/x", "invalid"),
        (EC_KEY | {"x": encode_urlsafe(b"\xff" * 32)}, "/x", "invalid"),
        (EC_KEY | {"y": ""}, "/y", "format"),
        (EC_KEY | {"y": 5}, "/y", "format"),
        (EC_KEY | {"y": EC_KEY["y"] + "="}, "/y", "format"),
        (EC_KEY | {"y": EC_KEY["y"][:-1] + "!"}, "/y", "format"),
        (EC_KEY | {"y": encode_urlsafe(b"\0" + decode_urlsafe(EC_KEY["y"]))}, "/y", "format"),
        (EC_KEY | {"alg": "ES384"}, "/alg", "unsupported"),
        (EC_KEY | {"alg": "HS256"}, "/alg", "unsupported"),
        (EC_KEY | {"alg": None}, "/alg", "unsupported"),
        (EC_KEY | {"use": "enc"}, "/use", "unsupported"),
        (EC_KEY | {"kid": ""}, "/kid", "format"),
        (EC_KEY | {"kid": None}, "/kid", "format"),
        (EC_KEY | {"kid": 7}, "/kid", "format"),
        (EC_KEY | {"kid": "x" * 129}, "/kid", "format"),
        (EC_KEY | {"kid": "two words"}, "/kid", "format"),
        (EC_KEY | {"kid": "zero\0"}, "/kid", "format"),
        (EC_KEY | {"kid": "키"}, "/kid", "format"),
        (RFC_7638_KEY | {"n": WEAK_MODULUS}, "/n", "weak-key"),
        (RFC_7638_KEY | {"n": HUGE_MODULUS}, "/n", "weak-key"),
        (RFC_7638_KEY | {"n": EVEN_MODULUS}, "/n", "weak-key"),
        (RFC_7638_KEY | {"n": encode_urlsafe(b"\0" + decode_urlsafe(str(RFC_7638_KEY["n"])))}, "/n", "format"),
        (RFC_7638_KEY | {"e": "Aw"}, "/e", "weak-key"),
        (RFC_7638_KEY | {"e": "AQ"}, "/e", "weak-key"),
        (RFC_7638_KEY | {"e": None}, "/e", "format"),
        (RFC_7638_KEY | {"alg": "PS256"}, "/alg", "unsupported"),
        (RFC_7638_KEY | {"alg": "RS512"}, "/alg", "unsupported"),
    ],
)
def test_a_key_that_is_not_right_is_refused(key: object, pointer: str, code: str) -> None:
    assert problems_of({"keys": [key]}) == [("/keys/0" + pointer, code)]


def test_a_short_rsa_key_is_refused() -> None:
    weak = rsa.generate_private_key(65537, 1024).public_key()  # noqa: S505 - the subject of the test
    assert problems_of({"keys": [public_jwk(weak)]}) == [("/keys/0/n", "weak-key")]


def test_a_key_stands_in_a_set_once() -> None:
    other = public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
    assert problems_of({"keys": [EC_KEY, other, EC_KEY | {"kid": "again"}]}) == [("/keys/2", "duplicate")]
    assert problems_of({"keys": [EC_KEY | {"kid": "a"}, other | {"kid": "a"}]}) == [("/keys/1/kid", "duplicate")]


def test_every_problem_is_told_at_once() -> None:
    keys = [EC_KEY | {"d": "AQAB"}, EC_KEY, RFC_7638_KEY | {"e": "Aw"}, EC_KEY]
    assert problems_of({"keys": keys}) == [
        ("/keys/0/d", "private-key"),
        ("/keys/2/e", "weak-key"),
        ("/keys/3/kid", "duplicate"),
    ]


def test_a_stored_set_that_is_not_right_is_not_loaded() -> None:
    with pytest.raises(JwksError, match="/keys: a key set has a list of keys"):
        load_jwks({})


def test_the_given_set_is_left_as_it_was() -> None:
    given_set: dict[str, Any] = {"keys": [dict(EC_KEY)]}
    before = copy.deepcopy(given_set)
    validate_jwks(given_set)
    assert given_set == before


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["AQAB", EC_KEY["x"], "EC", "RSA"]),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
)
members = ["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"]


@given(
    st.lists(st.dictionaries(st.sampled_from(members), json_values), max_size=3),
    st.sampled_from([{}, EC_KEY, RFC_7638_KEY]),
)
def test_arbitrary_keys_are_cleaned_or_refused(changes: list[dict[str, Any]], base: dict[str, Any]) -> None:
    try:
        cleaned = validate_jwks({"keys": [base | change for change in changes]})
    except JwksError:
        return
    assert validate_jwks(cleaned) == cleaned
