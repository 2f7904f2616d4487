"""Gain and loss of sight by membership: told for exactly the records whose sight changed, whatever else happens."""

import asyncio
from typing import Any

import psycopg

from app.core.database_roles import DatabaseRole
from tests.conftest import Hub, Partner
from tests.events.following import Follower, follower, only, tell

PATH = "/v1/criminal-organizations"


def commander(hub: Hub, agency: str) -> Partner:
    return hub.partner(agency, "commander", "analyst")


async def found(chair: Partner, *members: Partner) -> str:
    """Found a group, with members that accept; its id."""
    body = {"kind": "council", "name": "Council", "members": [{"agency": member.agency} for member in members]}
    answer = await chair.post("/v1/groups", body)
    assert answer.status_code == 201, answer.text
    for member in members:
        await member.accept(answer.headers["Location"])
    return str(answer.json()["id"])


async def share(partner: Partner, *groups: str, tlp: str = "AMBER", **audience: Any) -> dict[str, Any]:
    """A profile shared with groups."""
    return await partner.profile(handling={"tlp": tlp, "audience": {"groups": groups, **audience}})


async def join(chair: Partner, group: str, member: Partner, role: str = "member") -> None:
    answer = await chair.post(f"/v1/groups/{group}/members", {"agency": member.agency, "role": role})
    assert answer.status_code == 201, answer.text
    await member.accept(f"/v1/groups/{group}")


async def leave(member: Partner, group: str) -> None:
    answer = await member.call("DELETE", f"/v1/groups/{group}/members/{member.agency}")
    assert answer.status_code == 204, answer.text


async def expel(chair: Partner, group: str, agency: str) -> None:
    await chair.expel(f"/v1/groups/{group}", agency)


async def rehandle(partner: Partner, record: dict[str, Any], etag: str = '"1"', **audience: Any) -> None:
    """Change the audience of a record."""
    handling = record["handling"]
    changed = {**handling, "audience": {**handling["audience"], **audience}}
    answer = await partner.put(f"{PATH}/{record['id']}/handling", changed, etag=etag)
    assert answer.status_code == 200, answer.text


async def sees(partner: Partner, record: dict[str, Any]) -> bool:
    return (await partner.get(f"{PATH}/{record['id']}")).status_code == 200


async def sight(reader: Follower) -> dict[str, list[str]]:
    """References of the records gained and lost since the reader last looked, in the order they were told."""
    events = await reader.follow()
    return {"gained": only(events, "record.shared"), "lost": only(events, "record.lost")}


async def test_joining_and_leaving_tell_of_each_record_whose_sight_changed(hub: Hub) -> None:
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    group, other = await found(korea), await found(korea, cambodia)
    gained = await share(korea, group)
    by_code = await share(korea, group, agencies=["KH-CNP"])
    by_other_group = await share(korea, group, other)
    by_community = await share(korea, group, tlp="GREEN", community=True)
    excluded = await share(korea, group, excluded=["KH-CNP"])
    elsewhere = await share(korea)
    reader = await follower(cambodia)

    await join(korea, group, cambodia)
    at_once = [await sees(cambodia, record) for record in (gained, excluded, elsewhere)]
    own = await share(cambodia, group)
    tell(hub)
    joined = await sight(reader)
    await leave(cambodia, group)
    afterwards = [await sees(cambodia, record) for record in (gained, by_code, by_other_group, by_community, own)]
    tell(hub)
    left = await sight(reader)

    assert at_once == [True, False, False]
    assert joined == {"gained": [gained["reference"]], "lost": []}
    assert afterwards == [False, True, True, True, True]
    assert left == {"gained": [], "lost": [gained["reference"]]}
    assert tell(hub) == 0


async def test_observers_gain_and_lose_what_observers_see(hub: Hub) -> None:
    korea, thailand = commander(hub, "KR-KNPA"), commander(hub, "TH-RTP")
    group = await found(korea)
    for_members = await share(korea, group)
    for_all = await share(korea, group, observers_of=[group])
    reader = await follower(thailand)
    steps = []

    await join(korea, group, thailand, "observer")
    tell(hub)
    steps.append(await sight(reader))
    for etag, role in (('"2"', "member"), ('"3"', "observer")):
        await korea.patch(f"/v1/groups/{group}/members/TH-RTP", {"role": role}, etag=etag)
        tell(hub)
        steps.append(await sight(reader))

    assert steps == [
        {"gained": [for_all["reference"]], "lost": []},
        {"gained": [for_members["reference"]], "lost": []},
        {"gained": [], "lost": [for_members["reference"]]},
    ]


async def test_passing_the_chair_on_changes_nobodys_sight(hub: Hub) -> None:
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    group = await found(korea, cambodia)
    await share(korea, group)
    tell(hub)
    readers = [await follower(korea), await follower(cambodia)]

    await korea.patch(f"/v1/groups/{group}/members/KH-CNP", {"role": "chair"}, etag='"2"')

    assert tell(hub) == 0
    assert [await sight(reader) for reader in readers] == [{"gained": [], "lost": []}] * 2


async def test_an_end_is_a_loss_for_everybody_but_the_originator(hub: Hub) -> None:
    korea, cambodia, thailand = (commander(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    group = await found(korea, cambodia, thailand)
    record = await share(cambodia, group)
    readers = [await follower(partner) for partner in (korea, cambodia, thailand)]

    await korea.post(f"/v1/groups/{group}/end", None, headers={"If-Match": '"1"'})
    tell(hub)

    lost = [(await sight(reader))["lost"] for reader in readers]
    assert lost == [[record["reference"]], [], [record["reference"]]]


async def test_a_short_stay_is_told_in_its_order(hub: Hub) -> None:
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    group = await found(korea)
    record = await share(korea, group)
    reader = await follower(cambodia)

    await join(korea, group, cambodia)
    await expel(korea, group, "KH-CNP")
    await join(korea, group, cambodia)
    tell(hub)
    types = [type_ for type_, subject in await reader.follow() if subject == record["reference"]]

    assert types == ["record.shared", "record.lost", "record.shared"]


async def test_large_groups_are_told_in_batches_and_a_crash_neither_skips_nor_repeats(hub: Hub) -> None:
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    group = await found(korea)
    records = [await share(korea, group) for _ in range(7)]
    reader = await follower(cambodia)
    await join(korea, group, cambodia)

    with psycopg.connect(hub.conninfo(DatabaseRole.WORKER)) as connection:
        connection.execute("SELECT tell_sight_changes(3)")
        connection.commit()
        connection.execute("SELECT tell_sight_changes(3)")
        connection.rollback()  # the process dies before it commits
    tell(hub, batch=3)

    assert (await sight(reader))["gained"] == [record["reference"] for record in records]
    assert hub.look("SELECT FROM sight_changes") == hub.look("SELECT FROM sight_settled") == []


async def test_two_workers_at_once_tell_everything_once(hub: Hub) -> None:
    korea = commander(hub, "KR-KNPA")
    partners = [commander(hub, f"AA-{number}") for number in range(6)]
    group = await found(korea)
    records = [await share(korea, group) for _ in range(5)]
    readers = [await follower(partner) for partner in partners]
    for partner in partners:
        await join(korea, group, partner)

    async def work() -> None:
        async with await psycopg.AsyncConnection.connect(
            hub.conninfo(DatabaseRole.WORKER), autocommit=True
        ) as connection:
            while (await (await connection.execute("SELECT tell_sight_changes(2)")).fetchone() or (False,))[0]:
                pass

    await asyncio.gather(*(work() for _ in range(4)))
    tell(hub)

    for reader in readers:
        assert (await sight(reader))["gained"] == [record["reference"] for record in records]


async def test_a_record_shared_while_a_change_waits_is_told_once(hub: Hub) -> None:
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    group = await found(korea)
    older = await share(korea, group)
    opened = await korea.profile(handling={"tlp": "AMBER", "audience": {}})
    reader = await follower(cambodia)

    await join(korea, group, cambodia)
    newer = await share(korea, group)
    await korea.post(
        f"{PATH}/{opened['id']}/disclosures", {"groups": [group], "purpose": "x"}, headers={"If-Match": '"1"'}
    )
    tell(hub)

    gained = (await sight(reader))["gained"]
    assert sorted(gained) == sorted([older["reference"], newer["reference"], opened["reference"]])


async def test_a_record_closed_while_a_loss_waits_is_told_of_all_the_same(hub: Hub) -> None:
    """The worker will not find the record by the group any more, so whoever closes it settles what is due."""
    korea, cambodia, thailand = (commander(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    group = await found(korea, cambodia, thailand)
    record = await share(korea, group)
    gone, stays = await follower(cambodia), await follower(thailand)

    await leave(cambodia, group)
    await rehandle(korea, record, groups=[])
    tell(hub)

    assert await sight(gone) == {"gained": [], "lost": [record["reference"]]}
    assert await sight(stays) == {"gained": [], "lost": [record["reference"]]}


async def test_a_record_taken_back_while_a_gain_waits_ends_in_a_loss(hub: Hub) -> None:
    """Between joining and taking back the agency could read it, so it must be told to delete its copy."""
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    group = await found(korea)
    record = await share(korea, group)
    reader = await follower(cambodia)

    await join(korea, group, cambodia)
    await rehandle(korea, record, excluded=["KH-CNP"])
    await rehandle(korea, record, etag='"2"')
    tell(hub)
    types = [type_ for type_, subject in await reader.follow() if subject == record["reference"]]

    assert [type_ for type_ in types if not type_.startswith("recall.")] == [
        "record.shared",
        "record.lost",
        "record.shared",
    ]
    assert {type_ for type_ in types if type_.startswith("recall.")} == {"recall.requested", "recall.superseded"}


async def test_a_writer_under_way_and_a_membership_do_not_miss_each_other(hub: Hub) -> None:
    """A transaction has shared a record with the group and not committed; a member that joins now must hear of it."""
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    group = await found(korea)
    reader = await follower(cambodia)
    record = await korea.profile(handling={"tlp": "AMBER", "audience": {}})
    with psycopg.connect(hub.conninfo(DatabaseRole.OWNER)) as writer:
        writer.execute("SET ROLE interdesk_engine")
        writer.execute("UPDATE records SET audience = audience || %s WHERE id = %s", ([f"group:{group}"], record["id"]))
        joining = asyncio.create_task(join(korea, group, cambodia))
        await _until_waiting(hub)
        writer.commit()
    await joining
    tell(hub)

    assert await sight(reader) == {"gained": [record["reference"]], "lost": []}


async def _until_waiting(hub: Hub) -> None:
    async with await psycopg.AsyncConnection.connect(hub.conninfo(DatabaseRole.API), autocommit=True) as connection:
        async with asyncio.timeout(5):
            while True:
                cursor = await connection.execute(
                    "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
                if await cursor.fetchone() is not None:
                    return
                await asyncio.sleep(0.01)


async def test_members_writers_and_the_worker_at_once_agree_in_the_end(hub: Hub) -> None:
    """Whatever the order: who follows the events from the beginning ends with exactly what it may see."""
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    group = await found(korea)
    for _ in range(3):
        await share(korea, group)
    reader = await follower(cambodia)
    done = asyncio.Event()
    worker = asyncio.create_task(_work(hub, done))
    await asyncio.gather(
        _come_and_go(korea, cambodia, group), _write(korea, group, keep=True), _write(korea, group, keep=False)
    )
    done.set()
    await worker
    tell(hub)

    copy = set()
    for type_, subject in await reader.follow():
        if type_ == "record.shared":
            copy.add(subject)
        elif type_ == "record.lost":
            copy.discard(subject)
    visible = {item["reference"] for item in (await cambodia.get(PATH, params={"limit": 500})).json()["items"]}
    assert copy == visible
    assert len(visible) == 11


async def _come_and_go(chair: Partner, member: Partner, group: str) -> None:
    for _ in range(4):
        await join(chair, group, member)
        await expel(chair, group, member.agency)
        await join(chair, group, member)
        await leave(member, group)
    await join(chair, group, member)


async def _write(partner: Partner, group: str, *, keep: bool) -> None:
    for _ in range(8):
        record = await share(partner, group)
        if not keep:
            await rehandle(partner, record, groups=[])


async def _work(hub: Hub, done: asyncio.Event) -> None:
    conninfo = hub.conninfo(DatabaseRole.WORKER)
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        while not done.is_set():
            await connection.execute("SELECT tell_sight_changes(2)")
            await connection.execute("SELECT sequence_events()")
