"""Action items over HTTP: added by the convener, done by their owners, and told of once when their day has passed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.core import clock
from tests.conftest import Hub, Partner
from tests.events.following import follower, place
from tests.routers.convening import PATH, assign, call, draft, move, moved, officer
from tests.routers.grouping import found as found_group

ANY_ID = "01920000-0000-7000-8000-000000000000"
ITEM = {"text": "Send the list.", "owner": "KH-CNP", "due_on": "2999-12-31"}


def day(days: int) -> str:
    """A day counted from today, in UTC."""
    return (clock.now().date() + timedelta(days=days)).isoformat()


def tell_due(hub: Hub) -> int:
    """Let the worker tell of items whose day has passed; how many there were."""
    count = int(hub.operator("SELECT tell_due_meeting_actions()")[0][0])
    place(hub)
    return count


async def test_an_owner_does_what_it_was_given(hub: Hub) -> None:
    korea, cambodia = officer(hub, "KR-KNPA"), officer(hub, "KH-CNP")
    path = await call(korea, "KH-CNP")

    added = await korea.post(f"{path}/actions", ITEM)

    item = added.headers["Location"]
    assert added.json() | {"id": "", "meeting_reference": "", "created_at": "", "updated_at": ""} == {
        **ITEM,
        "id": "",
        "meeting_id": path.rpartition("/")[2],
        "meeting_reference": "",
        "state": "open",
        "note": None,
        "version": 1,
        "created_at": "",
        "updated_at": "",
        "closed_at": None,
    }
    assert (await cambodia.get(item)).json() == added.json()
    assert (await cambodia.get(item, headers={"If-None-Match": '"1"'})).status_code == 304
    done = await moved(cambodia, item, "complete", {"note": "Sent, 41 numbers."})
    assert (done["state"], done["note"], done["closed_at"] is not None) == ("done", "Sent, 41 numbers.", True)
    assert (await move(cambodia, item, "complete", {})).status_code == 409
    assert (await korea.patch(item, {"text": "More"}, etag="*")).status_code == 409
    opened = await moved(korea, item, "reopen", {"reason": "Two pages are missing."})
    assert (opened["state"], opened["note"], opened["closed_at"]) == ("open", "Two pages are missing.", None)
    assert (await move(korea, item, "reopen", {"reason": "R"})).status_code == 409
    dropped = await moved(korea, item, "drop", {"reason": "The site stands empty."})
    assert (dropped["state"], dropped["version"]) == ("dropped", 4)


async def test_who_may_do_what(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    stranger = officer(hub, "LA-DOP")
    path = await call(korea, "KH-CNP", "TH-RTP")
    item = await assign(korea, path, "KH-CNP")
    reader = hub.caller("KH-CNP", "commander")
    reason = {"reason": "R"}

    async def tried(partner: Partner) -> list[int]:
        answers = [
            await move(partner, item, "complete", {}),
            await move(partner, item, "drop", reason),
            await move(partner, item, "reopen", reason),
            await partner.patch(item, {"text": "T"}, etag="*"),
            await partner.post(f"{path}/actions", ITEM),
        ]
        return [answer.status_code for answer in answers]

    # The convener does not say for the owner that it is done, and 409 is all that an open item is reopened with.
    assert await tried(thailand) == [403] * 5
    assert await tried(stranger) == [404] * 5
    assert await tried(reader) == [403] * 5
    assert (await move(korea, item, "complete", {})).status_code == 403
    assert (await korea.get(item)).json()["version"] == 1
    assert [(await one.get(item)).status_code for one in (thailand, reader, stranger)] == [200, 200, 404]
    own = await assign(korea, path, "KR-KNPA")
    assert (await moved(korea, own, "complete", {}))["state"] == "done"
    assert (await cambodia.post(f"{item}/complete", {})).status_code == 428
    assert (await cambodia.post(f"{item}/complete", {}, etag='"7"')).status_code == 412


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"owner": "TH-RTP"}, "no-participant", "/owner"),
        ({"owner": "XX-NONE"}, "no-participant", "/owner"),
        ({"owner": "HUB"}, "no-participant", "/owner"),
        ({"due_on": "soon"}, "date-invalid", "/due_on"),
        ({"due_on": None}, "date-invalid", "/due_on"),
        ({"state": "done"}, "extra-forbidden", "/state"),
    ],
)
async def test_what_no_item_can_be_is_refused(hub: Hub, fields: dict[str, Any], code: str, pointer: str) -> None:
    korea = officer(hub, "KR-KNPA")
    for other in ("KH-CNP", "TH-RTP"):
        hub.register(other)
    path = await call(korea, "KH-CNP")

    answer = await korea.post(f"{path}/actions", {**ITEM, **fields})

    assert answer.status_code == 422
    assert [(flaw["code"], flaw["pointer"]) for flaw in answer.json()["errors"]] == [(code, pointer)]


async def test_items_belong_to_what_was_called(hub: Hub) -> None:
    korea = officer(hub, "KR-KNPA")
    hub.register("KH-CNP")
    path, cancelled = await draft(korea, "KH-CNP"), await call(korea, "KH-CNP")
    await moved(korea, cancelled, "cancel", {"reason": "R"})

    assert [(await korea.post(f"{one}/actions", ITEM)).status_code for one in (path, cancelled)] == [409, 409]
    await moved(korea, path, "call")
    await moved(korea, path, "hold", {})
    item = await assign(korea, path, "KH-CNP")
    other = await call(korea, "KH-CNP")
    # By its own meeting alone.
    assert (await korea.get(f"{other}/actions/{item.rpartition('/')[2]}")).status_code == 404
    assert (await korea.get(f"{path}/actions/{ANY_ID}")).status_code == 404


async def test_items_are_listed_across_meetings_by_what_is_due_first(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    first, second = await call(korea, "KH-CNP", "TH-RTP"), await call(cambodia, "KR-KNPA")
    for path, convener, owner, text, due in (
        (first, korea, "KH-CNP", "late", day(-3)),
        (first, korea, "TH-RTP", "theirs", day(-2)),
        (second, cambodia, "KH-CNP", "today", day(0)),
        (first, korea, "KH-CNP", "later", day(9)),
    ):
        await assign(convener, path, owner, text=text, due_on=due)
    done = await assign(korea, first, "KH-CNP", text="done", due_on=day(-9))
    await moved(cambodia, done, "complete", {})

    async def listed(partner: Partner, path: str = PATH, **parameters: Any) -> list[str]:
        answer = await partner.get(f"{path}/actions", params=parameters)
        assert answer.status_code == 200, answer.text
        return [item["text"] for item in answer.json()["items"]]

    assert await listed(cambodia) == ["done", "late", "theirs", "today", "later"]
    assert await listed(thailand) == ["done", "late", "theirs", "later"]
    assert await listed(cambodia, owner="KH-CNP", state="open") == ["late", "today", "later"]
    assert await listed(cambodia, overdue="true") == ["late", "theirs"]
    assert await listed(cambodia, overdue="false") == ["done", "today", "later"]
    assert await listed(korea, second) == ["today"]
    assert await listed(korea, first, owner="TH-RTP") == ["theirs"]
    page = (await cambodia.get(f"{PATH}/actions", params={"limit": 2})).json()
    rest = await listed(cambodia, cursor=page["next_cursor"], limit=3)
    assert [item["text"] for item in page["items"]] + rest == ["done", "late", "theirs", "today", "later"]
    assert (await cambodia.get(f"{first}/actions", params={"cursor": page["next_cursor"]})).status_code == 400
    table = await cambodia.get(f"{PATH}/actions", headers={"Accept": "text/csv"})
    assert table.text.count("-ME-") == 5


async def test_what_is_overdue_is_told_once_to_owner_and_convener(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    path = await call(korea, "KH-CNP", "TH-RTP")
    reference = (await korea.get(path)).json()["reference"]
    item = await assign(korea, path, "KH-CNP", due_on=day(-1))
    await assign(korea, path, "KH-CNP", due_on=day(0))
    finished = await assign(korea, path, "TH-RTP", due_on=day(-1))
    await moved(thailand, finished, "complete", {})
    followers = [await follower(partner) for partner in (korea, cambodia, thailand)]

    assert [tell_due(hub), tell_due(hub)] == [1, 0]

    due = [("meeting.action_due", reference)]
    assert [await one.follow() for one in followers] == [due, due, []]
    assert followers[1].events[-1]["data"]["detail"] == {"action": item.rpartition("/")[2], "due_on": day(-1)}
    assert hub.look("SELECT agency FROM audit_entries WHERE action = 'meeting.action_due' ORDER BY 1") == [
        ("KH-CNP",),
        ("KR-KNPA",),
    ]
    # With another day it is told again, and what only its text was changed of is not.
    await korea.patch(item, {"text": "Send it at last."}, etag="*")
    assert tell_due(hub) == 0
    await korea.patch(item, {"due_on": day(-2)}, etag="*")
    assert tell_due(hub) == 1


async def test_an_owner_that_sees_the_meeting_no_more_is_not_told(hub: Hub) -> None:
    korea, cambodia = officer(hub, "KR-KNPA"), officer(hub, "KH-CNP")
    group = await found_group(korea, cambodia)
    path = await call(korea, groups=[group.rpartition("/")[2]])
    await assign(korea, path, "KH-CNP", due_on=day(-1))
    cancelled = await call(korea, "KH-CNP")
    await assign(korea, cancelled, "KH-CNP", due_on=day(-1))
    await moved(korea, cancelled, "cancel", {"reason": "R"})
    await korea.expel(group, "KH-CNP")
    followers = [await follower(partner) for partner in (korea, cambodia)]

    assert tell_due(hub) == 2

    assert [[kind for kind, _ in await one.follow()] for one in followers] == [["meeting.action_due"], []]


async def test_completing_races_dropping(hub: Hub) -> None:
    korea, cambodia = officer(hub, "KR-KNPA"), officer(hub, "KH-CNP")
    item = await assign(korea, await call(korea, "KH-CNP"), "KH-CNP")

    answers = await asyncio.gather(
        move(cambodia, item, "complete", {}, etag='"1"'), move(korea, item, "drop", {"reason": "R"}, etag='"1"')
    )

    assert sorted(answer.status_code for answer in answers) in ([200, 412], [200, 409])
    assert (await korea.get(item)).json()["version"] == 2
