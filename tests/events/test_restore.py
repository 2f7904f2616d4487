"""After a restore the feed goes on: nothing new is passed over by any cursor, however old or new."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres
from app.core.embedded.binaries import wheel_folder
from tests.conftest import Cluster, Hub, Partner, hub_on
from tests.events.following import Follower, follower, place
from tests.routers.entrance import below_policies

PATH = "/v1/criminal-organizations"


def _program(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    folder = wheel_folder()
    if folder is None:
        pytest.skip("the programs of the embedded PostgreSQL are needed")
    return subprocess.run([folder / name, *arguments], capture_output=True, text=True, check=False)  # noqa: S603


def dump(hub: Hub, file: Path) -> None:
    """Back the hub up as its backup role does."""
    done = _program("pg_dump", "--format=custom", f"--file={file}", hub.conninfo(DatabaseRole.BACKUP))
    assert done.returncode == 0, done.stderr


def restore(cluster: Cluster, file: Path, database: str, scratch: Path) -> None:
    """Restore without a superuser: the owner makes everything, then the engine grants what is its own.

    Both passes refuse what the new database has already or the other pass does; that is all they refuse.
    """
    cluster.clone("template1", database)
    conninfo = cluster.conninfo(DatabaseRole.OWNER, database)
    _program("pg_restore", f"--dbname={conninfo}", file)
    listed = _program("pg_restore", "--list", file).stdout.splitlines()
    grants = scratch / "grants.list"
    grants.write_text("\n".join(line for line in listed if " ACL " in line), encoding="utf-8")
    _program("pg_restore", f"--dbname={conninfo}", "--role=interdesk_engine", f"--use-list={grants}", file)


@contextmanager
def _target(hub: Hub, folder: Path, *, elsewhere: bool) -> Iterator[Cluster]:
    if not elsewhere:
        yield hub.cluster
        return
    with EmbeddedPostgres.start(folder) as postgres:
        yield Cluster(postgres)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same cluster", "another cluster"])
async def test_a_restored_hub_goes_on_where_every_reader_stands(hub: Hub, tmp_path: Path, *, elsewhere: bool) -> None:
    korea = hub.partner("KR-KNPA")
    first = await korea.profile("Placed before the backup")
    behind = await follower(korea)
    second = await korea.profile("Not placed yet when the backup is taken")
    dump(hub, tmp_path / "dump")
    lost = await korea.profile("Written after the backup")
    ahead = await follower(korea)
    database = f"{hub.database}_restored"

    with _target(hub, tmp_path / "elsewhere", elsewhere=elsewhere) as cluster:
        restore(cluster, tmp_path / "dump", database, tmp_path)
        async with hub_on(cluster, database, hub.settings, hub.app.state.house.master_key) as other:
            back = Partner(other, korea.agency, korea.client_id, korea.access_token)
            readers = [Follower(back, reader.cursor) for reader in (behind, ahead)]
            at_once = [await reader.follow() for reader in readers]
            place(other)
            third = await back.profile("Written after the restore")
            place(other)
            told = [await reader.follow() for reader in readers]
            known = [(await back.get(f"{PATH}/{record['id']}")).status_code for record in (first, second, lost, third)]
        cluster.drop(database)

    assert known == [200, 200, 404, 200]
    assert at_once == [[], []]
    for events in told:
        assert events == [
            ("record.created", second["reference"]),
            ("feed.restored", None),
            ("record.created", third["reference"]),
        ]


async def test_rows_put_back_into_the_same_database_are_noticed(hub: Hub) -> None:
    """Cluster, timeline and database are the same as before; only the row tells that another transaction wrote it."""
    korea = hub.partner("KR-KNPA")
    await korea.profile()
    place(hub)
    kept = hub.look("SELECT last_position, home, written_by::text FROM feed_state")[0]
    await korea.profile()
    ahead = await follower(korea)
    below_policies(
        hub,
        "UPDATE feed_state SET last_position = %s, home = %s, written_by = %s::xid8",
        *kept,
    )
    at_once = await ahead.follow()
    place(hub)
    created = await korea.profile()
    place(hub)

    assert at_once == []
    assert await ahead.follow() == [("feed.restored", None), ("record.created", created["reference"])]


async def test_a_feed_that_stayed_at_home_never_leaps(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    for _ in range(3):
        await korea.profile()
        place(hub)
    with psycopg.connect(hub.conninfo(DatabaseRole.OWNER), autocommit=True) as connection:
        connection.execute("VACUUM FREEZE feed_state")
    await korea.profile()
    place(hub)

    ((distance,),) = hub.look("SELECT max(position) - min(position) FROM events")
    assert distance == 3


async def test_a_later_restore_lies_beyond_an_earlier_one(hub: Hub) -> None:
    """The same backup restored twice: cursors of the first restored hub must not pass over events of the second."""
    hub.register("KR-KNPA")
    place(hub)
    below_policies(hub, "UPDATE feed_state SET last_position = 7, written_by = '3'")
    place(hub)
    ((once,),) = hub.look("SELECT last_position FROM feed_state")
    below_policies(hub, "UPDATE feed_state SET last_position = 7, written_by = '3'")
    place(hub)
    ((twice,),) = hub.look("SELECT last_position FROM feed_state")

    assert 7 < once < twice
