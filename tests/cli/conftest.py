"""Commands as an operator types them, on a managed database of their own."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.core.database_roles import DatabaseRole
from tests.conftest import Cluster


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON value that it must be."""
        assert self.code == 0, self.err
        assert self.out.count("\n") == 1
        return json.loads(self.out)


Command = Callable[..., Ended]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run commands in an empty folder, without any setting."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        out, err = capfd.readouterr()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else 0, out, err)

    return run


@pytest.fixture
def managed(monkeypatch: pytest.MonkeyPatch, bare: Command, cluster: Cluster, database: str) -> Command:
    """Run commands on a managed, migrated database."""
    for name, role in (
        ("DATABASE_URL", DatabaseRole.API),
        ("INTERDESK_WORKER_DATABASE_URL", DatabaseRole.WORKER),
        ("INTERDESK_OWNER_DATABASE_URL", DatabaseRole.OWNER),
    ):
        monkeypatch.setenv(name, cluster.conninfo(role, database))
    monkeypatch.setenv("INTERDESK_MASTER_KEY", secrets.token_hex(32))
    monkeypatch.setenv("INTERDESK_PUBLIC_URL", "https://hub.test")
    return bare
