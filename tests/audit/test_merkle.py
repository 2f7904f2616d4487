"""The tree, by the published vectors of Certificate Transparency and against the definitions of RFC 9162."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit import merkle

# Inputs and results of the reference implementation of RFC 6962 (certificate-transparency, merkletree tests).
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def leaves(size: int) -> list[bytes]:
    return [merkle.leaf_hash(bytes([number % 251, number // 251])) for number in range(size)]


# The definitions of RFC 9162, sections 2.1.1, 2.1.3.1 and 2.1.4.1, word for word.
def mth(hashes: list[bytes]) -> bytes:
    if not hashes:
        return sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    k = next(2**n for n in range(64) if 2**n < len(hashes) <= 2 ** (n + 1))
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def path(m: int, hashes: list[bytes]) -> list[bytes]:
    if len(hashes) == 1:
        return []
    k = next(2**n for n in range(64) if 2**n < len(hashes) <= 2 ** (n + 1))
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def subproof(m: int, hashes: list[bytes], whole: bool) -> list[bytes]:  # noqa: FBT001 - as the RFC has it
    if m == len(hashes):
        return [] if whole else [mth(hashes)]
    k = next(2**n for n in range(64) if 2**n < len(hashes) <= 2 ** (n + 1))
    if m <= k:
        return [*subproof(m, hashes[:k], whole), mth(hashes[k:])]
    return [*subproof(m - k, hashes[k:], False), mth(hashes[:k])]  # noqa: FBT003 - as above


def complete(level: int, index: int, hashes: list[bytes]) -> bytes:
    found = hashes[index << level : (index + 1) << level]
    assert len(found) == 1 << level, "a subtree that is not complete"
    return mth(found)


def folded(ranges: list[merkle.Range], hashes: list[bytes]) -> list[bytes]:
    return [merkle.fold([complete(*subtree, hashes) for subtree in merkle.cover(one)]) for one in ranges]


def root(hashes: list[bytes]) -> bytes:
    (found,) = folded([(0, len(hashes))], hashes)
    return found


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots(size: int) -> None:
    assert root([merkle.leaf_hash(data) for data in INPUTS[:size]]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_the_published_inclusion_proofs(index: int, size: int) -> None:
    hashes = [merkle.leaf_hash(data) for data in INPUTS[:size]]
    proof = folded(merkle.inclusion(index, size), hashes)
    assert [one.hex() for one in proof] == INCLUSION[index, size]
    assert merkle.proves_inclusion(hashes[index], index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("first", "second"), CONSISTENCY)
def test_the_published_consistency_proofs(first: int, second: int) -> None:
    hashes = [merkle.leaf_hash(data) for data in INPUTS[:second]]
    proof = folded(merkle.consistency(first, second), hashes)
    assert [one.hex() for one in proof] == CONSISTENCY[first, second]
    roots = bytes.fromhex(ROOTS[first]), bytes.fromhex(ROOTS[second])
    assert merkle.proves_consistency(first, second, proof, *roots)


def test_every_small_tree_is_as_the_rfc_defines_it() -> None:
    for size in range(1, 35):
        hashes = leaves(size)
        assert root(hashes) == mth(hashes)
        for index in range(size):
            proof = folded(merkle.inclusion(index, size), hashes)
            assert proof == path(index, hashes)
            assert merkle.proves_inclusion(hashes[index], index, size, proof, mth(hashes))
        for first in range(1, size + 1):
            proof = folded(merkle.consistency(first, size), hashes)
            assert proof == subproof(first, hashes, True)  # noqa: FBT003 - as the RFC has it
            assert merkle.proves_consistency(first, size, proof, mth(hashes[:first]), mth(hashes))


@given(st.data())
def test_a_proof_of_something_else_fails(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    proof, top = path(index, hashes), mth(hashes)
    other = data.draw(st.integers(-3, size + 3).filter(lambda number: number != index))
    assert not merkle.proves_inclusion(hashes[index], other, size, proof, top)
    assert not merkle.proves_inclusion(merkle.leaf_hash(b"other"), index, size, proof, top)
    assert not merkle.proves_inclusion(hashes[index], index, size, [*proof, top], top)
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        broken = [*proof[:place], merkle.leaf_hash(b"x"), *proof[place + 1 :]]
        assert not merkle.proves_inclusion(hashes[index], index, size, broken, top)
        assert not merkle.proves_inclusion(hashes[index], index, size, proof[:-1], top)


@given(st.data())
def test_a_tree_that_was_rewritten_is_not_consistent(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 300))
    first = data.draw(st.integers(1, size - 1))
    hashes = leaves(size)
    proof = subproof(first, hashes, True)  # noqa: FBT003 - as the RFC has it
    altered = data.draw(st.integers(0, first - 1))
    rewritten = [*hashes[:altered], merkle.leaf_hash(b"x"), *hashes[altered + 1 :]]
    forged = subproof(first, rewritten, True)  # noqa: FBT003 - as above
    assert not merkle.proves_consistency(first, size, forged, mth(hashes[:first]), mth(rewritten))
    assert not merkle.proves_consistency(first, size, proof[:-1], mth(hashes[:first]), mth(hashes))
    assert not merkle.proves_consistency(first, size, [*proof, mth(hashes)], mth(hashes[:first]), mth(hashes))
    assert not merkle.proves_consistency(first + 1, first, proof, mth(hashes), mth(hashes[:first]))


def test_nothing_is_proved_of_an_empty_tree() -> None:
    assert merkle.fold([]) == merkle.EMPTY_ROOT
    assert not merkle.proves_inclusion(merkle.EMPTY_ROOT, 0, 0, [], merkle.EMPTY_ROOT)
    assert not merkle.proves_consistency(0, 0, [], merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)
    assert not merkle.proves_consistency(3, 4, [], merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)
