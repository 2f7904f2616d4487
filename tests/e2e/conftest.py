"""A host with three agencies, each with a credential, set up by the lines that administrators script."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres
from tests.cli.test_serving import Host, Serving, put_down, signed_in
from tests.core.embedded.support import ask

PATH = "/v1/criminal-organizations"

AGENCIES = {
    "KR-KNPA": ("Korean National Police Agency", "KR"),
    "KH-CNP": ("Cambodian National Police", "KH"),
    "TH-RTP": ("Royal Thai Police", "TH"),
}


@dataclass
class Site:
    """The host, its server while one runs, and the agencies' credentials."""

    host: Host
    credentials: dict[str, dict[str, Any]] = field(default_factory=dict)
    serving: Serving | None = None

    @property
    def data(self) -> Path:
        return self.host.folder / "var"

    @property
    def address(self) -> str:
        assert self.serving is not None
        return str(self.serving.said["address"])

    def start(self) -> None:
        if self.serving is not None and self.serving.process.poll() is None:
            return
        with self.host.log.open("a", encoding="utf-8") as log:
            process = self.host.start("serve", "--port", "0", "--json", log=log, INTERDESK_RATE_LIMIT="1000000")
        assert process.stdout is not None
        self.serving = Serving(process, self.host.log, json.loads(process.stdout.readline()))

    def kill(self) -> None:
        """End the server as a power cut would."""
        assert self.serving is not None
        self.serving.process.kill()
        self.serving.process.communicate()

    def token(self, agency: str) -> dict[str, str]:
        """The header of an agency that has just signed in."""
        with httpx.Client(base_url=self.address) as client:
            return signed_in(client, self.credentials[agency])

    def look(self, question: str) -> Any:
        """One value from below every policy."""
        with EmbeddedPostgres.start(self.data) as postgres:
            return ask(postgres, question, DatabaseRole.BACKUP)


@pytest.fixture(scope="session")
def host_with_agencies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(Host(tmp_path_factory.mktemp("site")))
    # Kept running between the commands, each of which would start it again.
    with EmbeddedPostgres.start(site.data):
        site.host.json("db", "upgrade")
        for code, (name, country) in AGENCIES.items():
            site.host.json("agency", "add", code, "--name", name, "--kind", "national_police", "--country", country)
            site.credentials[code] = site.host.json(
                *("credential", "issue", code, "--label", "case system", "--role", "analyst")
            )
        yield site
        if site.serving is not None and site.serving.process.poll() is None:
            put_down(site.serving.process)


@pytest.fixture
def site(host_with_agencies: Site) -> Site:
    """The host with its server running."""
    host_with_agencies.start()
    return host_with_agencies
