"""Urgent reports: everybody who sees one is called at once, and its originator sees who has acknowledged."""

import asyncio
from typing import Any

import psycopg

from app.core.database_roles import DatabaseRole
from app.worker.jobs import CLOCK, JOBS
from tests.access.scene import end_membership, found_group
from tests.conftest import Hub, Partner
from tests.events.following import Follower, follower, only, place
from tests.routers.entrance import below_policies
from tests.routers.incidents import HELD, PATH, path_of, report, step

AT_RISK = {**HELD, "condition": "life_at_risk"}


async def told(reader: Follower, type_: str) -> int:
    """How many events of a type came since the last look."""
    place(reader.partner.hub)
    return len(only(await reader.follow(), type_))


async def work(hub: Hub) -> None:
    """Let the job look after the alarms."""
    assert "keep_incident_alarms" in CLOCK
    async with await psycopg.AsyncConnection.connect(hub.conninfo(DatabaseRole.WORKER), autocommit=True) as connection:
        await JOBS["keep_incident_alarms"](connection)


async def states(partner: Partner, path: str) -> list[tuple[str, str, str]]:
    """The calls about a report, as this partner sees them."""
    answer = await partner.get(f"{path}/acknowledgements")
    assert answer.status_code == 200, answer.text
    return sorted((call["agency"], call["urgency"], call["state"]) for call in answer.json()["items"])


async def test_everybody_who_sees_an_urgent_report_is_called(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    vietnam = hub.partner("VN-MPS")
    readers = {partner.agency: await follower(partner) for partner in (korea, cambodia, thailand, vietnam)}

    created = await report(korea, "KH-CNP", "TH-RTP", victims=[HELD])
    path = f"{PATH}/{created['id']}"

    place(hub)
    heard = {agency: [event for event, _ in await reader.follow()] for agency, reader in readers.items()}
    # First that it is there, then that it is urgent.
    assert heard == {
        "KR-KNPA": ["record.created", "incident.urgent"],
        "KH-CNP": ["record.shared", "incident.urgent"],
        "TH-RTP": ["record.shared", "incident.urgent"],
        "VN-MPS": [],
    }
    assert await states(korea, path) == [("KH-CNP", "detained", "waiting"), ("TH-RTP", "detained", "waiting")]
    assert await states(cambodia, path) == [("KH-CNP", "detained", "waiting")]

    done = await cambodia.post(f"{path}/acknowledge", {"note": "A patrol is on its way."})
    again = await cambodia.post(f"{path}/acknowledge", {"note": "Something else."})

    assert done.status_code == 200, done.text
    call = done.json()
    assert (call["agency"], call["state"], call["note"]) == ("KH-CNP", "acknowledged", "A patrol is on its way.")
    assert call["acknowledged_at"] >= call["called_at"]
    assert again.json() == call
    assert await states(korea, path) == [("KH-CNP", "detained", "acknowledged"), ("TH-RTP", "detained", "waiting")]
    assert await told(readers["KR-KNPA"], "incident.acknowledged") == 1
    assert await told(readers["KH-CNP"], "incident.acknowledged") == 1
    # Who else sees the report is told to no third agency.
    assert await told(readers["TH-RTP"], "incident.acknowledged") == 0
    assert "KH-CNP" not in (await thailand.get(f"{path}/acknowledgements")).text
    # The report did not change by it.
    assert (await cambodia.get(path)).headers["ETag"] == '"1"'
    assert hub.look(
        "SELECT agency, action FROM audit_entries WHERE action LIKE 'incident.%%' ORDER BY agency, action"
    ) == [
        ("KH-CNP", "incident.acknowledge"),
        ("KH-CNP", "incident.call"),
        ("TH-RTP", "incident.call"),
    ]


async def test_who_may_acknowledge_and_when(hub: Hub) -> None:
    korea, cambodia, vietnam = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("VN-MPS")
    path = await path_of(korea, "KH-CNP", victims=[HELD])
    calm = await path_of(korea, "KH-CNP")
    key = {"Idempotency-Key": "once"}

    assert (await vietnam.post(f"{path}/acknowledge")).status_code == 404
    assert (await korea.post(f"{path}/acknowledge")).status_code == 409
    assert (await cambodia.post(f"{calm}/acknowledge")).status_code == 409
    assert (await hub.caller("KH-CNP", "auditor").post(f"{path}/acknowledge")).status_code == 403
    assert (await cambodia.post(f"{path}/acknowledge", {"note": ""})).status_code == 422
    too_large = {"note": "x" * hub.settings.body_limit * 2}
    assert (await cambodia.post(f"{path}/acknowledge", too_large)).status_code == 413
    first = await cambodia.post(f"{path}/acknowledge", headers=key)
    repeated = await cambodia.post(f"{path}/acknowledge", headers=key)
    assert (first.status_code, repeated.json()) == (200, first.json())
    assert repeated.headers["Idempotency-Replayed"] == "true"
    assert (await cambodia.post(f"{path}/acknowledge", {"note": "x"}, headers=key)).status_code == 422
    assert (await korea.post(f"{path}/retract", etag='"1"')).status_code == 200
    assert (await cambodia.post(f"{path}/acknowledge")).json()["type"] == "/problems/retracted"
    assert (await cambodia.get(f"{path}/acknowledgements")).json()["items"] == []


async def test_of_many_acknowledgements_at_once_one_counts(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = await path_of(korea, "KH-CNP", victims=[HELD])
    reader = await follower(korea)

    answers = await asyncio.gather(*(cambodia.post(f"{path}/acknowledge", {"note": f"{n}"}) for n in range(6)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["note"] for answer in answers}) == 1
    assert await told(reader, "incident.acknowledged") == 1


async def test_what_is_overdue_is_told_to_both_sides_once(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    at_risk = await path_of(korea, "KH-CNP", "TH-RTP", victims=[HELD, AT_RISK])
    held = await path_of(korea, "KH-CNP", victims=[HELD])
    ((hour,), (day,)) = hub.look("SELECT DISTINCT due_at - called_at FROM incident_calls ORDER BY 1")
    assert (hour.total_seconds(), day.total_seconds()) == (3600, 86400)
    await thailand.post(f"{at_risk}/acknowledge")
    readers = [await follower(partner) for partner in (korea, cambodia, thailand)]

    # Two hours later.
    below_policies(
        hub,
        "UPDATE incident_calls SET called_at = called_at - interval '2 hours', due_at = due_at - interval '2 hours'",
    )
    await work(hub)
    await work(hub)

    assert [await told(reader, "incident.overdue") for reader in readers] == [1, 1, 0]
    assert await states(korea, at_risk) == [
        ("KH-CNP", "life_at_risk", "overdue"),
        ("TH-RTP", "life_at_risk", "acknowledged"),
    ]
    assert await states(korea, held) == [("KH-CNP", "detained", "waiting")]
    late = await cambodia.post(f"{at_risk}/acknowledge")
    assert late.json()["state"] == "acknowledged"
    ((count,),) = hub.look("SELECT count(*) FROM audit_entries WHERE action = 'incident.overdue'")
    assert count == 2


async def test_an_alarm_follows_what_the_report_says(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = await path_of(korea, "KH-CNP")
    reader = await follower(cambodia)

    async def now(**changes: Any) -> int:
        etag = (await korea.get(path)).headers["ETag"]
        answer = await korea.patch(path, changes, etag=etag)
        assert answer.status_code == 200, answer.text
        return await told(reader, "incident.urgent")

    assert await now(victims=[HELD]) == 1
    assert (await cambodia.post(f"{path}/acknowledge")).status_code == 200
    assert await now(title="Two held near Bokor", victims=[HELD, HELD]) == 0
    # More urgent: another alarm, to be acknowledged again. Less so: the one that stands.
    assert await now(victims=[HELD, AT_RISK]) == 1
    assert await states(korea, path) == [("KH-CNP", "detained", "acknowledged"), ("KH-CNP", "life_at_risk", "waiting")]
    assert await now(victims=[HELD]) == 0
    assert (await cambodia.post(f"{path}/acknowledge")).status_code == 200
    assert await now(victims=[{**HELD, "condition": "safe"}]) == 0
    assert (await cambodia.post(f"{path}/acknowledge")).status_code == 409
    assert await now(victims=[AT_RISK]) == 1
    assert (await step(korea, path, "locate")).status_code == 200
    assert await told(reader, "incident.urgent") == 0
    assert (await step(korea, path, "rescue")).status_code == 200
    assert ("KH-CNP", "life_at_risk", "ended") in await states(korea, path)
    assert (await step(korea, path, "reopen")).status_code == 200
    assert await told(reader, "incident.urgent") == 1
    assert (await step(korea, path, "verify", {"verification": "unfounded"})).status_code == 200
    assert [state for _, _, state in await states(korea, path)].count("waiting") == 0


async def test_whoever_comes_to_see_an_urgent_report_is_called(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    thailand, laos = hub.partner("TH-RTP"), hub.partner("LA-DOP")
    group = found_group(hub, "KR-KNPA", {"LA-DOP": "member"})
    audience = {"agencies": ["KH-CNP"], "groups": [str(group)]}
    path = await path_of(korea, victims=[AT_RISK], handling={"tlp": "AMBER", "audience": audience})
    assert [agency for agency, _, _ in await states(korea, path)] == ["KH-CNP", "LA-DOP"]
    readers = {partner.agency: await follower(partner) for partner in (cambodia, thailand, laos)}

    opened = {"agencies": ["TH-RTP"], "purpose": "He was driven over the border."}
    assert (await korea.post(f"{path}/disclosures", opened)).status_code == 201
    assert {agency: await told(reader, "incident.urgent") for agency, reader in readers.items()} == {
        "KH-CNP": 0,
        "TH-RTP": 1,
        "LA-DOP": 0,
    }
    # By a group's members: the job finds them, and whoever is no member any more owes nothing.
    end_membership(hub, group, "LA-DOP")
    hub.register("MY-RMP")
    below_policies(hub, "INSERT INTO memberships (group_id, agency, role) VALUES (%s, 'MY-RMP', 'member')", group)
    malaysia = hub.caller("MY-RMP")
    assert (await malaysia.post(f"{path}/acknowledge")).json()["state"] == "acknowledged"
    await work(hub)
    assert [(agency, state) for agency, _, state in await states(korea, path)] == [
        ("KH-CNP", "waiting"),
        ("LA-DOP", "ended"),
        ("MY-RMP", "acknowledged"),
        ("TH-RTP", "waiting"),
    ]
    # Taken from sight and opened once more: called once more.
    handling = await korea.get(f"{path}/handling")
    narrower = await korea.put(f"{path}/handling", {**handling.json(), "audience": audience}, handling.headers["ETag"])
    assert narrower.status_code == 200, narrower.text
    assert (await thailand.get(f"{path}/acknowledgements")).status_code == 404
    assert ("TH-RTP", "life_at_risk", "ended") in await states(korea, path)
    assert (await korea.post(f"{path}/disclosures", opened)).status_code == 201
    assert ("TH-RTP", "life_at_risk", "waiting") in await states(korea, path)
    assert await told(readers["TH-RTP"], "incident.urgent") == 1


async def test_a_purge_leaves_nothing_of_the_calls(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = await path_of(korea, "KH-CNP", victims=[HELD])
    await cambodia.post(f"{path}/acknowledge", {"note": "On our way."})
    below_policies(hub, 'UPDATE records SET handling = handling || \'{"review_on": "2020-01-01"}\'')
    hub.operator("SELECT * FROM purge_due_records(10)")

    assert (await korea.get(path)).json()["state"] == "purged"
    for table in ("incidents", "incident_calls", "incident_alarms", "incident_likenesses"):
        assert hub.look(f"SELECT count(*) FROM {table}") == [(0,)], table  # noqa: S608 - names of this test's own
