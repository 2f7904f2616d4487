"""What is late is told to both sides, once: items, requests, and those with a life at risk that nobody acknowledged."""

import psycopg

from app.core.database_roles import DatabaseRole
from tests.conftest import Hub
from tests.events.following import place
from tests.persons.people import KIM
from tests.routers.checking import REASON, act, checklist, completed, item
from tests.routers.entrance import below_policies
from tests.routers.repatriating import (
    REQUESTED,
    REQUESTING,
    TRANSIT,
    accepted,
    add_person,
    officer,
    stepped,
    submitted,
)

BOTH = {REQUESTING, REQUESTED}


def work(hub: Hub, hours: int = 4) -> list[tuple[str, set[str], str | None]]:
    """Let the job run; the types, receivers and items of all that it has told so far."""
    with psycopg.connect(hub.conninfo(DatabaseRole.WORKER), autocommit=True) as connection:
        connection.execute("SELECT tell_late_repatriations(%s)", (hours,))
    place(hub)
    rows = hub.look(
        "SELECT type, audience, data ->> 'item' FROM events WHERE type IN"
        " ('repatriation.item_overdue', 'repatriation.overdue', 'repatriation.unacknowledged') ORDER BY at, data::text"
    )
    return [(kind.removeprefix("repatriation."), set(audience), code) for kind, audience, code in rows]


def days_pass(hub: Hub, days: int) -> None:
    below_policies(
        hub,
        "UPDATE checklists SET submitted_at = submitted_at - make_interval(days => %s),"
        " asked_at = asked_at - make_interval(days => %s), due_at = due_at - make_interval(days => %s)",
        *(days, days, days),
    )


async def test_an_item_that_is_due_and_open_is_told_to_both_sides_once(hub: Hub) -> None:
    korea, cambodia, _ = (officer(hub, agency) for agency in (REQUESTING, REQUESTED, TRANSIT))
    path = await accepted(korea, cambodia, transit_agencies=[TRANSIT])
    await add_person(korea, path, KIM)
    await completed(korea, path, "identity_verified")
    assert work(hub) == []
    days_pass(hub, 8)
    assert (await item(korea, path, "trafficking_screening"))["overdue"] is True
    assert (await item(korea, path, "identity_verified"))["overdue"] is False
    told = [("item_overdue", BOTH, "trafficking_screening")]
    assert work(hub) == told
    assert work(hub) == told
    audited = hub.look("SELECT agency FROM audit_entries WHERE action = 'checklist.item_overdue' ORDER BY agency")
    assert audited == [(REQUESTED,), (REQUESTING,)]
    await act(korea, path, "identity_verified", "reopen", REASON)
    assert work(hub) == [*told, ("item_overdue", BOTH, "identity_verified")]


async def test_nothing_is_late_while_it_is_on_hold_or_once_it_is_over(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await accepted(korea, cambodia)
    await stepped(korea, path, "hold")
    days_pass(hub, 8)
    assert work(hub) == []
    await stepped(korea, path, "resume")
    assert len(work(hub)) == 2
    await stepped(korea, path, "withdraw")
    days_pass(hub, 30)
    assert len(work(hub)) == 2


async def test_a_request_whose_day_has_passed_is_told_once_for_that_day(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await submitted(korea, due_at="2099-01-10T00:00:00Z")
    below_policies(hub, "UPDATE checklists SET due_at = now() - interval '1 hour'")
    told = [one for one in work(hub) if one[0] == "overdue"]
    assert told == [("overdue", BOTH, None)]
    assert [one for one in work(hub) if one[0] == "overdue"] == told
    await korea.patch(path, {"due_at": "2099-01-11T00:00:00Z"}, etag="*")
    assert (await checklist(cambodia, path))["version"] == 2
    assert [one for one in work(hub) if one[0] == "overdue"] == told


async def test_a_life_at_risk_that_nobody_acknowledged_is_told_after_the_hubs_hours(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    urgent = await submitted(korea, priority="life_at_risk")
    await submitted(korea, priority="urgent")
    other = await submitted(korea, priority="life_at_risk")
    await stepped(cambodia, other, "acknowledge")
    below_policies(hub, "UPDATE checklists SET asked_at = asked_at - interval '5 hours'")
    assert work(hub, hours=6) == []
    assert work(hub, hours=5) == [("unacknowledged", BOTH, None)]
    assert len(work(hub, hours=5)) == 1
    ((record,),) = hub.look("SELECT record_id FROM events WHERE type = 'repatriation.unacknowledged'")
    assert str(record) == urgent.rpartition("/")[2]
