"""Connections that nobody can keep or fill for nothing: heads, bodies and answers are bounded in size and in time.

Uvicorn's own protocol takes as many headers as somebody cares to send, for as long as they care to send them, and waits
for ever for the rest of a body, before anybody is asked who it is: memory and connections without end for whoever
reaches the port. How large a body may be is said where bodies are read.
"""

import asyncio
from http import HTTPStatus
from typing import Final, Literal, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES: Final = 65_536
"""What a request's line and headers may have; more is answered with 431 (RFC 6585, section 5)."""

PATIENCE: Final = 30.0
"""Seconds for a head to arrive, for the next bytes of a body to arrive, and for an answer's next bytes to be taken."""

SLOWEST_BODY: Final = 1_000
"""Bytes per second: what a body may not stay below for long, so that a byte now and then keeps nothing open."""

_LINGER: Final = 2.0
_HEADER_EXTRA: Final = len(": \r\n")


class BoundedConnection(HttpToolsProtocol):
    """Uvicorn's protocol with bounds.

    One timer for each connection looks at it now and then. It never sleeps longer than patience lasts, so that it wakes
    up in time for whatever begins meanwhile, and a request costs no timer.
    """

    _timer: asyncio.TimerHandle | None = None
    _awaits: Literal["head", "body"] | None = "head"
    _since = 0.0
    """When what is awaited began."""
    _last = 0.0
    """When the last bytes came."""
    _received = 0
    """Bytes of what is awaited; without those of the read within which it began."""
    _read = 0
    """Bytes of the read that is being looked at."""
    _began_within = 0
    """Bytes of that read; 0 where it began with a read of its own."""
    _kept = 0
    """Bytes since a head or a part of a body was complete: the parser keeps what is neither."""
    _too_large = False
    _refused = False
    _unsent = 0
    _unsent_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head."""
        super().connection_made(cast("asyncio.Transport", transport))
        self._await("head")
        self._wake(PATIENCE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes; what comes after a refusal is not looked at."""
        if self._refused:
            return
        if self._awaits is None:  # blank lines may stand before a request, and they begin nothing for the parser
            self._await("head")
        self._last = self.loop.time()
        self._read = len(data)
        self._received += self._read
        self._kept += self._read
        super().data_received(data)
        size = max(self._kept, self._received if self._awaits == "head" else 0)
        if size > HEAD_BYTES and not self._refused:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        if self._awaits != "head":
            self._await("head")
            self._began_within = self._read

    def on_headers_complete(self) -> None:
        """Begin the body.

        Raises:
            ValueError: the head is too large; it ends the parser, whose caller then calls `send_400_response`.
        """
        if self._received + self._began_within > HEAD_BYTES:  # with what else came in these reads
            self._too_large = self._size_of_head() > HEAD_BYTES
            if self._too_large:
                message = "the head is too large"
                raise ValueError(message)
        self._kept = 0
        self._await("body")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._kept = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for nothing until the next request begins."""
        self._kept = 0
        self._awaits = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser refuses, or what was refused while it parsed."""
        if self._too_large:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        else:
            super().send_400_response(msg)

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + _HEADER_EXTRA for name, value in self.headers)

    def _await(self, what: Literal["head", "body"]) -> None:
        self._awaits = what
        self._since = self._last = self.loop.time()
        self._received = self._began_within = 0

    def _wake(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Give up what has been awaited for too long, or look again when that may be so."""
        now = self.loop.time()
        if self._refused or self._answer_is_left(now):
            self.transport.abort()
            return
        if self.flow.read_paused or (self._awaits == "head" and not self._answered):
            # It is the hub that keeps the caller waiting: it reads no further, or answers the request before.
            self._since = self._last = now
            self._received = 0
        left = self._ends() - now
        if left > 0 or self.transport.is_closing():
            self._wake(min(left, PATIENCE) if left > 0 else PATIENCE)
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    @property
    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _ends(self) -> float:
        """The moment, by the loop's clock, at which what is awaited is given up."""
        if self._awaits == "head":
            return self._since + PATIENCE
        if self._awaits == "body":
            return min(self._last, self._since + self._received / SLOWEST_BODY) + PATIENCE
        return float("inf")

    def _answer_is_left(self, now: float) -> bool:
        """Whether nothing of what waits to be sent was taken since the last look that is long enough ago."""
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
            return False
        return now - self._unsent_since >= PATIENCE

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer in the application's place, where no answer is under way, and end the connection.

        What is on its way is still taken for a moment: were the connection closed on it, the other side's system might
        throw the answer away unread.
        """
        self._refused = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not self._may_answer():
            self.transport.abort()
            return
        line = f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        self.transport.write(f"{line}connection: close\r\ncontent-length: 0\r\n\r\n".encode())
        self.transport.write_eof()
        self._wake(_LINGER)

    def _may_answer(self) -> bool:
        if self.pipeline:
            return False
        if self._awaits == "head":
            return self._answered and self._received > 0  # whoever said nothing is told nothing
        return not self.cycle.response_started
