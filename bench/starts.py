"""How long `interdesk serve` takes to answer where it served before: `python -m bench.starts`."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

INTERDESK = Path(sys.executable).parent / "interdesk"
TIMES = 5


def second_starts(folder: Path, times: int = TIMES) -> list[float]:
    """Seconds from exec to "answers at", on an embedded database that an earlier start in `folder` left behind."""
    environment = {**os.environ, "INTERDESK_DATA": str(folder / "var")}
    return [_start(folder, environment) for _ in range(times + 1)][1:]


def _start(folder: Path, environment: dict[str, str]) -> float:
    with (folder / "server.log").open("a", encoding="utf-8") as log:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [INTERDESK, "serve", "--port", "0", "--json"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    if process.stdout is None or not process.stdout.readline():
        message = f"the server did not start: {(folder / 'server.log').read_text(encoding='utf-8')}"
        raise RuntimeError(message)
    answered = time.perf_counter() - begun
    process.send_signal(signal.SIGTERM)
    process.communicate()
    return answered


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        measured = second_starts(Path(made))
    sys.stdout.write(f"best {min(measured):.2f} s, worst {max(measured):.2f} s of {len(measured)} starts\n")
