"""Meetings over HTTP: drafted, called, changed, held, cancelled, and not there for those who take no part."""

import asyncio
import json
from typing import Any

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from app.domain.meetings import meetings
from tests.conftest import Hub, Partner
from tests.events.following import follower, place
from tests.routers import operating
from tests.routers.agreeing import conclude
from tests.routers.convening import ENDS, PATH, STARTS, assign, call, content, draft, move, moved, officer, titles
from tests.routers.grouping import found as found_group

ANY_ID = "01920000-0000-7000-8000-000000000000"


async def test_a_draft_is_its_conveners_alone(hub: Hub) -> None:
    korea, cambodia = officer(hub, "KR-KNPA"), officer(hub, "KH-CNP")
    path = await draft(
        korea,
        "KH-CNP",
        time_zone="Asia/Seoul",
        place="Seoul",
        video_link="https://video.example/bokor 4711",
        agenda=[{"title": "Guards", "presenter": "KH-CNP"}, {"title": "Search", "note": "Bring maps."}],
    )

    read = await korea.get(path)

    told = read.json()
    assert told | {"id": "", "reference": "", "created_at": "", "updated_at": ""} == {
        "kind": "working",
        "title": "The site at Bokor",
        "participants": {"agencies": ["KH-CNP"], "groups": []},
        "starts_at": "2026-11-23T01:00:00.000000Z",
        "ends_at": "2026-11-23T03:00:00.000000Z",
        "time_zone": "Asia/Seoul",
        "place": "Seoul",
        "video_link": "https://video.example/bokor 4711",
        "agenda": [
            {"title": "Guards", "note": None, "presenter": "KH-CNP"},
            {"title": "Search", "note": "Bring maps.", "presenter": None},
        ],
        "minutes": None,
        "decisions": [],
        "id": "",
        "reference": "",
        "convener": "KR-KNPA",
        "state": "draft",
        "called_at": None,
        "ended_at": None,
        "cancel_reason": None,
        "version": 1,
        "created_at": "",
        "updated_at": "",
    }
    assert told["reference"].startswith("KR-KNPA-ME-20")
    assert read.headers["ETag"] == '"1"'
    assert (await korea.get(path, headers={"If-None-Match": '"1"'})).status_code == 304
    assert (await cambodia.get(path)).status_code == 404
    assert await titles(cambodia) == []
    called = await moved(korea, path, "call")
    assert (called["state"], called["version"], called["called_at"] is not None) == ("called", 2, True)
    assert (await cambodia.get(path)).json() == called
    assert await titles(cambodia) == ["The site at Bokor"]


async def test_a_meeting_goes_from_draft_to_minutes(hub: Hub) -> None:
    korea, cambodia = officer(hub, "KR-KNPA"), officer(hub, "KH-CNP")
    path = await call(korea, "KH-CNP")

    held = await moved(
        korea,
        path,
        "hold",
        {"minutes": "Both reported.", "decisions": [{"text": "Search.", "agreed_by": ["KR-KNPA", "KH-CNP"]}]},
    )

    assert (held["state"], held["minutes"]) == ("held", "Both reported.")
    assert held["decisions"] == [{"text": "Search.", "agreed_by": ["KR-KNPA", "KH-CNP"]}]
    assert held["ended_at"] is not None
    corrected = await korea.patch(path, {"minutes": "Both reported at length."}, etag='"3"')
    assert (corrected.status_code, corrected.json()["minutes"]) == (200, "Both reported at length.")
    assert (await cambodia.get(path)).json() == corrected.json()
    for body in ({"title": "Other"}, {"starts_at": "2026-11-22T01:00:00Z"}, {"agenda": [{"title": "Other"}]}):
        assert (await korea.patch(path, body, etag='"4"')).status_code == 409
    for step, body in (("call", None), ("hold", {}), ("cancel", {"reason": "R"})):
        assert (await move(korea, path, step, body)).status_code == 409


async def test_a_cancelled_meeting_says_why_to_those_who_saw_it(hub: Hub) -> None:
    korea, cambodia = officer(hub, "KR-KNPA"), officer(hub, "KH-CNP")
    path, given_up = await call(korea, "KH-CNP"), await draft(korea, "KH-CNP")

    cancelled = await moved(korea, path, "cancel", {"reason": "The delegation cannot travel."})
    await moved(korea, given_up, "cancel", {"reason": "Not needed."})

    assert (cancelled["state"], cancelled["cancel_reason"]) == ("cancelled", "The delegation cannot travel.")
    assert (await cambodia.get(path)).json() == cancelled
    assert (await cambodia.get(given_up)).status_code == 404
    assert (await korea.patch(path, {"title": "Other"}, etag="*")).status_code == 409
    for step, body in (("call", None), ("hold", {}), ("cancel", {"reason": "R"})):
        assert (await move(korea, path, step, body)).status_code == 409


async def test_minutes_come_with_holding_and_a_call_needs_somebody(hub: Hub) -> None:
    korea = officer(hub, "KR-KNPA")
    path = await draft(korea)

    assert (await korea.patch(path, {"minutes": "Too early."}, etag='"1"')).status_code == 409
    assert (await korea.patch(path, {"decisions": [{"text": "Too early."}]}, etag='"1"')).status_code == 409
    assert (await move(korea, path, "call")).status_code == 409
    assert (await move(korea, path, "hold", {})).status_code == 409
    assert (await korea.get(path)).headers["ETag"] == '"1"'


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"ends_at": STARTS}, "times-out-of-order", "/ends_at"),
        ({"starts_at": "2026-11-23"}, "time-invalid", "/starts_at"),
        ({"time_zone": "Asia/Nowhere"}, "time-zone-unknown", "/time_zone"),
        ({"kind": "chat"}, "enum", "/kind"),
        ({"state": "held"}, "extra-forbidden", "/state"),
        ({"minutes": "Before."}, "extra-forbidden", "/minutes"),
        ({"participants": {"agencies": ["XX-NONE"]}}, "unknown-reference", "/participants/agencies/0"),
        ({"participants": {"agencies": ["KH-CNP", "HUB"]}}, "unknown-reference", "/participants/agencies/1"),
        ({"participants": {"groups": [ANY_ID]}}, "unknown-reference", "/participants/groups/0"),
        ({"participants": {"agencies": ["KR-KNPA"]}}, "convener-listed", "/participants/agencies/0"),
        ({"kind": "bilateral", "participants": {"agencies": ["KH-CNP", "TH-RTP"]}}, "not-bilateral", "/participants"),
        ({"kind": "bilateral", "participants": {"groups": [ANY_ID]}}, "not-bilateral", "/participants"),
        ({"agenda": [{"title": "T", "presenter": "TH-RTP"}]}, "no-participant", "/agenda/0/presenter"),
        ({"agenda": [{"title": "T", "presenter": "XX-NONE"}]}, "no-participant", "/agenda/0/presenter"),
        ({"agenda": [{"title": "two\nlines"}]}, "text-control-character", "/agenda/0/title"),
        ({"links": [{"kind": "agreements", "id": ANY_ID}]}, "unknown-reference", "/links/0/id"),
        ({"links": [{"kind": "joint-operations", "id": ANY_ID}]}, "unknown-reference", "/links/0/id"),
    ],
)
async def test_what_no_meeting_can_be_is_refused(hub: Hub, fields: dict[str, Any], code: str, pointer: str) -> None:
    korea = officer(hub, "KR-KNPA")
    for other in ("KH-CNP", "TH-RTP"):
        hub.register(other)

    answer = await korea.post(PATH, content("KH-CNP", **fields))

    assert answer.status_code == 422
    assert [(flaw["code"], flaw["pointer"]) for flaw in answer.json()["errors"]] == [(code, pointer)]
    assert await titles(korea) == []


async def test_a_body_of_twice_the_limit_is_refused(hub: Hub) -> None:
    korea = officer(hub, "KR-KNPA")
    path = await call(korea, hub.register("KH-CNP"))
    long = {"reason": "x" * (2 * hub.settings.body_limit)}

    answers = [
        await korea.post(PATH, long),
        await korea.patch(path, long, etag="*"),
        await move(korea, path, "hold", long),
        await korea.post(f"{path}/actions", long),
        await korea.post(f"{path}/links", long),
    ]

    assert [answer.status_code for answer in answers] == [413] * 5


async def test_a_meeting_is_changed_from_the_version_that_was_read(hub: Hub) -> None:
    korea = officer(hub, "KR-KNPA")
    path = await draft(korea, hub.register("KH-CNP"), place="Seoul")

    changed = await korea.patch(path, {"title": "Another", "place": None}, etag='"1"')
    same = await korea.patch(path, {"title": "Another", "participants": {"agencies": ["KH-CNP"]}}, etag='"2"')
    stale = await korea.patch(path, {"title": "Other"}, etag='"1"')
    blind = await korea.patch(path, {"title": "Other"})
    wrong = [
        await korea.patch(path, body, etag='"2"')
        for body in (
            {"title": None},
            {"ends_at": STARTS},
            {"convener": "KH-CNP"},
            {"participants": {"agencies": ["XX-NONE"]}},
        )
    ]

    assert (changed.status_code, changed.headers["ETag"], changed.json()["title"]) == (200, '"2"', "Another")
    assert changed.json()["place"] is None
    assert (same.status_code, same.headers["ETag"]) == (200, '"2"')
    assert (stale.status_code, blind.status_code) == (412, 428)
    assert [answer.status_code for answer in wrong] == [422] * 4
    assert (await korea.post(f"{path}/call")).status_code == 428
    assert (await korea.post(f"{path}/call", etag='"1"')).status_code == 412


async def test_who_is_dropped_loses_sight_and_who_is_added_gains_it(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    path = await call(korea, "KH-CNP")
    item = await assign(korea, path, "KH-CNP")
    followers = [await follower(partner) for partner in (korea, cambodia, thailand)]

    changed = await korea.patch(path, {"participants": {"agencies": ["TH-RTP"]}}, etag="*")

    reference = changed.json()["reference"]
    assert [(await partner.get(path)).status_code for partner in (korea, cambodia, thailand)] == [200, 404, 200]
    assert [(await partner.get(item)).status_code for partner in (korea, cambodia, thailand)] == [200, 404, 200]
    assert (await cambodia.get(f"{PATH}/actions")).json()["items"] == []
    place(hub)
    assert [await one.follow() for one in followers] == [
        [("meeting.updated", reference)],
        [("meeting.left", reference)],
        [("meeting.called", reference)],
    ]


async def test_members_of_a_group_take_part_while_they_are_in_it(hub: Hub) -> None:
    korea, cambodia, thailand, laos = (officer(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP", "LA-DOP"))
    group = await found_group(korea, cambodia, thailand)
    watcher = officer(hub, "SG-SPF")
    await korea.post(f"{group}/members", {"agency": "SG-SPF", "role": "observer"})
    await watcher.accept(group)
    path = await call(korea, "LA-DOP", groups=[group.rpartition("/")[2]])
    everybody = (korea, cambodia, thailand, laos, watcher)

    assert [(await one.get(path)).status_code for one in everybody] == [200, 200, 200, 200, 404]
    groups = [group.rpartition("/")[2]]
    shown = [(await one.get(path)).json()["participants"]["groups"] for one in (korea, cambodia, laos)]
    # Who is named beside a group it is not in does not learn that there is one.
    assert shown == [groups, groups, []]
    await korea.expel(group, "TH-RTP")
    left = await cambodia.call("DELETE", f"{group}/members/KH-CNP")
    assert left.status_code == 204
    assert [(await one.get(path)).status_code for one in everybody] == [200, 404, 404, 200, 404]
    again = await korea.post(f"{group}/members", {"agency": "TH-RTP"})
    assert again.status_code == 201
    assert (await thailand.get(path)).status_code == 404
    await thailand.accept(group)
    assert (await thailand.get(path)).status_code == 200


async def test_a_convener_that_left_its_group_names_it_on_and_learns_no_new_member(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    group = await found_group(korea, cambodia)
    path = await call(cambodia, groups=[group.rpartition("/")[2]])
    assert (await cambodia.call("DELETE", f"{group}/members/KH-CNP")).status_code == 204
    await korea.post(f"{group}/members", {"agency": "TH-RTP"})
    await thailand.accept(group)

    changed = await cambodia.patch(path, {"title": "Renamed"}, etag="*")
    assigned = [
        await cambodia.post(f"{path}/actions", {"text": "T", "owner": owner, "due_on": "2999-01-01"})
        for owner in ("TH-RTP", "XX-NONE")
    ]

    assert (changed.status_code, changed.json()["participants"]["groups"]) == (200, [group.rpartition("/")[2]])
    assert [answer.status_code for answer in assigned] == [422, 422]
    assert assigned[0].json()["errors"] == assigned[1].json()["errors"]
    assert (await thailand.get(path)).status_code == 200


async def test_lists_are_filtered(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    await call(korea, "KH-CNP", title="one")
    two = await call(
        korea,
        "KH-CNP",
        "TH-RTP",
        title="two",
        kind="council",
        starts_at="2026-12-01T00:00:00Z",
        ends_at="2026-12-02T00:00:00Z",
    )
    await draft(thailand, "KR-KNPA", title="hidden")
    profile = await korea.profile()
    await korea.post(f"{two}/links", {"kind": "criminal-organizations", "id": profile["id"]})

    assert await titles(korea) == ["two", "one"]
    assert await titles(cambodia) == ["two", "one"]
    assert await titles(thailand) == ["hidden", "two"]
    assert await titles(korea, kind="council") == ["two"]
    assert await titles(thailand, state="draft") == ["hidden"]
    assert await titles(korea, participant="TH-RTP") == ["two"]
    assert await titles(thailand, participant="TH-RTP") == ["hidden", "two"]
    assert await titles(korea, **{"from": ENDS}) == ["two"]
    assert await titles(korea, to=ENDS) == ["one"]
    assert await titles(korea, about=profile["id"]) == ["two"]
    assert await titles(thailand, about=profile["id"]) == []
    first = (await korea.get(PATH, params={"limit": 1})).json()
    rest = (await korea.get(PATH, params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert [page["items"][0]["title"] for page in (first, rest)] == ["two", "one"]
    assert rest["next_cursor"] is None
    table = await korea.get(PATH, headers={"Accept": "text/csv"})
    assert (table.headers["Content-Type"].partition(";")[0], table.text.count("KR-KNPA-ME-")) == ("text/csv", 2)
    assert (await korea.get(PATH, params={"state": "dead"})).status_code == 400


async def test_a_page_of_long_minutes_ends_early(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meetings, "_PAGE_BYTES", 1500)
    korea = officer(hub, "KR-KNPA")
    for number in range(4):
        path = await call(korea, hub.register(f"POLICE{number}"), title=f"number {number}")
        await moved(korea, path, "hold", {"minutes": "x" * 1000})

    first = (await korea.get(PATH)).json()
    rest = (await korea.get(PATH, params={"cursor": first["next_cursor"]})).json()

    assert [item["title"] for item in first["items"]] == ["number 3", "number 2"]
    assert [item["title"] for item in rest["items"]] == ["number 1", "number 0"]
    assert rest["next_cursor"] is None


async def test_who_may_do_what(hub: Hub) -> None:
    korea, cambodia = officer(hub, "KR-KNPA"), officer(hub, "KH-CNP")
    path = await call(korea, "KH-CNP")
    commander, analyst = hub.caller("KR-KNPA", "commander"), hub.caller("KR-KNPA", "analyst")
    admin = hub.caller("HUB", "platform_admin")
    revoked = hub.caller("KR-KNPA", "operations_officer")
    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", revoked.client_id
    )
    steps: list[tuple[str, Any]] = [("call", None), ("hold", {}), ("cancel", {"reason": "R"})]

    assert (await commander.get(path)).status_code == 200
    assert (await commander.post(PATH, content("KH-CNP"))).status_code == 403
    for partner, status in ((commander, 403), (analyst, 403), (admin, 403), (revoked, 401)):
        for step, body in steps:
            assert (await move(partner, path, step, body)).status_code == status
    assert [(await one.get(path)).status_code for one in (analyst, admin, revoked)] == [403, 403, 401]
    # What is the convener's to do.
    refused = [await move(cambodia, path, step, body) for step, body in steps]
    refused.append(await cambodia.patch(path, {"title": "Ours"}, etag="*"))
    refused.append(await cambodia.post(f"{path}/actions", {}))
    refused.append(await cambodia.post(f"{path}/links", {}))
    assert [answer.status_code for answer in refused] == [403] * 6
    assert (await korea.get(path)).headers["ETag"] == '"2"'


async def test_links_are_shown_to_those_who_see_both_ends(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    profile = await korea.profile(share=["KH-CNP"])
    secret = await thailand.profile("Secret")
    path = await call(
        korea, "KH-CNP", "TH-RTP", links=[{"kind": "criminal-organizations", "id": profile["id"], "note": "The site."}]
    )

    async def seen(partner: Partner) -> list[tuple[str, str | None]]:
        items = (await partner.get(f"{path}/links")).json()["items"]
        return [(item["id"], item["note"]) for item in items]

    assert [await seen(one) for one in (korea, cambodia, thailand)] == [[(profile["id"], "The site.")]] * 2 + [[]]
    ((link,),) = hub.look("SELECT id FROM meeting_links")
    assert [(await one.get(f"{path}/links/{link}")).status_code for one in (korea, cambodia, thailand)] == [
        200,
        200,
        404,
    ]
    hidden = await korea.post(f"{path}/links", {"kind": "criminal-organizations", "id": secret["id"]})
    unknown = await korea.post(f"{path}/links", {"kind": "criminal-organizations", "id": ANY_ID})
    other_kind = await korea.post(f"{path}/links", {"kind": "bulletins", "id": profile["id"]})
    twice = await korea.post(f"{path}/links", {"kind": "criminal-organizations", "id": profile["id"]})
    assert [answer.status_code for answer in (hidden, unknown, other_kind, twice)] == [422, 422, 422, 409]
    assert hidden.json()["errors"] == unknown.json()["errors"] == other_kind.json()["errors"]
    # Links change no version, which others would see without knowing why.
    assert (await thailand.get(path)).headers["ETag"] == '"2"'
    narrower = {"tlp": "AMBER", "audience": {}}
    await korea.put(f"/v1/criminal-organizations/{profile['id']}/handling", narrower, '"1"')
    assert [await seen(one) for one in (korea, cambodia)] == [[(profile["id"], "The site.")], []]
    assert (await cambodia.call("DELETE", f"{path}/links/{link}")).status_code == 403
    assert (await korea.call("DELETE", f"{path}/links/{link}")).status_code == 204
    assert (await korea.call("DELETE", f"{path}/links/{link}")).status_code == 404


async def test_a_meeting_is_about_operations_and_agreements(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    operation = await operating.draft(korea, "KH-CNP")
    agreement = await conclude(korea, cambodia)
    path = await call(korea, "KH-CNP", "TH-RTP")
    for kind, target in (("joint-operations", operation), ("agreements", agreement)):
        linked = await korea.post(f"{path}/links", {"kind": kind, "id": target.rpartition("/")[2]})
        assert linked.status_code == 201, linked.text

    async def seen(partner: Partner) -> list[str]:
        return [item["kind"] for item in (await partner.get(f"{path}/links")).json()["items"]]

    # A draft of an operation is its lead's alone.
    assert [await seen(one) for one in (korea, cambodia, thailand)] == [
        ["agreements", "joint-operations"],
        ["agreements"],
        [],
    ]
    await operating.moved(korea, operation, "propose")
    assert await seen(cambodia) == ["agreements", "joint-operations"]
    assert await titles(cambodia, about=operation.rpartition("/")[2]) == ["The site at Bokor"]
    assert (await operating.move(cambodia, operation, "leave", {"reason": "Needed at home."})).status_code == 204
    assert await seen(cambodia) == ["agreements"]


async def test_repeated_calls_move_nothing_twice(hub: Hub) -> None:
    korea, cambodia = officer(hub, "KR-KNPA"), officer(hub, "KH-CNP")
    body = content("KH-CNP")
    first = await korea.post(PATH, body, headers={"Idempotency-Key": "a"})
    path = first.headers["Location"]
    await korea.patch(path, {"title": "Renamed"}, etag='"1"')

    async def step(partner: Partner, name: str, sent: Any) -> Any:
        return await partner.post(f"{path}/{name}", sent, etag="*", headers={"Idempotency-Key": name})

    called = await step(korea, "call", None)
    item = {"text": "Send the list.", "owner": "KH-CNP", "due_on": "2999-12-31"}
    added = await korea.post(f"{path}/actions", item, headers={"Idempotency-Key": "a"})
    number = added.json()["id"]
    done = await step(cambodia, f"actions/{number}/complete", {"note": "Sent."})
    opened = await step(korea, f"actions/{number}/reopen", {"reason": "Two pages are missing."})
    held = await step(korea, "hold", {"minutes": "M"})
    await korea.patch(path, {"minutes": "Corrected"}, etag="*")

    assert [answer.status_code for answer in (first, called, added, done, opened, held)] == [
        201,
        200,
        201,
        200,
        200,
        200,
    ]
    again = await korea.post(PATH, body, headers={"Idempotency-Key": "a"})
    assert (again.status_code, again.json(), again.headers["Location"]) == (201, first.json(), path)
    assert (await korea.post(f"{path}/actions", item, headers={"Idempotency-Key": "a"})).json() == added.json()
    for partner, name, sent, answer in (
        (korea, "call", None, called),
        (cambodia, f"actions/{number}/complete", {"note": "Sent."}, done),
        (korea, f"actions/{number}/reopen", {"reason": "Two pages are missing."}, opened),
        (korea, "hold", {"minutes": "M"}, held),
    ):
        repeat = await step(partner, name, sent)
        assert repeat.headers["Idempotency-Replayed"] == "true"
        assert (repeat.status_code, repeat.json(), repeat.headers["ETag"]) == (
            200,
            answer.json(),
            answer.headers["ETag"],
        )
    assert (await step(korea, "hold", {"minutes": "Other"})).status_code == 422
    await korea.patch(path, {"participants": {"agencies": []}}, etag="*")
    assert (await step(cambodia, f"actions/{number}/complete", {"note": "Sent."})).status_code == 404


async def test_every_change_and_every_read_stands_in_the_audit(hub: Hub) -> None:
    korea, cambodia = officer(hub, "KR-KNPA"), officer(hub, "KH-CNP")
    path = await draft(korea, "KH-CNP")
    await korea.patch(path, {"title": "Renamed"}, etag='"1"')
    await moved(korea, path, "call")
    profile = await korea.profile()
    link = await korea.post(f"{path}/links", {"kind": "criminal-organizations", "id": profile["id"]})
    await korea.call("DELETE", link.headers["Location"])
    item = await assign(korea, path, "KH-CNP")
    await korea.patch(item, {"due_on": "2999-01-01"}, etag='"1"')
    await cambodia.get(PATH)
    await cambodia.get(f"{path}/actions")
    await cambodia.get(f"{PATH}/actions")
    await cambodia.get(item)
    await cambodia.get(f"{path}/links")
    await cambodia.get(f"{PATH}/calendar")
    await moved(cambodia, item, "complete", {})
    await moved(korea, item, "reopen", {"reason": "R"})
    await moved(korea, item, "drop", {"reason": "R"})
    await moved(korea, path, "hold", {})
    await korea.get(f"{PATH}/{ANY_ID}")

    entries = hub.look(
        "SELECT agency, action, outcome, record_ids::text[] FROM audit_entries"
        " WHERE kind = 'meetings' AND action <> 'meeting.read' ORDER BY at, id"
    )

    meeting = path.rpartition("/")[2]
    assert [entry[:3] for entry in entries] == [
        ("KR-KNPA", "meeting.create", "done"),
        ("KR-KNPA", "meeting.update", "done"),
        ("KR-KNPA", "meeting.call", "done"),
        ("KR-KNPA", "meeting.add_link", "done"),
        ("KR-KNPA", "meeting.remove_link", "done"),
        ("KR-KNPA", "meeting.add_action", "done"),
        ("KR-KNPA", "meeting.change_action", "done"),
        ("KH-CNP", "meeting.list", "done"),
        ("KH-CNP", "meeting.list_actions", "done"),
        ("KH-CNP", "meeting.list_actions", "done"),
        ("KH-CNP", "meeting.read_action", "done"),
        ("KH-CNP", "meeting.list_links", "done"),
        ("KH-CNP", "meeting.read_calendar", "done"),
        ("KH-CNP", "meeting.complete_action", "done"),
        ("KR-KNPA", "meeting.reopen_action", "done"),
        ("KR-KNPA", "meeting.drop_action", "done"),
        ("KR-KNPA", "meeting.hold", "done"),
        ("KR-KNPA", "GET /v1/meetings/{meeting_id}", "not-found"),
    ]
    assert [entry[3] for entry in entries] == [[meeting]] * 17 + [[ANY_ID]]


async def test_those_who_take_part_are_told_and_nobody_else(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    followers = [await follower(partner) for partner in (korea, cambodia, thailand)]
    blind = hub.credential("KH-CNP", "analyst")
    narrow = await follower(Partner(hub, "KH-CNP", blind, hub.token(blind, "analyst")))
    path = await draft(korea, "KH-CNP")
    reference = (await korea.get(path)).json()["reference"]
    await korea.patch(path, {"title": "Renamed"}, etag='"1"')
    await moved(korea, path, "call")
    profile = await korea.profile("Told apart")
    await korea.post(f"{path}/links", {"kind": "criminal-organizations", "id": profile["id"]})
    await assign(korea, path, "KH-CNP")
    await moved(korea, path, "hold", {})
    place(hub)

    told = [[one for one in await each.follow() if one[0].startswith("meeting.")] for each in followers]

    shared = [("meeting.called", reference)]
    end = [("meeting.action_changed", reference), ("meeting.held", reference)]
    before = [("meeting.created", reference), ("meeting.updated", reference)]
    assert told == [[*before, *shared, ("meeting.links_changed", reference), *end], [*shared, *end], []]
    # A token that may not read meetings is told of none.
    assert [one for one in await narrow.follow() if one[0].startswith("meeting.")] == []


async def test_a_patch_races_another(hub: Hub) -> None:
    korea = officer(hub, "KR-KNPA")
    path = await draft(korea, hub.register("KH-CNP"))

    answers = await asyncio.gather(*(korea.patch(path, {"title": f"Title {n}"}, etag='"1"') for n in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5
    assert (await korea.get(path)).headers["ETag"] == '"2"'


async def test_a_call_races_a_cancellation(hub: Hub) -> None:
    korea, cambodia = officer(hub, "KR-KNPA"), officer(hub, "KH-CNP")
    path = await draft(korea, "KH-CNP")

    answers = await asyncio.gather(
        move(korea, path, "call", etag='"1"'), move(korea, path, "cancel", {"reason": "R"}, etag='"1"')
    )

    assert sorted(answer.status_code for answer in answers) in ([200, 412], [200, 409])
    state = (await korea.get(path)).json()["state"]
    assert (await cambodia.get(path)).status_code == (200 if state == "called" else 404)


async def test_the_tables_take_nothing_past_the_functions(hub: Hub) -> None:
    korea, cambodia = officer(hub, "KR-KNPA"), officer(hub, "KH-CNP")
    path = await call(korea, "KH-CNP")
    await assign(korea, path, "KH-CNP")
    meeting = path.rpartition("/")[2]
    with psycopg.connect(hub.conninfo(DatabaseRole.API), autocommit=True) as connection:
        for statement in (
            "INSERT INTO meetings (id) VALUES (gen_random_uuid())",
            "UPDATE meetings SET audience = '{}'",
            "DELETE FROM meeting_versions",
            "UPDATE meeting_actions SET state = 'done'",
            "DELETE FROM meeting_links",
            "SELECT FROM calendar_addresses",
            "SELECT tell_due_meeting_actions()",
            f"SELECT lock_meeting('{meeting}')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        for table in ("meetings", "meeting_versions", "meeting_actions", "meeting_action_versions", "meeting_links"):
            assert connection.execute(f"SELECT FROM {table}").fetchall() == []
        with connection.transaction():
            connection.execute("SELECT enter(%s, NULL, now(), '127.0.0.1', NULL, NULL, NULL)", (cambodia.client_id,))
            for function in (
                "hold_meeting(%s, 2, 'Ours', '[]')",
                "cancel_meeting(%s, 2, 'Ours')",
                "change_meeting(%s, 2, '{}')",
            ):
                assert connection.execute(f"SELECT {function}", (meeting,)).fetchall() == [("stale",)]
        with connection.transaction():
            connection.execute("SELECT enter(%s, NULL, now(), '127.0.0.1', NULL, NULL, NULL)", (korea.client_id,))
            said = {**content(), "agencies": ["HUB"], "groups": [], "agenda": [], "time_zone": "UTC"}
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(
                    "SELECT create_meeting(gen_random_uuid(), 'KR-KNPA-ME-2026-000000', %s)", (json.dumps(said),)
                )
