"""The servers under measurement: one Uvicorn process each, all on one processor, paused while others are measured."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.processes import cpu_seconds, pinned, resident_bytes

START_SECONDS = 30.0
STOP_SECONDS = 10.0
UVICORN = ("--loop", "uvloop", "--http", "httptools", "--ws", "none", "--lifespan", "on", "--workers", "1",
           "--no-access-log", "--no-proxy-headers", "--no-server-header", "--log-level", "warning")  # fmt: skip
"""The same for all of them."""


class ServerError(Exception):
    """A server did not start; the text ends with what it wrote."""


@dataclass(frozen=True)
class Application:
    """What Uvicorn is to serve: `target` is module:attribute, a factory or the application itself."""

    target: str
    factory: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


class Server:
    """One running application. Use it in a `with` block; it is stopped at the end, whatever happens."""

    def __init__(self, application: Application, *, cpu: int, log: Path) -> None:
        self.application = application
        self.cpu = cpu
        self.log = log
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        factory = ["--factory"] if self.application.factory else []
        place = ["--host", "127.0.0.1", "--port", str(self.port)]
        command = [sys.executable, "-m", "uvicorn", self.application.target, *factory, *place, *UVICORN]
        environment = {**os.environ, **self.application.environment}
        with self.log.open("wb") as log, pinned(self.cpu):
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The server's process."""
        if self._process is None:
            message = f"{self.application.target} is not running"
            raise ServerError(message)
        return self._process.pid

    def pause(self) -> None:
        """Take it off the processor, with whatever it does in the background."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it, politely first."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def cpu_seconds(self) -> float:
        """CPU time it has used, children included."""
        return cpu_seconds(self.pid)

    def resident_bytes(self) -> int:
        """Memory it holds, children included."""
        return resident_bytes(self.pid)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        message = f"{self.application.target} did not start:\n{self.log.read_text(errors='replace')[-2000:]}"
        raise ServerError(message)


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port
