"""The feed over HTTP: what it says, to whom, for how long, and what its cursors give away."""

import base64
from datetime import timedelta
from typing import Any

import pytest

from app.core import clock
from tests.conftest import Hub
from tests.events.following import Follower, follower, only, place
from tests.routers.entrance import below_policies

PATH = "/v1/events"
PROFILES = "/v1/criminal-organizations"


async def test_an_event_points_at_what_changed_and_says_nothing_of_it(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    created = await korea.profile("Bokor Group", share=["KH-CNP"])
    place(hub)

    (event,) = (await cambodia.get(PATH)).json()["items"]

    href = f"http://hub.test{PROFILES}/{created['id']}"
    identifier, moment = event.pop("id"), event.pop("time")
    assert event == {
        "specversion": "1.0",
        "source": "http://hub.test",
        "type": "interdesk.record.shared",
        "subject": created["reference"],
        "datacontenttype": "application/json",
        "data": {
            "kind": "criminal-organizations",
            "id": created["id"],
            "reference": created["reference"],
            "version": 1,
            "href": href,
            "detail": None,
        },
    }
    assert len(identifier) == 36
    assert moment.endswith("Z")
    assert (await cambodia.get(href)).json()["name"] == "Bokor Group"


async def test_every_answer_has_a_cursor_to_come_back_with(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    nothing = await korea.get(PATH)
    names = [(await korea.profile(f"Group {number}"))["reference"] for number in range(5)]
    place(hub)

    first = await korea.get(PATH, params={"cursor": nothing.json()["next_cursor"], "limit": 3})
    second = await korea.get(PATH, params={"cursor": first.json()["next_cursor"], "limit": 3})
    third = await korea.get(PATH, params={"cursor": second.json()["next_cursor"], "limit": 3})

    pages = [nothing.json(), first.json(), second.json(), third.json()]
    assert [len(page["items"]) for page in pages] == [0, 3, 2, 0]
    assert [page["more"] for page in pages] == [False, True, False, False]
    assert [event["subject"] for page in pages for event in page["items"]] == names
    assert all(page["next_cursor"] for page in pages)
    assert first.headers["Link"].startswith(f"<http://hub.test{PATH}?limit=3&cursor=")


async def test_now_is_the_end_of_the_feed_as_it_is(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    await korea.profile("Before")
    place(hub)
    reader = await follower(korea)
    after = await korea.profile("After")
    place(hub)

    assert await reader.follow() == [("record.created", after["reference"])]


async def test_a_cursor_goes_with_any_types(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    created = await korea.profile()
    await korea.patch(f"{PROFILES}/{created['id']}", {"status": "active"}, etag='"1"')
    place(hub)

    narrow = await korea.get(PATH, params={"types": "interdesk.record.updated,interdesk.record.lost"})
    repeated = await korea.get(PATH, params={"types": ["interdesk.record.updated", "interdesk.record.created"]})
    wide = await korea.get(PATH, params={"cursor": narrow.json()["next_cursor"]})

    assert [event["data"]["version"] for event in narrow.json()["items"]] == [2]
    assert [event["data"]["version"] for event in repeated.json()["items"]] == [1, 2]
    assert wide.json()["items"] == []


@pytest.mark.parametrize(
    "parameters", [{"types": "record.updated"}, {"types": ""}, {"limit": 0}, {"limit": 501}, {"after": "1"}]
)
async def test_a_parameter_that_is_not_right_is_refused(hub: Hub, parameters: dict[str, Any]) -> None:
    answer = await hub.partner("KR-KNPA").get(PATH, params=parameters)

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-parameter")


async def test_only_the_agencys_own_unaltered_cursors_lead_anywhere(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    cursor = (await korea.get(PATH)).json()["next_cursor"]
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    altered = base64.urlsafe_b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode().rstrip("=")
    of_a_list = await _list_cursor(hub)

    colleague = await hub.caller("KR-KNPA", "connector").get(PATH, params={"cursor": cursor})
    refused = [await korea.get(PATH, params={"cursor": text}) for text in (altered, of_a_list, "1", "", "NOW")]
    refused.append(await cambodia.get(PATH, params={"cursor": cursor}))

    assert colleague.status_code == 200
    assert [answer.status_code for answer in refused] == [400] * 6
    assert {answer.json()["errors"][0]["code"] for answer in refused} == {"cursor-invalid"}


async def _list_cursor(hub: Hub) -> str:
    other = hub.partner("MY-RMP")
    for _ in range(2):
        await other.profile()
    cursor: str = (await other.get(PROFILES, params={"limit": 1})).json()["next_cursor"]
    return cursor


async def test_what_others_do_leaves_no_trace(hub: Hub) -> None:
    """Neither the length of a cursor nor `more` depends on events that the caller may not see."""
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    quiet = [(await cambodia.get(PATH, params={"limit": 1})).json() for _ in range(2)]
    for number in range(20):
        await korea.profile(f"Group {number}")
    place(hub)
    busy = (await cambodia.get(PATH, params={"limit": 1})).json()

    assert quiet[0]["next_cursor"] != quiet[1]["next_cursor"]
    assert len({len(page["next_cursor"]) for page in [*quiet, busy]}) == 1
    assert (busy["items"], busy["more"]) == ([], False)


async def test_a_token_follows_only_the_kinds_it_may_read(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    await korea.profile()
    place(hub)
    narrow = hub.token(korea.client_id, scope=["events:read", "groups:read"])
    none = hub.token(korea.client_id, scope=["profiles:read"])

    without_kind = await korea.get(PATH, headers={"Authorization": f"Bearer {narrow}"})
    without_feed = await korea.get(PATH, headers={"Authorization": f"Bearer {none}"})
    without_token = await hub.client.get(PATH)

    assert (without_kind.json()["items"], without_kind.json()["more"]) == ([], False)
    assert (without_feed.status_code, without_feed.json()["detail"]) == (
        403,
        "This call needs the permission events:read.",
    )
    assert without_token.status_code == 401


async def test_loss_takes_the_events_away_and_leaves_the_news_of_it(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    created = await korea.profile("Bokor Group", share=["KH-CNP"])
    path, reference = f"{PROFILES}/{created['id']}", created["reference"]
    await korea.patch(path, {"status": "active"}, etag='"1"')
    place(hub)
    before = await Follower(cambodia).follow()
    shown = created["handling"]

    closed = await korea.put(
        f"{path}/handling", {**shown, "audience": {**shown["audience"], "agencies": []}}, etag='"1"'
    )
    unplaced = await Follower(cambodia).follow()
    await korea.patch(path, {"status": "dormant"}, etag='"2"')
    place(hub)
    lost = Follower(cambodia)
    after = await lost.follow()
    reopened = await korea.put(f"{path}/handling", shown, etag='"2"')
    place(hub)
    regained = Follower(cambodia)

    assert (closed.status_code, reopened.status_code) == (200, 200), (closed.text, reopened.text)
    assert before == [("record.shared", reference), ("record.updated", reference)]
    assert unplaced == []  # gone with the sight itself, before the loss is told
    assert after == [("record.lost", reference), ("recall.requested", reference)]
    assert lost.events[0]["data"] == {
        "kind": "criminal-organizations",
        "id": created["id"],
        "reference": reference,
        "version": None,
        "href": f"http://hub.test{path}",
        "detail": None,
    }
    # What it could see at the time is there again; the change that was made without it never was there.
    known = [told for told in await regained.follow() if not told[0].startswith("recall.")]
    assert known == [*before, ("record.lost", reference), ("record.shared", reference)]
    versions = [event["data"]["version"] for event in regained.events if "recall" not in event["type"]]
    assert versions == [1, 2, None, 3]


async def test_nothing_is_older_than_the_first_sight(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    created = await korea.profile()
    path = f"{PROFILES}/{created['id']}"
    await korea.patch(path, {"status": "active"}, etag='"1"')
    disclosed = await korea.post(
        f"{path}/disclosures", {"agencies": ["KH-CNP"], "purpose": "case 1"}, headers={"If-Match": '"1"'}
    )
    assert disclosed.status_code == 201, disclosed.text
    place(hub)

    assert await Follower(cambodia).follow() == [("record.shared", created["reference"])]


async def test_a_member_of_the_community_hears_nothing_from_before_it_came(hub: Hub) -> None:
    korea, thailand = hub.partner("KR-KNPA"), hub.partner("TH-RTP")
    handling = {"tlp": "GREEN", "audience": {"community": True, "excluded": ["TH-RTP"]}}
    created = await korea.profile("Known to all but one", handling=handling)
    path = f"{PROFILES}/{created['id']}"
    cambodia = hub.partner("KH-CNP")
    await korea.patch(path, {"status": "active"}, etag='"1"')
    place(hub)

    assert await Follower(cambodia).follow() == [("record.updated", created["reference"])]
    assert await Follower(thailand).follow() == []
    assert (await cambodia.get(path)).status_code == 200
    assert (await thailand.get(path)).status_code == 404


async def test_what_an_agency_did_to_itself_is_told_to_it_alone(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    expiring = hub.credential("KR-KNPA", "analyst", expires_at=clock.now() + timedelta(days=5))
    hub.operator("SELECT warn_expiring_credentials()")
    place(hub)
    reader = Follower(korea)

    warned = only(await reader.follow(), "credential.expiring")

    assert warned == [None]
    data = reader.events[-1]["data"]
    assert (data["kind"], data["id"], data["href"]) == (None, None, None)
    assert data["detail"]["client_id"] == expiring
    assert only(await Follower(cambodia).follow(), "credential.expiring") == []


async def test_reading_the_feed_stands_in_the_audit(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    await korea.profile()
    place(hub)
    (event,) = (await korea.get(PATH, headers={"On-Behalf-Of": "Officer Kim"})).json()["items"]
    await korea.get(PATH, params={"cursor": "now"})
    none = hub.token(korea.client_id, scope=["profiles:read"])
    await korea.get(PATH, headers={"Authorization": f"Bearer {none}"})

    entries = hub.look("SELECT officer, outcome, detail FROM audit_entries WHERE action = 'event.list' ORDER BY at")

    assert entries == [
        ("Officer Kim", "done", {"events": 1, "first": event["id"], "last": event["id"]}),
        (None, "done", {"events": 0, "first": None, "last": None}),
        (None, "forbidden", None),
    ]


async def test_a_cursor_from_a_future_that_was_lost_is_told_to_begin_again(hub: Hub) -> None:
    """A disk put back to an earlier day looks to the database like home; only a reader can know better."""
    korea = hub.partner("KR-KNPA")
    await korea.profile()
    place(hub)
    reader = await follower(korea)
    await korea.profile()
    place(hub)
    await reader.follow()
    below_policies(hub, "UPDATE feed_state SET last_position = last_position - 1, written_by = pg_current_xact_id()")
    answer = await korea.get(PATH, params={"cursor": reader.cursor})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "cursor-ahead")
