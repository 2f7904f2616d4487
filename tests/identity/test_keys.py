from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.core.crypto import MasterKey, Sealer
from app.identity.jwks import thumbprint, validate_jwks
from app.identity.keys import (
    ACCESS_TOKEN_LIFETIME,
    PUBLISH_LEAD,
    RETIRE_AFTER,
    KeyRing,
    SigningKey,
    SigningKeyError,
)

NOW = datetime(2026, 11, 22, 8, 15, 30, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MASTER = MasterKey(bytes(range(32)))


def made(ago: timedelta, retires_in: timedelta | None = None) -> SigningKey:
    fresh = SigningKey.generate(NOW - ago)
    retires_at = None if retires_in is None else NOW + retires_in
    return SigningKey(fresh.kid, fresh.private_key, fresh.created_at, retires_at)


def sealed_as(kid: str, private_key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Sealer(MASTER.derive(b"signing-keys")).seal(pem, kid.encode())


class TestSigningKey:
    def test_is_named_by_its_thumbprint(self) -> None:
        key = made(timedelta(0))
        assert key.kid == thumbprint(key.public_key)
        assert key.public_jwk["kid"] == key.kid

    def test_publishes_no_private_member(self) -> None:
        key = made(timedelta(0))
        assert key.public_jwk.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
        assert (key.public_jwk["alg"], key.public_jwk["use"]) == ("ES256", "sig")
        assert validate_jwks({"keys": [key.public_jwk]}) == {"keys": [key.public_jwk]}

    def test_is_not_shown(self) -> None:
        assert "private_key" not in repr(made(timedelta(0)))

    def test_parses_its_halves_once(self) -> None:
        key = made(timedelta(0))
        assert key.public_key is key.public_key
        assert key.public_jwk is key.public_jwk

    def test_opens_as_it_was_sealed(self) -> None:
        key = made(SECOND, timedelta(hours=1))
        sealed = key.seal(MASTER)
        opened = SigningKey.unseal(key.kid, sealed, MASTER, created_at=key.created_at, retires_at=key.retires_at)
        assert opened.private_key.private_numbers() == key.private_key.private_numbers()
        assert (opened.kid, opened.created_at, opened.retires_at) == (key.kid, key.created_at, key.retires_at)
        assert b"PRIVATE" not in sealed

    def test_does_not_open_with_another_master_key(self) -> None:
        key = made(SECOND)
        with pytest.raises(SigningKeyError, match="does not open"):
            SigningKey.unseal(
                key.kid, key.seal(MASTER), MasterKey(bytes(range(1, 33))), created_at=NOW, retires_at=None
            )

    def test_does_not_open_under_another_name(self) -> None:
        key, other = made(SECOND), made(SECOND)
        with pytest.raises(SigningKeyError, match="does not open"):
            SigningKey.unseal(other.kid, key.seal(MASTER), MASTER, created_at=NOW, retires_at=None)

    def test_must_be_what_its_name_says(self) -> None:
        sealed = sealed_as("another", ec.generate_private_key(ec.SECP256R1()))
        with pytest.raises(SigningKeyError, match="another key's name"):
            SigningKey.unseal("another", sealed, MASTER, created_at=NOW, retires_at=None)

    @pytest.mark.parametrize(
        "private_key",
        [
            ec.generate_private_key(ec.SECP384R1()),
            ec.generate_private_key(ec.SECP256K1()),
            ed25519.Ed25519PrivateKey.generate(),
        ],
    )
    def test_must_lie_on_p_256(self, private_key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> None:
        with pytest.raises(SigningKeyError, match="not on P-256"):
            SigningKey.unseal("kid", sealed_as("kid", private_key), MASTER, created_at=NOW, retires_at=None)


class TestKeyRing:
    def test_the_first_key_signs_at_once(self) -> None:
        first = made(timedelta(0))
        assert KeyRing([first]).signing_key(NOW) is first

    def test_without_a_key_nothing_is_signed(self) -> None:
        for keys in ([], [made(timedelta(days=1), timedelta(0))]):
            with pytest.raises(SigningKeyError, match="no signing key"):
                KeyRing(keys).signing_key(NOW)

    def test_a_rotation_breaks_no_token(self) -> None:
        """Walk through a rotation second by second of interest: what signs, what verifies, what is published."""
        old, new = made(timedelta(days=90), RETIRE_AFTER), made(timedelta(0))
        ring = KeyRing([old, new])
        takes_over, retires = NOW + PUBLISH_LEAD, NOW + RETIRE_AFTER
        assert ring.signing_key(NOW) is old
        assert ring.signing_key(takes_over - SECOND) is old
        assert ring.signing_key(takes_over) is new
        last_old_token_ends = takes_over - SECOND + ACCESS_TOKEN_LIFETIME
        assert ring.verification_key(old.kid, last_old_token_ends) is old
        assert ring.verification_key(old.kid, retires - SECOND) is old
        assert ring.verification_key(old.kid, retires) is None
        assert [jwk["kid"] for jwk in ring.jwks(NOW)["keys"]] == [new.kid, old.kid]
        assert [jwk["kid"] for jwk in ring.jwks(retires)["keys"]] == [new.kid]

    def test_a_second_rotation_during_the_first_breaks_none_either(self) -> None:
        minute = timedelta(minutes=1)
        oldest = made(timedelta(days=90), RETIRE_AFTER - minute)
        middle, newest = made(minute, RETIRE_AFTER), made(timedelta(0))
        ring = KeyRing([newest, oldest, middle])
        signing = [ring.signing_key(NOW + minute * passed) for passed in range(8)]
        assert signing == [oldest] * 4 + [middle] + [newest] * 3

    def test_a_compromised_key_ends_at_once(self) -> None:
        compromised, new = made(timedelta(days=90), timedelta(0)), made(timedelta(0))
        ring = KeyRing([compromised, new])
        assert ring.signing_key(NOW) is new
        assert ring.verification_key(compromised.kid, NOW) is None

    def test_a_key_signs_nothing_that_outlives_it(self) -> None:
        ending, steady = made(timedelta(days=1), timedelta(minutes=10)), made(timedelta(days=2))
        assert KeyRing([ending, steady]).signing_key(NOW) is steady

    def test_a_key_made_by_a_server_whose_clock_is_ahead_is_accepted(self) -> None:
        key = made(-SECOND)
        assert KeyRing([key]).signing_key(NOW) is key
        assert KeyRing([key]).verification_key(key.kid, NOW) is key

    def test_an_unknown_name_has_no_key(self) -> None:
        assert KeyRing([made(SECOND)]).verification_key("unknown", NOW) is None

    def test_two_keys_under_one_name_are_refused(self) -> None:
        key = made(SECOND)
        with pytest.raises(SigningKeyError, match="same name"):
            KeyRing([key, key])
