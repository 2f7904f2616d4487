"""What a body says is said once, at a bounded depth; everything else is refused with its place."""

import time

import pytest

from app.core.problems import Problem
from app.core.strict_json import read_json


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b'{"a":1,"a":2}', ["/a"]),
        (b'{"a":1,"\\u0061":1}', ["/a"]),
        (b'{"a":[{"b/c~":1,"x":{},"b/c~":null}],"d":{"":0,"":0}}', ["/a/0/b~1c~0", "/d/"]),
        (b'{"a":{"b":1,"b":2},"a":3}', ["/a"]),
        (b'[{"a":1},{"a":1,"a":1}]', ["/1/a"]),
    ],
)
def test_a_repeated_name_is_refused_with_its_place(body: bytes, pointers: list[str]) -> None:
    with pytest.raises(Problem) as refused:
        read_json(body)

    assert [(flaw.pointer, flaw.code) for flaw in refused.value.errors] == [(p, "field-repeated") for p in pointers]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'[{"a":1},{"a":1}]', [{"a": 1}, {"a": 1}]),
        (b'{"a":{"a":{"A":null}}, "b":"\\"a\\":1,\\"a\\":1"}', {"a": {"a": {"A": None}}, "b": '"a":1,"a":1'}),
        (b'{"\xed\x95\x9c":"12:30"}', {"한": "12:30"}),
        (b"1" * 300, float("1" * 300)),
        (b"null", None),
    ],
    ids=lambda value: None if isinstance(value, bytes) else "",
)
def test_what_is_said_once_is_read(body: bytes, value: object) -> None:
    assert read_json(body) == value


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'"\\ud800"', b"NaN", b"\xef\xbb\xbf{}"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        read_json(body)
    assert [flaw.code for flaw in refused.value.errors] == ["json-invalid"]


def test_a_body_of_repetitions_alone_costs_little() -> None:
    body = b"{" + b",".join(b'"%d":1,"%d":1' % (n, n) for n in range(40_000)) + b"}"
    started = time.process_time()

    with pytest.raises(Problem) as refused:
        read_json(body)

    assert len(refused.value.errors) == 100
    assert time.process_time() - started < 2
