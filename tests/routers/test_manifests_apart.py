"""Two who must not meet are kept apart to the end, and a receipt stands for something that happened."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.core import clock
from tests.conftest import Hub, Partner
from tests.routers.entrance import below_policies
from tests.routers.transporting import (
    HOST,
    ORGANIZER,
    PATH,
    added,
    cleared,
    mark,
    marked,
    move,
    moved,
    officer,
    plan,
    planned,
    receipt,
)


async def separate(partner: Partner, path: str, *people: str) -> httpx.Response:
    return await partner.post(f"{path}/separations", {"persons": list(people), "reason": "One testifies."})


def flaws(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(flaw["pointer"], flaw["code"]) for flaw in answer.json().get("errors", [])]


async def test_who_sits_together_when_it_is_frozen_is_not_named_any_more(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST, sections=[{"name": "front", "seats": 4}, {"name": "back", "seats": 4}])
    request, persons = await cleared(korea, cambodia, 3)
    await added(korea, path, request, persons[:2], "front")
    await added(korea, path, request, persons[2:], "back")
    await moved(korea, path, "freeze")

    late = await separate(cambodia, path, *persons[:2])

    assert (late.status_code, late.json()["type"]) == (409, "/problems/conflict")
    assert "opened again" in late.json()["detail"]
    assert (await separate(cambodia, path, persons[0], persons[2])).status_code == 201
    await moved(korea, path, "unfreeze")
    assert (await separate(cambodia, path, *persons[:2])).status_code == 201
    assert flaws(await move(korea, path, "freeze")) == [("/manifest", "not-separated")]


async def test_who_comes_after_all_does_not_sit_with_another(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 3)
    entries = await added(korea, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "no-show", entries[:2])
    assert (await separate(cambodia, path, persons[0], persons[2])).status_code == 201
    assert (await separate(cambodia, path, persons[0], persons[1])).status_code == 201

    for boarding in (entries[:1], entries):
        refused = await mark(korea, path, "board", boarding)
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/keep-apart"), refused.text
    assert flaws(refused) == [
        ("/entries/0", "not-separable"),
        ("/entries/1", "not-separable"),
        ("/entries/2", "not-separable"),
    ]
    await marked(korea, path, "board", entries[1:])
    # Whatever way they came to sit together: it does not leave so.
    below_policies(hub, "UPDATE manifest_entries SET state = 'boarded' WHERE id = %s", entries[0])
    departing = await move(korea, path, "depart")
    assert flaws(departing) == [("/manifest", "not-separated")] * 2


async def test_nobody_is_received_before_it_left(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia)
    entries = await added(korea, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "board", entries)
    await moved(korea, path, "depart", "arrive")

    for at in ("2020-11-24T00:00:00Z", "0001-01-01T00:00:00Z", clock.rfc3339(clock.now() - timedelta(minutes=2))):
        body = {"entries": entries, **receipt(), "at": at}
        for answer in (
            await korea.post(f"{path}/manifest/hand-over", body),
            await korea.post(f"{path}/manifest/{entries[0]}/hand-over", {**receipt(), "at": at}),
        ):
            assert (answer.status_code, flaws(answer)) == (422, [("/at", "before-departure")]), answer.text
    await marked(korea, path, "hand-over", entries)


@pytest.mark.parametrize(
    ("leaves", "arrives", "zone"),
    [
        ("9999-12-31T20:00:00Z", "9999-12-31T23:59:00Z", "Asia/Seoul"),
        ("0001-01-01T00:00:00Z", "0001-01-01T01:00:00Z", "America/New_York"),
    ],
)
async def test_a_time_without_a_local_time_is_refused(hub: Hub, leaves: str, arrives: str, zone: str) -> None:
    korea = officer(hub, ORGANIZER)
    body: dict[str, Any] = plan()
    times = {"departure": {"at": leaves, "time_zone": zone}, "arrival": {"at": arrives, "time_zone": zone}}

    answers = [
        await korea.post(PATH, body | {stop: body[stop] | said for stop, said in times.items()}),
        await korea.patch(await planned(korea), times, etag="*"),
    ]

    for answer in answers:
        found = [("/departure/at", "time-out-of-range"), ("/arrival/at", "time-out-of-range")]
        assert (answer.status_code, flaws(answer)) == (422, found), answer.text
