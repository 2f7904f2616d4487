"""The worker beside the API: in time, more than one at once, through a database that goes away, and gone when told."""

import asyncio
import gc

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from app.worker import run, running, running_worker
from app.worker.jobs import CLOCK, JOBS, job_app
from tests.conftest import Hub
from tests.events.following import DEADLINE, Follower, follower, only, until
from tests.routers.entrance import below_policies


async def _told(reader: Follower, type_: str, subject: str) -> bool:
    await reader.follow()
    return any((event["type"], event["subject"]) == (f"interdesk.{type_}", subject) for event in reader.events)


async def _at_work(hub: Hub) -> bool:
    return hub.look("SELECT FROM procrastinate.procrastinate_periodic_defers") != []


async def test_events_and_losses_follow_in_time(hub: Hub) -> None:
    korea, cambodia = (hub.partner(code, "commander", "analyst") for code in ("KR-KNPA", "KH-CNP"))
    reader = await follower(cambodia)
    async with running_worker(hub.conninfo(DatabaseRole.WORKER)):
        group = (
            await korea.post("/v1/groups", {"kind": "council", "name": "C", "members": [{"agency": "KH-CNP"}]})
        ).json()["id"]
        await cambodia.accept(f"/v1/groups/{group}")
        record = await korea.profile(handling={"tlp": "AMBER", "audience": {"groups": [group]}})
        await until(lambda: _told(reader, "record.shared", record["reference"]), 5)
        await korea.expel(f"/v1/groups/{group}", "KH-CNP")
        taken = await until(lambda: _told(reader, "record.lost", record["reference"]))

    assert taken < DEADLINE


async def test_an_overdue_recall_is_told_by_the_clock(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    record = await korea.profile(share=["KH-CNP"])
    body = {"agencies": ["KH-CNP"], "reason": "The source took back its consent."}
    await korea.post(f"/v1/criminal-organizations/{record['id']}/recalls", body)
    below_policies(hub, "UPDATE recall_recipients SET due_at = at, next_notice_at = at")
    reader = await follower(cambodia)
    async with await psycopg.AsyncConnection.connect(hub.conninfo(DatabaseRole.WORKER), autocommit=True) as connection:
        for _ in range(2):
            await JOBS["remind_of_recalls"](connection)
    hub.operator("SELECT sequence_events()")

    await reader.follow()
    events = [(event["type"].removeprefix("interdesk."), event["subject"]) for event in reader.events]
    assert only(events, "recall.overdue") == [record["reference"]]


async def test_two_workers_do_not_tell_anything_twice(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA", "commander", "analyst")
    partners = [hub.partner(f"AA-{number}", "commander", "analyst") for number in range(4)]
    group = (await korea.post("/v1/groups", {"kind": "council", "name": "C"})).json()["id"]
    references = [
        (await korea.profile(handling={"tlp": "AMBER", "audience": {"groups": [group]}}))["reference"] for _ in range(3)
    ]
    readers = [Follower(partner) for partner in partners]
    conninfo = hub.conninfo(DatabaseRole.WORKER)
    async with running_worker(conninfo), running_worker(conninfo):
        for partner in partners:
            await korea.post(f"/v1/groups/{group}/members", {"agency": partner.agency})
            await partner.accept(f"/v1/groups/{group}")

        async def all_told() -> bool:
            for reader in readers:
                await reader.follow()
            return all(
                len([event for event in reader.events if event["type"] == "interdesk.record.shared"]) >= len(references)
                for reader in readers
            )

        await until(all_told)

    for reader in readers:
        events = [(event["type"].removeprefix("interdesk."), event["subject"]) for event in reader.events]
        assert only(events, "record.shared") == references


async def test_what_a_dead_worker_left_is_taken_up(hub: Hub) -> None:
    """Its job is lost with it; the clock queues another, and the table says how far it came."""
    korea, cambodia = (hub.partner(code, "commander", "analyst") for code in ("KR-KNPA", "KH-CNP"))
    group = (await korea.post("/v1/groups", {"kind": "council", "name": "C"})).json()["id"]
    record = await korea.profile(handling={"tlp": "AMBER", "audience": {"groups": [group]}})
    await korea.post(f"/v1/groups/{group}/members", {"agency": "KH-CNP"})
    await cambodia.accept(f"/v1/groups/{group}")
    with psycopg.connect(hub.conninfo(DatabaseRole.WORKER), autocommit=True) as connection:
        connection.execute("UPDATE procrastinate.procrastinate_jobs SET status = 'doing'")
    reader = await follower(cambodia)

    async with running_worker(hub.conninfo(DatabaseRole.WORKER)):
        await until(lambda: _told(reader, "record.shared", record["reference"]), 20)

        async def no_job_left() -> bool:
            return hub.look("SELECT FROM procrastinate.procrastinate_jobs WHERE worker_id IS NULL") == []

        await until(no_job_left, 20)


async def test_a_database_that_cuts_every_connection_is_come_back_to(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    reader = Follower(korea)
    async with running_worker(hub.conninfo(DatabaseRole.WORKER)):
        first = await korea.profile()
        await until(lambda: _told(reader, "record.created", first["reference"]), 5)
        hub.operator(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )
        second = await korea.profile()
        await until(lambda: _told(reader, "record.created", second["reference"]), 20)


async def test_a_worker_that_is_cancelled_leaves_nothing_behind(hub: Hub) -> None:
    before = asyncio.all_tasks()
    task = asyncio.create_task(run(hub.conninfo(DatabaseRole.WORKER)))
    await until(lambda: _at_work(hub), 5)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert asyncio.all_tasks() <= before
    assert hub.look("SELECT FROM procrastinate.procrastinate_workers") == []
    sessions = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND usename = %s"
    assert hub.look(sessions, DatabaseRole.WORKER.value) == []


async def test_a_worker_that_is_cancelled_while_it_connects_leaves_nothing_behind(hub: Hub) -> None:
    before = asyncio.all_tasks()
    for turns in range(0, 60, 3):
        task = asyncio.create_task(run(hub.conninfo(DatabaseRole.WORKER)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    assert asyncio.all_tasks() <= before
    gc.collect()  # a connection that was cut off in its handshake goes with the last that knows of it


async def test_work_that_fails_while_it_is_ended_has_ended(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the database dies in the moment in which the worker says goodbye to it."""
    begun: list[str] = []

    async def stubborn(conninfo: str) -> None:
        begun.append(conninfo)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            message = "the server closed the connection"
            raise OSError(message) from None

    monkeypatch.setattr(running, "keep_sequencing", stubborn)
    async with asyncio.timeout(20):
        async with running_worker(hub.conninfo(DatabaseRole.WORKER)):
            await until(lambda: _at_work(hub), 5)

    assert len(begun) == 1


async def test_work_that_loses_a_cancellation_gets_another(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    async def deaf_once(conninfo: str) -> None:
        assert conninfo
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    monkeypatch.setattr(running, "keep_sequencing", deaf_once)
    monkeypatch.setattr(running, "_GRACE_SECONDS", 0.5)
    async with asyncio.timeout(20):
        async with running_worker(hub.conninfo(DatabaseRole.WORKER)):
            await until(lambda: _at_work(hub), 5)

    assert {task.get_name() for task in asyncio.all_tasks()}.isdisjoint({"sequencer", "jobs"})


async def test_every_job_does_its_work(hub: Hub) -> None:
    expiring = hub.register("KR-KNPA")
    below_policies(hub, "INSERT INTO revoked_tokens VALUES (gen_random_uuid(), 'x', now() - interval '1 day')")
    client = hub.credential(expiring, "analyst")
    below_policies(hub, "UPDATE credentials SET expires_at = now() + interval '5 days' WHERE client_id = %s", client)
    async with job_app(hub.conninfo(DatabaseRole.WORKER)).open_async() as app:
        for name in JOBS:
            await app.configure_task(name).defer_async()
        await app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)

    statuses = hub.look("SELECT DISTINCT task_name, status::text FROM procrastinate.procrastinate_jobs ORDER BY 1")
    assert [row for row in statuses if row[0] in JOBS] == [(name, "succeeded") for name in sorted(JOBS)]
    assert hub.look("SELECT FROM revoked_tokens") == []
    assert hub.look("SELECT warned_days FROM credentials WHERE client_id = %s", client) == [(7,)]
    assert set(CLOCK) == {*JOBS, "drop_stalled_jobs", "seal_audit", "empty_attachment_trash"}
