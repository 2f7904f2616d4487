"""By when people are to be home: in years in which every item of a checklist has a day of its own."""

import pytest

from tests.conftest import Hub
from tests.routers.checking import checklist, item
from tests.routers.repatriating import PATH, REQUESTED, REQUESTING, draft, officer, request, step, stepped, submitted


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2201-01-01T00:00:00Z"])
async def test_a_day_that_no_checklist_reckons_with_is_refused_whenever_it_is_written(hub: Hub, moment: str) -> None:
    korea = officer(hub, REQUESTING)
    hub.register(REQUESTED)
    waiting, under_way = await draft(korea), await submitted(korea)
    before = await checklist(korea, under_way)
    for answer in (
        await korea.post(PATH, request(due_at=moment)),
        await korea.patch(waiting, {"due_at": moment}, etag="*"),
        await korea.patch(under_way, {"due_at": moment}, etag="*"),
    ):
        assert answer.status_code == 422, answer.text
        assert [(flaw["pointer"], flaw["code"]) for flaw in answer.json()["errors"]] == [
            ("/due_at", "time-out-of-range")
        ]
    assert await checklist(korea, under_way) == before


async def test_the_first_and_the_last_of_them_are_reckoned_with(hub: Hub) -> None:
    korea = officer(hub, REQUESTING)
    hub.register(REQUESTED)
    path = await draft(korea, due_at="2200-12-31T23:59:59Z")
    await stepped(korea, path, "submit")
    assert (await item(korea, path, "fitness_to_fly"))["due_at"] == "2200-12-30T23:59:59.000000Z"
    assert (await korea.patch(path, {"due_at": "2000-01-01T00:00:00Z"}, etag="*")).status_code == 200
    late = await item(korea, path, "fitness_to_fly")
    assert (late["due_at"], late["overdue"]) == ("1999-12-31T00:00:00.000000Z", True)
    assert (await step(korea, path, "withdraw", {"reason": "Not in time."})).status_code == 200
