"""A request is where its people are, whatever changed: who is on board, who belongs to it, or that it goes on."""

import pytest

from tests.conftest import Hub, Partner
from tests.routers import repatriating
from tests.routers.checking import settled
from tests.routers.transporting import (
    HOST,
    NOBODY,
    ORGANIZER,
    add,
    added,
    cleared,
    marked,
    moved,
    officer,
    planned,
    state_of,
)

PURPOSE = {"Access-Purpose": "case 2026-2207"}


async def removed(partner: Partner, request: str, person: str) -> None:
    where = f"{repatriating.PATH}/{request}/persons/{person}"
    answer = await partner.call("DELETE", where, headers={**PURPOSE, "If-Match": "*"})
    assert answer.status_code == 204, answer.text


@pytest.mark.parametrize("how", ["cancel", "unfreeze"])
async def test_who_goes_on_after_the_transport_was_lost_is_cleared(hub: Hub, how: str) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    request, persons = await cleared(korea, cambodia)
    where = f"{repatriating.PATH}/{request}"
    path, later = await planned(korea, HOST), await planned(korea, HOST)
    (entry,) = await added(cambodia, path, request, persons)
    await moved(korea, path, "freeze")
    await repatriating.stepped(cambodia, where, "hold")
    await moved(korea, path, how)
    if how == "unfreeze":
        assert (await cambodia.call("DELETE", f"{path}/manifest/{entry}")).status_code == 204

    resumed = await repatriating.stepped(cambodia, where, "resume")

    assert (resumed["state"], resumed["held_from"]) == ("cleared", None)
    assert (await cambodia.get(where)).json() == resumed
    await added(cambodia, later, request, persons)
    await moved(korea, later, "freeze")
    assert await state_of(korea, request) == "scheduled"


async def test_who_arrived_while_it_was_on_hold_is_handed_over(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    path = await planned(korea, HOST)
    entries = await added(cambodia, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "board", entries[:1])
    await marked(korea, path, "no-show", entries[1:])
    await moved(korea, path, "depart", "arrive")
    await marked(korea, path, "hand-over", entries[:1])
    await repatriating.stepped(cambodia, f"{repatriating.PATH}/{request}", "hold")
    await removed(korea, request, persons[1])
    assert await state_of(korea, request) == "on_hold"

    await repatriating.stepped(cambodia, f"{repatriating.PATH}/{request}", "resume")

    assert await state_of(korea, request) == "handed_over"


async def test_another_person_in_the_place_of_the_only_one_finds_a_seat(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    request, persons = await cleared(korea, cambodia)
    where = f"{repatriating.PATH}/{request}"
    path, later = await planned(korea, HOST), await planned(korea, HOST)
    await added(cambodia, path, request, persons)
    await moved(korea, path, "freeze")

    await removed(korea, request, persons[0])
    assert await state_of(korea, request) == "cleared"
    await moved(korea, path, "cancel")
    instead = await repatriating.add_person(korea, where, NOBODY)
    await settled(korea, cambodia, where)

    await added(cambodia, later, request, [instead])
    await moved(korea, later, "freeze")
    assert await state_of(korea, request) == "scheduled"
    await repatriating.add_person(korea, where, NOBODY)
    assert await state_of(korea, request) == "cleared"  # whoever comes to it has no seat yet


async def test_the_rest_is_handed_over_once_nobody_else_is_to_come(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    request, persons = await cleared(korea, cambodia, 3)
    path = await planned(korea, HOST)
    entries = await added(cambodia, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "board", entries[:1])
    await marked(korea, path, "no-show", entries[1:])
    await moved(korea, path, "depart", "arrive")
    await marked(korea, path, "hand-over", entries[:1])

    states = []
    for person in persons[1:]:
        await removed(korea, request, person)
        states.append(await state_of(korea, request))

    assert states == ["cleared", "handed_over"]


async def test_who_was_removed_on_the_way_is_received_before_it_is_over(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    path = await planned(korea, HOST)
    entries = await added(cambodia, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "board", entries)
    await moved(korea, path, "depart", "arrive")
    await marked(korea, path, "hand-over", entries[:1])

    await removed(korea, request, persons[1])
    assert await state_of(korea, request) == "in_transit"
    await removed(korea, request, persons[0])
    await marked(korea, path, "hand-over", entries[1:])

    assert await state_of(korea, request) == "handed_over"


async def test_a_journey_that_no_transport_stands_for_stays_with_the_sides(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    where = f"{repatriating.PATH}/{request}"
    path = await planned(korea, HOST)
    await added(cambodia, path, request, persons)
    await moved(korea, path, "freeze", "cancel")
    states = []
    for step in ("schedule", "hold", "resume"):
        await repatriating.stepped(korea, where, step)
        states.append(await state_of(korea, request))
    await removed(korea, request, persons[0])
    states.append(await state_of(korea, request))
    await repatriating.add_person(korea, where, NOBODY)
    states.append(await state_of(korea, request))

    assert states == ["scheduled", "on_hold", "scheduled", "scheduled", "scheduled"]
    assert (await add(korea, await planned(korea), request, persons[1:])).status_code == 409
