"""Sealing: every committed entry gets its leaves, once, whoever seals and however late it was committed."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from app.audit import sealing
from app.audit.checkpoints import is_signed, read_keys
from app.audit.merkle import cover, fold
from app.audit.sealing import FILL, seal
from app.core import clock
from app.core.crypto import MasterKey
from app.core.database_roles import DatabaseRole
from app.identity.keys import SigningKeyError
from app.worker.jobs import job_app
from tests.audit.conftest import change, seal_now, worker
from tests.audit.test_merkle import mth
from tests.conftest import Hub

WRITE = "SELECT audit('test.write', 'done', NULL, '{}', '{}', NULL)"


def write(hub: Hub, count: int = 1) -> None:
    hub.operator("SELECT audit('test.write', 'done', NULL, '{}', '{}', NULL) FROM generate_series(1, %s)", count)


def checkpoints(hub: Hub) -> list[tuple[int, str]]:
    return hub.look("SELECT tree_size, encode(root_hash, 'hex') FROM audit_checkpoints ORDER BY tree_size")  # type: ignore[return-value]


def unsealed(hub: Hub) -> int:
    (row,) = hub.look(
        "SELECT count(*) FROM audit_entries e WHERE NOT EXISTS (SELECT FROM audit_leaves l WHERE l.entry_id = e.id)"
    )
    return int(row[0])


async def settled_up_to(hub: Hub, arrival: int) -> None:
    """Seal until this arrival is settled, for which writers in any database of the cluster have to end."""
    for _ in range(200):
        await seal_now(hub)
        (row,) = hub.look("SELECT settled FROM audit_sealing")
        if row[0] >= arrival:
            return
    pytest.fail("nothing gets settled")


async def test_every_state_of_the_tree_is_what_the_rfc_defines(hub: Hub) -> None:
    for count in (1, 15, 16, 40, 300, 1, 900):
        write(hub, count)
        await seal_now(hub)

    leaves = [row[0] for row in hub.look("SELECT leaf_hash FROM audit_leaves ORDER BY leaf_index")]
    assert len(leaves) > 1200
    assert [root for _, root in checkpoints(hub)] == [mth(leaves[:size]).hex() for size, _ in checkpoints(hub)]
    sizes = [size for size, _ in checkpoints(hub)]
    assert len(sizes) > 3
    assert all(size % FILL == 0 for size in sizes)
    for level, index, node in hub.look("SELECT level, node_index, node_hash FROM audit_nodes"):
        assert node == mth(leaves[index << level : (index + 1) << level])
    assert {row[0] for row in hub.look("SELECT DISTINCT level FROM audit_nodes")} == {4, 8}


async def test_each_reader_has_one_leaf_of_each_entry(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    shared = await korea.profile(share=["KH-CNP"])
    await cambodia.get(f"/v1/criminal-organizations/{shared['id']}")
    await cambodia.get("/v1/criminal-organizations/01920000-0000-7000-8000-000000000000")
    await seal_now(hub)

    leaves = hub.look(
        "SELECT e.action, e.outcome, l.reader FROM audit_leaves l JOIN audit_entries e ON e.id = l.entry_id"
        " WHERE e.agency IN ('KR-KNPA', 'KH-CNP') ORDER BY e.arrival, l.reader"
    )
    assert leaves == [
        ("record.create", "done", "KR-KNPA"),
        ("record.read", "done", "KH-CNP"),
        ("record.read", "done", "KR-KNPA"),
        ("record.read", "missing", "KH-CNP"),
    ]


async def test_what_commits_late_is_sealed_later(hub: Hub) -> None:
    """A slow transaction took its number before others that are sealed; it is not passed over."""
    conninfo = hub.conninfo(DatabaseRole.WORKER)
    async with await psycopg.AsyncConnection.connect(conninfo) as slow:
        await slow.execute("SELECT enter_operator(NULL, 'slow', 'slow', 'slow')")
        await slow.execute(WRITE)
        for _ in range(4):
            write(hub, 3)
            await seal_now(hub)
        assert unsealed(hub) == 0
        await slow.commit()
    assert unsealed(hub) == 1
    assert await seal_now(hub) >= 1
    assert unsealed(hub) == 0


async def test_many_writers_and_sealers_at_once_lose_nothing(hub: Hub) -> None:
    conninfo = hub.conninfo(DatabaseRole.WORKER)
    writing = asyncio.Event()

    async def writer() -> None:
        async with await psycopg.AsyncConnection.connect(conninfo) as connection:
            for number in range(40):
                await connection.execute("SELECT enter_operator(NULL, 'test', 'test', 'test')")
                await connection.execute(WRITE)
                await (connection.rollback() if number % 10 == 9 else connection.commit())

    async def sealer() -> None:
        async with worker(hub) as connection:
            while not writing.is_set():
                await seal(connection, hub.app.state.house.master_key, at_once=True)

    sealers = [asyncio.create_task(sealer()) for _ in range(2)]
    await asyncio.gather(*(writer() for _ in range(4)))
    writing.set()
    await asyncio.gather(*sealers)
    await seal_now(hub)
    assert unsealed(hub) == 0
    (row,) = hub.look("SELECT count(*), count(DISTINCT entry_id) FROM audit_leaves WHERE entry_id IS NOT NULL")
    assert row[0] == row[1] >= 4 * 36
    leaves = [row[0] for row in hub.look("SELECT leaf_hash FROM audit_leaves ORDER BY leaf_index")]
    assert [root for _, root in checkpoints(hub)] == [mth(leaves[:size]).hex() for size, _ in checkpoints(hub)]


async def test_the_settled_part_is_not_looked_at_again(hub: Hub) -> None:
    write(hub, 5)
    await seal_now(hub)
    (row,) = hub.look("SELECT max(arrival) FROM audit_entries")
    await settled_up_to(hub, row[0])


async def test_a_restored_database_waits_for_nobody_of_the_former_cluster(hub: Hub) -> None:
    write(hub)
    await seal_now(hub)
    change(hub, "UPDATE audit_sealing SET candidate_xid = '4611686018427387904'")
    await settled_up_to(hub, 1)


async def test_entries_wait_a_minute_or_for_a_thousand(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    master_key = hub.app.state.house.master_key
    async with worker(hub) as connection:
        write(hub, 10)
        assert await seal(connection, master_key) == 0
        monkeypatch.setattr(sealing, "BATCH", 10)
        assert await seal(connection, master_key) == 10
        monkeypatch.setattr(sealing, "BATCH", 1000)
        write(hub)
        assert await seal(connection, master_key) == 0
        now = clock.now()
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(seconds=61))
        assert await seal(connection, master_key) >= 1
        assert await seal(connection, master_key) == 0


async def test_many_entries_are_sealed_in_batches_in_the_order_they_came(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "BATCH", 7)
    write(hub, 20)
    await seal_now(hub)
    batches = hub.look(
        "SELECT (SELECT min(tree_size) FROM audit_checkpoints c WHERE c.tree_size > l.leaf_index), array_agg(e.arrival)"
        " FROM audit_leaves l JOIN audit_entries e ON e.id = l.entry_id GROUP BY 1 ORDER BY 1"
    )
    assert len(batches) >= 3
    for (_, earlier), (_, later) in pairwise(batches):
        assert max(earlier) < min(later)


async def test_places_within_a_batch_tell_nothing(hub: Hub) -> None:
    write(hub, 200)
    await seal_now(hub)
    rows = hub.look("SELECT leaf_hash FROM audit_leaves ORDER BY leaf_index")
    assert rows == sorted(rows)


async def test_checkpoints_are_signed_and_the_key_can_be_changed(hub: Hub) -> None:
    write(hub)
    await seal_now(hub)
    async with worker(hub) as connection, connection.transaction():
        await sealing.checkpoints.add_key(connection, hub.app.state.house.master_key)
    await seal_now(hub)

    keys = (await hub.client.get("/v1/audit/keys")).json()
    rows = hub.look("SELECT tree_size, root_hash, at, kid, signature FROM audit_checkpoints ORDER BY tree_size")
    documents = [sealing.checkpoints.Checkpoint(*row).document() for row in rows]
    assert [document["kid"] for document in documents] == [key["kid"] for key in reversed(keys["keys"])]
    for document in documents:
        assert is_signed(document, read_keys(keys))
        assert not is_signed({**document, "tree_size": 48}, read_keys(keys))
        assert not is_signed({**document, "kid": "another"}, read_keys(keys))
        assert not is_signed({**document, "signature": "00" * 64}, read_keys(keys))


async def test_another_master_key_seals_nothing(hub: Hub) -> None:
    write(hub)
    await seal_now(hub)
    write(hub)
    async with worker(hub) as connection:
        with pytest.raises(SigningKeyError):
            await seal(connection, MasterKey(bytes(range(32))), at_once=True)
    assert unsealed(hub) >= 1


@pytest.mark.parametrize(
    "keys",
    [None, [], {}, {"keys": []}, {"keys": [{"kty": "EC"}]}, {"keys": ["x"]}],
    ids=["nothing", "list", "object", "empty", "half a key", "text"],
)
def test_what_is_no_key_set_is_refused(keys: Any) -> None:
    with pytest.raises(ValueError):
        read_keys(keys)


def test_the_hash_over_a_range_is_folded_from_its_subtrees() -> None:
    assert list(cover((0, 11))) == [(3, 0), (1, 4), (0, 10)]
    assert fold([]) == mth([])


@pytest.mark.parametrize("role", [DatabaseRole.API, DatabaseRole.WORKER])
@pytest.mark.parametrize("table", ["audit_leaves", "audit_nodes", "audit_checkpoints", "audit_keys", "audit_sealing"])
def test_no_role_that_serves_reaches_the_tables(hub: Hub, role: DatabaseRole, table: str) -> None:
    with psycopg.connect(hub.conninfo(role)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SELECT FROM {table}")  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT begin_sealing()",
        "SELECT audit_to_seal(10)",
        "SELECT audit_log_page(0, 10)",
        "SELECT audit_strays(0, 10)",
        "SELECT load_audit_keys()",
        "SELECT add_audit_key('x', '{}', '', now())",
    ],
)
def test_the_api_cannot_seal(hub: Hub, statement: str) -> None:
    with (
        psycopg.connect(hub.conninfo(DatabaseRole.API)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)  # type: ignore[call-overload]


def test_not_even_the_engine_changes_what_was_written(hub: Hub) -> None:
    for statement in (
        "UPDATE audit_entries SET purpose = 'x'",
        "DELETE FROM audit_entries",
        "UPDATE audit_leaves SET reader = 'x'",
        "DELETE FROM audit_checkpoints",
    ):
        with psycopg.connect(hub.conninfo(DatabaseRole.OWNER)) as connection:
            connection.execute("SET ROLE interdesk_engine")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


async def test_the_worker_seals_what_is_due(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    write(hub)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(seconds=61))
    async with job_app(hub.conninfo(DatabaseRole.WORKER), hub.app.state.house.master_key).open_async() as app:
        await app.configure_task("seal_audit").defer_async()
        await app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)
    assert checkpoints(hub)[0][0] == 16


async def test_how_much_waits_is_a_figure(hub: Hub) -> None:
    async def figures() -> dict[str, float]:
        answer = await hub.client.get("/metrics", headers={"Authorization": "Bearer an invented token"})
        lines = [line for line in answer.text.splitlines() if line.startswith("interdesk_audit")]
        return {name: float(value) for name, _, value in (line.partition(" ") for line in lines)}

    house = hub.app.state.house
    house.settings = house.settings.model_copy(update={"metrics_token": SecretStr("an invented token")})
    write(hub, 3)
    before = await figures()
    assert before["interdesk_audit_waiting_entries"] >= 3
    assert before["interdesk_audit_lag_seconds"] > 0
    while unsealed(hub):
        await seal_now(hub)
    assert await figures() == {"interdesk_audit_waiting_entries": 0, "interdesk_audit_lag_seconds": 0}
