"""A demo's database says that it is one; only then may it be emptied."""

from pathlib import Path

import psycopg
import pytest

from app.core import migrations
from app.core.database_roles import DatabaseRole
from app.demo import mark
from app.installation import Installation, InstallationError
from app.settings import Settings
from tests.conftest import Cluster
from tests.test_installation import OneDatabase


@pytest.fixture
def installation(cluster: Cluster, database: str, tmp_path: Path) -> Installation:
    return Installation(Settings(_env_file=None, data=tmp_path), OneDatabase(cluster, database))


def test_a_database_is_no_demo_until_it_is_marked(installation: Installation) -> None:
    before = mark.is_demo(installation)
    mark.put(installation)

    assert (before, mark.is_demo(installation)) == (False, True)


def test_what_is_no_demo_is_not_emptied(installation: Installation) -> None:
    with pytest.raises(InstallationError, match="no demo"):
        mark.empty(installation)


def test_a_demo_is_emptied_and_shut_to_others_again(installation: Installation) -> None:
    mark.put(installation)

    mark.empty(installation)

    assert not mark.is_demo(installation)
    owner = installation.conninfo(DatabaseRole.OWNER)
    assert migrations.status(owner).current is None
    assert migrations.upgrade(owner).up_to_date
    assert mark.agencies(installation) == []
    with psycopg.connect(owner) as connection:
        rights = connection.execute(
            "SELECT has_database_privilege('interdesk_api', current_database(), 'TEMP'),"
            " has_database_privilege('interdesk_api', current_database(), 'CONNECT')"
        ).fetchone()
    assert rights == (False, True)


def test_a_server_at_work_is_noticed(installation: Installation) -> None:
    before = mark.is_served(installation)
    with psycopg.connect(installation.conninfo(DatabaseRole.API)):
        assert (before, mark.is_served(installation)) == (False, True)
