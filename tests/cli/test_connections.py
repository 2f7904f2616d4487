"""Nobody keeps or fills the server's connections with what does not end: real sockets, and little patience."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.cli import connections
from app.cli.connections import HEAD_BYTES, BoundedConnection

GET = b"GET / HTTP/1.1\r\nHost: hub.test\r\n"
POST = b"POST / HTTP/1.1\r\nHost: hub.test\r\n"
OK = b"HTTP/1.1 200"
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
SOON = 0.2
ONE_READ = 256 * 1024
"""What the event loop reads in one go."""
LARGE = b"x" * 40_000_000


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer at once below `/early`, with much below `/much`, and elsewhere how long the body was."""
    length, more = 0, scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message["body"]), message["more_body"]
    body = LARGE if scope["path"] == "/much" else f"{length}!".encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Line:
    """A connection on which anything can be sent."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        """The next answer of the application."""
        return await asyncio.wait_for(self.reader.readuntil(b"!"), 30)

    async def silence(self, seconds: float) -> bool:
        """Whether nothing comes, and the connection stays, for this long."""
        try:
            await asyncio.wait_for(self.reader.read(1), seconds)
        except TimeoutError:
            return True
        return False

    async def rest(self) -> bytes:
        """What comes until the connection ends."""
        found = b""
        with suppress(ConnectionError):
            while piece := await asyncio.wait_for(self.reader.read(65_536), 30):
                found += piece
        return found


class Server:
    """Where lines lead to."""

    def __init__(self, port: int, ended: asyncio.Event) -> None:
        self._port = port
        self._lines: list[Line] = []
        self.ended = ended
        """Set when the server has let go of a connection."""

    async def line(self) -> Line:
        made = Line(*await asyncio.open_connection("127.0.0.1", self._port, family=socket.AF_INET))
        self._lines.append(made)
        return made

    def close(self) -> None:
        for line in self._lines:
            line.writer.transport.abort()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    config = uvicorn.Config(application, http=BoundedConnection, ws="none", lifespan="off", log_config=None)
    config.load()
    ended = asyncio.Event()

    class Watched(BoundedConnection):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            ended.set()

    listening = await asyncio.get_running_loop().create_server(
        lambda: Watched(config=config, server_state=ServerState(), app_state={}), host="127.0.0.1", port=0
    )
    async with listening:
        found = Server(listening.sockets[0].getsockname()[1], ended)
        yield found
        found.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE", SOON)


def chunked(*chunks: bytes) -> bytes:
    return POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("begun", "more", "enough"),
    [
        (GET, b"X-Header: " + b"x" * 8000 + b"\r\n", HEAD_BYTES),
        (GET + b"X-Header: ", b"x" * 8000, HEAD_BYTES),
        (b"GET /", b"x" * 8000, HEAD_BYTES),
        (chunked(b"1\r\nx\r\n0\r\nX-Trailer: "), b"x" * 8000, HEAD_BYTES + ONE_READ),
        (chunked(b"1\r\nx\r\n0\r\n"), b"X-Trailer: " + b"x" * 8000 + b"\r\n", HEAD_BYTES + ONE_READ),
        (chunked(b"1;"), b"x" * 8000, HEAD_BYTES + ONE_READ),
    ],
    ids=["many headers", "one header", "a long address", "a trailer", "many trailers", "the extension of a chunk"],
)
async def test_what_does_not_end_is_refused(server: Server, begun: bytes, more: bytes, enough: int) -> None:
    line = await server.line()
    sent = 0
    await line.send(begun)
    while sent < enough:
        await line.send(more)
        sent += len(more)

    assert await line.rest() == TOO_LARGE


async def test_a_head_within_the_bound_is_read(server: Server) -> None:
    line = await server.line()
    for size in (HEAD_BYTES - 100, HEAD_BYTES):
        await line.send(GET + b"X: " + b"x" * size + b"\r\n\r\n")

    assert (await line.answer()).startswith(OK)
    assert await line.rest() == TOO_LARGE


async def test_large_bodies_and_further_requests_are_no_heads(server: Server) -> None:
    line = await server.line()
    body = b"x" * (4 * HEAD_BYTES)
    whole = POST + b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    pieces = chunked(*[b"8000\r\n" + b"x" * 0x8000 + b"\r\n"] * 8, b"0\r\n\r\n")
    for request in (whole, pieces, whole):
        await line.send(request)
        assert (await line.answer()).endswith(f"{len(body)}!".encode())
    # Sent in one go, the head of the second comes with the body of the first.
    await line.send(whole + GET + b"X: " + b"y" * (HEAD_BYTES // 2) + b"\r\n\r\n")
    assert [(await line.answer())[-2:] for _ in range(2)] == [b"4!", b"0!"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("begun", "answer"),
    [
        (b"", b""),
        (b"\r\n", TOO_LATE),
        (b"GET /", TOO_LATE),
        (GET, TOO_LATE),
        (POST + b"Content-Length: 9\r\n\r\n", TOO_LATE),
        (POST + b"Content-Length: 9\r\n\r\nhalf", TOO_LATE),
        (chunked(b"4\r\nhalf\r\n"), TOO_LATE),
    ],
    ids=["nothing", "a blank line", "half a line", "half a head", "no body", "half a body", "half the chunks"],
)
@pytest.mark.parametrize("further", [False, True], ids=["first", "further"])
async def test_what_does_not_come_is_given_up(server: Server, begun: bytes, answer: bytes, *, further: bool) -> None:
    line = await server.line()
    if further:
        await line.send(GET + b"\r\n")
        assert (await line.answer()).startswith(OK)
    await line.send(begun)

    if further and not begun:  # that is a kept connection, which has a time of its own
        assert await line.silence(2 * SOON)
        await line.send(GET + b"\r\n")
        assert (await line.answer()).startswith(OK)
    else:
        assert await line.rest() == answer


@pytest.mark.usefixtures("impatient")
async def test_a_byte_now_and_then_keeps_nothing_open(server: Server) -> None:
    line = await server.line()
    await line.send(POST + b"Content-Length: 1000000\r\n\r\n")
    sent = 0
    while await line.silence(SOON / 10):
        await line.send(b"x")
        sent += 1

    assert sent < 20
    assert TOO_LATE.endswith(await line.rest())


@pytest.mark.usefixtures("impatient")
async def test_a_slow_body_is_waited_for(server: Server) -> None:
    line = await server.line()
    await line.send(POST + b"Content-Length: 4000\r\n\r\n")
    for _ in range(8):
        assert await line.silence(SOON / 4)
        await line.send(b"x" * 500)

    assert (await line.answer()).endswith(b"4000!")


@pytest.mark.usefixtures("impatient")
async def test_the_body_of_a_call_that_is_answered_already_keeps_nothing_open(server: Server) -> None:
    line = await server.line()
    await line.send(b"POST /early HTTP/1.1\r\nHost: hub.test\r\nContent-Length: 9\r\n\r\nhalf")

    answered, _, after = (await line.rest()).partition(b"!")
    assert (answered[: len(OK)], after) == (OK, b"")


@pytest.mark.usefixtures("impatient")
async def test_an_answer_that_nobody_takes_is_given_up(server: Server) -> None:
    line = await server.line()
    await line.send(b"GET /much HTTP/1.1\r\nHost: hub.test\r\n\r\n")
    await server.ended.wait()  # while the reader takes no more than what fits into it

    assert len(await line.rest()) < len(LARGE)
