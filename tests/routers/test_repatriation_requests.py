"""Repatriation requests over HTTP: their course by sides, what each side may, and what nobody else learns."""

from typing import Any

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from app.domain.repatriation_requests.workflow import SIDES, WORKFLOW
from app.models.repatriation_vocabularies import RepatriationSide, RepatriationState
from tests.conftest import Hub, Partner
from tests.events.following import Follower, place
from tests.persons.people import KIM, PURPOSE
from tests.routers.checking import settled
from tests.routers.repatriating import (
    PATH,
    REQUESTED,
    REQUESTING,
    STRANGER,
    SUSPECT,
    TRANSIT,
    accepted,
    add_person,
    cleared,
    draft,
    officer,
    request,
    state,
    step,
    stepped,
    submitted,
)


def flaws(answer: Any) -> list[tuple[str, str]]:
    return [(flaw["pointer"], flaw["code"]) for flaw in answer.json()["errors"]]


async def told(partner: Partner) -> list[str]:
    """The types of the events that a partner was told, without their prefix."""
    place(partner.hub)
    return [name for name, _ in await Follower(partner).follow()]


async def test_a_request_is_brought_home_step_by_step_by_the_side_whose_step_it_is(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await draft(korea)
    assert (await cambodia.get(path)).status_code == 404
    course = [
        (korea, "submit", "submitted"),
        (cambodia, "acknowledge", "acknowledged"),
        (cambodia, "accept", "accepted"),
        (cambodia, "clear", "cleared"),
        (korea, "schedule", "scheduled"),
        (cambodia, "depart", "in_transit"),
        (cambodia, "hand-over", "handed_over"),
        (korea, "close", "closed"),
    ]
    for version, (partner, action, state_after) in enumerate(course, 2):
        other = cambodia if partner is korea else korea
        if action not in ("submit", "schedule", "depart"):
            refused = await step(other, path, action)
            assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-your-side")
        if action in ("clear", "close"):
            if action == "clear":
                await add_person(korea, path, KIM)
            await settled(korea, cambodia, path, before=action)
        taken = await step(partner, path, action, {"note": f"Said with {action}."})
        assert taken.status_code == 200, taken.text
        shown = taken.json()
        assert (shown["state"], shown["version"]) == (state_after, version)
        assert shown["state_reason"] == f"Said with {action}."
        assert ("legal_basis" in shown["handling"]) == (partner is korea)
        assert (await other.get(path)).json()["state"] == state_after
    again = await step(korea, path, "close")
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "It is closed: close is not possible now, only nothing.",
    )
    steps = [WORKFLOW.row(action).event for _, action, _ in course]
    assert [name for name in await told(cambodia) if name in steps] == steps


def test_the_table_leads_from_a_draft_to_every_state_and_every_step_has_a_side() -> None:
    reached, sources = {WORKFLOW.initial}, set()
    for row in WORKFLOW.transitions:
        sources |= set(row.sources)
        reached |= {row.target} if row.target else set()
    assert reached == set(RepatriationState)
    assert sources == set(RepatriationState) - {"closed", "declined", "withdrawn"}
    assert SIDES.keys() == {row.action for row in WORKFLOW.transitions if not row.automatic}
    assert RepatriationSide.TRANSIT not in frozenset().union(*SIDES.values())


async def test_a_transit_agency_reads_and_does_nothing_and_a_stranger_learns_nothing(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, agency) for agency in (REQUESTING, REQUESTED, TRANSIT))
    stranger = officer(hub, STRANGER)
    path = await submitted(korea, transit_agencies=[TRANSIT])
    person = await add_person(korea, path, KIM)
    assert (await thailand.get(path)).json()["transit_agencies"] == [TRANSIT]
    for action in SIDES:
        body = {"reason": "x"} if action in ("decline", "hold", "withdraw") else None
        mine = await step(thailand, path, action, body)
        assert (mine.status_code, mine.json()["type"]) == (403, "/problems/not-your-side")
        hidden = await step(stranger, path, action, body)
        assert hidden.status_code == 404
    assert (await thailand.get(f"{path}/messages")).json()["type"] == "/problems/not-your-side"
    assert (await thailand.post(f"{path}/messages", {"text": "x"})).status_code == 403
    # Transit agencies have to know who passes; they neither enter nor change nor remove anybody.
    shown = await thailand.get(f"{path}/persons/{person}", headers=PURPOSE)
    assert shown.json()["names"][0]["name"] == KIM["names"][0]["name"]
    assert (await thailand.post(f"{path}/persons", KIM, headers=PURPOSE)).status_code == 403
    etagged = {**PURPOSE, "If-Match": '"1"'}
    assert (await thailand.patch(f"{path}/persons/{person}", {"note": "x"}, headers=etagged)).status_code == 403
    assert (await thailand.call("DELETE", f"{path}/persons/{person}", headers=etagged)).status_code == 403
    assert hub.look("SELECT version FROM persons") == [(1,)]
    assert (await add_person(cambodia, path, {**KIM, "roles": [{"role": "witness", "since": "2026"}]})) != person
    assert await state(korea, path) == "submitted"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"legal_act": "deportation"}, [("/legal_act", "act-does-not-fit")]),
        ({"category": "suspect"}, [("/legal_act", "act-does-not-fit")]),
        ({"category": "remains"}, [("/legal_act", "act-does-not-fit")]),
        ({"to_country": "KH"}, [("/to_country", "same-country")]),
        ({"transit_agencies": [TRANSIT, REQUESTED]}, [("/transit_agencies/1", "named-twice")]),
        ({"requested_agency": REQUESTING}, [("/requested_agency", "own-agency")]),
        ({"transit_agencies": [REQUESTING]}, [("/transit_agencies/0", "own-agency")]),
        ({"requested_agency": "XX-NOBODY"}, [("/requested_agency", "unknown-reference")]),
        ({"transit_agencies": [TRANSIT, "XX-NOBODY"]}, [("/transit_agencies/1", "unknown-reference")]),
    ],
)
async def test_a_request_that_does_not_fit_together_is_refused_with_where_and_why(
    hub: Hub, fields: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    korea = officer(hub, REQUESTING)
    for other in (REQUESTED, TRANSIT):
        hub.register(other)
    answer = await korea.post(PATH, request(**fields))
    assert (answer.status_code, flaws(answer)) == (422, found)
    path = await draft(korea)
    changed = await korea.patch(path, fields, etag='"1"')
    assert (changed.status_code, flaws(changed)) == (422, found)
    assert (await korea.get(PATH)).json()["items"] == [(await korea.get(path)).json()]


async def test_a_submission_needs_a_day_to_come_and_parties_that_the_handling_admits(hub: Hub) -> None:
    korea = officer(hub, REQUESTING)
    for other in (REQUESTED, TRANSIT):
        hub.register(other)
    late = await draft(korea, due_at="2026-01-01T00:00:00Z")
    assert flaws(await step(korea, late, "submit")) == [("/due_at", "window-past")]
    excluding = {"tlp": "AMBER", "audience": {"excluded": [TRANSIT]}}
    path = await draft(korea, transit_agencies=[TRANSIT], handling=excluding)
    answer = await step(korea, path, "submit")
    assert (answer.status_code, flaws(answer)) == (422, [("/transit_agencies/0", "agency-excluded")])
    assert await state(korea, path) == "draft"


async def test_a_decision_takes_the_permission_to_decide_and_a_reason_to_refuse(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    liaison, commander = hub.caller(REQUESTED, "liaison_officer"), hub.caller(REQUESTED, "commander")
    path = await submitted(korea)
    early = await step(commander, path, "accept")
    assert (early.status_code, early.json()["type"]) == (409, "/problems/conflict")
    assert (await step(commander, path, "acknowledge")).status_code == 403
    await stepped(liaison, path, "acknowledge")
    assert (await step(liaison, path, "accept")).status_code == 403
    assert (await step(liaison, path, "decline", {"reason": "x"})).status_code == 403
    assert flaws(await step(commander, path, "decline", {})) == [("/reason", "missing")]
    await stepped(commander, path, "accept")
    declined = await step(cambodia, path, "decline", {"reason": "A court forbids it."})
    assert (declined.json()["state"], declined.json()["state_reason"]) == ("declined", "A court forbids it.")
    assert (await step(korea, path, "withdraw", {"reason": "x"})).status_code == 409


async def test_what_stops_is_resumed_by_the_side_that_stopped_from_where_it_was(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await accepted(korea, cambodia)
    held = (await step(cambodia, path, "hold", {"reason": "A typhoon."})).json()
    assert [held[name] for name in ("state", "held_from", "held_by")] == ["on_hold", "accepted", REQUESTED]
    refused = await step(korea, path, "resume")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        f"{REQUESTED} put it on hold, and goes on when it can.",
    )
    assert (await step(cambodia, path, "clear")).status_code == 409
    back = (await step(cambodia, path, "resume")).json()
    assert [back[name] for name in ("state", "held_from", "held_by")] == ["accepted", None, None]
    await stepped(korea, path, "hold", "withdraw")
    assert await state(cambodia, path) == "withdrawn"


async def test_another_category_or_agency_asks_afresh_and_the_former_agency_loses_sight(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, agency) for agency in (REQUESTING, REQUESTED, TRANSIT))
    path = await accepted(korea, cambodia, **SUSPECT)
    assert (await cambodia.post(f"{path}/messages", {"text": "He is held in Kampot."})).status_code == 201
    urgent = await korea.patch(path, {"priority": "urgent", "due_at": None}, etag="*")
    assert (urgent.json()["state"], urgent.json()["priority"]) == ("accepted", "urgent")
    victim = await korea.patch(path, {"category": "victim", "legal_act": "voluntary_repatriation"}, etag="*")
    assert (victim.status_code, victim.json()["state"]) == (200, "submitted")
    await stepped(cambodia, path, "acknowledge")
    elsewhere = {"requested_agency": TRANSIT, "from_country": "TH", "external_id": "2026-77"}
    moved = await korea.patch(path, elsewhere, etag="*")
    assert (moved.json()["state"], moved.json()["external_id"]) == ("submitted", "2026-77")
    assert (await cambodia.get(path)).status_code == 404
    assert (await thailand.get(f"{path}/messages")).json()["items"] == []
    assert [one["text"] for one in (await korea.get(f"{path}/messages")).json()["items"]] == ["He is held in Kampot."]
    recalls = (await cambodia.get("/v1/recalls")).json()["items"]
    assert [one["reason"] for one in recalls] == ["Your agency has no part in the repatriation request any more."]
    await stepped(thailand, path, "acknowledge", "accept")
    await add_person(korea, path, KIM)
    await settled(korea, thailand, path)
    await stepped(thailand, path, "clear")
    await stepped(korea, path, "schedule", "depart")
    late = await korea.patch(path, {"to_country": "JP"}, etag="*")
    assert (late.status_code, late.json()["type"]) == (409, "/problems/conflict")
    steps = hub.look("SELECT from_state, state, agency FROM repatriation_steps ORDER BY number")
    assert steps[0] == (None, "draft", REQUESTING)
    assert steps[-1] == ("scheduled", "in_transit", REQUESTING)
    assert [one[1] for one in steps].count("submitted") == 3


async def test_the_sides_write_to_each_other_and_nobody_else_reads_it(hub: Hub) -> None:
    korea, cambodia, stranger = (officer(hub, agency) for agency in (REQUESTING, REQUESTED, STRANGER))
    path = await draft(korea)
    early = await korea.post(f"{path}/messages", {"text": "Hello?"})
    assert (early.status_code, early.json()["type"]) == (409, "/problems/conflict")
    await stepped(korea, path, "submit")
    headers = {"On-Behalf-Of": "Insp. Example", "Idempotency-Key": "m-1"}
    first = await korea.post(f"{path}/messages", {"text": "The team lands on Tuesday."}, headers=headers)
    assert (first.status_code, first.json()["officer"]) == (201, "Insp. Example")
    again = await korea.post(f"{path}/messages", {"text": "The team lands on Tuesday."}, headers=headers)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    await cambodia.post(f"{path}/messages", {"text": "We meet it at the gate."})
    listed = (await korea.get(f"{path}/messages")).json()["items"]
    assert [(one["agency"], one["text"]) for one in listed] == [
        (REQUESTED, "We meet it at the gate."),
        (REQUESTING, "The team lands on Tuesday."),
    ]
    one = f"{path}/messages/{listed[0]['id']}"
    assert (await korea.get(one)).json() == (await cambodia.get(one)).json() == listed[0]
    assert (await stranger.get(one)).status_code == (await stranger.get(f"{path}/messages")).status_code == 404
    # A reader whom the handling names is on no side.
    shared = await korea.post(f"{path}/disclosures", {"agencies": [STRANGER], "purpose": "For the consul."})
    assert shared.status_code == 201
    assert (await stranger.get(path)).status_code == 200
    assert (await stranger.get(f"{path}/messages")).status_code == 403
    assert len(await told(stranger)) == 1
    long = await korea.post(f"{path}/messages", {"text": "x" * (2 * hub.settings.body_limit)})
    assert long.status_code == 413
    assert hub.look("SELECT count(*) FROM repatriation_messages") == [(2,)]


async def test_every_step_is_refused_in_the_contracts_order(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await submitted(korea)
    before = (await korea.get(path)).json()
    revoked = hub.caller(REQUESTED, "liaison_officer")
    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", revoked.client_id
    )
    powerless = hub.caller(REQUESTED, "auditor")
    for action, sides in SIDES.items():
        partner = korea if RepatriationSide.REQUESTING in sides else cambodia
        body: Any = {"reason": "x"} if action in ("decline", "hold", "withdraw") else {"note": "x"}
        tried = {
            401: step(revoked, path, action, body),
            403: step(powerless, path, action, body),
            428: step(partner, path, action, body, etag=None),
            412: step(partner, path, action, body, etag='"1"'),
            413: step(partner, path, action, {"note": "x" * (2 * hub.settings.body_limit)}),
            422: step(partner, path, action, {"nonsense": 1}),
        }
        for status, call in tried.items():
            answer = await call
            assert answer.status_code == status, (action, answer.text)
    assert (await korea.get(path)).json() == before


async def test_a_repeated_step_answers_the_version_that_the_first_made(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await submitted(korea)
    keyed = {"headers": {"Idempotency-Key": "k-1"}}
    first = await step(cambodia, path, "acknowledge", {"note": "On it."}, **keyed)
    await stepped(cambodia, path, "accept")
    again = await step(cambodia, path, "acknowledge", {"note": "On it."}, **keyed)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    other = await step(cambodia, path, "acknowledge", {"note": "Not on it."}, **keyed)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-mismatch")


async def test_a_live_request_is_withdrawn_before_it_is_taken_back(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await submitted(korea)
    live = await korea.post(f"{path}/retract", etag="*")
    assert (live.status_code, live.json()["type"]) == (409, "/problems/conflict")
    await stepped(korea, path, "withdraw")
    assert (await korea.post(f"{path}/retract", etag="*")).status_code == 200
    assert (await cambodia.get(path)).json()["state"] == "retracted"
    for answer in (await step(korea, path, "submit"), await korea.get(f"{path}/messages")):
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/retracted")
    assert (await step(cambodia, path, "acknowledge")).status_code == 403


async def test_lists_are_narrowed_by_what_requests_are_about(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    victim = await submitted(korea, priority="urgent")
    suspect = await draft(korea, **SUSPECT)

    async def found(partner: Partner, **filters: str) -> list[str]:
        answer = await partner.get(PATH, params=filters)
        return [f"{PATH}/{item['id']}" for item in answer.json()["items"]]

    assert await found(korea) == [suspect, victim]
    assert await found(cambodia) == [victim]
    for filters, paths in (
        ({"state": "submitted"}, [victim]),
        ({"category": "suspect"}, [suspect]),
        ({"legal_act": "deportation"}, [suspect]),
        ({"requested_agency": REQUESTED}, [suspect, victim]),
        ({"from_country": "KH", "to_country": "KR"}, [suspect, victim]),
        ({"to_country": "JP"}, []),
        ({"priority": "urgent"}, [victim]),
    ):
        assert await found(korea, **filters) == paths, filters
    assert (await korea.get(PATH, params={"category": "ghost"})).status_code == 400


async def test_a_transport_moves_a_request_as_a_step_of_nobodys(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await cleared(korea, cambodia, narrative='Held "above", \u00e9l\u00e8ve 김, {"state":"draft"}')
    before = (await korea.get(path)).json()
    move = "SELECT move_repatriation(%s, 'repatriation.schedule', %s, 'scheduled', 'repatriation.scheduled')"
    key = path.rpartition("/")[2]
    with psycopg.connect(hub.conninfo(DatabaseRole.OWNER)) as engine:
        engine.execute("SET ROLE interdesk_engine")
        assert engine.execute(move, [key, ["accepted"]]).fetchall() == [(False,)]
        assert engine.execute(move, [key, ["cleared"]]).fetchall() == [(True,)]
    for partner in (korea, cambodia):
        answer = await partner.get(path)
        shown = answer.json()
        differing = {name for name, value in shown.items() if before[name] != value and name != "handling"}
        assert differing == {"state", "version", "updated_at"}
        assert (shown["state"], answer.headers["ETag"]) == ("scheduled", f'"{before["version"] + 1}"')
    assert list(shown) == list(before)
    assert [one["id"] for one in (await korea.get(PATH, params={"state": "scheduled"})).json()["items"]] == [key]
    versions = (await korea.get(f"{path}/versions")).json()["items"]
    assert versions[0]["changed"] == ["state"]
    assert (await told(cambodia))[-2:] == ["record.updated", "repatriation.scheduled"]
    assert hub.look("SELECT state, agency FROM repatriation_steps ORDER BY number DESC LIMIT 1") == [
        ("scheduled", None)
    ]
    await stepped(korea, path, "depart")
