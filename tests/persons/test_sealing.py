"""A person opens with its own key, in its own place and version, under its own hub's master key, and not otherwise."""

import secrets
from uuid import uuid4

import pytest

from app.core.crypto import MasterKey
from app.core.data_keys import DataKeyError, DataKeys, Kek, WrappedKey
from app.persons.sealing import PersonKeys, Place

CONTENT = '{"names":["김가나"]}'.encode()


@pytest.fixture
def master_key() -> MasterKey:
    return MasterKey(secrets.token_bytes(32))


@pytest.fixture
def keys(master_key: MasterKey) -> PersonKeys:
    return PersonKeys(master_key)


def place() -> Place:
    return Place(uuid4(), uuid4())


def test_a_person_opens_where_it_was_closed(keys: PersonKeys, master_key: MasterKey) -> None:
    kek, here = keys.draw_kek(), place()
    key, wrapped = keys.draw(here, kek)
    sealed = key.close(CONTENT, 3)
    assert key.open(sealed, 3).rstrip() == CONTENT
    assert PersonKeys(master_key).unwrap(here, wrapped).open(sealed, 3).rstrip() == CONTENT
    assert CONTENT not in sealed


def test_nothing_moved_opens(keys: PersonKeys) -> None:
    kek, here = keys.draw_kek(), place()
    key, wrapped = keys.draw(here, kek)
    sealed = key.close(CONTENT, 1)
    with pytest.raises(DataKeyError):
        key.open(sealed, 2)
    for moved in (Place(uuid4(), here.record), Place(here.person, uuid4())):
        with pytest.raises(DataKeyError):
            keys.unwrap(moved, wrapped)
        other = type(key)(moved, key.sealer)
        with pytest.raises(DataKeyError):
            other.open(sealed, 1)
    for wrong in (
        WrappedKey(Kek(uuid4(), kek.sealed), wrapped.wrapped),
        WrappedKey(keys.draw_kek(), wrapped.wrapped),
        WrappedKey(kek, wrapped.wrapped[:-1] + bytes([wrapped.wrapped[-1] ^ 1])),
        WrappedKey(kek, b""),
    ):
        with pytest.raises(DataKeyError) as caught:
            keys.unwrap(here, wrong)
        assert "김" not in str(caught.value)


def test_another_master_key_opens_nothing(keys: PersonKeys) -> None:
    here = place()
    _, wrapped = keys.draw(here, keys.draw_kek())
    with pytest.raises(DataKeyError, match="master key"):
        PersonKeys(MasterKey(secrets.token_bytes(32))).unwrap(here, wrapped)


def test_a_key_wrapped_anew_is_the_same_key(keys: PersonKeys, master_key: MasterKey) -> None:
    former, fresh, here = keys.draw_kek(), keys.draw_kek(), place()
    key, wrapped = keys.draw(here, former)
    again = WrappedKey(fresh, DataKeys(master_key).rewrap(here.of_key, wrapped, fresh))
    assert keys.unwrap(here, again).open(key.close(CONTENT, 1), 1).rstrip() == CONTENT
    with pytest.raises(DataKeyError):
        keys.unwrap(here, WrappedKey(former, again.wrapped))


def test_the_length_tells_little(keys: PersonKeys) -> None:
    key, _ = keys.draw(place(), keys.draw_kek())
    assert len({len(key.close(b"x" * size, 1)) for size in range(1, 1025)}) == 1


def test_many_key_encryption_keys_are_not_kept_for_ever(keys: PersonKeys) -> None:
    here = place()
    for _ in range(20):
        keys.draw(here, keys.draw_kek())
    assert len(keys._keys._opened) <= 8  # noqa: SLF001 - nothing public says it
