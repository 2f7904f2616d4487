"""A real PostgreSQL for every test: one cluster, a migrated template, a database of its own for each app.

Without DATABASE_URL the embedded server is started in a temporary folder that goes when the last worker ends. With
INTERDESK_TEST_DATABASE_URL (a superuser of any PostgreSQL 15 or later) that cluster is used instead.
"""

import gc
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from psycopg import sql

from app.core import clock, migrations
from app.core.crypto import MasterKey
from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres, server
from app.core.embedded.layout import Layout
from app.identity import tokens
from app.identity.roles import PERMISSIONS, Role, permissions_of
from app.main import create_app
from app.settings import Settings

TEMPLATE = "interdesk_template"
ROOT = "INTERDESK_TEST_ROOT"
PUBLIC_URL = "http://hub.test"
ROOM = 4 << 30
"""Bytes; what the cluster of a run takes is a fraction of it."""


@dataclass(frozen=True)
class Cluster:
    """The server under test, and how to reach a database on it as each role."""

    postgres: EmbeddedPostgres

    def conninfo(self, role: DatabaseRole, database: str) -> str:
        return self.postgres.conninfo(role, database)

    def execute(self, *statements: sql.Composed) -> None:
        with psycopg.connect(self.conninfo(DatabaseRole.OWNER, "postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def clone(self, template: str, name: str) -> None:
        """Copy a database under a name that is free.

        File by file: page by page through the log, the default, takes several times as long.
        """
        roles = map(sql.Identifier, (DatabaseRole.API, DatabaseRole.WORKER, DatabaseRole.BACKUP))
        names = {"name": sql.Identifier(name), "template": sql.Identifier(template), "roles": sql.SQL(", ").join(roles)}
        self.execute(
            sql.SQL("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy").format(**names),
            # Rights on a database are not copied with it; this leaves TEMP to nobody, as the roles' script does.
            sql.SQL("REVOKE ALL ON DATABASE {name} FROM PUBLIC").format(**names),
            sql.SQL("GRANT CONNECT ON DATABASE {name} TO {roles}").format(**names),
        )

    def drop(self, name: str) -> None:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        deadline = time.monotonic() + 20
        while True:
            try:
                self.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                # The server is vacuuming there just now, and only a superuser may interrupt that.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return


def _place() -> str | None:
    """Where memory is a file system with room to spare: a database is 700 files, and most disks are slow to make them.

    None, the place for temporary files, elsewhere.
    """
    memory = "/dev/shm"  # noqa: S108 - what is made there is a folder of our own
    try:
        found = os.statvfs(memory)
    except OSError:
        return None
    runs_programs = not found.f_flag & os.ST_NOEXEC
    return memory if runs_programs and os.access(memory, os.W_OK) and found.f_bavail * found.f_frsize > ROOM else None


def pytest_configure(config: pytest.Config) -> None:
    """Make this run's cluster; workers inherit the name of its folder.

    Not below pytest's own temporary folder: another run that cleans up there would take a living server's files.
    """
    if not hasattr(config, "workerinput"):
        place = _place()
        os.environ[ROOT] = tempfile.mkdtemp(prefix="interdesk-tests-", dir=place)
        # Tests of the embedded server make theirs in pytest's folders.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", place or "")
    # httpx asks for it at every call, and looking in vain for a module takes a quarter of a call's time.
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what stays to the end: code, and some thousands of tests."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder, once the last worker has let go of the server."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(ROOT), ignore_errors=True)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One server for all workers, which waits for no disk: it need not survive the loss of power."""
    data = Path(os.environ[ROOT])
    postgres = EmbeddedPostgres.start(data)
    layout = Layout(data)
    (layout.cluster / "postgresql.auto.conf").write_text("fsync = off\nfull_page_writes = off\n", encoding="utf-8")
    server.reload(layout)
    try:
        yield Cluster(postgres)
    finally:
        postgres.release()


@pytest.fixture(scope="session")
def template(cluster: Cluster, worker_id: str) -> str:
    """A migrated database of this worker's, to be cloned."""
    name = f"{TEMPLATE}_{worker_id}"
    cluster.clone("interdesk", name)
    migrations.upgrade(cluster.conninfo(DatabaseRole.OWNER, name))
    # The first to connect leaves a summary of the catalogue, which is copied, and makes every later start shorter.
    psycopg.connect(cluster.conninfo(DatabaseRole.OWNER, name)).close()
    return name


@pytest.fixture
def database(cluster: Cluster, template: str, worker_id: str) -> Iterator[str]:
    """An empty, migrated database for one test."""
    name = f"test_{worker_id}_{secrets.token_hex(4)}"
    cluster.clone(template, name)
    try:
        yield name
    finally:
        cluster.drop(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a test server, from nothing but themselves."""
    return Settings(_env_file=None, data=tmp_path, public_url=PUBLIC_URL)  # type: ignore[call-arg]


@dataclass
class Hub:
    """A running application and the means to stand in for its partners."""

    app: FastAPI
    cluster: Cluster
    database: str
    client: httpx.AsyncClient
    settings: Settings
    secrets: dict[str, str] = field(default_factory=dict)
    kept: dict[DatabaseRole, psycopg.Connection] = field(default_factory=dict)
    """A connection for each role that a test has been: opening one costs more than most of what is asked on it."""

    def conninfo(self, role: DatabaseRole) -> str:
        return self.cluster.conninfo(role, self.database)

    @contextmanager
    def transaction(self, role: DatabaseRole) -> Iterator[psycopg.Connection]:
        """A transaction of this role's."""
        if role not in self.kept or self.kept[role].closed:
            # Nothing is prepared, because tests change tables under what would be.
            self.kept[role] = psycopg.connect(self.conninfo(role), autocommit=True, prepare_threshold=None)
        with self.kept[role].transaction():
            yield self.kept[role]

    def close(self) -> None:
        for connection in self.kept.values():
            connection.close()

    def operator(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement as the operator at the host would, as the role interdesk_worker."""
        with self.transaction(DatabaseRole.WORKER) as connection:
            connection.execute("SELECT enter_operator(NULL, 'test', 'test', 'set-up')")
            cursor = connection.execute(statement, parameters)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def look(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Look at the tables below every policy, as the role interdesk_backup."""
        with self.transaction(DatabaseRole.BACKUP) as connection:
            return connection.execute(statement, parameters).fetchall()  # type: ignore[arg-type]

    def register(self, code: str, *, kind: str = "national_police") -> str:
        """An agency of the directory."""
        self.operator(
            "INSERT INTO agencies (code, name, kind, country) VALUES (%s, %s, %s, %s)",
            code,
            f"Agency {code}",
            kind,
            code[:2] if "-" in code else None,
        )
        return code

    def credential(self, agency: str, *roles: str, **columns: object) -> str:
        """A credential of an agency, without a way to sign in: its tokens are made by `token`."""
        client_id = f"{agency.lower()}-{secrets.token_hex(4)}"
        names = ["client_id", "agency", "label", "roles", "auth_method", "secret_hash", "tokens_valid_from", *columns]
        values = [client_id, agency, "test", list(roles), "client_secret", b"\0" * 32, "-infinity", *columns.values()]
        self.operator(
            f"INSERT INTO credentials ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(values))})",  # noqa: S608 - names of this file's own
            *values,
        )
        return client_id

    def token(self, client_id: str, *roles: str, scope: list[str] | None = None) -> str:
        """An access token as /oauth/token would issue it."""
        house = self.app.state.house
        return tokens.issue(
            house.keys.signing_key(clock.now()),
            client_id=client_id,
            scope=scope if scope is not None else [p.value for p in permissions_of([Role(role) for role in roles])],
            issuer=self.settings.public_url,
            audience=self.settings.public_url,
            now=clock.now(),
        ).token

    def caller(self, agency: str, *roles: str, client_id: str | None = None) -> "Partner":
        """A partner system of an agency, signed in with these roles (analyst if none is named)."""
        chosen = roles or ("analyst",)
        client = client_id or self.credential(agency, *chosen)
        return Partner(self, agency, client, self.token(client, *chosen))

    def partner(self, code: str, *roles: str) -> "Partner":
        """A newly registered agency with one signed-in system."""
        return self.caller(self.register(code), *roles)

    def stranger_permissions(self) -> list[str]:
        """Every permission there is, for tokens that must fail for another reason."""
        return sorted({permission.value for held in PERMISSIONS.values() for permission in held})


@dataclass
class Partner:
    """One signed-in system; its calls carry its token."""

    hub: Hub
    agency: str
    client_id: str
    access_token: str

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.access_token}", **options.pop("headers", {})}
        return await self.hub.client.request(method, path, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.call("GET", path, **options)

    async def post(self, path: str, json: Any = None, etag: str | None = None, **options: Any) -> httpx.Response:
        headers = {**({"If-Match": etag} if etag else {}), **options.pop("headers", {})}
        return await self.call("POST", path, json=json, headers=headers, **options)

    async def put(self, path: str, json: Any, etag: str | None = None, **options: Any) -> httpx.Response:
        headers = {**({"If-Match": etag} if etag else {}), **options.pop("headers", {})}
        return await self.call("PUT", path, json=json, headers=headers, **options)

    async def patch(self, path: str, json: Any, etag: str | None = None, **options: Any) -> httpx.Response:
        headers = {**({"If-Match": etag} if etag else {}), **options.pop("headers", {})}
        return await self.call("PATCH", path, json=json, headers=headers, **options)

    async def accept(self, group: str) -> httpx.Response:
        """Accept the invitation of its agency to the group at this path."""
        own = f"{group}/members/{self.agency}"
        answer = await self.post(f"{own}/accept", etag=(await self.get(own)).headers["ETag"])
        assert answer.status_code == 200, answer.text
        return answer

    async def expel(self, group: str, agency: str) -> httpx.Response:
        """Expel an agency from the group at this path, which the partner's agency chairs."""
        path = f"{group}/members/{agency}"
        etag = (await self.get(path)).headers["ETag"]
        answer = await self.post(f"{path}/expel", {"reason": "It told others."}, etag=etag)
        assert answer.status_code == 204, answer.text
        return answer

    async def profile(self, name: str = "Bokor Group", **fields: Any) -> dict[str, Any]:
        """Create a profile; `share` names the agencies it is shared with."""
        share = fields.pop("share", [])
        handling = fields.pop("handling", {"tlp": "AMBER", "audience": {"agencies": list(share)}})
        answer = await self.post("/v1/criminal-organizations", {"name": name, "handling": handling, **fields})
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created


@asynccontextmanager
async def hub_on(cluster: Cluster, database: str, settings: Settings, master_key: MasterKey) -> AsyncIterator[Hub]:
    """The application on a database that is there already."""
    app = create_app(settings, cluster.conninfo(DatabaseRole.API, database), master_key)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", 50000))
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        with closing(Hub(app, cluster, database, client, settings)) as hub:
            yield hub


@pytest.fixture
async def hub(cluster: Cluster, database: str, settings: Settings) -> AsyncIterator[Hub]:
    """A hub of its own for one test: application, database, client."""
    async with hub_on(cluster, database, settings, MasterKey(secrets.token_bytes(32))) as hub:
        yield hub
