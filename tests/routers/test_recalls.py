"""Taking a record back over HTTP: sight ends at once, copies are answered for, and nobody learns who else had one."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core import clock
from tests.conftest import Hub, Partner
from tests.routers.entrance import below_policies
from tests.routers.grouping import commander, found, share, status, trio

PATH = "/v1/criminal-organizations"
RECALLS = "/v1/recalls"
REASON = "The source took back its consent."


def _body(*agencies: str, **fields: Any) -> dict[str, Any]:
    return {"agencies": list(agencies), "reason": REASON, **fields}


def _parts(recall: dict[str, Any]) -> list[tuple[str, str]]:
    return [(part["agency"], part["state"]) for part in recall["recipients"]]


async def _events(partner: Partner) -> list[tuple[str, dict[str, Any] | None]]:
    partner.hub.operator("SELECT sequence_events()")
    items = (await partner.get("/v1/events", params={"limit": 500})).json()["items"]
    return [(item["type"].removeprefix("interdesk."), item["data"]["detail"]) for item in items]


async def _shared(korea: Partner, *agencies: str) -> str:
    return f"{PATH}/{(await korea.profile(share=agencies))['id']}"


async def _recalled(korea: Partner, *agencies: str, **fields: Any) -> dict[str, Any]:
    path = await _shared(korea, *agencies)
    answer = await korea.post(f"{path}/recalls", _body(*agencies, **fields))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def _let_pass(hub: Hub, recall: dict[str, Any], days: float) -> None:
    """Make a recall as old as if it had been made that much earlier."""
    moments = {"recalls": ["at", "due_at"], "recall_recipients": ["at", "due_at", "closed_at", "next_notice_at"]}
    for table, columns in moments.items():
        earlier = ", ".join(f"{column} = {column} - interval '{days} days'" for column in columns)
        key = "id" if table == "recalls" else "recall_id"
        below_policies(hub, f"UPDATE {table} SET {earlier} WHERE {key} = %s", recall["id"])  # noqa: S608 - own names


async def test_recipients_lose_sight_at_once_and_answer_for_their_copies(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    path = await _shared(korea, "KH-CNP", "TH-RTP")

    tried = await korea.post(f"{path}/recalls?dry_run=true", _body("KH-CNP"))
    assert (tried.status_code, tried.json()) == (
        200,
        {"agencies": ["KR-KNPA", "TH-RTP"], "gained": [], "lost": ["KH-CNP"]},
    )
    assert (await cambodia.get(path)).status_code == 200
    made = await korea.post(f"{path}/recalls", _body("KH-CNP"))

    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    assert made.headers["Location"] == f"{path}/recalls/{made.json()['id']}"
    assert (made.json()["cause"], made.json()["reason"], _parts(made.json())) == (
        "recall",
        REASON,
        [("KH-CNP", "open")],
    )
    assert (await cambodia.get(path)).status_code == 404
    assert (await thailand.get(path)).headers["ETag"] == '"1"'
    told = await _events(cambodia)
    assert told[-2:] == [("record.lost", None), ("recall.requested", {"recall": made.json()["id"]})]

    place = f"{RECALLS}/{made.json()['id']}"
    assert (await cambodia.get(place)).json() == made.json()
    done = await cambodia.post(f"{place}/acknowledge", {"outcome": "deleted"}, headers={"Idempotency-Key": "a"})
    again = await cambodia.post(f"{place}/acknowledge", {"outcome": "deleted"}, headers={"Idempotency-Key": "a"})
    second = await cambodia.post(f"{place}/acknowledge", {"outcome": "retained_with_reason", "reason": "A duty."})

    assert (done.status_code, done.headers["ETag"], _parts(done.json())) == (200, '"2"', [("KH-CNP", "acknowledged")])
    assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (200, done.json(), "true")
    assert second.status_code == 409
    seen = await korea.get(made.headers["Location"])
    assert (seen.json()["recipients"], seen.headers["ETag"]) == (done.json()["recipients"], '"2"')
    assert (await _events(korea))[-1] == ("recall.acknowledged", {"recall": made.json()["id"], "agency": "KH-CNP"})


async def test_an_agency_that_sees_the_record_by_a_group_too_is_excluded(hub: Hub) -> None:
    (korea, cambodia, thailand), vietnam = trio(hub), commander(hub, "VN-MPS")
    group = await found(korea, cambodia, thailand)
    path = await share(korea, group, agencies=["KH-CNP", "VN-MPS"])

    answer = await korea.post(f"{path}/recalls", _body("KH-CNP", "VN-MPS"))

    assert _parts(answer.json()) == [("KH-CNP", "open"), ("VN-MPS", "open")]
    assert [await status(partner, path) for partner in (cambodia, vietnam, thailand)] == [[404], [404], [200]]
    audience = (await korea.get(f"{path}/handling")).json()["audience"]
    assert (audience["agencies"], audience["groups"]) == ([], [group.rpartition("/")[2]])
    assert audience["excluded"] == ["KH-CNP", "VN-MPS"]
    # Nor does a membership that somebody gives it later bring it back.
    await korea.post(f"{group}/members", {"agency": "VN-MPS"})
    await vietnam.accept(group)
    assert await status(vietnam, group, path) == [200, 404]


async def test_a_group_is_taken_its_sight_and_who_else_is_named_keeps_its_own(hub: Hub) -> None:
    (korea, cambodia, thailand), observer = trio(hub), commander(hub, "INTERPOL")
    invited = [{"agency": "KH-CNP"}, {"agency": "TH-RTP"}, {"agency": "INTERPOL", "role": "observer"}]
    group = await found(korea, cambodia, thailand, observer, members=invited)
    group_id = group.rpartition("/")[2]
    path = await share(korea, group, agencies=["KH-CNP"], observers_of=[group_id])

    body = {"groups": [group_id], "reason": REASON}
    tried = await korea.post(f"{path}/recalls?dry_run=true", body)
    made = await korea.post(f"{path}/recalls", body)

    assert tried.json()["lost"] == ["INTERPOL", "TH-RTP"]
    assert _parts(made.json()) == [("INTERPOL", "open"), ("TH-RTP", "open")]
    assert [await status(partner, path) for partner in (cambodia, thailand, observer)] == [[200], [404], [404]]
    again = await korea.post(f"{path}/recalls", body)
    assert (again.status_code, again.json()["errors"][0]["code"]) == (422, "not-a-recipient")


async def test_what_nobody_would_lose_by_is_refused(hub: Hub) -> None:
    korea, cambodia, _ = trio(hub)
    group = await found(korea, cambodia)
    path = await share(korea, group, agencies=["KH-CNP"])

    for query in ("", "?dry_run=true"):
        body = {"groups": [group.rpartition("/")[2]], "reason": REASON}
        answer = await korea.post(f"{path}/recalls{query}", body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "nobody-loses-sight")
    assert (await korea.get(f"{path}/handling")).headers["ETag"] == '"1"'
    assert hub.look("SELECT count(*) FROM recalls") == [(0,)]


@pytest.mark.parametrize("days", [0.0, -1.0, 90.01])
async def test_an_answer_is_due_within_ninety_days(hub: Hub, days: float) -> None:
    korea = hub.partner("KR-KNPA")
    hub.register("KH-CNP")
    path = await _shared(korea, "KH-CNP")
    due = clock.rfc3339(clock.now() + timedelta(days=days))

    answer = await korea.post(f"{path}/recalls", _body("KH-CNP", due_at=due))

    assert answer.status_code == 422
    assert [flaw["pointer"] for flaw in answer.json()["errors"]] == ["/due_at"]


async def test_recipients_that_are_none_are_refused(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    for code in ("KH-CNP", "TH-RTP"):
        hub.register(code)
    path = await _shared(korea, "KH-CNP")
    unknown = "01920000-0000-7000-8000-000000000000"

    answer = await korea.post(
        f"{path}/recalls", _body("KH-CNP", "TH-RTP", "XX-NONE", "KR-KNPA", "HUB", groups=[unknown])
    )
    nothing = await korea.post(f"{path}/recalls", _body())

    assert answer.status_code == nothing.status_code == 422
    assert {(flaw["pointer"], flaw["code"]) for flaw in answer.json()["errors"]} == {
        (pointer, "not-a-recipient")
        for pointer in ("/agencies/1", "/agencies/2", "/agencies/3", "/agencies/4", "/groups/0")
    }
    assert [flaw["code"] for flaw in nothing.json()["errors"]] == ["recipient-missing"]


async def test_seven_days_are_given_unless_the_originator_says_otherwise(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    hub.register("KH-CNP")
    due = clock.rfc3339(clock.now() + timedelta(days=30))

    usual = await _recalled(korea, "KH-CNP")
    other = await _recalled(korea, "KH-CNP", due_at=due)

    given = datetime.fromisoformat(usual["due_at"]) - datetime.fromisoformat(usual["at"])
    assert (given, other["due_at"]) == (timedelta(days=7), due)


async def test_lowering_an_audience_is_a_recall_too(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    path = await _shared(korea, "KH-CNP", "TH-RTP")
    handling = (await korea.get(f"{path}/handling")).json()

    await korea.put(f"{path}/handling", {**handling, "audience": {"agencies": ["TH-RTP"]}}, '"1"')
    excluding = {"agencies": [], "excluded": ["TH-RTP"]}
    await korea.put(f"{path}/handling", {**handling, "audience": excluding}, '"2"')

    (second, first) = (await korea.get(f"{path}/recalls")).json()["items"]
    assert (_parts(first), _parts(second)) == ([("KH-CNP", "open")], [("TH-RTP", "open")])
    assert {first["cause"], second["cause"]} == {"handling"}
    for partner, recall in ((cambodia, first), (thailand, second)):
        assert (await partner.get(RECALLS)).json()["items"] == [recall]
        assert ("recall.requested", {"recall": recall["id"]}) in await _events(partner)
    # A change by which nobody loses sight asks nobody.
    await korea.put(f"{path}/handling", {**handling, "tlp": "RED", "audience": excluding}, '"3"')
    assert len((await korea.get(RECALLS)).json()["items"]) == 2


async def test_retracting_is_a_recall_from_everybody_who_read(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    hub.register("TH-RTP")
    handling = {"tlp": "GREEN", "audience": {"community": True, "excluded": ["TH-RTP"]}}
    path = f"{PATH}/{(await korea.profile(handling=handling))['id']}"

    await korea.call("POST", f"{path}/retract", headers={"If-Match": '"1"'})

    ((recall),) = (await cambodia.get(RECALLS)).json()["items"]
    assert (recall["cause"], _parts(recall)) == ("retraction", [("KH-CNP", "open")])
    assert (await cambodia.get(path)).json()["state"] == "retracted"
    done = await cambodia.post(f"{RECALLS}/{recall['id']}/acknowledge", {"outcome": "deleted"})
    assert done.status_code == 200
    refused = await korea.post(f"{path}/recalls", _body("KH-CNP"))
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/retracted")
    own = (await korea.get(f"{path}/recalls")).json()["items"]
    assert [_parts(item) for item in own] == [[("KH-CNP", "acknowledged")]]


async def test_a_membership_that_ends_is_no_recall(hub: Hub) -> None:
    korea, cambodia, _ = trio(hub)
    group = await found(korea, cambodia)
    path = await share(korea, group)
    left = await cambodia.call("DELETE", f"{group}/members/KH-CNP")
    assert left.status_code == 204
    while hub.operator("SELECT tell_sight_changes(500)") == [(True,)]:
        pass

    assert await status(cambodia, path) == [404]
    assert "record.lost" in [type_ for type_, _ in await _events(cambodia)]
    assert hub.look("SELECT count(*) FROM recalls") == [(0,)]


async def test_what_is_shared_again_need_not_be_answered_for(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    path = await _shared(korea, "KH-CNP", "TH-RTP")
    recall = (await korea.post(f"{path}/recalls", _body("KH-CNP", "TH-RTP"))).json()
    place = f"{RECALLS}/{recall['id']}"
    await thailand.post(f"{place}/acknowledge", {"outcome": "deleted"})

    opened = await korea.post(f"{path}/disclosures", {"agencies": ["KH-CNP", "TH-RTP"], "purpose": "x"})

    assert opened.status_code == 201
    seen = (await korea.get(place)).json()
    assert _parts(seen) == [("KH-CNP", "superseded"), ("TH-RTP", "acknowledged")]
    answer = await cambodia.post(f"{place}/acknowledge", {"outcome": "deleted"})
    assert answer.status_code == 409
    types = [type_ for type_, _ in await _events(cambodia)]
    assert types[-2:] == ["record.shared", "recall.superseded"]
    assert "recall.superseded" not in [type_ for type_, _ in await _events(thailand)]
    # Taken back once more, it is answered for once more.
    again = (await korea.post(f"{path}/recalls", _body("KH-CNP"))).json()
    assert (await cambodia.post(f"{RECALLS}/{again['id']}/acknowledge", {"outcome": "deleted"})).status_code == 200


async def test_an_emergency_spares_nobody_its_answer(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA", "commander", "analyst"), hub.partner("KH-CNP")
    recall = await _recalled(korea, "KH-CNP")
    path = f"{PATH}/{recall['record_id']}"
    opened = {"agencies": ["KH-CNP"], "purpose": "A victim is there."}
    await korea.post(f"{path}/disclosures", {**opened, "emergency": True, "reason": "Danger to life."})

    assert (await cambodia.get(path)).status_code == 200
    assert _parts((await korea.get(f"{RECALLS}/{recall['id']}")).json()) == [("KH-CNP", "open")]
    assert (await korea.post(f"{path}/disclosures", opened)).status_code == 201
    assert _parts((await korea.get(f"{RECALLS}/{recall['id']}")).json()) == [("KH-CNP", "superseded")]


async def test_sight_regained_by_a_membership_supersedes_but_not_of_a_tombstone(hub: Hub) -> None:
    korea, cambodia, _ = trio(hub)
    group = await found(korea)
    paths = [await share(korea, group, agencies=["KH-CNP"]) for _ in range(2)]
    for path in paths:
        handling = (await korea.get(f"{path}/handling")).json()
        await korea.put(f"{path}/handling", {**handling, "audience": {**handling["audience"], "agencies": []}}, '"1"')
    await korea.call("POST", f"{paths[1]}/retract", headers={"If-Match": '"1"'})

    await korea.post(f"{group}/members", {"agency": "KH-CNP"})
    await cambodia.accept(group)
    while hub.operator("SELECT tell_sight_changes(500)") == [(True,)]:
        pass

    states = [_parts((await korea.get(f"{path}/recalls")).json()["items"][0]) for path in paths]
    assert states == [[("KH-CNP", "superseded")], [("KH-CNP", "open")]]


async def test_the_overdue_are_listed_announced_once_and_escalated_weekly(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    recall = await _recalled(korea, "KH-CNP", "TH-RTP")
    place = f"{RECALLS}/{recall['id']}"
    await thailand.post(f"{place}/acknowledge", {"outcome": "retained_with_reason", "reason": "Case 77 is in court."})
    assert hub.operator("SELECT remind_of_recalls()") == [(0,)]

    _let_pass(hub, recall, 7.1)
    # It is overdue by the clock, whether or not a worker runs.
    late = await korea.get(place)
    assert (_parts(late.json()), late.headers["ETag"]) == ([("KH-CNP", "overdue"), ("TH-RTP", "acknowledged")], '"3"')
    assert [hub.operator("SELECT remind_of_recalls()") for _ in range(2)] == [[(1,)], [(0,)]]
    for days in (7, 21):
        _let_pass(hub, recall, days)
        assert [hub.operator("SELECT remind_of_recalls()") for _ in range(2)] == [[(1,)], [(0,)]]

    expected = ["recall.overdue", "recall.escalated", "recall.escalated"]
    for partner in (korea, cambodia):
        told = [(type_, detail) for type_, detail in await _events(partner) if type_ in expected]
        assert told == [(type_, {"recall": recall["id"], "agency": "KH-CNP"}) for type_ in expected]
        auditor = hub.caller(partner.agency, "auditor")
        trail = (await auditor.get("/v1/audit-entries", params={"action": "recall.escalated"})).json()["items"]
        assert len(trail) == 2
    assert not set(expected) & {type_ for type_, _ in await _events(thailand)}
    seen = (await cambodia.get(place)).json()
    assert [(part["escalations"], part["state"]) for part in seen["recipients"]] == [(2, "overdue")]

    done = await cambodia.post(f"{place}/acknowledge", {"outcome": "deleted"})
    assert _parts(done.json()) == [("KH-CNP", "acknowledged")]
    _let_pass(hub, recall, 30)
    assert hub.operator("SELECT remind_of_recalls()") == [(0,)]
    versions = [int(answer.headers["ETag"].strip('"')) for answer in (late, await korea.get(place))]
    assert versions == [3, 6]


async def test_lists_narrow_by_role_and_state_and_walk_in_pages(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    hub.register("TH-RTP")
    made = [await _recalled(korea, "KH-CNP", "TH-RTP") for _ in range(3)]
    received = await _recalled(cambodia, "KR-KNPA")
    await cambodia.post(f"{RECALLS}/{made[0]['id']}/acknowledge", {"outcome": "deleted"})
    _let_pass(hub, made[1], 8)

    async def found(partner: Partner, **params: str) -> list[str]:
        ids: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await partner.get(RECALLS, params={"limit": "1", **params, **cursor})
            assert answer.status_code == 200, answer.text
            ids += [item["id"] for item in answer.json()["items"]]
            if answer.json()["next_cursor"] is None:
                return ids
            cursor = {"cursor": answer.json()["next_cursor"]}

    a, b, c = (recall["id"] for recall in made)
    newest_first = [received["id"], c, a, b]
    assert await found(korea) == await found(cambodia) == newest_first
    assert await found(korea, role="originator") == await found(cambodia, role="recipient") == [c, a, b]
    assert await found(korea, role="recipient") == [received["id"]]
    assert await found(cambodia, state="acknowledged") == [a]
    assert await found(cambodia, state="open", role="recipient") == [c]
    assert await found(cambodia, state="overdue") == await found(korea, state="overdue") == [b]
    # Of those it made, one recipient in that state is enough.
    assert await found(korea, state="open", role="originator") == [c, a]
    for wrong in ({"role": "x"}, {"state": "x"}, {"cursor": "x"}, {"limit": "0"}):
        assert (await korea.get(RECALLS, params=wrong)).status_code == 400
    record = f"{PATH}/{made[0]['record_id']}/recalls"
    for state, ids in (("acknowledged", [a]), ("open", [a]), ("overdue", [])):
        items = (await korea.get(record, params={"state": state})).json()["items"]
        assert [item["id"] for item in items] == ids
    assert (await korea.get(f"{record}/{b}")).status_code == 404


async def test_any_credential_of_the_recipient_may_answer(hub: Hub) -> None:
    korea, first = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    recall = await _recalled(korea, "KH-CNP")
    place = f"{RECALLS}/{recall['id']}"
    hub.operator("UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", first.client_id)

    assert (await first.get(place)).status_code == 401
    assert (await first.post(f"{place}/acknowledge", {"outcome": "deleted"})).status_code == 401
    second = hub.caller("KH-CNP", "connector")
    assert (await second.get(place)).status_code == 200
    assert (await second.post(f"{place}/acknowledge", {"outcome": "deleted"})).status_code == 200


async def test_who_may_not_is_refused(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    path = await _shared(korea, "KH-CNP")
    reader = hub.caller("KR-KNPA", "connector", "commander")
    body = _body("KH-CNP")

    assert (await cambodia.post(f"{path}/recalls", body)).status_code == 403
    assert (await thailand.post(f"{path}/recalls", body)).status_code == 404
    assert (await thailand.get(f"{path}/recalls")).status_code == 404
    blind = hub.caller("KR-KNPA", "auditor")
    for call in (blind.post(f"{path}/recalls", body), blind.get(f"{path}/recalls")):
        assert (await call).status_code == 403
    assert (await reader.get(RECALLS)).status_code == 200
    made = (await korea.post(f"{path}/recalls", body)).json()
    place = f"{RECALLS}/{made['id']}"
    assert (await korea.post(f"{place}/acknowledge", {"outcome": "deleted"})).status_code == 403
    assert (await thailand.post(f"{place}/acknowledge", {"outcome": "deleted"})).status_code == 404
    kept: dict[str, Any] = {"outcome": "retained_with_reason"}
    answer = await cambodia.post(f"{place}/acknowledge", kept)
    assert [flaw["pointer"] for flaw in answer.json()["errors"]] == ["/reason"]
    assert (await cambodia.post(f"{place}/acknowledge", {**kept, "reason": "A court's order."})).status_code == 200


async def test_bodies_have_bounds_and_keys_hold(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    hub.register("TH-RTP")
    path = await _shared(korea, "KH-CNP", "TH-RTP")
    key = {"headers": {"Idempotency-Key": "r1"}}
    first = await korea.post(f"{path}/recalls", _body("KH-CNP"), **key)
    place = f"{RECALLS}/{first.json()['id']}"
    huge = b'{"outcome": "deleted", "reason": "' + b"x" * 2 * hub.settings.body_limit + b'"}'
    json_type = {"Content-Type": "application/json"}
    for target in (f"{place}/acknowledge", f"{path}/recalls"):
        sender = cambodia if target.startswith(place) else korea
        assert (await sender.call("POST", target, content=huge, headers=json_type)).status_code == 413
        assert (
            await sender.call("POST", target, content=b"x", headers={"Content-Type": "text/plain"})
        ).status_code == 415
    assert (
        await cambodia.post(f"{place}/acknowledge", {"outcome": "deleted", "reason": "x" * 4001})
    ).status_code == 422
    await cambodia.post(f"{place}/acknowledge", {"outcome": "deleted"})

    again = await korea.post(f"{path}/recalls", _body("KH-CNP"), **key)
    other = await korea.post(f"{path}/recalls", _body("TH-RTP"), **key)

    # The version that the first call made: by now the recipient has answered.
    assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (201, first.json(), "true")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-mismatch")
    assert hub.look("SELECT count(*) FROM recalls") == [(1,)]


async def test_of_many_acknowledgements_at_once_one_counts(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    hub.register("KH-CNP")
    recall = await _recalled(korea, "KH-CNP")
    systems = [hub.caller("KH-CNP") for _ in range(6)]

    answers = await asyncio.gather(
        *(system.post(f"{RECALLS}/{recall['id']}/acknowledge", {"outcome": "deleted"}) for system in systems)
    )

    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    assert [type_ for type_, _ in await _events(korea)].count("recall.acknowledged") == 1


async def test_recalls_at_once_take_back_from_everybody_named(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    recipients = [hub.register(f"AA-{number}") for number in range(4)]
    path = await _shared(korea, *recipients)

    answers = await asyncio.gather(*(korea.post(f"{path}/recalls", _body(code)) for code in recipients))

    assert {answer.status_code for answer in answers} == {201}
    assert (await korea.get(f"{path}/handling")).json()["audience"]["agencies"] == []
    assert len((await korea.get(f"{path}/recalls")).json()["items"]) == 4


def test_a_recipient_leaves_the_audience_however_it_stands_there(hub: Hub) -> None:
    group, other, basis = (f"01920000-0000-7000-8000-00000000000{number}" for number in range(3))
    stays = ["KR-KNPA", "KH-CNP-2", f"TH-RTP@{basis}", f"group:{other}", "community"]
    goes = ["KH-CNP", f"KH-CNP@{basis}", f"KH-CNP!{basis}", f"group:{group}", f"group:{group}@{basis}"]
    observers = [f"observers:{group}", f"observers:{group}@{basis}"]

    left = hub.operator(
        "SELECT audience_without(%s, ARRAY['KH-CNP'], ARRAY[%s]::uuid[])", [*goes, *stays, *observers], group
    )

    assert left == [(stays,)]


async def test_an_emergency_is_taken_back_too(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA", "commander", "analyst"), hub.partner("KH-CNP")
    path = await _shared(korea)
    opened = await korea.post(
        f"{path}/disclosures",
        {"agencies": ["KH-CNP"], "purpose": "A victim is in danger.", "emergency": True, "reason": "Danger to life."},
    )
    assert opened.status_code == 201, opened.text
    assert (await cambodia.get(path)).status_code == 200

    recall = await korea.post(f"{path}/recalls", _body("KH-CNP"))

    assert recall.status_code == 201
    assert (await cambodia.get(path)).status_code == 404
    assert hub.look("SELECT count(*) FROM emergencies WHERE ended_at IS NULL") == [(0,)]


async def test_a_recall_outlives_its_record(hub: Hub) -> None:
    """Nothing of it is read from the record, which may be gone by then."""
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    recall = await _recalled(korea, "KH-CNP")
    below_policies(hub, "DELETE FROM records WHERE id = %s", recall["record_id"])
    place = f"{RECALLS}/{recall['id']}"

    assert (await cambodia.post(f"{place}/acknowledge", {"outcome": "deleted"})).status_code == 200
    assert _parts((await korea.get(place)).json()) == [("KH-CNP", "acknowledged")]
    assert (await _events(korea))[-1][0] == "recall.acknowledged"
