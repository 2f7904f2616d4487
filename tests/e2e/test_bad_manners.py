"""Callers that send too much, or nothing, or half of it: they end, and everybody else is served meanwhile."""

import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx

from tests.e2e.conftest import PATH, Site

SILENT = 200
HALVES = (b"GET /health/live HTT", b"POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")


def _connected(site: Site) -> socket.socket:
    where = urlsplit(site.address)
    return socket.create_connection((where.hostname, where.port), timeout=30)


def _all_of(line: socket.socket) -> bytes:
    return b"".join(iter(lambda: line.recv(65_536), b""))


def test_a_head_without_end_is_refused(site: Site) -> None:
    with _connected(site) as line:
        line.sendall(b"GET /health/live HTTP/1.1\r\nHost: hub\r\nX-Header: " + b"x" * 100_000)
        assert _all_of(line).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    with _connected(site) as line:
        line.sendall(b"GET /health/live HTTP/1.1\r\n" + b"X-Header: many\r\n" * 10_000 + b"\r\n")
        assert _all_of(line).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


def test_those_who_say_nothing_keep_nobody_waiting(site: Site) -> None:
    headers = site.token("KR-KNPA")
    with ExitStack() as lines, httpx.Client(base_url=site.address, headers=headers, timeout=30) as client:
        for number in range(SILENT):
            line = lines.enter_context(_connected(site))
            line.sendall(HALVES[number % 2])

        created = client.post(PATH, json={"name": "Heard all the same"})

        assert created.status_code == 201
        assert client.get(created.headers["Location"]).status_code == 200
