"""Where the embedded PostgreSQL keeps what, inside the data folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Paths inside ``data``. The server's account owns ``cluster`` alone; the rest belongs to the launching user."""

    data: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data folder, mode 0700; the server's socket lies in it."""
        return self.data / "postgres"

    @property
    def staging_prefix(self) -> str:
        """How the names of folders begin in which a cluster is made before it is moved into place."""
        return "postgres.new-"

    @property
    def start_lock(self) -> Path:
        """Held by whoever starts or stops the server."""
        return self.data / "postgres.start.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the server's processes themselves, all of them, for as long as they live."""
        return self.data / "postgres.server.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by every process that uses the server."""
        return self.data / "postgres.users.lock"

    @property
    def log(self) -> Path:
        """What the server writes to its standard error."""
        return self.data / "postgres.log"

    @property
    def roles_mark(self) -> Path:
        """Which version of the roles' script this cluster has seen."""
        return self.data / "postgres.roles"

    @property
    def short_cut_mark(self) -> Path:
        """The short path that leads to the cluster, if its own is too long for a socket."""
        return self.data / "postgres.socket"
