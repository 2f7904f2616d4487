"""Files that partners bring, right and wrong in every way: the check ends with a verdict, never with an error."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audit import checkpoints, merkle
from app.audit.canonical import canonical
from app.audit.verification import FINDINGS_MAX, FileCheck, lines_of
from app.core import clock
from app.identity.keys import SigningKey

KEY = SigningKey.generate(clock.now())
KEYS = {KEY.kid: KEY.public_key}
SIZE = 48


def documents() -> list[dict[str, Any]]:
    return [
        {"entry": {"id": str(number)}, "hidden": None, "reader": "KR-KNPA", "salt": f"{number:032x}"}
        for number in range(SIZE)
    ]


LEAVES = [merkle.leaf_hash(canonical(document)) for document in documents()]


def over(leaves: merkle.Range) -> bytes:
    hashes = LEAVES[leaves[0] : leaves[1]]
    if len(hashes) == 1:
        return hashes[0]
    middle = leaves[0] + merkle.split(len(hashes))
    return merkle.node_hash(over((leaves[0], middle)), over((middle, leaves[1])))


CHECKPOINT = checkpoints.sign(KEY, SIZE, over((0, SIZE)), clock.now()).document()


def inclusion(index: int) -> dict[str, Any]:
    path = [over(leaves).hex() for leaves in merkle.inclusion(index, SIZE)]
    return {"leaf": documents()[index], "leaf_index": index, "inclusion_path": path}


def export(*indexes: int, more: bool = False) -> dict[str, Any]:
    return {
        "type": "interdesk-audit-export",
        "agency": "KR-KNPA",
        "checkpoint": CHECKPOINT,
        "items": [inclusion(index) for index in indexes],
        "next_cursor": "x" if more else None,
    }


def check(*values: Any) -> FileCheck:
    found = FileCheck(KEYS)
    found.run(value if isinstance(value, str) else json.dumps(value) for value in values)
    return found


def test_proofs_and_exports_hold_alone_and_strung_together() -> None:
    single = {**inclusion(7), "checkpoint": CHECKPOINT}
    assert check(single).holds
    assert check(export(1, 2, 47)).holds
    together = check(export(0), single, export(), export(3, 4))
    assert (together.holds, together.entries, together.checkpoints) == (True, 4, 4)


def test_a_part_without_the_next_is_told_from_a_whole() -> None:
    assert check(export(1, more=True), export(2)).complete
    assert not check(export(1), export(2, more=True)).complete
    assert check(export(1, more=True)).holds


def test_a_file_with_nothing_in_it_proves_nothing() -> None:
    assert not check().holds
    assert not check({**export(), "checkpoint": None}).holds


def _altered(path: str, value: Any) -> dict[str, Any]:
    proof = {**inclusion(7), "checkpoint": dict(CHECKPOINT)}
    *steps, last = path.split("/")
    inner: Any = proof
    for step in steps:
        inner = inner[step]
    inner[last] = value
    return proof


WRONG: dict[str, list[Any]] = {
    "another entry": [_altered("leaf/entry", {"id": "8"})],
    "another reader": [_altered("leaf/reader", "TH-RTP")],
    "another salt": [_altered("leaf/salt", "00")],
    "no leaf": [_altered("leaf", None)],
    "another place": [_altered("leaf_index", 8)],
    "a place that is none": [_altered("leaf_index", "7")],
    "a path of no hashes": [_altered("inclusion_path", ["x"])],
    "an empty path": [_altered("inclusion_path", [])],
    "another size": [_altered("checkpoint/tree_size", 64)],
    "another root": [_altered("checkpoint/root_hash", "00" * 32)],
    "another time": [_altered("checkpoint/at", "2020-01-01T00:00:00.000000Z")],
    "another type": [_altered("checkpoint/type", "x")],
    "an unknown key": [_altered("checkpoint/kid", "x")],
    "no signature": [_altered("checkpoint/signature", "")],
    "another signature": [_altered("checkpoint/signature", "01" * 64)],
    "cut off": [json.dumps(export(1, 2))[:-20]],
    "an altered entry among others": [{**export(1, 2), "items": [inclusion(1), {**inclusion(2), "leaf_index": 3}]}],
    "entries without a checkpoint": [{**export(1), "checkpoint": None}],
    "an entry without a checkpoint": [inclusion(1)],
    "no JSON": ["{"],
    "a list": [[]],
    "too deep": ["[" * 100_000],
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_found(what: str) -> None:
    found = check(*WRONG[what])
    assert not found.holds
    assert found.findings


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
MEMBERS = ("leaf", "leaf_index", "inclusion_path", "checkpoint", "type", "items")


@settings(deadline=None)
@given(st.lists(JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS, JSON)), max_size=4))
def test_whatever_stands_in_a_file_the_check_ends(values: list[Any]) -> None:
    assert not check(*values, {}).holds


def test_findings_are_bounded() -> None:
    assert len(check(*[{}] * 500).findings) == FINDINGS_MAX


def test_a_proof_over_many_lines_is_one() -> None:
    pretty = json.dumps(inclusion(1), indent=2).splitlines(keepends=True)
    assert [json.loads(text) for text in lines_of(pretty)] == [inclusion(1)]
    lines = ["\n", json.dumps(export(1)) + "\n", json.dumps(export(2)) + "\n", "\n"]
    assert [json.loads(text) for text in lines_of(lines)] == [export(1), export(2)]
    assert list(lines_of([])) == [""]
