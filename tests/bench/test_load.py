"""The load generator tells what the server saw: every answer counted once, with latencies that can be true."""

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.generator import BINARY, GeneratorError, Load, Plan, build, find_compiler, raw_request, run, write_requests

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[bool]]
"""Writes an answer to a request and says whether the connection stays open."""

Test = Callable[..., Awaitable[None]]
Loader = Callable[..., Awaitable[Load]]
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
DELAY = 0.02


def compiled(test: Test) -> Test:
    """The test itself, or a test that the bench tells of the missing compiler: so this is the outermost decorator."""
    if find_compiler():
        return test

    async def says_that_a_compiler_is_missing() -> None:
        with pytest.raises(GeneratorError, match="needs a C compiler"):
            build(BINARY.with_name("unbuilt"))

    return says_that_a_compiler_is_missing


class Server:
    """A peer on loopback that answers as it is told and counts what reached it."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: Counter[bytes] = Counter()
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0
                )
                body = await reader.readexactly(length)
                self.requests[head.split(b"\r\n")[0] + (b" | " + body if body else b"")] += 1
                if not await self.answer(head, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Server]:
    server = Server(answer)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    async with listener:
        yield server


def fixed(*pieces: bytes, stay: bool = True) -> Answer:
    """Always the same answer, in pieces that leave one by one."""

    async def answer(_head: bytes, writer: asyncio.StreamWriter) -> bool:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        return stay

    return answer


@pytest.fixture
def load(tmp_path: Path) -> Loader:
    async def run_load(
        server: Server,
        *sent: bytes,
        connections: int = 4,
        seconds: float = 10,
        requests: int | None = None,
        patience: float = 10,
    ) -> Load:
        path = tmp_path / "requests"
        write_requests(path, sent or [raw_request("GET", "/")])
        return await run(Plan(server.port, path, connections, seconds, requests, patience))

    return run_load


def test_a_missing_compiler_is_said_clearly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(GeneratorError, match=r"needs a C compiler .* install one of cc, gcc, clang"):
        build(tmp_path / "load")


def test_requests_are_written_with_their_length(tmp_path: Path) -> None:
    request = raw_request("POST", "/x?y=1", headers={"A": "b"}, body=b"\x00\r\n\r\n\xff")
    assert request == b"POST /x?y=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nA: b\r\nContent-Length: 6\r\n\r\n\x00\r\n\r\n\xff"
    assert write_requests(tmp_path / "file", [request, b"q"]) == 2
    expected = b"LOAD1\n" + struct.pack("<II", 2, len(request)) + request + struct.pack("<I", 1) + b"q"
    assert (tmp_path / "file").read_bytes() == expected


@compiled
async def test_a_number_of_requests_is_sent_exactly_and_in_turn(load: Loader) -> None:
    requests = [raw_request("GET", "/a"), raw_request("POST", "/b", body=b"\x00\xff\r\n\r\n"), raw_request("GET", "/c")]
    async with serving(fixed(HELLO)) as server:
        result = await load(server, *requests, requests=1000)
    assert (result.completed, result.drained, result.statuses) == (1000, 0, {200: 1000})
    assert result.connections_opened == server.connections == 4
    assert result.bytes == 1000 * len(HELLO)
    assert set(result.errors.values()) == {0}
    assert server.requests == {
        b"GET /a HTTP/1.1": 334,
        b"POST /b HTTP/1.1 | \x00\xff\r\n\r\n": 333,
        b"GET /c HTTP/1.1": 333,
    }


@compiled
async def test_a_run_by_time_counts_what_the_server_counts(load: Loader) -> None:
    async with serving(fixed(HELLO)) as server:
        result = await load(server, seconds=0.5, connections=8)
    assert result.seconds == pytest.approx(0.5)
    assert result.answers == server.requests.total() == result.statuses[200]
    assert 0 <= result.drained <= 8
    assert result.requests_per_second == pytest.approx(result.completed / 0.5, rel=1e-3)


@compiled
async def test_latencies_can_be_true(load: Loader) -> None:
    loop = asyncio.get_running_loop()

    async def late(_head: bytes, writer: asyncio.StreamWriter) -> bool:
        loop.call_later(DELAY, writer.write, HELLO)
        return True

    async with serving(late) as server:
        result = await load(server, seconds=1.0, connections=8)
    latency = result.latency
    assert DELAY * 1e6 * 0.95 <= latency.min <= latency.p50 <= latency.p90 <= latency.p99 <= latency.max
    assert latency.min <= latency.mean <= latency.max
    in_flight = result.requests_per_second * latency.mean / 1e6  # Little's law: all eight, all the time
    assert in_flight == pytest.approx(8, rel=0.25)
    assert result.cpu_seconds < 0.5  # it waits, it does not spin


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1a;x=y\r\n%b\r\n0\r\n\r\n" % (b"z" * 26)
WITH_TRAILER = b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n03\r\nabc\r\n0\r\nT: v\r\n\r\n"
CLOSED_BY_HEADER = HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


def byte_by_byte(answer: bytes) -> list[bytes]:
    return [answer[place : place + 1] for place in range(len(answer))]


@compiled
@pytest.mark.parametrize(
    ("pieces", "connections"),
    [
        pytest.param([HELLO], 1, id="length"),
        pytest.param(byte_by_byte(HELLO), 1, id="length in pieces"),
        pytest.param([CHUNKED], 1, id="chunked"),
        pytest.param(byte_by_byte(CHUNKED), 1, id="chunked in pieces"),
        pytest.param([WITH_TRAILER], 1, id="trailer"),
        pytest.param(byte_by_byte(WITH_TRAILER), 1, id="trailer in pieces"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO], 1, id="continue first"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], 1, id="empty"),
        pytest.param([CLOSED_BY_HEADER], 20, id="closed by header"),
    ],
)
async def test_bodies_of_every_kind_are_read_to_their_end(load: Loader, pieces: list[bytes], connections: int) -> None:
    async with serving(fixed(*pieces, stay=connections == 1)) as server:
        result = await load(server, requests=20, connections=1)
    assert (result.completed, result.statuses) == (20, {200: 20})
    assert result.bytes == 20 * len(b"".join(pieces))
    assert result.connections_opened == server.connections == connections
    assert set(result.errors.values()) == {0}


@compiled
async def test_answers_without_a_body_and_by_status(load: Loader) -> None:
    answers = {
        b"HEAD": b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
        b"GET ": b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"PUT ": b"HTTP/1.1 204 No Content\r\n\r\n",
    }

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(answers[head[:4]])
        return True

    async with serving(answer) as server:
        result = await load(server, *(raw_request(method, "/") for method in ("HEAD", "GET", "PUT")), requests=30)
    assert result.statuses == {200: 10, 204: 10, 304: 10}
    assert result.connections_opened == 4


@compiled
async def test_a_body_that_ends_with_the_connection(load: Loader) -> None:
    async with serving(fixed(b"HTTP/1.0 200 OK\r\n\r\nsome", b" more", stay=False)) as server:
        result = await load(server, requests=12)
    assert (result.statuses, result.errors["closed"]) == ({200: 12}, 0)
    assert server.requests.total() == 12
    assert result.connections_opened >= 12  # one may be made before it is clear that no request is left for it


@compiled
@pytest.mark.parametrize(
    ("error", "answer"),
    [
        pytest.param("closed", fixed(stay=False), id="no answer"),
        pytest.param("closed", fixed(HELLO[:-1], stay=False), id="cut short"),
        pytest.param("malformed", fixed(b"220 mail.example.org\r\n\r\n"), id="another protocol"),
        pytest.param("malformed", fixed(HELLO + b"!"), id="more than announced"),
        pytest.param("malformed", fixed(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"), id="negative length"),
        pytest.param(
            "malformed", fixed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), id="bad chunk"
        ),
        pytest.param("malformed", fixed(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000), id="endless head"),
    ],
)
async def test_broken_answers_are_errors_and_the_connection_is_made_anew(
    load: Loader, error: str, answer: Answer
) -> None:
    async with serving(answer) as server:
        result = await load(server, requests=6, connections=2)
    assert result.answers == 0
    assert result.errors == {"connect": 0, "timeout": 0, "closed": 0, "malformed": 0} | {error: 6}
    assert server.requests.total() == 6
    assert result.connections_opened >= 6


@compiled
async def test_silence_ends_by_the_timeout(load: Loader) -> None:
    started = asyncio.get_running_loop().time()
    async with serving(fixed()) as server:
        result = await load(server, seconds=0.2, patience=0.3, connections=3)
    assert result.errors["timeout"] == 3
    assert asyncio.get_running_loop().time() - started < 3


@compiled
async def test_nobody_at_the_port(load: Loader) -> None:
    async with serving(fixed()) as server:
        pass
    result = await load(server, seconds=30, connections=2)
    assert result.answers == 0
    assert result.errors["connect"] >= 6


@compiled
@pytest.mark.parametrize("address", ["192.0.2.1", "128.0.0.1", "2001:db8::1", "::", "localhost", "example.org"])
async def test_only_loopback_is_loaded(tmp_path: Path, address: str) -> None:
    write_requests(tmp_path / "requests", [raw_request("GET", "/")])
    with pytest.raises(GeneratorError, match="loopback address"):
        await run(Plan(80, tmp_path / "requests", address=address))


@compiled
@pytest.mark.parametrize(
    "content",
    [b"", b"GET / HTTP/1.1\r\n\r\n", b"LOAD1\n\0\0\0\0", b"LOAD1\n\1\0\0\0\5\0\0\0ab", b"LOAD1\n\1\0\0\0\1\0\0\0ab"],
)
async def test_a_broken_file_of_requests_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "requests").write_bytes(content)
    with pytest.raises(GeneratorError, match="file of requests"):
        await run(Plan(80, tmp_path / "requests"))
