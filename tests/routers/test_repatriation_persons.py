"""Whom a repatriation request is about, once they have left."""

from tests.conftest import Hub
from tests.persons.people import KIM, PURPOSE
from tests.routers.repatriating import REQUESTED, REQUESTING, cleared, officer, stepped


async def test_nobody_is_added_to_those_who_have_left(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await cleared(korea, cambodia)
    await stepped(korea, path, "schedule", "depart")
    for partner in (korea, cambodia):
        answer = await partner.post(f"{path}/persons", KIM, headers=PURPOSE)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
    assert len((await korea.get(f"{path}/persons", headers=PURPOSE)).json()["items"]) == 1
