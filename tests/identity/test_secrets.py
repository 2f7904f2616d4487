import base64
import hashlib
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.secrets import (
    MAX_SECRETS,
    hash_secret,
    is_client_id,
    new_client_id,
    new_client_secret,
    secret_matches,
)


def test_a_secret_is_recognizable_and_holds_256_bits() -> None:
    secret = new_client_secret()
    assert re.fullmatch(r"ids_[A-Za-z0-9_-]{43}", secret)
    assert len(base64.urlsafe_b64decode(secret.removeprefix("ids_") + "=")) == 32


def test_secrets_and_ids_differ() -> None:
    assert len({new_client_secret() for _ in range(1000)}) == 1000
    assert len({new_client_id() for _ in range(1000)}) == 1000


def test_a_client_id_needs_no_escaping() -> None:
    assert re.fullmatch(r"idc_[a-z2-7]{26}", new_client_id())


def test_client_ids_are_known_by_their_form() -> None:
    good = new_client_id()
    assert is_client_id(good)
    for bad in ("", good + "a", good[:-1], good.upper(), good + "\n", "idc_" + "1" * 26, new_client_secret(), "x\0"):
        assert not is_client_id(bad)


def test_what_is_stored_is_the_sha_256() -> None:
    assert hash_secret("ids_example") == hashlib.sha256(b"ids_example").digest()


def test_the_current_and_the_former_secret_match() -> None:
    current, former = new_client_secret(), new_client_secret()
    hashes = [hash_secret(current), hash_secret(former)]
    assert secret_matches(current, hashes)
    assert secret_matches(former, hashes)
    assert secret_matches(current, hashes[:1])
    assert not secret_matches(former, hashes[:1])


def test_a_wrong_secret_or_none_at_all_does_not_match() -> None:
    hashes = [hash_secret(new_client_secret())]
    for wrong in ("", new_client_secret(), hashes[0].hex(), "é", "\ud800", "x" * 100_000):
        assert not secret_matches(wrong, hashes)
        assert not secret_matches(wrong, [])


@given(st.text(st.characters()))
def test_any_text_is_compared(secret: str) -> None:
    assert not secret_matches(secret, [])
    assert secret_matches(secret, [hash_secret(secret)])


def test_the_filler_of_an_empty_place_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.identity.secrets.hash_secret", lambda _: bytes(32))
    assert not secret_matches("whatever hashes to the filler", [])


@pytest.mark.parametrize("count", range(MAX_SECRETS + 1))
@pytest.mark.parametrize("right", [True, False])
def test_the_work_never_varies(count: int, *, right: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = new_client_secret()
    hashes = [hash_secret(secret if right else new_client_secret()) for _ in range(count)]
    work: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def recorded(one: bytes, other: bytes) -> bool:
        work.append((len(one), len(other)))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", recorded)
    assert secret_matches(secret, hashes) == (right and count > 0)
    assert work == [(32, 32)] * MAX_SECRETS


def test_more_hashes_than_a_credential_has_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="at most 2"):
        secret_matches("x", [bytes(32)] * 3)
