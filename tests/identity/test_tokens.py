"""Access tokens. Each test after the first few is an attack that the library alone lets through, or might one day."""

import importlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from app.core.crypto import decode_urlsafe, encode_urlsafe
from app.identity import tokens
from app.identity.jwks import PublicKey
from app.identity.keys import KeyRing, SigningKey
from app.identity.roles import Permission
from app.identity.tokens import CLOCK_SKEW, Claims, InvalidToken, VerifiedTokens, issue, verify
from tests.identity.forging import Json, Signer, compact, ecdsa, hs256, rs256, rsa_key, without

NOW = datetime(2026, 11, 22, 8, 15, 30, 123456, tzinfo=UTC)
ISSUER = "https://hub.example"
AUDIENCE = "https://hub.example/v1"
CLIENT = "idc_abcdefghijklmnopqrstuvwxyz"
JTI = "019e5a3c-7b1e-7c3a-9c1d-0123456789ab"
SECOND = timedelta(seconds=1)
KEY = SigningKey.generate(NOW - timedelta(days=1))
RING = KeyRing([KEY])
HEADER: dict[str, object] = {"alg": "ES256", "kid": KEY.kid, "typ": "at+jwt"}
BODY: dict[str, object] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": CLIENT,
    "client_id": CLIENT,
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 900,
    "jti": JTI,
    "scope": "profiles:read events:read",
}
SIGN = ecdsa(KEY.private_key)
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def issued(now: datetime = NOW, key: SigningKey = KEY) -> tokens.IssuedToken:
    return issue(key, client_id=CLIENT, scope=["profiles:read"], issuer=ISSUER, audience=AUDIENCE, now=now)


def check(token: str, now: datetime = NOW, ring: KeyRing = RING) -> Claims:
    return verify(token, ring, issuer=ISSUER, audience=AUDIENCE, now=now)


def refusal(token: str, now: datetime = NOW, ring: KeyRing = RING) -> str:
    with pytest.raises(InvalidToken) as caught:
        check(token, now, ring)
    return caught.value.reason


def forged(header: Json = HEADER, body: Json = BODY, sign: Signer = SIGN) -> str:
    return compact(header, body, sign)


class TestIssue:
    def test_what_is_issued_is_believed(self) -> None:
        token = issued()
        assert check(token.token) == token.claims
        assert token.claims.client_id == token.claims.subject == CLIENT
        assert token.claims.scope == {"profiles:read"}
        assert (token.claims.issued_at, token.claims.expires_at) == (NOW, NOW + 900 * SECOND)

    def test_it_is_an_access_token_of_rfc_9068(self) -> None:
        token = issued()
        header, body, _ = (decode_urlsafe(segment) for segment in token.token.split("."))
        assert json.loads(header) == HEADER
        assert json.loads(body) == {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": CLIENT,
            "client_id": CLIENT,
            "iat": NOW.timestamp(),
            "exp": NOW.timestamp() + 900,
            "jti": str(token.claims.jti),
            "scope": "profiles:read",
        }

    def test_every_token_has_its_own_id(self) -> None:
        assert len({issued().claims.jti for _ in range(100)}) == 100

    def test_all_permissions_fit(self) -> None:
        token = issue(KEY, client_id=CLIENT, scope=Permission, issuer=ISSUER, audience=AUDIENCE, now=NOW)
        assert check(token.token).scope == frozenset(Permission)
        assert "token" not in repr(token).replace("IssuedToken", "")

    def test_a_token_without_permissions_is_one(self) -> None:
        token = issue(KEY, client_id=CLIENT, scope=[], issuer=ISSUER, audience=AUDIENCE, now=NOW)
        assert check(token.token).scope == frozenset()

    @given(st.datetimes(datetime(2026, 1, 1), datetime(2126, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
    def test_its_moments_are_exact(self, now: datetime) -> None:
        token = issued(now)
        assert check(token.token, now) == token.claims


class TestHeader:
    def test_a_hand_made_token_is_believed(self) -> None:
        assert check(forged()).jti.hex == JTI.replace("-", "")

    @pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
    def test_no_signature_is_no_token(self, algorithm: str) -> None:
        for size in (0, 1, 64):
            refusal(forged(HEADER | {"alg": algorithm}, sign=lambda data, size=size: data[:size]))  # type: ignore[misc]

    @pytest.mark.parametrize("typ", ["at+jwt", "JWT"])
    @pytest.mark.parametrize(
        "secret",
        [
            KEY.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            KEY.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            KEY.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
            json.dumps(KEY.public_jwk).encode(),
            KEY.kid.encode(),
            b"",
        ],
        ids=["pem", "der", "point", "jwk", "kid", "empty"],
    )
    def test_the_public_key_is_no_hmac_secret(self, secret: bytes, typ: str) -> None:
        for algorithm in ("HS256", "HS384", "HS512"):
            refusal(forged(HEADER | {"alg": algorithm, "typ": typ}, sign=hs256(secret)))
        assert refusal(forged(sign=hs256(secret))) == "signature"

    @pytest.mark.parametrize(
        "algorithm", ["ES384", "ES512", "RS256", "PS256", "EdDSA", "es256", "ES256 ", "dir", "A256GCM"]
    )
    def test_only_es256_is_taken(self, algorithm: str) -> None:
        assert refusal(forged(HEADER | {"alg": algorithm})) == "header: alg"

    @pytest.mark.parametrize(
        "extra",
        [
            {"crit": ["exp"]},
            {"crit": []},
            {"crit": "exp"},
            {"jwk": KEY.public_jwk},
            {"jwk": json.dumps(KEY.public_jwk)},
            {"jku": "https://elsewhere.example/jwks.json"},
            {"x5u": "https://elsewhere.example/cert.pem"},
            {"x5c": ["MIIB"]},
            {"x5t": "thumbprint"},
            {"b64": False},
            {"zip": "DEF"},
            {"cty": "JWT"},
            {"enc": "A256GCM"},
            {"": ""},
            {"a": json.loads('{"a":' * 40 + "1" + "}" * 40)},
        ],
    )
    def test_nothing_else_may_stand_in_the_header(self, extra: dict[str, object]) -> None:
        """Even with a good signature: whatever means something to another reader must not pass this one."""
        assert refusal(forged(HEADER | extra)).startswith("header:")

    @pytest.mark.parametrize("member", ["alg", "typ", "kid"])
    @pytest.mark.parametrize("value", [None, 7, True, [], ["ES256"], {}, {"alg": "ES256"}])
    def test_its_members_are_texts(self, member: str, value: object) -> None:
        assert refusal(forged(HEADER | {member: value})) == "header: a member is not a text"

    @pytest.mark.parametrize("member", ["alg", "typ", "kid"])
    def test_no_member_is_missing(self, member: str) -> None:
        assert refusal(forged(without(HEADER, member))) == "header: other members than alg, typ and kid"

    @pytest.mark.parametrize(
        "typ", ["JWT", "jwt", "", "AT+JWT", "at+jwt ", "application/at+jwt", "dpop+jwt", "logout+jwt"]
    )
    def test_a_token_made_for_something_else_is_not_taken(self, typ: str) -> None:
        assert refusal(forged(HEADER | {"typ": typ})) == "header: typ"

    @pytest.mark.parametrize(
        "kid",
        ["", "unknown", "../../dev/null", "' OR 1=1 --", "\0", KEY.kid.swapcase(), KEY.kid + " "],
        ids=["empty", "unknown", "path", "sql", "nul", "other case", "longer"],
    )
    def test_only_keys_of_the_ring_are_looked_up(self, kid: str) -> None:
        assert refusal(forged(HEADER | {"kid": kid})) == "header: unknown or retired kid"

    def test_a_key_of_the_forger_under_our_name_does_not_verify(self) -> None:
        assert refusal(forged(sign=ecdsa(ec.generate_private_key(ec.SECP256R1())))) == "signature"

    def test_a_p_384_key_does_not_verify_as_es256(self) -> None:
        assert refusal(forged(sign=ecdsa(ec.generate_private_key(ec.SECP384R1())))) == "signature"
        assert refusal(forged(sign=ecdsa(KEY.private_key, hashes.SHA384()))) == "signature"

    def test_an_rsa_signature_does_not_verify_as_es256(self) -> None:
        assert refusal(forged(sign=rs256(rsa_key()))) == "signature"

    def test_a_retired_key_is_unknown(self) -> None:
        retired = KeyRing([SigningKey(KEY.kid, KEY.private_key, KEY.created_at, NOW)])
        assert check(forged(), NOW - SECOND, retired)
        assert refusal(forged(), NOW, retired) == "header: unknown or retired kid"

    @pytest.mark.parametrize(
        "header",
        [
            "[" * 380,
            '{"alg":' + "[" * 370,
            '{"alg":' * 50,
            "",
            "null",
            "7",
            '"text"',
            "[]",
            "{",
            "{}{}",
            '{"alg":"ES256",}',
            "{'alg':'ES256'}",
            '{"alg":NaN}',
            b'{"alg":"\xff"}',
            b"\xef\xbb\xbf{}",
            "{}".encode("utf-16"),
            json.dumps(HEADER)[:-1] + ', "alg": "ES256"}',
            json.dumps(HEADER)[:-1] + ', "alg": "none"}',
            '{"alg": "none", ' + json.dumps(HEADER)[1:],
        ],
    )
    def test_what_is_not_one_plain_object_is_refused(self, header: Json) -> None:
        assert refusal(forged(header)) in {"not JSON", "not a JSON object", "not three segments of base64url"}


class TestForm:
    @pytest.mark.parametrize("opening", ["[", '{"a":', "[{"])
    @pytest.mark.parametrize("length", [500, 1_400, 3_000, 100_000, 5_000_000])
    def test_deep_nesting_is_no_recursion_error(self, opening: str, length: int) -> None:
        deep = (opening * length)[:length].encode()
        assert refusal(f"{encode_urlsafe(deep)}.e30.AA") in {"header too large", "too large"}
        refusal(f"e30.{encode_urlsafe(deep)}.AA")

    def test_deep_nesting_under_a_good_signature_is_none_either(self) -> None:
        assert refusal(forged(body="[" * 2_700)) == "not JSON"
        assert refusal(forged(body='{"a":' * 500)) == "not JSON"

    def test_a_caller_deep_in_the_stack_gets_the_same(self) -> None:
        def descend(levels: int) -> str:
            return descend(levels - 1) if levels else refusal(forged("[" * 380))

        assert descend(600) == "not JSON"

    def test_size_is_limited(self) -> None:
        assert refusal("a" * 4097) == "too large"
        assert refusal("a" * 4096) == "not three segments of base64url"
        assert refusal(f"{'a' * 513}.e30.AA") == "header too large"
        assert refusal(f"{'a' * 512}.e30.AA") == "not JSON"
        large = forged(body=BODY | {"scope": "x " * 1_200})
        assert len(large) < 4096
        check(large)
        assert refusal(forged(body=BODY | {"scope": "x " * 1_600})) == "too large"

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda token: token + ".",
            lambda token: "." + token,
            lambda token: token + ".e30",
            lambda token: token.rsplit(".", 1)[0],
            lambda token: token.rsplit(".", 1)[0] + ".",
            lambda token: token.replace(".", ""),
            lambda token: token.replace(".", ".."),
            lambda token: token.replace(".", ",", 1),
            lambda token: " " + token,
            lambda token: token + "\n",
            lambda token: token + " ",
            lambda token: token + "=",
            lambda token: token[:-20] + "!" + token[-20:],
            lambda token: token[:-20] + "\n" + token[-20:],
            lambda token: token[:-20] + "é" + token[-20:],
            lambda token: token[:-20] + "\ud800" + token[-20:],
            lambda token: token[:-20] + "\0" + token[-20:],
            lambda token: token.replace(".", "．"),
            lambda token: "Bearer " + token,
            lambda _: "",
            lambda _: "..",
            lambda _: "e30.e30.e30.e30.e30",
        ],
    )
    def test_anything_but_three_segments_of_base64url_is_refused(self, spoil: Callable[[str], str]) -> None:
        assert refusal(spoil(issued().token)) == "not three segments of base64url"

    def test_stray_bits_at_the_end_of_a_segment_are_refused(self) -> None:
        """64 bytes leave 4 unused bits in the last character, so 16 texts would stand for one signature."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        token = issued().token
        others = [token[:-1] + alphabet[alphabet.index(token[-1]) | bits] for bits in range(1, 16)]
        assert {refusal(other) for other in others} == {"not canonical base64url"}

    @pytest.mark.parametrize("change", [-1, 1, 32])
    def test_a_signature_has_64_bytes(self, change: int) -> None:
        assert refusal(forged(sign=lambda data: (SIGN(data) + bytes(32))[: 64 + change])) == "signature"

    def test_the_signature_covers_header_and_claims(self) -> None:
        one, other = issued().token.split("."), issued().token.split(".")
        assert refusal(".".join([one[0], other[1], one[2]])) == "signature"
        assert refusal(".".join([one[0], one[1], other[2]])) == "signature"

    def test_the_twin_signature_of_ecdsa_is_the_same_token(self) -> None:
        """(r, n - s) verifies where (r, s) does: so a revocation must name the jti, not a hash of the token."""

        def twin(data: bytes) -> bytes:
            signature = SIGN(data)
            return signature[:32] + (P256_ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")

        assert check(forged(sign=twin)) == check(forged())

    @pytest.mark.parametrize("name", ["ECKey", "RSAKey"])
    def test_signatures_are_the_work_of_cryptography(self, name: str) -> None:
        """Without it jose falls back, silently, on pure Python whose running time tells of the key (CVE-2024-23342)."""
        assert getattr(importlib.import_module("jose.backends"), name).__name__ == f"Cryptography{name}"

    @pytest.mark.parametrize("failure", [ValueError, RecursionError, MemoryError, KeyError, AssertionError])
    def test_whatever_the_library_raises_is_a_refusal(
        self, failure: type[Exception], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise failure

        monkeypatch.setattr("app.identity.tokens.jws.verify", fail)
        assert refusal(forged()) == "signature"

    def test_a_refusal_quotes_nothing(self) -> None:
        marker = "idc_secretsecretsecret"
        for token in (forged(HEADER | {"kid": marker}), forged(body=BODY | {"iss": marker}), marker):
            with pytest.raises(InvalidToken) as caught:
                check(token)
            assert marker not in f"{caught.value}{caught.value.__cause__}{caught.value.args}"


class TestClaims:
    @pytest.mark.parametrize("claim", [*BODY])
    def test_none_is_missing(self, claim: str) -> None:
        assert refusal(forged(body=without(BODY, claim))) == f"claims: {claim}"

    @pytest.mark.parametrize("claim", ["iss", "aud", "sub", "client_id", "jti", "scope"])
    @pytest.mark.parametrize(
        "wrap", [lambda text: [text], lambda _: None, lambda _: 7, lambda text: {text: text}, lambda _: True]
    )
    def test_texts_are_texts(self, claim: str, wrap: Callable[[object], object]) -> None:
        assert refusal(forged(body=BODY | {claim: wrap(BODY[claim])})) == f"claims: {claim}"

    @pytest.mark.parametrize(
        ("claim", "value"),
        [
            ("iss", ISSUER + "/"),
            ("iss", "https://elsewhere.example"),
            ("iss", ISSUER.upper()),
            ("aud", ISSUER),
            ("aud", ""),
            ("aud", [AUDIENCE]),
            ("aud", [AUDIENCE, "https://elsewhere.example"]),
            ("aud", []),
            ("sub", "idc_zzzzzzzzzzzzzzzzzzzzzzzzzz"),
            ("jti", JTI.upper()),
            ("jti", JTI.replace("-", "")),
            ("jti", ""),
            ("jti", "1"),
        ],
    )
    def test_each_says_what_it_must(self, claim: str, value: object) -> None:
        assert refusal(forged(body=BODY | {claim: value})) == f"claims: {claim}"

    @pytest.mark.parametrize("claim", ["iat", "exp", "nbf"])
    @pytest.mark.parametrize(
        "value",
        [None, "1795335330", "soon", True, False, [], {}, -1, -0.5, 10**30, 253402300800, 1e300],
    )
    def test_moments_are_numbers(self, claim: str, value: object) -> None:
        assert refusal(forged(body=BODY | {claim: value})) == f"claims: {claim}"

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 2000])
    def test_and_finite_ones(self, number: str) -> None:
        body = json.dumps(BODY | {"exp": 0}).replace('"exp": 0', f'"exp": {number}')
        assert refusal(forged(body=body)) in {"not JSON", "claims: exp"}

    @pytest.mark.parametrize("claim", ["iss", "exp", "scope"])
    def test_none_stands_twice(self, claim: str) -> None:
        body = json.dumps(BODY)[:-1] + f', "{claim}": {json.dumps(BODY[claim])}}}'
        assert refusal(forged(body=body)) == "not JSON"

    @pytest.mark.parametrize("body", ["[]", "null", "7", '"claims"', "", "{", b"\xff"])
    def test_they_are_an_object(self, body: Json) -> None:
        assert refusal(forged(body=body)) in {"not JSON", "not a JSON object", "not three segments of base64url"}

    def test_a_token_ends_at_its_expiry_without_grace(self) -> None:
        token = issued()
        assert check(token.token, NOW + 900 * SECOND - timedelta(microseconds=1))
        assert refusal(token.token, NOW + 900 * SECOND) == "claims: expired"

    @pytest.mark.parametrize("claim", ["iat", "nbf"])
    def test_a_token_from_the_future_waits(self, claim: str) -> None:
        moment = NOW.timestamp() + CLOCK_SKEW.total_seconds()
        later = BODY | {"exp": int(moment) + 600}
        assert check(forged(body=later | {claim: moment}))
        assert refusal(forged(body=later | {claim: moment + 1})) == f"claims: {claim} in the future"

    def test_another_server_s_clock_may_be_a_little_ahead(self) -> None:
        assert check(issued(NOW + CLOCK_SKEW).token)
        assert refusal(issued(NOW + CLOCK_SKEW + SECOND).token) == "claims: iat in the future"

    @pytest.mark.parametrize("lifetime", [901, 1_000_000, 0, -1])
    def test_none_lives_longer_than_it_may_or_not_at_all(self, lifetime: int) -> None:
        exp = int(NOW.timestamp()) + 10
        assert refusal(forged(body=BODY | {"exp": exp, "iat": exp - lifetime})) == "claims: lifetime"
        assert check(forged(body=BODY | {"exp": exp, "iat": exp - 900}))

    def test_claims_that_we_do_not_know_say_nothing(self) -> None:
        assert check(forged(body=BODY | {"roles": ["platform_admin"], "cnf": {}})) == check(forged())


class TestVerifiedTokens:
    @pytest.fixture
    def verified(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The tokens whose signature was verified, in order."""
        seen: list[str] = []
        original = tokens.verified_body

        def recorded(token: str, key: PublicKey, algorithm: str) -> object:
            seen.append(token)
            return original(token, key, algorithm)

        monkeypatch.setattr(tokens, "verified_body", recorded)
        return seen

    @pytest.fixture
    def memory(self) -> VerifiedTokens:
        return VerifiedTokens(issuer=ISSUER, audience=AUDIENCE, capacity=3)

    def test_a_signature_is_verified_once(self, memory: VerifiedTokens, verified: list[str]) -> None:
        token = issued()
        assert [memory.verify(token.token, RING, NOW) for _ in range(3)] == [token.claims] * 3
        assert verified == [token.token]

    def test_expiry_is_checked_every_time(self, memory: VerifiedTokens) -> None:
        token = issued().token
        memory.verify(token, RING, NOW)
        memory.verify(token, RING, NOW + 899 * SECOND)
        with pytest.raises(InvalidToken, match="expired"):
            memory.verify(token, RING, NOW + 900 * SECOND)

    def test_the_retirement_of_the_key_is_checked_every_time(self, memory: VerifiedTokens) -> None:
        ring = KeyRing([SigningKey(KEY.kid, KEY.private_key, KEY.created_at, NOW + SECOND)])
        token = issued().token
        memory.verify(token, ring, NOW)
        with pytest.raises(InvalidToken, match="retired"):
            memory.verify(token, ring, NOW + SECOND)

    def test_another_ring_starts_from_nothing(self, memory: VerifiedTokens, verified: list[str]) -> None:
        token = issued().token
        memory.verify(token, RING, NOW)
        memory.verify(token, KeyRing([KEY]), NOW)
        assert len(verified) == 2
        with pytest.raises(InvalidToken):
            memory.verify(token, KeyRing([]), NOW)
        assert len(memory) == 0

    def test_a_changed_token_is_another_token(self, memory: VerifiedTokens) -> None:
        token = issued().token
        memory.verify(token, RING, NOW)
        for changed in (token + "A", token[:-2], token.swapcase(), token + "\n"):
            with pytest.raises(InvalidToken):
                memory.verify(changed, RING, NOW)

    def test_refusals_are_not_remembered(self, memory: VerifiedTokens) -> None:
        token = issued(NOW + CLOCK_SKEW + SECOND).token
        with pytest.raises(InvalidToken):
            memory.verify(token, RING, NOW)
        assert len(memory) == 0
        assert memory.verify(token, RING, NOW + SECOND)

    def test_it_is_bounded_and_the_first_leaves_first(self, memory: VerifiedTokens, verified: list[str]) -> None:
        made = [issued().token for _ in range(5)]
        for token in made:
            memory.verify(token, RING, NOW)
        assert len(memory) == 3
        verified.clear()
        for token in reversed(made):
            memory.verify(token, RING, NOW)
        assert verified == [made[1], made[0]]

    def test_issuer_and_audience_are_its_own(self) -> None:
        for issuer, audience in (("https://elsewhere.example", AUDIENCE), (ISSUER, ISSUER)):
            with pytest.raises(InvalidToken):
                VerifiedTokens(issuer=issuer, audience=audience).verify(issued().token, RING, NOW)

    def test_threads_do_not_disturb_it(self, memory: VerifiedTokens) -> None:
        made = [issued() for _ in range(8)]
        rings = [RING, KeyRing([KEY])]

        def use(turn: int) -> bool:
            token = made[turn % 8]
            return memory.verify(token.token, rings[turn // 50 % 2], NOW) == token.claims

        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(use, range(2_000)))
        assert len(memory) <= 3


class TestFuzz:
    """Whatever is sent, the answer is claims or a refusal, never another exception."""

    @given(st.text(max_size=300))
    def test_arbitrary_text(self, token: str) -> None:
        refusal(token)

    @given(st.lists(st.binary(max_size=200).map(encode_urlsafe), max_size=5).map(".".join))
    def test_arbitrary_segments(self, token: str) -> None:
        refusal(token)

    @given(st.integers(0, 400), st.characters(), st.integers(0, 3))
    def test_mutations_of_a_good_token(self, position: int, character: str, removed: int) -> None:
        token = forged()
        mutated = token[:position] + character + token[position + removed :]
        if mutated != token:
            refusal(mutated)

    values = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.sampled_from([*HEADER.values(), *BODY.values()]),
        lambda children: st.lists(children) | st.dictionaries(st.text(), children),
        max_leaves=4,
    )

    @given(st.dictionaries(st.sampled_from([*HEADER, "crit", "jwk", "b64"]), values, min_size=1, max_size=3))
    def test_arbitrary_headers_under_a_good_signature(self, change: dict[str, object]) -> None:
        header = HEADER | change
        if header != HEADER:
            refusal(forged(header))

    @given(st.dictionaries(st.sampled_from([*BODY, "nbf", "crit"]), values, max_size=4))
    def test_arbitrary_claims_under_a_good_signature(self, change: dict[str, object]) -> None:
        try:
            claims = check(forged(body=BODY | change))
        except InvalidToken:
            return
        assert claims.client_id == claims.subject

    @given(st.binary(max_size=300), st.binary(max_size=300))
    def test_arbitrary_bytes_under_a_good_signature(self, header: bytes, body: bytes) -> None:
        refusal(forged(header, body))
        refusal(forged(HEADER, body))
