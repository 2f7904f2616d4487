"""Migrations: from nothing, again, and by two processes at once; never waiting long for a lock that a server holds."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import errors

from app.core import migrations
from app.core.database_roles import DatabaseRole
from tests.conftest import Cluster

FINGERPRINT = """
SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
  SELECT concat_ws(' ', 'table', c.oid::regclass, c.relrowsecurity, c.relforcerowsecurity, c.relacl) FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', 'column', a.attrelid::regclass, a.attname, a.atttypid::regtype, a.attnotnull)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT concat_ws(' ', 'function', p.oid::regprocedure, md5(p.prosrc), p.proowner::regrole,
    p.proacl, p.proconfig)
  FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', 'policy', p.polrelid::regclass, p.polname, p.polcmd, p.polroles::regrole[],
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) FROM pg_policy p) AS lines (line)
"""


@pytest.fixture
def empty(cluster: Cluster, worker_id: str) -> Iterator[str]:
    """A database in which no migration ever ran."""
    name = f"empty_{worker_id}_{secrets.token_hex(4)}"
    cluster.clone("interdesk", name)
    yield name
    cluster.drop(name)


def _owner(cluster: Cluster, database: str) -> str:
    return cluster.conninfo(DatabaseRole.OWNER, database)


def _fingerprint(cluster: Cluster, database: str) -> str:
    with psycopg.connect(_owner(cluster, database)) as connection:
        row = connection.execute(FINGERPRINT).fetchone()
    assert row is not None
    return str(row[0])


def test_from_nothing_and_once_more(cluster: Cluster, empty: str, database: str) -> None:
    before = migrations.status(_owner(cluster, empty))
    assert (before.current, before.up_to_date) == (None, False)

    done = migrations.upgrade(_owner(cluster, empty))
    assert done.up_to_date
    made = _fingerprint(cluster, empty)
    assert made == _fingerprint(cluster, database)

    assert migrations.upgrade(_owner(cluster, empty)) == done
    assert _fingerprint(cluster, empty) == made
    for role in (DatabaseRole.API, DatabaseRole.WORKER):
        assert migrations.status(cluster.conninfo(role, empty)) == done


def test_the_newest_revision_is_the_end_of_one_chain() -> None:
    scripts = ScriptDirectory.from_config(migrations._config())  # noqa: SLF001 - as Alembic is told
    assert scripts.get_heads() == [migrations.newest_revision()]
    chain = [script.revision for script in scripts.walk_revisions()]
    assert chain == sorted(chain, reverse=True)


def test_two_processes_at_once_make_it_once(cluster: Cluster, empty: str, database: str) -> None:
    code = "import sys; from app.core import migrations; assert migrations.upgrade(sys.argv[1]).up_to_date"
    processes = [
        subprocess.Popen(  # noqa: S603 - this Python
            [sys.executable, "-c", code, _owner(cluster, empty)],
            cwd=Path(__file__).parents[2],
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    complaints = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], complaints
    assert _fingerprint(cluster, empty) == _fingerprint(cluster, database)


def test_a_table_in_use_is_not_waited_for_long(
    cluster: Cluster, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A migration that waits for a lock makes everybody wait behind it: it gives up soon, and changes nothing."""
    versions = tmp_path / "versions"
    versions.mkdir()
    newest = migrations.status(_owner(cluster, database)).newest
    (versions / "next.py").write_text(
        f"from alembic import op\nrevision = 'next'\ndown_revision = {newest!r}\n"
        "def upgrade():\n"
        "    (timeout,) = op.get_bind().exec_driver_sql('SHOW lock_timeout').one()\n"
        "    assert timeout == '5s', timeout\n"
        "    op.execute(\"SET lock_timeout = '50ms'\")\n"
        "    op.execute('CREATE TABLE half_done (id integer)')\n"
        "    op.execute('ALTER TABLE records ADD COLUMN half_done integer')\n",
        encoding="utf-8",
    )
    configure = migrations._config  # noqa: SLF001 - to add a migration that is none of ours

    def with_one_more() -> Config:
        config = configure()
        ours = Path(config.get_main_option("script_location") or "") / "versions"
        config.set_main_option("path_separator", "os")
        config.set_main_option("version_locations", f"{ours}:{versions}")
        return config

    monkeypatch.setattr(migrations, "_config", with_one_more)
    monkeypatch.setattr(migrations, "newest_revision", lambda: "next")
    with psycopg.connect(_owner(cluster, database)) as reader:
        reader.execute("SELECT FROM records")
        with pytest.raises(Exception, match="lock timeout") as refused:
            migrations.upgrade(_owner(cluster, database))
        assert isinstance(refused.value.__cause__ or refused.value, errors.LockNotAvailable)
    state = migrations.status(_owner(cluster, database))
    assert (state.current, state.newest) == (newest, "next")
    with psycopg.connect(_owner(cluster, database)) as connection:
        assert connection.execute("SELECT to_regclass('half_done')").fetchone() == (None,)
