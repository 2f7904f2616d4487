"""Where a schema stands, and what upgrading does to it."""

from alembic.script import ScriptDirectory

from app.core import migrations
from app.core.database_roles import DatabaseRole
from tests.conftest import Cluster


def test_the_newest_revision_is_the_one_alembic_knows() -> None:
    script = ScriptDirectory(str(migrations._folder()))  # noqa: SLF001 - where the migrations lie

    assert migrations.newest_revision() == script.get_current_head()


def test_an_empty_database_is_upgraded_once(cluster: Cluster, database: str, template: str) -> None:
    assert template
    cluster.drop(database)
    cluster.clone("interdesk", database)
    owner = cluster.conninfo(DatabaseRole.OWNER, database)

    before = migrations.status(owner)
    after = migrations.upgrade(owner)
    again = migrations.upgrade(owner)

    assert (before.current, before.up_to_date) == (None, False)
    assert after == again
    assert (after.current, after.up_to_date) == (after.newest, True)


def test_the_server_and_the_worker_can_ask(cluster: Cluster, database: str) -> None:
    for role in (DatabaseRole.API, DatabaseRole.WORKER):
        assert migrations.status(cluster.conninfo(role, database)).up_to_date
