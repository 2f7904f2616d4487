"""The load generator: built from bench/load/*.c with the system's compiler, started as a process, read as one object.

It is compiled because a load generator in Python needs several times the CPU of the servers it measures.
"""

import asyncio
import json
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parent / "load"
BINARY = Path(__file__).parent / "bin" / "load"
MAGIC = b"LOAD1\n"
COMPILERS = ("cc", "gcc", "clang")


class GeneratorError(Exception):
    """The load generator cannot be built or refused to run; the text says why and what to do."""


@dataclass(frozen=True)
class Latency:
    """Microseconds from the first byte sent to the last byte received; at most 1.6 % too high."""

    min: int
    mean: float
    p50: int
    p90: int
    p99: int
    max: int


@dataclass(frozen=True)
class Load:
    """What one run of the generator saw.

    `completed` answers came inside the measured `seconds` and make the latencies and the rate; `drained` ones belong to
    requests under way when it ended. `statuses`, `bytes` (heads included) and `cpu_seconds` (the generator's own) cover
    both.
    """

    connections: int
    seconds: float
    completed: int
    drained: int
    requests_per_second: float
    statuses: Mapping[int, int]
    errors: Mapping[str, int]
    connections_opened: int
    bytes: int
    cpu_seconds: float
    latency: Latency

    @property
    def answers(self) -> int:
        """Every answer the server gave."""
        return self.completed + self.drained


def find_compiler() -> str | None:
    """The C compiler: what CC names, else the first of cc, gcc and clang on the PATH."""
    named = os.environ.get("CC")
    return next((path for name in ([named] if named else COMPILERS) if (path := shutil.which(name))), None)


def build(binary: Path = BINARY) -> Path:
    """The generator's path, compiled first unless it is newer than its sources.

    Raises GeneratorError without a C compiler, or when the system is not Linux (it stands on epoll).
    """
    sources = sorted(SOURCES.glob("*.[ch]"))
    if binary.exists() and binary.stat().st_mtime >= max(source.stat().st_mtime for source in sources):
        return binary
    compiler = find_compiler()
    if compiler is None:
        message = (
            "The bench needs a C compiler for its load generator, and there is none here: "
            f"install one of {', '.join(COMPILERS)} (Debian: apt-get install gcc libc6-dev), or name one in CC."
        )
        raise GeneratorError(message)
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        fresh = Path(folder) / binary.name
        command = [
            compiler,
            "-O2",
            "-std=gnu11",
            "-o",
            str(fresh),
            *(str(path) for path in sources if path.suffix == ".c"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            message = f"{compiler} could not build the load generator (it needs Linux):\n{done.stderr.strip()}"
            raise GeneratorError(message)
        fresh.replace(binary)
    return binary


def raw_request(
    method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"", host: str = "127.0.0.1"
) -> bytes:
    """One HTTP/1.1 request as the bytes that go over the wire."""
    fields = {"Host": host, **(headers or {})}
    if body:
        fields["Content-Length"] = str(len(body))
    head = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def write_requests(path: Path, requests: Iterable[bytes]) -> int:
    """Write the file that the generator cycles through, and return how many requests are in it.

    Format: `MAGIC`, their number, then every request after its length; numbers are 32 bits, little endian.
    """
    everything = list(requests)
    with path.open("wb") as file:
        file.write(MAGIC + struct.pack("<I", len(everything)))
        for request in everything:
            file.write(struct.pack("<I", len(request)) + request)
    return len(everything)


@dataclass(frozen=True)
class Plan:
    """How to load: `connections` at once, for `seconds` or until `requests` are sent, whichever comes first.

    `timeout` is how many seconds an answer may take; `cpu` pins the generator to one processor.
    """

    port: int
    requests_file: Path
    connections: int = 16
    seconds: float = 10.0
    requests: int | None = None
    timeout: float = 10.0
    cpu: int | None = None
    address: str = "127.0.0.1"

    def arguments(self) -> list[str]:
        """The generator's command line."""
        optional = {"--requests": self.requests, "--cpu": self.cpu}
        given = [text for name, value in optional.items() if value is not None for text in (name, str(value))]
        fixed = [f"--connections={self.connections}", f"--seconds={self.seconds}", f"--timeout={self.timeout}"]
        return [*fixed, *given, self.address, str(self.port), str(self.requests_file)]


async def run(plan: Plan, binary: Path = BINARY) -> Load:
    """Run the generator once; a server that never answers is a Load of errors.

    Raises:
        GeneratorError: it cannot be built, or refuses to run.
    """
    process = await asyncio.create_subprocess_exec(
        build(binary), *plan.arguments(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        output, complaint = await asyncio.wait_for(process.communicate(), plan.seconds + plan.timeout + 5)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if not output:
        raise GeneratorError(complaint.decode().strip() or f"the load generator ended with status {process.returncode}")
    return _read(json.loads(output))


def _read(report: dict[str, Any]) -> Load:
    statuses = {int(status): count for status, count in report.pop("statuses").items()}
    latency = Latency(**report.pop("latency_us"))
    return Load(**report, statuses=statuses, latency=latency)
