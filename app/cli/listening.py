"""What a server has before it serves: a socket of its own, and a way to end in good order."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

from app.cli.terminal import RefusedError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""What ends a server: Ctrl-C, and what service managers and orchestrators send."""


class Signals:
    """Before the server listens, a signal ends the process in good order; then it is the server's to drain and end.

    The server passes the signal on when it has drained, which must not cut off what is released after it.
    """

    def __init__(self) -> None:
        self._serving = False
        self._former = [(number, signal.getsignal(number)) for number in SIGNALS]

    def leave_to_the_server(self) -> None:
        """From now on the server sees to it."""
        self._serving = True

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if not self._serving:
            raise SystemExit(128 + number)

    def __enter__(self) -> Self:
        for number in SIGNALS:
            signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former:
            signal.signal(number, handler)


@contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket bound to the address for the length of a block.

    Raises:
        RefusedError: it cannot be had, for example because another process listens there.
    """
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        message = f"Cannot listen on {host} port {port}: {error.strerror}. Choose others by --host and --port."
        raise RefusedError(message) from None
    listener.set_inheritable(True)
    with listener:
        yield listener


def address_of(listener: socket.socket) -> str:
    """The address of a socket, as it is written before a path."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
