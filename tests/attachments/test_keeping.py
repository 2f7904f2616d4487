"""What is kept of attachments: nothing in clear, nothing after a purge, and nothing too much in the store."""

import subprocess
from typing import Any

import psycopg
import pytest

from app.access.desk import open_operator_desk
from app.attachments.sealing import ATTACHMENTS, AttachmentKeys, Place
from app.attachments.verifying import Verification, verify
from app.core.data_keys import DataKeyError, DataKeys, Kek, WrappedKey
from app.core.database_roles import DatabaseRole
from app.core.db import Database
from app.core.ids import uuid7
from app.core.programs import find_programs
from app.persons.sealing import PERSONS
from app.records.purging import Operator
from app.records.rotation import rotate
from app.worker import running_worker
from tests.conftest import Hub, Partner
from tests.events.following import until
from tests.persons import people
from tests.records.retaining import purge
from tests.routers.attaching import PATH, PDF, TEXT, attached, download, empty_trash, remove, stored

NAME, SECRET = "김나비 zanzibarovski.txt", "She was taken across the river at Poipet, 국경을 넘었다.\n"


@pytest.fixture
def korea(hub: Hub) -> Partner:
    return hub.partner("KR-KNPA", *people.ROLES, "analyst")


async def verified(hub: Hub, *, contents: bool = False) -> dict[str, Any]:
    database = Database(hub.conninfo(DatabaseRole.WORKER), 2)
    await database.open()
    try:
        async with open_operator_desk(database, None, officer="o", purpose="p", request_id="r") as desk:
            home = hub.app.state.house
            found: Verification = await verify(desk, home.store, home.attachment_keys, contents=contents)
    finally:
        await database.close()
    return found.document()


def dump(hub: Hub) -> bytes:
    programs = find_programs(15, newest=True)
    command = [programs.folder / "pg_dump", "--inserts", hub.conninfo(DatabaseRole.BACKUP)]
    return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - our own


async def test_nothing_stands_in_clear(hub: Hub, korea: Partner, capfd: pytest.CaptureFixture[str]) -> None:
    profile = await korea.profile(share=[hub.register("KH-CNP")])
    path = await attached(korea, profile["id"], SECRET.encode(), filename=NAME)
    await korea.get(path)
    await korea.get(PATH)
    await download(korea, path)
    everything = dump(hub)
    (file,) = stored(hub)
    everything += file.read_bytes() + str(file).encode()
    out, err = capfd.readouterr()
    everything += (out + err).encode()
    for secret in ("zanzibarovski", "김나비", "Poipet", "국경을"):
        for form in (secret, secret.encode().hex(), secret.encode("unicode_escape").decode()):
            assert form.encode() not in everything
    assert path.rpartition("/")[2].encode() in everything


async def test_a_purge_destroys_keys_and_bytes(hub: Hub, korea: Partner) -> None:
    gone, stays = await korea.profile(), await korea.profile("Sihanouk Ring")
    paths = [await attached(korea, gone["id"], content) for content in (PDF, TEXT)]
    kept = await attached(korea, stays["id"])
    before = {file.name: file.read_bytes() for file in stored(hub)}
    ((kek_id, kek, wrapped),) = hub.look(
        "SELECT e.id, e.sealed, k.wrapped FROM attachment_keys k JOIN person_keks e ON e.id = k.kek_id"
        " WHERE attachment_id = %s",
        kept.rpartition("/")[2],
    )

    await purge(hub, gone["id"])

    assert [(await korea.get(path)).status_code for path in (*paths, kept)] == [404, 404, 200]
    left = {"attachments": 1, "attachment_keys": 1, "attachment_trash": 2}
    assert {table: len(hub.look(f"TABLE {table}")) for table in left} == left
    assert await empty_trash(hub) == 2
    assert [file.name for file in stored(hub)] == [kept.rpartition("/")[2]]
    # A copy of the store and every key that is left open nothing of what is gone.
    keys = AttachmentKeys(hub.app.state.house.master_key)
    for name in before.keys() - {kept.rpartition("/")[2]}:
        place = Place(type(kek_id)(name), type(kek_id)(gone["id"]))
        with pytest.raises(DataKeyError):
            keys.unwrap(place, WrappedKey(Kek(kek_id, bytes(kek)), bytes(wrapped)))


async def test_a_rotation_wraps_the_keys_of_attachments_too(hub: Hub, korea: Partner) -> None:
    record = await people.record_of(korea)
    await people.enter(korea, record)
    path = await attached(korea, record, kind="incident-reports")
    files = [file.read_bytes() for file in stored(hub)]
    keys = DataKeys(hub.app.state.house.master_key)
    conninfo = hub.conninfo(DatabaseRole.WORKER)
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        done = await rotate(connection, keys, (PERSONS, ATTACHMENTS), Operator("root", "rotate"))
    assert done.rewrapped == 2
    assert hub.look("SELECT kek_id FROM attachment_keys UNION SELECT id FROM person_keks") == [(done.kek,)]
    assert (await download(korea, path)).content == PDF
    assert [file.read_bytes() for file in stored(hub)] == files


async def test_a_key_belongs_to_its_attachment(hub: Hub, korea: Partner) -> None:
    """Whoever exchanges rows, names or bytes below the hub is not served."""
    profile = await korea.profile()
    one, other = [await attached(korea, profile["id"], content) for content in (PDF, PDF)]
    first, second = sorted(stored(hub))
    bytes_of_first = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(bytes_of_first)
    assert [(await download(korea, path)).status_code for path in (one, other)] == [503, 503]
    assert await verified(hub) == {
        "holds": True,
        "whole": 2,
        "missing": [],
        "damaged": [],
        "keyless": [],
        "unknown": [],
    }
    found = await verified(hub, contents=True)
    assert (found["holds"], found["whole"], len(found["damaged"])) == (False, 0, 2)


async def test_the_store_is_compared_with_the_rows(hub: Hub, korea: Partner) -> None:
    profile = await korea.profile()
    whole, missing, damaged, keyless, removed = [(await attached(korea, profile["id"])) for _ in range(5)]
    await remove(korea, removed)
    files = {file.name: file for file in stored(hub)}
    files[missing.rpartition("/")[2]].unlink()
    files[damaged.rpartition("/")[2]].write_bytes(b"short")
    with psycopg.connect(hub.conninfo(DatabaseRole.OWNER)) as connection:
        connection.execute("SET ROLE interdesk_engine")
        connection.execute("DELETE FROM attachment_keys WHERE attachment_id = %s", (keyless.rpartition("/")[2],))
    unknown = uuid7()
    files[whole.rpartition("/")[2]].with_name(str(unknown)).write_bytes(b"x")

    named = {"missing": missing, "damaged": damaged, "keyless": keyless}
    expected = {name: [path.rpartition("/")[2]] for name, path in named.items()}
    for contents in (False, True):
        found = await verified(hub, contents=contents)
        assert found == {"holds": False, "whole": 1, **expected, "unknown": [str(unknown)]}
    # Without its key it is not there for anybody.
    assert (await korea.get(keyless)).status_code == 404
    assert len((await korea.get(PATH)).json()["items"]) == 3


async def test_the_worker_empties_what_is_removed(hub: Hub, korea: Partner) -> None:
    profile = await korea.profile()
    paths = [await attached(korea, profile["id"]) for _ in range(2)]

    async def emptied() -> bool:
        return stored(hub) == []

    async with running_worker(hub.conninfo(DatabaseRole.WORKER), store=hub.app.state.house.store):
        for path in paths:
            assert (await remove(korea, path)).status_code == 204
        await until(emptied)
    assert hub.look("SELECT count(*) FROM attachment_trash") == [(0,)]
