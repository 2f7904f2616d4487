"""Transports over HTTP: planned, changed and moved along by their organizer, not there for those who take no part."""

from typing import Any

import pytest

from app.domain.transports.manifest_shapes import PeopleByCategory
from app.domain.transports.transports import CHANGEABLE
from app.models.repatriation_vocabularies import RepatriationCategory
from app.models.transport_vocabularies import TransportState
from tests.conftest import Hub
from tests.events.following import follower, place
from tests.routers import repatriating
from tests.routers.transporting import (
    HOST,
    ORGANIZER,
    OTHER,
    PATH,
    STRANGER,
    added,
    cleared,
    manifest,
    mark,
    marked,
    move,
    moved,
    officer,
    plan,
    planned,
    state_of,
)

GRANTED = {"type": "landing", "country": "KR", "number": "L-1", "state": "granted", "valid_until": "2999-12-31"}


async def test_a_transport_is_planned_and_seen_by_those_who_take_part(hub: Hub) -> None:
    korea, cambodia, stranger = officer(hub, ORGANIZER), officer(hub, HOST), officer(hub, STRANGER)
    said = plan(
        HOST,
        departure={"place": "PNH", "country": "KH", "at": "2026-12-01T01:30:00Z", "time_zone": "Asia/Phnom_Penh"},
        arrival={"place": "ICN", "country": "KR", "at": "2026-12-01T06:45:00Z", "time_zone": "Asia/Seoul"},
        sections=[{"name": "front", "seats": 4}, {"name": "back", "seats": 4}],
        escorts=[{"agency": ORGANIZER, "count": 2}],
        permits=[GRANTED],
        note="Gate opens at 06:00.",
    )

    answer = await korea.post(PATH, said)

    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    told = answer.json()
    assert told["reference"].startswith(f"{ORGANIZER}-TR-20")
    assert (told["organizer"], told["state"], told["version"]) == (ORGANIZER, "planned", 1)
    assert told["departure"]["local_time"] == "2026-12-01T08:30:00+07:00"
    assert told["arrival"]["local_time"] == "2026-12-01T15:45:00+09:00"
    assert told["escort_rule"] == {"suspects_per_escort": 1, "victims_per_escort": None}
    path = answer.headers["Location"]
    assert (await cambodia.get(path)).json() == told
    assert (await korea.get(path, headers={"If-None-Match": '"1"'})).status_code == 304
    assert (await stranger.get(path)).status_code == 404
    assert [len((await one.get(PATH)).json()["items"]) for one in (korea, cambodia, stranger)] == [1, 1, 0]
    assert (await korea.get(PATH, headers={"Accept": "text/csv"})).status_code == 200


async def test_a_list_is_narrowed_and_paged(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    first = await planned(korea, HOST)
    second = await planned(korea, mode="sea")
    await moved(korea, second, "cancel")
    request, persons = await cleared(korea, cambodia)
    await added(korea, first, request, persons)
    reference = (await korea.get(first)).json()["reference"]

    async def found(partner: Any = korea, **parameters: Any) -> list[str]:
        items = (await partner.get(PATH, params=parameters)).json()["items"]
        return [f"{PATH}/{item['id']}" for item in items]

    assert await found() == [second, first]
    assert await found(mode="sea") == [second]
    assert await found(state="planned") == [first]
    assert await found(participant=HOST) == await found(reference=reference) == [first]
    assert await found(organizer=HOST) == []
    assert await found(request=request) == await found(cambodia, request=request) == [first]
    assert await found(to="2020-01-01T00:00:00Z") == []
    assert len(await found(**{"from": "2020-01-01T00:00:00Z"})) == 2
    page = await korea.get(PATH, params={"limit": 1})
    rest = await korea.get(PATH, params={"limit": 1, "cursor": page.json()["next_cursor"]})
    assert [item["id"] for item in rest.json()["items"]] == [first.rpartition("/")[2]]


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"mode": "rocket"}, "enum", "/mode"),
        ({"seats": 0}, "greater-than-equal", "/seats"),
        ({"state": "frozen"}, "extra-forbidden", "/state"),
        ({"sections": [{"name": "front", "seats": 11}]}, "more-than-seats", "/sections"),
        ({"sections": [{"name": "a", "seats": 1}, {"name": "a", "seats": 1}]}, "named-twice", "/sections/1/name"),
        ({"escorts": [{"agency": ORGANIZER, "count": 11}]}, "more-than-seats", "/escorts"),
        ({"escorts": [{"agency": OTHER, "count": 1}]}, "no-participant", "/escorts/0/agency"),
        ({"escort_rule": {"suspects_per_escort": 0}}, "greater-than-equal", "/escort_rule/suspects_per_escort"),
        ({"permits": [{"type": "landing", "country": "ZZ"}]}, "country-unknown", "/permits/0/country"),
        ({"participants": ["XX-NONE"]}, "unknown-reference", "/participants/0"),
        ({"participants": ["HUB"]}, "unknown-reference", "/participants/0"),
        ({"participants": [ORGANIZER]}, "organizer-listed", "/participants/0"),
        (
            {"arrival": {"place": "ICN", "country": "KR", "at": "2020-01-01T00:00:00Z", "time_zone": "Asia/Seoul"}},
            "times-out-of-order",
            "/arrival/at",
        ),
        (
            {"departure": {"place": "PNH", "country": "KH", "at": "2026-01-01T00:00:00Z", "time_zone": "Moon"}},
            "time-zone-unknown",
            "/departure/time_zone",
        ),
    ],
)
async def test_what_no_transport_can_be_is_refused(hub: Hub, fields: dict[str, Any], code: str, pointer: str) -> None:
    korea = officer(hub, ORGANIZER)
    for other in (HOST, OTHER):
        hub.register(other)

    answer = await korea.post(PATH, plan(HOST, **fields) if "participants" not in fields else plan() | fields)

    assert answer.status_code == 422, answer.text
    assert [(flaw["code"], flaw["pointer"]) for flaw in answer.json()["errors"]] == [(code, pointer)]


async def test_a_transport_is_changed_from_the_version_that_was_read(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST, carrier="Example Air")

    changed = await korea.patch(path, {"carrier": "Other Air", "departure": {"place": "Techo"}}, etag='"1"')
    same = await korea.patch(path, {"carrier": "Other Air"}, etag='"2"')
    stale = await korea.patch(path, {"carrier": "Third Air"}, etag='"1"')
    blind = await korea.patch(path, {"carrier": "Third Air"})
    not_its_own = await cambodia.patch(path, {"carrier": "Third Air"}, etag='"2"')
    wrong = await korea.patch(path, {"seats": None}, etag='"2"')

    assert (changed.status_code, changed.json()["carrier"], changed.headers["ETag"]) == (200, "Other Air", '"2"')
    assert changed.json()["departure"]["place"] == "Techo"
    assert (same.status_code, same.headers["ETag"]) == (200, '"2"')
    assert [answer.status_code for answer in (stale, blind, not_its_own, wrong)] == [412, 428, 403, 422]
    assert (await korea.post(f"{path}/freeze")).status_code == 428
    assert (await korea.post(f"{path}/freeze", etag='"1"')).status_code == 412
    assert (await move(cambodia, path, "freeze")).status_code == 403


async def test_a_plan_keeps_seats_for_those_who_have_one(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST, sections=[{"name": "front", "seats": 4}, {"name": "back", "seats": 4}])
    request, persons = await cleared(korea, cambodia, 4)
    await added(cambodia, path, request, persons, "front")

    refused = [
        await korea.patch(path, body, etag='"1"')
        for body in (
            {"seats": 3, "sections": []},
            {"sections": [{"name": "front", "seats": 3}]},
            {"sections": [{"name": "other", "seats": 8}]},
            {"escorts": [{"agency": HOST, "count": 7}]},
            {"participants": []},
        )
    ]

    assert [(answer.status_code, answer.json()["type"].rpartition("/")[2]) for answer in refused] == [
        (409, "no-seats-left"),
        (409, "no-seats-left"),
        (409, "no-seats-left"),
        (409, "no-seats-left"),
        (409, "conflict"),
    ]
    assert (await korea.patch(path, {"sections": [{"name": "front", "seats": 4}]}, etag='"1"')).status_code == 200


async def test_each_state_leaves_less_to_change(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia)
    entries = await added(korea, path, request, persons)
    bodies: dict[str, Any] = {"seats": 9, "carrier": "Other Air", "arrival": {"place": "GMP"}, "note": "Changed."}

    async def changeable() -> set[str]:
        taken = set()
        for number, (name, value) in enumerate(bodies.items()):
            fresh = {**value, "place": f"{value['place']} {number}"} if isinstance(value, dict) else value
            before = (await korea.get(path)).json()[name]
            answer = await korea.patch(path, {name: fresh}, etag="*")
            assert answer.status_code in (200, 409), answer.text
            if answer.status_code == 200:
                taken.add(name)
                restored = {"place": before["place"]} if isinstance(before, dict) else before
                assert (await korea.patch(path, {name: restored}, etag="*")).status_code == 200
        return taken

    seen = {TransportState.PLANNED: await changeable()}
    await moved(korea, path, "freeze")
    seen[TransportState.FROZEN] = await changeable()
    await marked(korea, path, "board", entries)
    seen[TransportState.BOARDING] = await changeable()
    await moved(korea, path, "depart")
    seen[TransportState.DEPARTED] = await changeable()
    await moved(korea, path, "arrive")
    seen[TransportState.ARRIVED] = await changeable()
    await marked(korea, path, "hand-over", entries)
    seen[TransportState.COMPLETED] = await changeable()

    assert seen == {state: CHANGEABLE.get(state, frozenset()) & set(bodies) for state in seen}


async def test_a_manifest_is_frozen_when_everything_is_there(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(
        korea,
        HOST,
        permits=[
            {"type": "landing", "country": "KR", "state": "requested"},
            {"type": "overflight", "country": "VN", "state": "granted", "valid_until": "2020-01-01"},
            GRANTED,
        ],
        escort_rule={"suspects_per_escort": 2, "victims_per_escort": 4},
    )
    empty = await move(korea, path, "freeze")
    assert (empty.status_code, empty.json()["type"]) == (409, "/problems/transport-not-ready")
    assert [(flaw["pointer"], flaw["code"]) for flaw in empty.json()["errors"]] == [
        ("/permits/0", "permit-not-granted"),
        ("/permits/1", "permit-expired"),
        ("/manifest", "manifest-empty"),
    ]
    suspects, people = await cleared(korea, cambodia, 3, category="suspect", legal_act="deportation")
    await added(cambodia, path, suspects, people)
    await repatriating.stepped(korea, f"{repatriating.PATH}/{suspects}", "hold")

    refused = await move(korea, path, "freeze")

    assert [(flaw["code"], flaw["detail"]) for flaw in refused.json()["errors"][2:]] == [
        ("escorts-missing", "2 escorts are needed, 0 are there."),
        ("request-not-cleared", "Of requests that are not cleared, put there by KH-CNP: 3."),
    ]
    for person in people:
        assert person not in refused.text
    await repatriating.stepped(korea, f"{repatriating.PATH}/{suspects}", "resume")
    ready = {"permits": [GRANTED], "escorts": [{"agency": ORGANIZER, "count": 2}]}
    assert (await korea.patch(path, ready, etag="*")).status_code == 200
    assert (await moved(korea, path, "freeze"))["state"] == "frozen"
    again = await move(korea, path, "freeze")
    assert (again.status_code, "only unfreeze, board, cancel" in again.json()["detail"]) == (409, True)


async def test_a_permit_that_is_refused_after_all_keeps_it_on_the_ground(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST, permits=[GRANTED])
    request, persons = await cleared(korea, cambodia)
    entries = await added(korea, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "board", entries)
    assert (await korea.patch(path, {"permits": [{**GRANTED, "state": "refused"}]}, etag="*")).status_code == 200

    refused = await move(korea, path, "depart")

    assert [flaw["code"] for flaw in refused.json()["errors"]] == ["permit-not-granted"]
    assert await state_of(korea, request) == "scheduled"


async def test_opening_the_manifest_or_cancelling_gives_the_requests_back(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    entries = await added(korea, path, request, persons)

    await moved(korea, path, "freeze")
    opened = await moved(korea, path, "unfreeze")
    assert (opened["state"], opened["state_reason"], opened["frozen_at"]) == (
        "planned",
        "The landing permit was withdrawn.",
        None,
    )
    assert await state_of(korea, request) == "cleared"
    await moved(korea, path, "freeze")
    assert await state_of(korea, request) == "scheduled"
    await marked(korea, path, "board", entries[:1])
    assert (await move(korea, path, "unfreeze")).status_code == 409
    cancelled = await moved(korea, path, "cancel")

    assert (cancelled["state"], cancelled["ended_at"] is not None) == ("cancelled", True)
    assert await state_of(korea, request) == "cleared"
    assert {item["state"] for item in (await manifest(korea, path))["items"]} == {"withdrawn"}
    assert len(await added(korea, await planned(korea), request, persons)) == 2
    for step in ("freeze", "unfreeze", "depart", "arrive", "cancel"):
        assert (await move(korea, path, step)).status_code == 409


async def test_whoever_misses_it_waits_for_another(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path, later = await planned(korea, HOST), await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 3)
    entries = await added(korea, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "no-show", entries)
    assert [flaw["code"] for flaw in (await move(korea, path, "depart")).json()["errors"]] == ["manifest-empty"]
    await marked(korea, path, "board", entries[:2])

    await moved(korea, path, "depart")

    missing = (await manifest(korea, path, state="no_show"))["items"]
    assert [(item["person"], item["reason"]) for item in missing] == [(persons[2], "Did not come.")]
    assert await state_of(korea, request) == "cleared"
    (entry,) = await added(cambodia, later, request, persons[2:])
    await moved(korea, later, "freeze")
    assert await state_of(korea, request) == "in_transit"  # two of the three are under way, and the third is booked
    await moved(korea, path, "arrive")
    await marked(korea, path, "hand-over", entries[:2])
    assert (await korea.get(path)).json()["state"] == "completed"
    assert await state_of(korea, request) == "in_transit"
    await marked(cambodia, later, "board", [entry])
    await moved(korea, later, "depart", "arrive")
    await marked(korea, later, "hand-over", [entry])
    assert await state_of(korea, request) == "handed_over"


async def test_a_request_is_scheduled_once_all_its_people_are(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    one, other = await planned(korea, HOST), await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    first = await added(korea, one, request, persons[:1])
    second = await added(korea, other, request, persons[1:])

    states = []
    for path in (one, other):
        await moved(korea, path, "freeze")
        states.append(await state_of(korea, request))
    await moved(korea, other, "unfreeze")
    states.append(await state_of(korea, request))
    await moved(korea, other, "freeze")
    for path, entries in ((one, first), (other, second)):
        await marked(korea, path, "board", entries)
        await moved(korea, path, "depart", "arrive")
        states.append(await state_of(korea, request))
    for path, entries in ((one, first), (other, second)):
        await marked(korea, path, "hand-over", entries)
        states.append(await state_of(korea, request))

    assert states == ["cleared", "scheduled", "cleared", "in_transit", "in_transit", "in_transit", "handed_over"]
    versions = (await cambodia.get(f"{repatriating.PATH}/{request}/versions")).json()["items"]
    assert len({version["version"] for version in versions}) == len(versions)


async def test_steps_and_plans_are_told_to_those_who_take_part(hub: Hub) -> None:
    korea, cambodia, thailand = officer(hub, ORGANIZER), officer(hub, HOST), officer(hub, OTHER)
    following = [await follower(one) for one in (korea, cambodia, thailand)]
    path = await planned(korea, HOST)
    changed = await korea.patch(path, {"participants": [HOST, OTHER]}, etag="*")
    assert changed.status_code == 200
    assert (await korea.patch(path, {"participants": [HOST]}, etag="*")).status_code == 200
    request, persons = await cleared(korea, cambodia)
    entries = await added(korea, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "board", entries)
    await moved(korea, path, "depart", "arrive")
    await marked(korea, path, "hand-over", entries)
    place(hub)
    told = []
    for one in following:
        await one.follow()
        told.append([e["type"].removeprefix("interdesk.transport.") for e in one.events if ".transport." in e["type"]])

    steps = ["frozen", "boarding", "manifest_changed", "departed", "arrived", "manifest_changed", "completed"]
    assert told[0] == ["planned", "changed", "changed", "manifest_changed", *steps]
    assert told[1] == told[0]
    assert told[2] == ["left"]  # what it was told while it took part is not shown to it any more
    details = [e["data"]["detail"] for e in following[1].events if e["type"].endswith("manifest_changed")]
    assert details == [{"action": action, "count": 1} for action in ("add", "board", "hand_over")]


async def test_a_repeated_call_moves_nothing_twice(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    key = {"headers": {"Idempotency-Key": "k1"}}

    first = await korea.post(PATH, plan(HOST, number="XA 1"), **key)
    again = await korea.post(PATH, plan(HOST, number="XA 1") | {"departure": first.json()["departure"]}, **key)
    assert again.status_code == 422
    path = first.headers["Location"]
    request, persons = await cleared(korea, cambodia)
    body = {"request": request, "persons": persons}
    added_once = await korea.post(f"{path}/manifest", body, **key)
    added_again = await korea.post(f"{path}/manifest", body, **key)
    assert (added_again.json(), added_again.headers["Idempotency-Replayed"]) == (added_once.json(), "true")
    version = (await korea.get(path)).headers["ETag"]
    frozen = await korea.post(f"{path}/freeze", etag=version, **key)
    entry = added_once.json()["entries"][0]["id"]
    boarded = await korea.post(f"{path}/manifest/{entry}/board", **key)
    assert (await korea.post(f"{path}/manifest/{entry}/board", **key)).json() == boarded.json()
    frozen_again = await korea.post(f"{path}/freeze", etag=version, **key)
    assert (frozen_again.json(), frozen_again.headers["ETag"]) == (frozen.json(), '"2"')
    assert (await korea.get(path)).json()["state"] == "boarding"


async def test_whoever_may_not_is_refused(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    reader = hub.caller(HOST, "operations_officer")
    powerless = hub.caller(HOST, "analyst")

    assert (await reader.get(f"{path}/manifest")).status_code == 200
    assert (await reader.post(f"{path}/manifest", {})).status_code == 403
    assert (await reader.post(PATH, plan())).status_code == 403
    assert (await powerless.get(path)).status_code == 403
    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", cambodia.client_id
    )
    assert (await cambodia.get(path)).status_code == 401
    long = {"reason": "x" * (2 * hub.settings.body_limit)}
    answers = [
        await korea.post(PATH, long),
        await korea.patch(path, long, etag="*"),
        await move(korea, path, "cancel", json=long),
        await korea.post(f"{path}/manifest", long),
        await korea.post(f"{path}/separations", long),
        await mark(korea, path, "no-show", [], **long),
    ]
    assert [answer.status_code for answer in answers] == [413] * len(answers)


def test_every_category_has_its_place_in_the_totals() -> None:
    assert set(PeopleByCategory.model_fields) == {category.value for category in RepatriationCategory}
