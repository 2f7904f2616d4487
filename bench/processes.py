"""What the kernel says of processes: CPU time, memory, their children; and on which processor a child is to run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
# proc(5), /proc/pid/stat, counted behind the name in parentheses: ppid, utime, stime, cutime, cstime.
_PARENT = 1
_TIMES = slice(11, 15)


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def parent(pid: int) -> int:
    """The parent of a living process."""
    fields = _stat(pid)
    if fields is None:
        raise ProcessLookupError(pid)
    return int(fields[_PARENT])


def tree(pid: int) -> set[int]:
    """The process and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))) is not None:
            children.setdefault(int(fields[_PARENT]), []).append(int(entry.name))
    found, waiting = set(), [pid]
    while waiting:
        found.add(current := waiting.pop())
        waiting += children.get(current, [])
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the process, its living descendants, and those that it or they have buried.

    Its grain is the kernel's tick, usually 10 ms, so measure over seconds.
    """
    ticks = sum(int(time) for each in tree(pid) for time in (_stat(each) or [])[_TIMES])
    return ticks / _TICKS


def resident_bytes(pid: int) -> int:
    """Resident memory of the process and its living descendants; what they share counts once for each."""
    total = 0
    for each in tree(pid):
        try:
            status = (_PROC / str(each) / "status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:")), 0)
    return total


@contextmanager
def pinned(cpu: int) -> Iterator[None]:
    """Processes started inside run on this processor alone; the starting thread is put back afterwards."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
