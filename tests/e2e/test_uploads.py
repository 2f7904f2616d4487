"""Files over a real connection: cut off, announced wrongly, too large, in chunks."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.cli.test_serving import put_down
from tests.e2e.conftest import PATH, Site
from tests.e2e.test_bad_manners import _all_of, _connected
from tests.routers.attaching import PDF

LIMIT = 26_214_400


def files(site: Site) -> list[Path]:
    return [path for path in (site.data / "attachments").rglob("*") if path.is_file()]


@pytest.fixture
def record(site: Site) -> str:
    with httpx.Client(base_url=site.address, headers=site.token("KR-KNPA")) as client:
        return str(client.post(PATH, json={"name": "Files"}).json()["id"])


def _head(site: Site, record: str, *lines: str) -> bytes:
    where, token = urlsplit(site.address), site.token("KR-KNPA")["Authorization"]
    first = f"POST /v1/attachments?kind=criminal-organizations&record={record} HTTP/1.1"
    return "\r\n".join([first, f"Host: {where.netloc}", f"Authorization: {token}", *lines, "", ""]).encode()


def test_a_file_comes_back_as_it_was_sent(site: Site, record: str) -> None:
    content = PDF + bytes(range(256)) * 20_000

    def parts() -> Iterator[bytes]:
        for at in range(0, len(content), 10_000):
            yield content[at : at + 10_000]

    headers = site.token("KR-KNPA")
    with httpx.Client(base_url=site.address, headers=headers, timeout=60) as client:
        params = {"kind": "criminal-organizations", "record": record}
        for sent in (content, parts()):
            made = client.post("/v1/attachments", params=params, content=sent)
            assert (made.status_code, made.json()["sha256"]) == (201, hashlib.sha256(content).hexdigest())
            got = client.get(f"{made.headers['Location']}/content", headers={"Accept-Encoding": "gzip"})
            assert (got.status_code, got.content, got.headers["Content-Length"]) == (200, content, str(len(content)))
            removed = client.delete(made.headers["Location"], headers={"If-Match": '"1"'})
            assert removed.status_code == 204


@pytest.mark.parametrize("announced", ["Content-Length: 5000", "Transfer-Encoding: chunked"])
def test_what_is_cut_off_leaves_nothing(site: Site, record: str, announced: str) -> None:
    before = set(files(site))
    body = PDF if "Length" in announced else b"%x\r\n%s\r\n" % (len(PDF), PDF)
    for _ in range(3):
        with _connected(site) as line:
            line.sendall(_head(site, record, announced) + body)
    with httpx.Client(base_url=site.address, headers=site.token("KR-KNPA")) as client:
        listed = client.get("/v1/attachments", params={"kind": "criminal-organizations", "record": record})
        assert listed.json()["items"] == []
    # It ends when everything under way has ended.
    assert site.serving is not None
    put_down(site.serving.process)
    # What was there before may have been due for deletion.
    assert set(files(site)) - before == set()


def test_what_says_that_it_is_too_large_is_refused_at_once(site: Site, record: str) -> None:
    with _connected(site) as line:
        line.sendall(_head(site, record, f"Content-Length: {LIMIT + 1}"))
        answer = _all_of(line)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"/problems/body-too-large" in answer


def test_what_is_not_taken_is_refused_while_it_is_sent(site: Site, record: str) -> None:
    with _connected(site) as line:
        line.sendall(_head(site, record, f"Content-Length: {LIMIT}") + b"MZ" + bytes(20_000))
        answer = _all_of(line)
    assert answer.startswith(b"HTTP/1.1 415 ")
