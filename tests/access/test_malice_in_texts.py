"""Whatever stands in paths, parameters, headers and bodies: it is taken or refused, and never breaks the hub."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from app.identity.roles import Role
from app.web.tables import csv_table
from tests.access.scene import PATH, found_group, unknown_id
from tests.access.test_leak_matrix import BODIES, operations
from tests.conftest import Hub, Partner
from tests.contract import description

NASTY = ["\0", "a\0b", "\ufffe", "\u202e", "'", '"', "\\", "%s", "';--", "../..", "\r\nX-Evil: 1"]
RAW = ["%00", "%ff", "%ED%A0%80", "%2e%2e%2f", "%", "x" * 5000]
NUMBERS = ["-1", "1e400", "NaN", "99999999999999999999", "１", ""]
VALUES = [
    *('"\\u0000"', '"\\ud800"', '"x\\udc00y"', '""', '"\\u202e\\u2066"', '"' + "x" * 30_000 + '"'),
    *(
        "null",
        "[]",
        "{}",
        "[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]",
        "[null]",
        '{"a": {"\\u0000": null}}',
        "[" + "1," * 600 + "1]",
    ),
    *("1e400", "-1", "1e308", "123456789012345678901234567890", "true"),
]
HEADERS = [
    *("On-Behalf-Of", "Access-Purpose", "If-Match", "If-None-Match", "Idempotency-Key", "Accept", "X-Request-Id"),
    *("X-Forwarded-For", "X-HTTP-Method-Override", "Accept-Encoding", "Host"),
]
HEADER_VALUES = [
    *(
        b"\x80\xff",
        b"\xc3\xa4" * 150,
        b"x" * 9000,
        b"",
        b"\t",
        b'"',
        b"*",
        b'"1", "2", W/"3"',
        b",,,;q=;;",
        b"\xed\xa0\x80",
    ),
    *(b"[::1", b"a b/c?d#e", b"127.0.0.1, fe80::1%eth0, 1.2.3.4:5, "),
]


BROKEN = [
    *(b"", b"null", b"[]", b"0", b'"x"', b"\xff\xfe", b"\xef\xbb\xbf{}", b"{", b"[" * 100_000, b'{"":1}', b"nan"),
]


class Names(dict[str, str]):
    """What stands in the place of a path's names; an id of nothing for those that are not known."""

    def __missing__(self, name: str) -> str:
        return unknown_id()


async def _answers(partner: Partner, method: str, path: str, **options: Any) -> None:
    answer = await partner.call(method, path, **options)
    told = f"{method} {path[:200]} {str(options)[:300]}: {answer.status_code} {answer.text[:300]}"
    assert answer.status_code < 500, told
    assert "x-evil" not in answer.headers, told
    assert not any("\r" in value or "\n" in value or "\0" in value for value in answer.headers.values()), told


@pytest.fixture
async def names(hub: Hub) -> Names:
    """An own record and an own group, so that what is sent is looked at as closely as it can be."""
    korea = hub.partner("KR-KNPA", *(role for role in Role if role is not Role.PLATFORM_ADMIN))
    record = await korea.profile(grading={"scheme": "admiralty", "source": "B", "information": "2"})
    hub.register("KH-CNP")
    group = found_group(hub, "KR-KNPA", {"KH-CNP": "member"})
    amendment = await korea.post(f"{PATH}/{record['id']}/amendments", {"patch": {"status": "dormant"}})
    return Names(
        record_id=record["id"],
        amendment_id=amendment.json()["id"],
        group_id=str(group),
        agency="KH-CNP",
        code="KR-KNPA",
        client_id=hub.credential("KR-KNPA", "analyst"),
        number="1",
        slug="not-found",
    )


def _caller(hub: Hub) -> Partner:
    roles = [role for role in Role if role is not Role.PLATFORM_ADMIN]
    return hub.caller("KR-KNPA", *roles)


def _paths(path: str, names: Names) -> Iterator[str]:
    """The path with each of its names in turn replaced by something that cannot be one."""
    for name in re.findall(r"\{\w+\}", path):
        for nasty in [*(quote(text, safe="") for text in NASTY), *RAW]:
            yield path.replace(name, nasty).format_map(names)


async def test_in_paths(hub: Hub, names: Names) -> None:
    caller = _caller(hub)
    seen: set[str] = set()
    for method, path, spec in operations():
        if method == "GET" or path.rpartition("}")[0] not in seen:
            seen.add(path.rpartition("}")[0])
            for nasty in _paths(path, names):
                await _answers(caller, method, nasty, json=BODIES.get(spec["operationId"]), headers={"If-Match": "*"})


async def test_in_parameters(hub: Hub, names: Names) -> None:
    caller = _caller(hub)
    for method, path, spec in operations():
        taken = [parameter["name"] for parameter in spec.get("parameters", []) if parameter.get("in") == "query"]
        for turn, name in enumerate(taken if method == "GET" else ()):
            for nasty in [*(quote(text) for text in [*NASTY, *NUMBERS]), *RAW][turn % 2 :: 2]:
                await _answers(caller, method, f"{path.format_map(names)}?{name}={nasty}")
            await _answers(caller, method, f"{path.format_map(names)}?{name}=1&{name}=2&{name}[]=3&{quote(name)}%00=1")


async def test_in_headers(hub: Hub, names: Names) -> None:
    caller = _caller(hub)
    record = f"{PATH}/{names['record_id']}"
    calls = [
        ("GET", record, None),
        ("GET", PATH, None),
        ("POST", PATH, {"name": "x"}),
        ("PATCH", record, {"status": "active"}),
    ]
    for name in HEADERS:
        for value in HEADER_VALUES:
            for method, path, body in calls:
                await _answers(caller, method, path, json=body, headers={"If-Match": "*", name: value})


async def test_in_bodies(hub: Hub, names: Names) -> None:
    caller = _caller(hub)
    schemas = description.document()["components"]["schemas"]
    tried = 0
    for method, path, spec in operations():
        content = spec.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        schema = content["schema"]
        schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        base = BODIES.get(spec["operationId"], {"name": "x"})
        for turn, field in enumerate(schema.get("properties", {})):
            rest = orjson.dumps({name: value for name, value in base.items() if name != field}).decode()[1:]
            for value in VALUES[turn % 3 :: 3]:
                body = f'{{"{field}": {value}{"," if rest != "}" else ""}{rest}'
                headers = {"If-Match": "*", "Content-Type": "application/json"}
                await _answers(caller, method, path.format_map(names), content=body.encode(), headers=headers)
                tried += 1
        for broken in BROKEN:
            await _answers(
                caller, method, path.format_map(names), content=broken, headers={"Content-Type": "application/json"}
            )
    assert tried > 2 * len(VALUES)


async def test_in_what_is_kept_and_searched(hub: Hub) -> None:
    """Texts of every script and direction come back as they were, and are found without being taken for a pattern."""
    korea = hub.partner("KR-KNPA")
    texts = [
        "100% sure",
        "a_b",
        "C:\\x",
        "it's",
        '"quoted"',
        "a & b | !c",
        "x:*",
        "(",
        "<->",
        "{a,b}",
        "=1+1",
        "김민준",
        "\u202eevil",
    ]
    for text in texts:
        created = await korea.post(PATH, {"name": f"Name {text}", "summary": text})
        assert (created.status_code, created.json()["summary"]) == (201, text)
    for text in texts:
        found = await korea.get(PATH, params={"q": f"Name {text}"})
        assert f"Name {text}" in [item["name"] for item in found.json()["items"]][:3], text


def test_in_spreadsheets() -> None:
    """No text begins a formula, however the spreadsheet that opens it tells cells apart."""
    texts = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(1)",
        "＝1",
        "\t=1",
        "a;=cmd()",
        "a; =cmd()",
        "a\n=cmd()",
        "a\r\n@b",
        '";=1',
        "x;-1;+2",
    ]
    rows = [{"name": text, "names": [text, text], "inner": [{"a": text, "b": text}]} for text in texts]
    for line in csv_table(rows).decode().splitlines()[1:]:
        for cell in re.split(r"[,;\t]", line):
            assert cell.strip(' "')[:1] not in tuple("=+-@＝"), line


async def test_methods_that_a_path_does_not_take(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    path = f"{PATH}/{(await korea.profile())['id']}"
    told = set()
    for record in (path, f"{PATH}/{unknown_id()}"):
        for method in ("OPTIONS", "DELETE", "TRACE", "PROPFIND", "POST"):
            headers = {"X-HTTP-Method-Override": "PATCH", "X-Method-Override": "PATCH"}
            answer = await korea.call(method, record, headers=headers)
            told.add((answer.status_code, answer.headers["Allow"]))
    assert told == {(405, "GET, HEAD, PATCH")}
