"""The path by which clients reach the socket: a socket's path is limited to about a hundred bytes."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from app.core.embedded.layout import Layout

PORT = 5432
"""Names the socket only; nothing listens on the network."""

# sun_path holds 104 bytes on macOS and 108 on Linux, with a closing zero byte.
_LONGEST = 103


def socket_folder(layout: Layout) -> Path:
    """Return a path of the cluster's folder short enough for a socket in it.

    Where its own is too long, or has a comma, by which libpq separates hosts, a link in a private temporary folder
    stands in for it. That link is recorded beside the cluster, so that all processes share it.
    """
    cluster = layout.cluster
    if len(os.fsencode(cluster / f".s.PGSQL.{PORT}")) <= _LONGEST and "," not in str(cluster):
        return cluster
    recorded = _recorded(layout)
    if recorded is not None:
        return recorded
    link = Path(tempfile.mkdtemp(prefix="interdesk-", dir=_short_folder())) / "postgres"
    link.symlink_to(cluster)
    layout.short_cut_mark.write_text(str(link), encoding="utf-8")
    return link


def remove_short_cut(layout: Layout) -> None:
    """Remove the link and its folder, if there are any, once nobody uses the server."""
    link = _recorded(layout)
    if link is not None:
        with contextlib.suppress(OSError):
            link.unlink()
            link.parent.rmdir()
    layout.short_cut_mark.unlink(missing_ok=True)


def _recorded(layout: Layout) -> Path | None:
    """Return the recorded link if it is still there and still ours alone."""
    try:
        link = Path(layout.short_cut_mark.read_text(encoding="utf-8"))
        home = link.parent.lstat()
        leads_here = link.readlink() == layout.cluster
    except OSError:
        return None
    private = home.st_uid == os.geteuid() and stat.S_IMODE(home.st_mode) == stat.S_IRWXU
    return link if leads_here and private else None


def _short_folder() -> Path:
    """Return the user's run-time folder, which nothing tidies up, else /tmp."""
    candidates = [Path("/run")] if os.geteuid() == 0 else [Path(f"/run/user/{os.geteuid()}")]
    usable = (path for path in candidates if path.is_dir() and os.access(path, os.W_OK | os.X_OK))
    # Not TMPDIR, which may be long itself; what is made there has a random name and is closed to others.
    return next(usable, Path("/tmp"))  # noqa: S108
