"""Groups over HTTP: founded, changed, ended, and not there for those who are not in them."""

from typing import Any

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from tests.conftest import Hub
from tests.routers.grouping import PATH, commander, found, roles, walk

ANY_ID = "01920000-0000-7000-8000-000000000000"


async def test_a_group_is_known_to_its_members_and_to_nobody_else(hub: Hub) -> None:
    korea, cambodia, thailand = (commander(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    path = await found(korea, cambodia, purpose="Bring people home.")

    read = await cambodia.get(path)

    assert read.json() | {"id": "", "created_at": "", "updated_at": ""} == {
        "kind": "council",
        "name": "Bokor response council",
        "purpose": "Bring people home.",
        "charter": None,
        "id": "",
        "chair": "KR-KNPA",
        "version": 1,
        "created_at": "",
        "updated_at": "",
        "ended_at": None,
    }
    assert read.headers["ETag"] == '"1"'
    assert (await cambodia.get(path, headers={"If-None-Match": '"1"'})).status_code == 304
    assert await roles(cambodia, path) == {"KH-CNP": "member", "KR-KNPA": "chair"}
    assert [item["id"] for item in (await korea.get(PATH)).json()["items"]] == [read.json()["id"]]
    assert (await thailand.get(PATH)).json() == {"items": [], "next_cursor": None}
    mine = (await cambodia.get("/v1/me")).json()["groups"]
    assert [(group["id"], group["role"]) for group in mine] == [(read.json()["id"], "member")]


async def test_a_hidden_group_answers_like_none(hub: Hub) -> None:
    korea, thailand = commander(hub, "KR-KNPA"), commander(hub, "TH-RTP")
    path = await found(korea)
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "", {}),
        ("PATCH", "", {"json": {"name": "X"}}),
        ("POST", "/end", {}),
        ("GET", "/members", {}),
        ("POST", "/members", {"json": {"agency": "TH-RTP"}}),
        ("GET", "/members/KR-KNPA", {}),
        ("PATCH", "/members/KR-KNPA", {"json": {"role": "member"}}),
        ("DELETE", "/members/KR-KNPA", {}),
        ("POST", "/members/TH-RTP/accept", {}),
        ("POST", "/members/TH-RTP/decline", {}),
        ("POST", "/members/KR-KNPA/expel", {"json": {"reason": "x"}}),
    ]

    for method, rest, options in calls:
        answers = [
            await thailand.call(method, where + rest, **options) for where in (path, f"{PATH}/{ANY_ID}", f"{PATH}/x")
        ]
        assert [answer.status_code for answer in answers] == [404] * 3
        bodies = [answer.json() | {"instance": "", "request_id": ""} for answer in answers]
        assert bodies[0] == bodies[1] == bodies[2]


async def test_only_the_chair_manages_a_group(hub: Hub) -> None:
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    hub.register("TH-RTP")
    path = await found(korea, cambodia)
    match = {"headers": {"If-Match": '"1"'}}

    refused = [
        await cambodia.patch(path, {"name": "Mine"}, etag='"1"'),
        await cambodia.post(f"{path}/end", None, **match),
        await cambodia.post(f"{path}/members", {"agency": "TH-RTP"}),
        await cambodia.patch(f"{path}/members/KR-KNPA", {"role": "member"}, etag='"1"'),
        await cambodia.call("DELETE", f"{path}/members/KR-KNPA"),
        await cambodia.post(f"{path}/members/KR-KNPA/expel", {"reason": "x"}, **match),
    ]

    assert [answer.status_code for answer in refused] == [403] * 6
    assert await roles(korea, path) == {"KH-CNP": "member", "KR-KNPA": "chair"}


async def test_permissions(hub: Hub) -> None:
    analyst = hub.partner("KR-KNPA", "analyst")
    (hub_agency,) = hub.look("SELECT code FROM agencies WHERE hub")

    assert (await analyst.get(PATH)).status_code == 200
    assert (await analyst.post(PATH, {"kind": "council", "name": "C"})).status_code == 403
    assert (await hub.caller(hub_agency[0], "platform_admin").get(PATH)).status_code == 403


async def test_a_group_is_changed_from_the_version_that_was_read(hub: Hub) -> None:
    korea = commander(hub, "KR-KNPA")
    path = await found(korea, purpose="Old")

    changed = await korea.patch(path, {"name": "New name", "purpose": None}, etag='"1"')
    same = await korea.patch(path, {"name": "New name"}, etag='"2"')
    stale = await korea.patch(path, {"name": "Other"}, etag='"1"')
    blind = await korea.patch(path, {"name": "Other"})
    wrong = [
        await korea.patch(path, body, etag='"2"')
        for body in ({"name": None}, {"kind": "gang"}, {"chair": "KH-CNP"}, {"name": ""})
    ]

    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert (changed.json()["name"], changed.json()["purpose"]) == ("New name", None)
    assert (same.status_code, same.headers["ETag"]) == (200, '"2"')
    assert (stale.status_code, blind.status_code) == (412, 428)
    assert [answer.status_code for answer in wrong] == [422] * 4


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        ([{"agency": "XX-NONE"}], "unknown-reference", "/members/0/agency"),
        ([{"agency": "KH-CNP"}, {"agency": "HUB"}], "unknown-reference", "/members/1/agency"),
        ([{"agency": "KH-CNP"}, {"agency": "KH-CNP"}], "agency-repeated", "/members/1/agency"),
        ([{"agency": "KR-KNPA"}], "chair-listed", "/members/0/agency"),
        ([{"agency": "KH-CNP", "role": "chair"}], "literal-error", "/members/0/role"),
    ],
)
async def test_members_that_cannot_be_are_refused(
    hub: Hub, members: list[dict[str, str]], code: str, pointer: str
) -> None:
    korea = commander(hub, "KR-KNPA")
    hub.register("KH-CNP")

    answer = await korea.post(PATH, {"kind": "council", "name": "C", "members": members})

    assert answer.status_code == 422
    assert [(flaw["code"], flaw["pointer"]) for flaw in answer.json()["errors"]] == [(code, pointer)]
    assert (await korea.get(PATH)).json()["items"] == []


async def test_the_chair_is_handed_over_and_never_left_empty(hub: Hub) -> None:
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    path = await found(korea, cambodia)
    before = (await korea.get(f"{path}/members/KH-CNP")).json()["since"]

    leaving = await korea.call("DELETE", f"{path}/members/KR-KNPA")
    stepping_down = await korea.patch(f"{path}/members/KR-KNPA", {"role": "member"}, etag='"1"')
    handed = await korea.patch(f"{path}/members/KH-CNP", {"role": "chair"}, etag='"2"')
    late = await korea.patch(path, {"name": "Mine"}, etag='"2"')

    assert (leaving.status_code, stepping_down.status_code) == (409, 409)
    assert (handed.status_code, handed.json()["role"]) == (200, "chair")
    assert handed.json()["since"] == before  # it saw the same all along
    assert await roles(cambodia, path) == {"KH-CNP": "chair", "KR-KNPA": "member"}
    assert ((await cambodia.get(path)).json()["chair"], (await cambodia.get(path)).headers["ETag"]) == ("KH-CNP", '"2"')
    assert late.status_code == 403
    assert (await cambodia.patch(path, {"name": "Ours"}, etag='"2"')).status_code == 200
    assert (await korea.call("DELETE", f"{path}/members/KR-KNPA")).status_code == 204


async def test_an_ended_group_is_the_chairs_memory(hub: Hub) -> None:
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    path = await found(korea, cambodia)
    other = await found(korea, name="Another")

    blind = await korea.post(f"{path}/end")
    ended = await korea.post(f"{path}/end", None, headers={"If-Match": '"1"'})
    after = [
        await korea.post(f"{path}/end", None, headers={"If-Match": '"2"'}),
        await korea.patch(path, {"name": "X"}, etag='"2"'),
        await korea.post(f"{path}/members", {"agency": "KH-CNP"}),
    ]

    assert blind.status_code == 428
    assert (ended.status_code, ended.headers["ETag"]) == (200, '"2"')
    assert ended.json()["ended_at"] == ended.json()["updated_at"]
    assert [answer.status_code for answer in after] == [409] * 3
    assert (await cambodia.get(path)).status_code == 404
    assert (await korea.get(path)).status_code == 200
    assert (await korea.get(f"{path}/members")).json()["items"] == []
    listed = {
        ended: [f"{PATH}/{item['id']}" for item in (await korea.get(PATH, params={"ended": ended})).json()["items"]]
        for ended in ("true", "false")
    }
    assert listed == {"true": [path], "false": [other]}
    created = await korea.post(
        "/v1/criminal-organizations",
        {"name": "X", "handling": {"tlp": "AMBER", "audience": {"groups": [path.rpartition("/")[2]]}}},
    )
    assert created.json()["type"] == "/problems/unknown-reference"


async def test_repeated_calls_move_nothing_twice(hub: Hub) -> None:
    korea = commander(hub, "KR-KNPA")
    hub.register("KH-CNP")
    body = {"kind": "joint_team", "name": "Team"}
    first = await korea.post(PATH, body, headers={"Idempotency-Key": "a"})
    path = first.headers["Location"]
    await korea.patch(path, {"name": "Renamed"}, etag='"1"')
    joined = await korea.post(f"{path}/members", {"agency": "KH-CNP"}, headers={"Idempotency-Key": "b"})
    await korea.patch(f"{path}/members/KH-CNP", {"role": "observer"}, etag='"1"')
    ended = await korea.post(f"{path}/end", None, headers={"Idempotency-Key": "c", "If-Match": '"2"'})

    repeats = [
        await korea.post(PATH, body, headers={"Idempotency-Key": "a"}),
        await korea.post(f"{path}/end", None, headers={"Idempotency-Key": "c", "If-Match": '"2"'}),
    ]

    for made, repeat in zip((first, ended), repeats, strict=True):
        assert repeat.headers["Idempotency-Replayed"] == "true"
        assert (repeat.status_code, repeat.json()) == (made.status_code, made.json())
        assert repeat.headers["ETag"] == made.headers["ETag"]
    assert len((await korea.get(PATH)).json()["items"]) == 1
    assert joined.status_code == 201


async def test_lists_go_on_where_they_stopped(hub: Hub) -> None:
    korea = commander(hub, "KR-KNPA")
    codes = [hub.register(f"AA-{number}") for number in range(5)]
    paths = [await found(korea, *codes, kind="joint_team", name=f"Team {number}") for number in range(3)]
    await found(korea, name="Council")

    groups = await walk(korea, PATH, limit=2, kind="joint_team")
    members = await walk(korea, f"{paths[0]}/members", limit=2)
    table = await korea.get(f"{paths[0]}/members", headers={"Accept": "text/csv"})

    assert [f"{PATH}/{item['id']}" for item in groups] == paths[::-1]
    assert [item["agency"] for item in members] == [*codes, "KR-KNPA"]
    header = "role,agency,state,invited_at,joined_at,since,until,reason,version"
    assert table.text.splitlines()[0] == header


async def test_the_tables_take_nothing_past_the_functions(hub: Hub) -> None:
    """A server whose statements somebody could change still makes no group but by the rules."""
    with psycopg.connect(hub.conninfo(DatabaseRole.API), autocommit=True) as connection:
        for statement in (
            "INSERT INTO groups (id, kind, name, chair) VALUES (gen_random_uuid(), 'council', 'x', 'HUB')",
            "UPDATE memberships SET until = NULL",
            "UPDATE invitations SET ended_at = NULL",
            "INSERT INTO expulsions DEFAULT VALUES",
            "INSERT INTO sight_changes DEFAULT VALUES",
            "SELECT set_membership(NULL, NULL, NULL)",
            "SELECT queue_job('x')",
            "SELECT * FROM procrastinate.procrastinate_jobs",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        tables = ("groups", "memberships", "invitations", "expulsions", "group_versions", "events", "event_receivers")
        for table in tables:
            assert connection.execute(f"SELECT FROM {table}").fetchall() == []
