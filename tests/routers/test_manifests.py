"""Manifests over HTTP: nobody twice, never over the seats, each agency its own people, and no name anywhere."""

import asyncio
from typing import Any

import pytest

from app.models.transport_vocabularies import ManifestState
from tests.conftest import Hub, Partner
from tests.events.following import follower, place
from tests.records.retaining import purge
from tests.routers import repatriating
from tests.routers.checking import REASON, act, checklist, completed
from tests.routers.entrance import below_policies
from tests.routers.transporting import (
    HOST,
    NOBODY,
    ORGANIZER,
    OTHER,
    STRANGER,
    add,
    added,
    cleared,
    manifest,
    mark,
    marked,
    moved,
    officer,
    planned,
    receipt,
    state_of,
)

ANY_ID = "01920000-0000-7000-8000-000000000000"
PURPOSE = {"Access-Purpose": "case 2026-2207"}


def problem(answer: Any) -> tuple[int, str, list[str]]:
    said = answer.json()
    return answer.status_code, said["type"].rpartition("/")[2], [flaw["pointer"] for flaw in said.get("errors", [])]


async def test_each_agency_sees_its_own_people_and_everybody_the_totals(hub: Hub) -> None:
    korea, cambodia, thailand = officer(hub, ORGANIZER), officer(hub, HOST), officer(hub, OTHER)
    vietnam = officer(hub, STRANGER)
    path = await planned(korea, HOST, OTHER, STRANGER, escorts=[{"agency": HOST, "count": 1}])
    from_cambodia, theirs = await cleared(korea, cambodia, 2)
    from_thailand, others = await cleared(vietnam, thailand, 3, to_country="VN")

    await added(cambodia, path, from_cambodia, theirs)
    await added(thailand, path, from_thailand, others)

    seen = {one.agency: await manifest(one, path) for one in (korea, cambodia, thailand, vietnam)}
    own = {agency: [item["person"] for item in read["items"]] for agency, read in seen.items()}
    # The organizer sees those of its own request, whoever put them there.
    assert own == {ORGANIZER: theirs, HOST: theirs, OTHER: others, STRANGER: others}
    totals = [read["totals"] for read in seen.values()]
    assert totals == [totals[0]] * 4
    assert totals[0] == {
        "seats": 10,
        "escorts": 1,
        "taken": 6,
        "free": 4,
        "by_category": {"victim": 5, "suspect": 0, "remains": 0},
        "by_state": {"listed": 5, "boarded": 0, "no_show": 0, "handed_over": 0, "withdrawn": 0},
        "by_agency": [{"agency": HOST, "people": 2}, {"agency": OTHER, "people": 3}],
        "by_section": [{"section": "all", "seats": 10, "taken": 5}],
    }
    entry = seen[OTHER]["items"][0]["id"]
    for foreign in (korea, cambodia):
        assert (await foreign.get(f"{path}/manifest/{entry}")).status_code == 404
        assert (await foreign.call("DELETE", f"{path}/manifest/{entry}")).status_code == 404
        assert problem(await mark(foreign, path, "board", [entry])) == (422, "unknown-reference", ["/entries/0"])
    names = await thailand.get(f"{repatriating.PATH}/{from_thailand}/persons/{others[0]}", headers=PURPOSE)
    assert names.json()["names"][0]["name"] == "예시 사람"
    assert "예시" not in (await thailand.get(f"{path}/manifest")).text


async def test_a_manifest_is_narrowed_and_paged(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST, sections=[{"name": "front", "seats": 3}, {"name": "back", "seats": 3}])
    request, persons = await cleared(korea, cambodia, 4)
    await added(korea, path, request, persons[:2], "front")
    await added(cambodia, path, request, persons[2:], "back")

    async def found(**parameters: Any) -> list[str]:
        return [item["person"] for item in (await manifest(korea, path, **parameters))["items"]]

    assert await found() == persons
    assert await found(section="front") == await found(agency=ORGANIZER) == persons[:2]
    assert await found(request=request, state="listed") == persons
    assert await found(state="boarded") == await found(request=ANY_ID) == []
    walked, cursor = [], None
    while True:
        page = await korea.get(f"{path}/manifest", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
        walked += [item["person"] for item in page.json()["items"]]
        cursor = page.json()["next_cursor"]
        assert ("Link" in page.headers) is (cursor is not None)
        if cursor is None:
            break
    assert walked == persons
    assert (await korea.get(f"{path}/manifest", params={"cursor": "x"})).status_code == 400


async def test_only_cleared_people_of_ones_own_are_put_there(hub: Hub) -> None:
    korea, cambodia, thailand = officer(hub, ORGANIZER), officer(hub, HOST), officer(hub, OTHER)
    vietnam = officer(hub, STRANGER)
    path = await planned(korea, HOST, OTHER)
    foreign, strangers = await cleared(vietnam, cambodia)
    request, persons = await cleared(korea, cambodia, transit_agencies=[OTHER])
    waiting = await repatriating.accepted(korea, cambodia)
    person = await repatriating.add_person(korea, waiting, NOBODY)

    async def refused(partner: Partner, request: str, *people: str) -> Any:
        return problem(await add(partner, path, request, list(people)))

    assert await refused(korea, ANY_ID, *persons) == (422, "unknown-reference", ["/request"])
    assert await refused(korea, foreign, *strangers) == (422, "unknown-reference", ["/request"])
    assert await refused(thailand, request, *persons) == (422, "unknown-reference", ["/request"])  # transit
    assert await refused(korea, request, persons[0], ANY_ID) == (422, "unknown-reference", ["/persons/1"])
    assert await refused(korea, request, strangers[0]) == (422, "unknown-reference", ["/persons/0"])
    assert await refused(korea, waiting.rpartition("/")[2], person) == (409, "conflict", [])
    assert await refused(vietnam, foreign, *strangers) == (404, "not-found", [])
    assert (await add(korea, path, request, [])).status_code == 422
    assert (await add(korea, path, request, [ANY_ID] * 501)).status_code == 422
    assert (await manifest(korea, path))["totals"]["taken"] == 0


async def test_nobody_stands_there_twice(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path, other = await planned(korea, HOST), await planned(korea)
    request, persons = await cleared(korea, cambodia, 3)
    await added(korea, path, request, persons[:1])

    here = await add(cambodia, path, request, persons[:2])
    elsewhere = await add(korea, other, request, [persons[2], persons[0]])

    assert problem(here) == (409, "already-on-a-manifest", ["/persons/0"])
    assert here.json()["errors"][0]["code"] == "on-this-manifest"
    assert problem(elsewhere) == (409, "already-on-a-manifest", ["/persons/1"])
    assert elsewhere.json()["errors"][0]["code"] == "on-another-manifest"
    assert path.rpartition("/")[2] not in elsewhere.text
    assert len((await manifest(korea, path))["items"]) == 1
    twice = await add(korea, other, request, [persons[1], persons[1]])
    assert len(twice.json()["entries"]) == 1
    # Below every function the table itself holds to it.
    with pytest.raises(Exception, match="manifest_entries_once"):
        below_policies(
            hub,
            "INSERT INTO manifest_entries SELECT gen_random_uuid(), transport_id, record_id, person_id, agency,"
            " sides, category, section, 'listed', NULL, NULL, now(), now() FROM manifest_entries",
        )


async def test_somebody_entered_for_two_requests_is_found(hub: Hub) -> None:
    korea, cambodia, thailand = officer(hub, ORGANIZER), officer(hub, HOST), officer(hub, OTHER)
    path, other = await planned(korea, HOST, OTHER), await planned(korea, HOST, OTHER)
    known = {**NOBODY, "names": [{"name": "예보람"}], "birth_date": "1998-04-01"}
    first, persons = await cleared(korea, cambodia, person=known)
    again, namesake = await cleared(korea, thailand, person=known)
    foreign, hidden = await cleared(thailand, cambodia, person=known)
    await added(korea, path, first, persons)

    refused = await add(korea, other, again, namesake)
    assert problem(refused) == (409, "already-on-a-manifest", ["/persons/0"])
    assert refused.json()["errors"][0]["code"] == "same-person"
    # Who is no side of the other request learns nothing of it.
    await added(thailand, other, foreign, hidden)
    assert problem(await add(korea, other, again, namesake))[:2] == (409, "already-on-a-manifest")
    body = {"request": again, "persons": namesake, "namesakes": True}
    assert (await korea.post(f"{other}/manifest", body)).status_code == 200


@pytest.mark.parametrize("found", ["open again", "a victim"])
async def test_what_opens_again_keeps_people_on_the_ground(hub: Hub, found: str) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST, escorts=[{"agency": HOST, "count": 2}])
    request, persons = await cleared(korea, cambodia, 2, category="suspect", legal_act="deportation")
    entries = await added(korea, path, request, persons)
    await moved(korea, path, "freeze")
    where = f"{repatriating.PATH}/{request}"
    (screening,) = [one for one in (await checklist(korea, where))["items"] if one["needs"] == "result"]
    side = korea if screening["side"] == "requesting" else cambodia
    opened = await act(side, where, screening["code"], "reopen", REASON)
    assert opened.status_code == 200, opened.text
    if found == "a victim":
        await completed(side, where, screening["code"], result="victim")

    boarding = await mark(korea, path, "board", entries)
    assert problem(boarding) == (409, "conflict", ["/entries/0", "/entries/1"])
    await moved(korea, path, "unfreeze")
    refused = await korea.post(f"{path}/freeze", etag="*")
    assert [flaw["code"] for flaw in refused.json()["errors"]] == ["request-not-cleared"]


async def test_never_more_than_there_are_seats(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(
        korea,
        HOST,
        seats=6,
        escorts=[{"agency": HOST, "count": 2}],
        sections=[{"name": "a", "seats": 3}, {"name": "b", "seats": 3}],
    )
    request, persons = await cleared(korea, cambodia, 6)
    dead, remains = await cleared(korea, cambodia, 2, category="remains", legal_act="repatriation_of_remains")

    assert problem(await add(korea, path, request, persons)) == (422, "invalid-body", ["/section"])
    assert problem(await add(korea, path, request, persons, "c")) == (422, "invalid-body", ["/section"])
    assert problem(await add(korea, path, request, persons[:4], "a")) == (409, "no-seats-left", [])
    await added(korea, path, request, persons[:2], "a")
    assert problem(await add(korea, path, request, persons[2:5], "b")) == (409, "no-seats-left", [])  # 6 - 2 - 2
    await added(korea, path, request, persons[2:4], "b")
    assert problem(await add(korea, path, request, persons[4:5], "a")) == (409, "no-seats-left", [])
    # Remains travel in the hold.
    assert problem(await add(korea, path, dead, remains, "a")) == (422, "invalid-body", ["/section"])
    await added(korea, path, dead, remains)

    totals = (await manifest(korea, path))["totals"]
    assert (totals["taken"], totals["free"], totals["by_category"]["remains"]) == (6, 0, 2)
    assert [section["taken"] for section in totals["by_section"]] == [2, 2]


async def test_two_dispatchers_get_no_more_seats_than_there_are(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST, seats=5)
    requests = [await cleared(korea, cambodia, 4) for _ in range(2)]

    answers = await asyncio.gather(
        *(
            add(dispatcher, path, request, [person])
            for request, persons in requests
            for person in persons
            for dispatcher in (korea, cambodia)
        )
    )

    assert {answer.status_code for answer in answers} == {200, 409}
    assert sum(answer.status_code == 200 for answer in answers) == 5
    read = await manifest(korea, path)
    assert (read["totals"]["taken"], read["totals"]["free"]) == (5, 0)
    assert len({item["person"] for item in read["items"]}) == 5


async def test_two_dispatchers_put_nobody_on_two_transports(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    paths = [await planned(korea, HOST), await planned(korea, HOST)]
    request, persons = await cleared(korea, cambodia, 4)

    answers = await asyncio.gather(
        *(
            add(dispatcher, path, request, people)
            for dispatcher, path in zip((korea, cambodia), paths, strict=True)
            for people in (persons, persons[::-1], persons[:2], persons[2:])
        )
    )

    assert all(answer.status_code in (200, 409) for answer in answers), [answer.text for answer in answers]
    read = [item["person"] for path in paths for item in (await manifest(korea, path))["items"]]
    assert sorted(read) == sorted(persons)


async def test_victims_and_suspects_sit_apart(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    whole = await planned(korea, HOST)
    apart = await planned(korea, HOST, sections=[{"name": "front", "seats": 4}, {"name": "back", "seats": 4}])
    victims, freed = await cleared(korea, cambodia, 2)
    suspects, held = await cleared(korea, cambodia, 2, category="suspect", legal_act="deportation")
    dead, remains = await cleared(korea, cambodia, category="remains", legal_act="repatriation_of_remains")

    await added(korea, whole, victims, freed[:1])
    assert problem(await add(korea, whole, suspects, held)) == (409, "keep-apart", ["/persons/0", "/persons/1"])
    await added(korea, whole, dead, remains)
    await added(korea, apart, victims, freed[1:], "front")
    assert problem(await add(korea, apart, suspects, held, "front")) == (
        409,
        "keep-apart",
        ["/persons/0", "/persons/1"],
    )
    await added(korea, apart, suspects, held, "back")


async def test_two_who_must_not_meet_sit_apart(hub: Hub) -> None:
    korea, cambodia, thailand = officer(hub, ORGANIZER), officer(hub, HOST), officer(hub, OTHER)
    path = await planned(korea, HOST, OTHER, sections=[{"name": "front", "seats": 4}, {"name": "back", "seats": 4}])
    request, persons = await cleared(korea, cambodia, 4)
    _, strangers = await cleared(thailand, cambodia)

    async def separate(partner: Partner, *people: str) -> Any:
        return await partner.post(f"{path}/separations", {"persons": list(people), "reason": "One testifies."})

    made = await separate(korea, persons[0], persons[1])
    assert made.status_code == 201
    where = made.headers["Location"]
    assert (await cambodia.get(where)).json() == made.json()
    assert (await thailand.get(where)).status_code == 404
    lists = [(await one.get(f"{path}/separations")).json()["items"] for one in (korea, thailand)]
    assert [len(items) for items in lists] == [1, 0]
    assert problem(await separate(korea, persons[1], persons[0])) == (409, "conflict", [])
    assert problem(await separate(korea, persons[0], strangers[0])) == (422, "unknown-reference", ["/persons/1"])
    assert problem(await separate(korea, ANY_ID, persons[0])) == (422, "unknown-reference", ["/persons/0"])
    assert problem(await separate(korea, persons[0], persons[0])) == (422, "invalid-body", ["/persons/1"])
    both = await add(korea, path, request, persons[:2], "front")
    assert problem(both) == (409, "keep-apart", ["/persons/0", "/persons/1"])
    await added(korea, path, request, persons[:1], "front")
    assert problem(await add(korea, path, request, [persons[2], persons[1]], "front")) == (
        409,
        "keep-apart",
        ["/persons/1"],
    )
    await added(korea, path, request, persons[1:2], "back")
    # Named too late: the manifest is not frozen before one of them is moved.
    moving = await added(korea, path, request, persons[2:], "back")
    late = await separate(cambodia, persons[2], persons[3])
    assert late.status_code == 201
    refused = await korea.post(f"{path}/freeze", etag="*")
    assert [flaw["code"] for flaw in refused.json()["errors"]] == ["not-separated"]
    assert (await korea.call("DELETE", late.headers["Location"])).status_code == 403
    assert (await korea.call("DELETE", f"{path}/manifest/{moving[0]}")).status_code == 204
    await added(korea, path, request, persons[2:3], "front")
    await moved(korea, path, "freeze")
    assert (await cambodia.call("DELETE", late.headers["Location"])).status_code == 204
    assert (await cambodia.get(late.headers["Location"])).status_code == 404


async def test_somebody_is_taken_off_until_it_is_frozen(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    entries = await added(korea, path, request, persons)

    assert (await cambodia.call("DELETE", f"{path}/manifest/{entries[0]}")).status_code == 204
    assert (await korea.get(f"{path}/manifest/{entries[0]}")).status_code == 404
    assert (await manifest(korea, path))["totals"]["taken"] == 1
    await moved(korea, path, "freeze")

    assert problem(await korea.call("DELETE", f"{path}/manifest/{entries[1]}"))[:2] == (409, "conflict")
    assert problem(await add(korea, path, request, persons[:1]))[:2] == (409, "conflict")


async def test_boarding_and_receipts_one_by_one(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    first, second = [f"{path}/manifest/{entry}" for entry in await added(korea, path, request, persons)]

    assert problem(await korea.post(f"{first}/board"))[:2] == (409, "conflict")  # not frozen yet
    await moved(korea, path, "freeze")
    boarded = await cambodia.post(f"{first}/board")
    assert (boarded.status_code, boarded.json()["entries"][0]["state"]) == (200, "boarded")
    assert problem(await cambodia.post(f"{first}/board"))[:2] == (409, "conflict")
    missed = await cambodia.post(f"{second}/no-show", {"reason": "Not fit to fly."})
    assert missed.json()["action"] == "no_show"
    assert (await korea.get(second)).json()["reason"] == "Not fit to fly."
    assert (await korea.post(f"{second}/board")).status_code == 200  # after all
    assert (await korea.get(second)).json()["reason"] is None
    assert problem(await korea.post(f"{first}/hand-over", receipt()))[:2] == (409, "conflict")
    await moved(korea, path, "depart", "arrive")
    early = {**receipt(), "at": "2999-01-01T00:00:00Z"}
    assert problem(await korea.post(f"{first}/hand-over", early)) == (422, "invalid-body", ["/at"])
    assert problem(await cambodia.post(f"{first}/hand-over", receipt()))[:2] == (403, "not-your-side")
    given = {**receipt(), "note": "In good health, with one bag."}
    assert (await korea.post(f"{first}/hand-over", given)).status_code == 200

    entry = (await cambodia.get(first)).json()
    assert entry["state"] == "handed_over"
    assert entry["receipt"] == {"agency": ORGANIZER, **given}
    assert problem(await korea.post(f"{first}/hand-over", given))[:2] == (409, "conflict")
    assert await state_of(korea, request) == "in_transit"
    await marked(korea, path, "hand-over", [second.rpartition("/")[2]])
    assert (await korea.get(path)).json()["state"] == "completed"


async def test_either_side_receives_where_neither_is_in_the_country(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    arrival = {"place": "Singapore, SIN", "country": "SG", "at": "2199-01-01T00:00:00Z", "time_zone": "Asia/Singapore"}
    path = await planned(korea, HOST, arrival=arrival)
    request, persons = await cleared(korea, cambodia)
    entries = await added(korea, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "board", entries)
    await moved(korea, path, "depart", "arrive")

    assert (await marked(cambodia, path, "hand-over", entries))["agency"] == HOST


async def test_who_is_marked_all_at_once_or_not_at_all(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 3)
    entries = await added(korea, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "board", entries[:1])

    assert problem(await mark(korea, path, "board", entries)) == (409, "conflict", ["/entries/0"])
    assert problem(await mark(korea, path, "board", [entries[1], ANY_ID])) == (422, "unknown-reference", ["/entries/1"])
    states = [item["state"] for item in (await manifest(korea, path))["items"]]
    assert states == ["boarded", "listed", "listed"]


async def test_who_was_a_no_show_and_got_another_seat_does_not_board(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path, later = await planned(korea, HOST), await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    entries = await added(korea, path, request, persons)
    other, people = await cleared(korea, cambodia, 1)
    ((more,)) = await added(korea, path, other, people)
    await moved(korea, path, "freeze")
    await marked(korea, path, "no-show", entries)
    # Scheduled still, since the transport has not left: nobody of it can be put elsewhere.
    assert problem(await add(korea, later, request, persons))[:2] == (409, "conflict")
    await marked(korea, path, "board", [entries[0], more])
    await moved(korea, path, "depart")
    await added(korea, later, request, persons[1:])
    assert problem(await mark(korea, path, "board", entries[1:]))[:2] == (409, "conflict")


async def test_a_request_on_hold_keeps_its_people_from_boarding(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    entries = await added(korea, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "board", entries[:1])
    await repatriating.stepped(cambodia, f"{repatriating.PATH}/{request}", "hold")

    assert problem(await mark(korea, path, "board", entries[1:])) == (409, "conflict", ["/entries/0"])
    await marked(korea, path, "no-show", entries[1:])
    refused = await korea.post(f"{path}/depart", etag="*")
    assert [flaw["code"] for flaw in refused.json()["errors"]] == ["request-not-cleared"]
    await repatriating.stepped(cambodia, f"{repatriating.PATH}/{request}", "resume")
    await moved(korea, path, "depart")
    assert await state_of(korea, request) == "cleared"


@pytest.mark.parametrize("how", ["withdraw", "decline", "change", "retract", "person"])
async def test_who_does_not_travel_any_more_comes_off_by_itself(hub: Hub, how: str) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    other, people = await cleared(korea, cambodia)
    entries = await added(cambodia, path, request, persons)
    await added(korea, path, other, people)
    following = await follower(korea)
    where = f"{repatriating.PATH}/{request}"

    if how in ("withdraw", "decline"):
        await repatriating.stepped(korea if how == "withdraw" else cambodia, where, how)
    elif how == "change":
        changed = await korea.patch(where, {"category": "suspect", "legal_act": "deportation"}, etag="*")
        assert changed.status_code == 200, changed.text
    elif how == "retract":
        await repatriating.stepped(korea, where, "withdraw")
        assert (await korea.post(f"{where}/retract", etag="*")).status_code == 200
    else:
        for person in persons:
            removed = await korea.call("DELETE", f"{where}/persons/{person}", headers={**PURPOSE, "If-Match": "*"})
            assert removed.status_code == 204, removed.text

    totals = (await manifest(korea, path))["totals"]
    assert (totals["taken"], totals["by_state"]["withdrawn"]) == (1, 2)
    read = await korea.get(f"{path}/manifest/{entries[0]}")
    assert (read.json()["state"], read.json()["reason"] is not None) == ("withdrawn", True)
    place(hub)
    await following.follow()
    told = [e["data"]["detail"] for e in following.events if e["type"].endswith("manifest_changed")]
    assert sum(detail["count"] for detail in told if detail["action"] == "withdraw") == 2
    await moved(korea, path, "freeze")


async def test_who_stayed_away_and_was_removed_does_not_board(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    entries = await added(cambodia, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "no-show", entries[:1])
    where = f"{repatriating.PATH}/{request}/persons/{persons[0]}"
    assert (await korea.call("DELETE", where, headers={**PURPOSE, "If-Match": "*"})).status_code == 204

    assert problem(await mark(korea, path, "board", entries[:1])) == (409, "conflict", ["/entries/0"])
    await marked(korea, path, "board", entries[1:])
    await moved(korea, path, "depart")
    assert await state_of(korea, request) == "in_transit"


async def test_a_purge_of_the_request_takes_its_people_off(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    await added(cambodia, path, request, persons)
    apart = await korea.post(f"{path}/separations", {"persons": persons})
    assert apart.status_code == 201
    await purge(hub, request)

    totals = (await manifest(korea, path))["totals"]
    assert (totals["taken"], totals["by_state"]["withdrawn"]) == (0, 2)
    assert (await korea.get(f"{path}/separations")).json()["items"] == []
    assert (await korea.get(apart.headers["Location"])).status_code == 404
    assert hub.look("SELECT count(*) FROM persons") == [(0,)]


async def test_what_happened_before_the_departure_stands_after_it(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    entries = await added(cambodia, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "board", entries)
    await moved(korea, path, "depart")
    where = f"{repatriating.PATH}/{request}/persons/{persons[0]}"
    assert (await korea.call("DELETE", where, headers={**PURPOSE, "If-Match": "*"})).status_code == 204
    await moved(korea, path, "arrive")
    await marked(korea, path, "hand-over", entries)

    assert await state_of(korea, request) == "handed_over"
    states = [ManifestState(item["state"]) for item in (await manifest(korea, path))["items"]]
    assert states == [ManifestState.HANDED_OVER] * 2


async def test_reads_and_writes_of_a_manifest_stand_in_the_audit(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia)
    (entry,) = await added(cambodia, path, request, persons)
    await manifest(korea, path)
    await korea.get(f"{path}/manifest/{entry}")
    assert (await cambodia.call("DELETE", f"{path}/manifest/{entry}")).status_code == 204

    entries = hub.look(
        "SELECT agency, action, detail ->> 'entries' FROM audit_entries WHERE kind = 'transports'"
        " AND %s = ANY (record_ids) ORDER BY id",
        path.rpartition("/")[2],
    )

    assert entries == [
        (ORGANIZER, "transport.plan", None),
        (HOST, "transport.add", f'["{entry}"]'),
        (ORGANIZER, "transport.read_manifest", f'["{entry}"]'),
        (ORGANIZER, "transport.read_manifest", f'["{entry}"]'),
        (HOST, "transport.remove", f'["{entry}"]'),
    ]


async def test_a_manifest_follows_what_its_agreement_covers(hub: Hub) -> None:
    """Whose sight of a request ends sees its people on no manifest, and cannot board them."""
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia)
    (entry,) = await added(cambodia, path, request, persons)
    assert len((await manifest(cambodia, path))["items"]) == 1
    below_policies(
        hub,
        "UPDATE records SET audience = array_replace(audience, %s, %s) WHERE id = %s",
        HOST,
        f"{HOST}@{ANY_ID}",
        request,
    )

    assert (await manifest(cambodia, path))["items"] == []
    assert (await cambodia.get(f"{path}/manifest/{entry}")).status_code == 404
    assert (await manifest(cambodia, path))["totals"]["taken"] == 1
