"""The calendar: what a credential reads of meetings, with its token or at its secret address, and no more than that."""

import asyncio
from typing import Any

import httpx
from icalendar import Calendar, Event
from structlog.testing import capture_logs

from tests.conftest import PUBLIC_URL, Hub, Partner
from tests.routers.convening import PATH, call, draft, moved, officer
from tests.routers.entrance import admit, called_from, grant, platform_admin
from tests.routers.grouping import found as found_group

CALENDAR = f"{PATH}/calendar"
SAID = "말: a; b, c\\d"


async def address_of(partner: Partner) -> str:
    """A new address of a partner's calendar, as the path that a program asks for."""
    answer = await partner.post(CALENDAR)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["address"]).removeprefix(PUBLIC_URL)


async def look(hub: Hub, path: str) -> httpx.Response:
    """What a calendar program, which has no token, gets at an address."""
    return await hub.client.get(path, headers={"X-Request-Id": "the-same"})


def events(answer: httpx.Response) -> list[Event]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    return list(Calendar.from_ical(answer.content).walk("VEVENT"))


def titles(answer: httpx.Response) -> list[str]:
    return sorted(str(event["SUMMARY"]) for event in events(answer))


async def test_an_event_says_what_the_meeting_is(hub: Hub) -> None:
    korea = officer(hub, "KR-KNPA")
    hub.register("KH-CNP")
    path = await call(
        korea,
        "KH-CNP",
        title=SAID,
        place="Seoul",
        video_link="https://video.example/4711",
        time_zone="Asia/Seoul",
        agenda=[{"title": "Guards\u2028END:VEVENT", "presenter": "KH-CNP"}, {"title": "Search"}],
    )
    meeting = (await korea.get(path)).json()

    answer = await korea.get(CALENDAR)

    (event,) = events(answer)
    assert [str(event[name]) for name in ("UID", "SUMMARY", "LOCATION", "STATUS")] == [
        meeting["id"],
        SAID,
        "Seoul",
        "CONFIRMED",
    ]
    assert (event["SEQUENCE"], event["URL"]) == (2, f"{PUBLIC_URL}{path}")
    assert event["DTSTART"].dt.isoformat() == "2026-11-23T01:00:00+00:00"
    assert event["DTEND"].dt.isoformat() == "2026-11-23T03:00:00+00:00"
    assert event["DTSTAMP"].dt.isoformat()[:19] == meeting["updated_at"][:19]
    assert str(event["DESCRIPTION"]).splitlines()[0] == meeting["reference"]
    assert "1. Guards\u2028END:VEVENT (KH-CNP)\n2. Search" in str(event["DESCRIPTION"])
    assert (await korea.get(CALENDAR)).content == answer.content
    assert "no-store" in answer.headers["Cache-Control"]
    # Lines end with CR LF and are no longer than 75 bytes (RFC 5545, section 3.1).
    assert max(len(line) for line in answer.content.split(b"\r\n")) <= 75
    assert b"\n" not in answer.content.replace(b"\r\n", b"")


async def test_states_and_outcomes_in_a_calendar(hub: Hub) -> None:
    korea, cambodia = officer(hub, "KR-KNPA"), officer(hub, "KH-CNP")
    await draft(korea, "KH-CNP", title="draft")
    called = await call(korea, "KH-CNP", title="cancelled")
    held = await call(korea, "KH-CNP", title="held")
    await moved(korea, held, "hold", {"minutes": "What was said.", "decisions": [{"text": "What was decided."}]})
    before = {str(event["UID"]): event["SEQUENCE"] for event in events(await cambodia.get(CALENDAR))}

    await moved(korea, called, "cancel", {"reason": "The delegation cannot travel."})

    answer = await cambodia.get(CALENDAR)
    told = {str(event["SUMMARY"]): event for event in events(answer)}
    assert {name: str(event["STATUS"]) for name, event in told.items()} == {
        "cancelled": "CANCELLED",
        "held": "CONFIRMED",
    }
    assert before[str(told["cancelled"]["UID"])] < told["cancelled"]["SEQUENCE"]
    assert "cannot travel" in str(told["cancelled"]["DESCRIPTION"])
    own = {str(event["SUMMARY"]): str(event["STATUS"]) for event in events(await korea.get(CALENDAR))}
    assert own["draft"] == "TENTATIVE"
    # What came of a meeting stays in the hub.
    assert "What was" not in answer.text


async def test_what_ended_long_ago_is_in_no_calendar(hub: Hub) -> None:
    korea = officer(hub, "KR-KNPA")
    await draft(korea, title="old", starts_at="2020-01-01T00:00:00Z", ends_at="2020-01-02T00:00:00Z")
    await draft(korea, title="far", starts_at="9999-12-30T00:00:00Z", ends_at="9999-12-31T00:00:00Z")

    assert titles(await korea.get(CALENDAR)) == ["far"]


async def test_an_address_opens_what_its_credential_sees_at_that_moment(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    group = await found_group(korea, cambodia)
    await call(korea, groups=[group.rpartition("/")[2]], title="by group")
    named = await call(korea, "KH-CNP", title="by name")
    await call(thailand, "KR-KNPA", title="of others")
    path = await address_of(cambodia)

    seen = [titles(await look(hub, path))]
    await korea.expel(group, "KH-CNP")
    seen.append(titles(await look(hub, path)))
    await korea.patch(named, {"participants": {"agencies": ["TH-RTP"]}}, etag="*")
    seen.append(titles(await look(hub, path)))

    assert seen == [["by group", "by name"], ["by name"], []]
    assert (await look(hub, path)).content == (await cambodia.get(CALENDAR)).content
    reads = hub.look(
        "SELECT agency, client_id, cardinality(record_ids) FROM audit_entries"
        " WHERE action = 'meeting.read_calendar' ORDER BY at"
    )
    assert reads[:3] == [("KH-CNP", cambodia.client_id, count) for count in (2, 1, 0)]


async def test_an_address_is_shown_once_and_kept_as_a_hash(hub: Hub) -> None:
    korea = officer(hub, "KR-KNPA")
    with capture_logs() as logs:
        made = await korea.post(CALENDAR, headers={"Idempotency-Key": "k"})
        repeated = await korea.post(CALENDAR, headers={"Idempotency-Key": "k"})
        path = made.json()["address"].removeprefix(PUBLIC_URL)
        assert (await look(hub, path)).status_code == 200
        assert (await look(hub, path + "x")).status_code == 404
        assert (await look(hub, path.replace("idf_", "idf_x"))).status_code == 404

    secret = path.rpartition("/")[2].removesuffix(".ics")
    assert (made.status_code, repeated.status_code) == (201, 201)
    assert repeated.json() == {**made.json(), "address": None}
    assert secret.startswith("idf_")
    assert secret not in str(logs)
    assert "/v1/meetings/calendar/{address}.ics" in str(logs)
    for table in ("calendar_addresses", "audit_entries", "idempotency_keys", "events"):
        assert secret not in str(hub.look(f"TABLE {table}"))


async def test_another_address_takes_the_place_of_the_first(hub: Hub) -> None:
    korea = officer(hub, "KR-KNPA")
    colleague = hub.caller("KR-KNPA", "operations_officer")
    theirs = await address_of(colleague)
    first = await address_of(korea)
    second = await address_of(korea)

    assert [(await look(hub, path)).status_code for path in (theirs, first, second)] == [200, 404, 200]
    assert (await korea.call("DELETE", CALENDAR)).status_code == 204
    assert (await korea.call("DELETE", CALENDAR)).status_code == 404
    assert [(await look(hub, path)).status_code for path in (theirs, first, second)] == [200, 404, 404]
    made = await asyncio.gather(*(korea.post(CALENDAR) for _ in range(4)))
    opened = [await look(hub, answer.json()["address"].removeprefix(PUBLIC_URL)) for answer in made]
    assert sorted(answer.status_code for answer in opened) == [200, 404, 404, 404]


async def test_an_address_ends_with_what_it_stands_for(hub: Hub) -> None:
    unknown = await look(hub, f"{CALENDAR}/idf_{'0' * 43}.ics")
    assert unknown.status_code == 404
    ends: dict[str, tuple[str, str]] = {
        "revoked": ("UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", "client"),
        "expired": ("UPDATE credentials SET expires_at = now() WHERE client_id = %s", "client"),
        "of another role": ("UPDATE credentials SET roles = '{analyst}' WHERE client_id = %s", "client"),
        "from elsewhere": ("UPDATE credentials SET allowed_networks = '{10.0.0.0/8}' WHERE client_id = %s", "client"),
        "with another secret": ("UPDATE credentials SET secret_hash = sha256('x') WHERE client_id = %s", "client"),
        "all tokens ended": ("SELECT end_tokens(%s)", "agency"),
        "suspended": ("UPDATE agencies SET status = 'suspended' WHERE code = %s", "agency"),
    }
    for number, (why, (statement, about)) in enumerate(ends.items()):
        partner = officer(hub, f"POLICE{number}")
        path = await address_of(partner)
        assert (await look(hub, path)).status_code == 200, why
        hub.operator(statement, partner.client_id if about == "client" else partner.agency)
        told = await look(hub, path)
        secret = path.rpartition("/")[2]
        assert told.status_code == 404, why
        assert told.text.replace(secret, f"idf_{'0' * 43}.ics") == unknown.text, why
        assert told.headers.keys() == unknown.headers.keys()
    entries = hub.look("SELECT DISTINCT agency, client_id, outcome FROM audit_entries WHERE action ~ 'calendar/'")
    assert entries == [(None, None, "not-found")]


async def test_what_a_suspension_ended_stays_ended(hub: Hub) -> None:
    korea = officer(hub, "KR-KNPA")
    path = await address_of(korea)
    for status in ("suspended", "active"):
        hub.operator("UPDATE agencies SET status = %s WHERE code = 'KR-KNPA'", status)

    assert (await look(hub, path)).status_code == 404


async def test_rotation_over_http_ends_the_address(hub: Hub) -> None:
    admin = await admit(await platform_admin(hub), "KR-KNPA")
    key = await grant(admin, "operations_officer")
    partner = await key.sign_in()
    path = await address_of(partner)
    credential = f"/v1/agencies/KR-KNPA/credentials/{key.client_id}"

    relabelled = await admin.patch(credential, {"label": "calendar"}, etag="*")
    kept = (await look(hub, path)).status_code
    rotated = await admin.post(f"{credential}/rotate", {"grace_seconds": 3600}, etag="*")

    assert (relabelled.status_code, kept, rotated.status_code) == (200, 200, 200)
    assert (await look(hub, path)).status_code == 404


async def test_networks_hold_for_an_address_too(hub: Hub) -> None:
    korea = officer(hub, "KR-KNPA")
    path = await address_of(korea)
    hub.operator("UPDATE credentials SET allowed_networks = '{127.0.0.0/8}' WHERE client_id = %s", korea.client_id)

    async with called_from(hub, "203.0.113.9") as elsewhere:
        assert (await look(elsewhere, path)).status_code == 404
    assert (await look(hub, path)).status_code == 200


async def test_who_may_have_a_calendar(hub: Hub) -> None:
    korea = officer(hub, "KR-KNPA")
    analyst, admin = hub.caller("KR-KNPA", "analyst"), hub.caller("HUB", "platform_admin")

    async def tried(partner: Partner) -> list[int]:
        calls: list[Any] = [partner.get(CALENDAR), partner.post(CALENDAR), partner.call("DELETE", CALENDAR)]
        return [(await one).status_code for one in calls]

    assert await tried(analyst) == [403] * 3
    assert await tried(admin) == [403] * 3
    assert await tried(korea) == [200, 201, 204]
    assert (await hub.client.get(CALENDAR)).status_code == 401
    assert (await hub.client.post(CALENDAR)).status_code == 401


async def test_guessing_is_slow(hub: Hub) -> None:
    answer = await look(hub, f"{CALENDAR}/idf_{'0' * 43}.ics")

    assert answer.headers["RateLimit-Policy"] == f'"default";q={hub.settings.sign_in_rate_limit};w=60'
