"""Incident reports over HTTP: reported, changed, worked on and verified; not there for those who must not know."""

import asyncio
from typing import Any

from tests.conftest import Hub, Partner
from tests.events.following import follower
from tests.routers.incidents import HELD, PATH, REPORT, path_of, report, step


async def test_a_report_reaches_exactly_whom_it_names(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    created = await report(korea, "KH-CNP", external_id="2025-0811")
    path = f"{PATH}/{created['id']}"

    own, shared, hidden = await korea.get(path), await cambodia.get(path), await thailand.get(path)

    assert own.json() == created
    assert created["reference"].startswith("KR-KNPA-IR-")
    assert {name: created[name] for name in REPORT} == {
        **REPORT,
        "demand": {"amount": "30000", "currency": "USD"},
    }
    assert (created["state"], created["verification"], created["trafficking_indicated"]) == ("open", "reported", False)
    assert (created["verification_note"], created["state_note"]) == (None, None)
    assert shared.json() == {**created, "handling": shared.json()["handling"]}
    assert set(shared.json()["handling"]) == {"tlp", "codes", "caveat", "review_on"}
    assert hidden.status_code == 404
    assert (await thailand.get(PATH)).json() == {"items": [], "next_cursor": None}
    assert (await thailand.get(PATH, params={"q": "Bokor"})).json()["items"] == []
    # A profile's path is none of a report's.
    assert (await korea.get(f"/v1/criminal-organizations/{created['id']}")).status_code == 404


async def test_permissions_and_tokens(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    path = await path_of(korea)
    officer, auditor = hub.caller("KR-KNPA", "operations_officer"), hub.caller("KR-KNPA", "auditor")

    assert (await officer.get(path)).status_code == 200
    assert (await officer.post(PATH, REPORT)).status_code == 403
    assert (await officer.post(f"{path}/investigate", etag='"1"')).status_code == 403
    assert (await auditor.get(path)).status_code == 403
    assert (await hub.client.get(path)).status_code == 401
    hub.operator("UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", korea.client_id)
    assert (await korea.get(path)).status_code == 401
    assert (await korea.post(PATH, REPORT)).status_code == 401


async def test_trafficking_is_computed_and_not_written(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    found = {"acts": ["recruitment"], "means": [], "purposes": ["forced_criminality"]}
    created = await report(korea, trafficking=found)
    path = f"{PATH}/{created['id']}"
    assert created["trafficking_indicated"] is False

    means = await korea.patch(path, {"trafficking": {"means": ["deception"]}}, etag='"1"')
    assert (means.json()["trafficking_indicated"], means.json()["version"]) == (True, 2)
    child = {"victims": [{**HELD, "age_band": "12_17", "condition": "safe"}], "trafficking": {"means": []}}
    under_18 = await korea.patch(path, child, etag='"2"')
    assert under_18.json()["trafficking_indicated"] is True
    grown = await korea.patch(path, {"victims": [{**HELD, "condition": "safe"}]}, etag='"3"')
    assert grown.json()["trafficking_indicated"] is False
    versions = (await korea.get(f"{path}/versions")).json()["items"]
    assert [version["changed"] for version in versions[:2]] == [
        ["victims", "trafficking_indicated"],
        ["victims", "trafficking"],
    ]
    for name in ("trafficking_indicated", "verification", "state", "state_note"):
        refused = await korea.patch(path, {name: "confirmed"}, etag='"4"')
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, f"/{name}")
        assert (await korea.post(PATH, {**REPORT, name: "confirmed"})).status_code == 422


async def test_an_update_based_on_an_old_version_is_refused(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = await path_of(korea, "KH-CNP")

    first = await korea.patch(path, {"place": "Old hotel"}, etag='"1"')
    second = await korea.patch(path, {"place": "New hotel"}, etag='"1"')
    blind = await korea.patch(path, {"place": "New hotel"})
    same = await korea.patch(path, {"place": "Old hotel"}, etag='"2"')

    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    assert (second.status_code, blind.status_code) == (412, 428)
    assert (same.status_code, same.headers["ETag"]) == (200, '"2"')
    assert (await cambodia.patch(path, {"place": "x"}, etag='"2"')).status_code == 403
    wrong = await korea.patch(path, {"country": "TH"}, etag='"2"')
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/subdivision")


async def test_a_report_is_worked_on_step_by_step(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = await path_of(korea, "KH-CNP")
    reader = await follower(cambodia)

    for number, (action, state) in enumerate(
        {"investigate": "investigating", "locate": "located", "rescue": "rescued", "close": "closed"}.items(), 2
    ):
        moved = await step(korea, path, action, {"note": f"Step {action}."})
        assert (moved.status_code, moved.headers["ETag"]) == (200, f'"{number}"'), moved.text
        assert (moved.json()["state"], moved.json()["state_note"]) == (state, f"Step {action}.")
        assert (await cambodia.get(path)).json()["state"] == state
        assert len((await cambodia.get(PATH, params={"state": state})).json()["items"]) == 1
    assert (await step(korea, path, "reopen")).json()["state"] == "open"

    hub.operator("SELECT sequence_events()")
    told = [type_ for type_, _ in await reader.follow()]
    assert [type_ for type_ in told if type_.startswith("incident")] == [
        *("incident.investigated", "incident.located", "incident.rescued", "incident.closed", "incident.reopened")
    ]
    assert told.count("record.updated") == 5
    versions = (await cambodia.get(f"{path}/versions")).json()["items"]
    assert [version["changed"] for version in versions][:2] == [["state", "state_note"], ["state", "state_note"]]
    assert {version["by"] for version in versions} == {"KR-KNPA"}


async def test_a_step_that_is_not_possible_says_what_is(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = await path_of(korea, "KH-CNP")

    refused = await korea.post(f"{path}/rescue", etag='"1"')
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")
    assert "investigate, locate, close" in refused.json()["detail"]
    for action in ("investigate", "locate", "rescue", "close", "reopen", "verify"):
        body = {"verification": "confirmed"} if action == "verify" else None
        assert (await cambodia.post(f"{path}/{action}", body, etag='"1"')).status_code == 403
        assert (await korea.post(f"{path}/{action}", body)).status_code == 428
        assert (await korea.post(f"{path}/{action}", body, etag='"7"')).status_code == 412
        assert (await korea.post(f"{path}/{action}", {"nonsense": 1}, etag='"1"')).status_code == 422
        large = {"note": "x" * hub.settings.body_limit * 2}
        assert (await korea.post(f"{path}/{action}", large, etag='"1"')).status_code == 413
    assert (await korea.get(path)).headers["ETag"] == '"1"'


async def test_a_step_is_taken_once(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    path = await path_of(korea)
    key = {"Idempotency-Key": "case 1"}

    first = await korea.post(f"{path}/investigate", etag='"1"', headers=key)
    again = await korea.post(f"{path}/investigate", etag='"1"', headers=key)
    other = await korea.post(f"{path}/investigate", {"note": "x"}, etag='"1"', headers=key)

    assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (200, first.json(), "true")
    assert other.status_code == 422
    created = [await korea.post(PATH, REPORT, headers={"Idempotency-Key": "new"}) for _ in range(2)]
    assert created[0].json() == created[1].json()
    assert created[0].headers["Location"] == created[1].headers["Location"] == f"{PATH}/{created[0].json()['id']}"


async def test_of_two_steps_at_once_one_is_taken(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    path = await path_of(korea)
    actions = ("investigate", "locate", "close", "investigate", "locate", "close")

    answers = await asyncio.gather(*(korea.post(f"{path}/{action}", etag='"1"') for action in actions))

    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 5]
    assert (await korea.get(path)).headers["ETag"] == '"2"'


async def test_verification_stands_beside_the_state(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = await path_of(korea, "KH-CNP")
    reader = await follower(cambodia)
    said = {"verification": "confirmed", "note": "He called from the site."}

    confirmed = await step(korea, path, "verify", said)
    assert confirmed.status_code == 200, confirmed.text
    assert {name: confirmed.json()[name] for name in ("state", "verification", "verification_note")} == {
        "state": "open",
        "verification": "confirmed",
        "verification_note": "He called from the site.",
    }
    assert (await step(korea, path, "verify", said)).status_code == 409
    assert (await step(korea, path, "close")).json()["verification"] == "confirmed"
    assert (await step(korea, path, "verify", {"verification": "unfounded"})).json()["state"] == "closed"
    found = await cambodia.get(PATH, params={"verification": "unfounded", "state": "closed"})
    assert len(found.json()["items"]) == 1
    hub.operator("SELECT sequence_events()")
    assert [type_ for type_, _ in await reader.follow()].count("incident.verified") == 2


FOUND: list[tuple[dict[str, Any], bool]] = [
    ({"type": "extortion"}, True),
    ({"type": "robbery"}, False),
    ({"country": "KH", "subdivision": "KH-7"}, True),
    ({"subdivision": "KH-18"}, False),
    ({"nationality": "KR"}, True),
    ({"nationality": "CN"}, False),
    ({"condition": "missing"}, True),
    ({"condition": "safe"}, False),
    ({"verification": "reported", "state": "open"}, True),
    ({"state": "closed"}, False),
    ({"trafficking_indicated": "false"}, True),
    ({"trafficking_indicated": "true"}, False),
    ({"q": "translator"}, True),
    ({"q": "bokor mountian"}, True),
    ({"q": "Poipet"}, False),
    ({"originator": "KR-KNPA", "shared_with_me": "true"}, True),
]


async def test_lists_are_narrowed(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    created = await report(korea, "KH-CNP")
    for parameters, there in FOUND:
        answer = await cambodia.get(PATH, params=parameters)
        assert answer.status_code == 200, answer.text
        found = [item["id"] for item in answer.json()["items"]]
        assert found == ([created["id"]] if there else []), parameters
    assert (await cambodia.get(PATH, params={"state": "current"})).status_code == 400
    table = await cambodia.get(PATH, headers={"Accept": "text/csv"})
    assert table.text.count("\r\n") == 2


async def test_a_retracted_report_takes_nothing_more(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = await path_of(korea, "KH-CNP")
    assert (await korea.post(f"{path}/retract", etag='"1"')).status_code == 200

    assert (await cambodia.get(path)).json()["state"] == "retracted"
    for action, body in (("investigate", None), ("close", None), ("verify", {"verification": "confirmed"})):
        refused = await korea.post(f"{path}/{action}", body, etag='"2"')
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/retracted")
    assert (await korea.patch(path, {"title": "x"}, etag='"2"')).json()["type"] == "/problems/retracted"
    assert (await cambodia.get(PATH, params={"state": "open"})).json()["items"] == []
    assert hub.look("SELECT count(*) FROM incidents") == [(0,)]


async def test_links_lead_where_they_can(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    profile = await korea.profile("Moonrise", share=[])
    link = {"type": "committed_by", "kind": "criminal-organizations", "id": profile["id"]}
    created = await report(korea, "KH-CNP", links=[link])
    path = f"{PATH}/{created['id']}"

    own, shared = await korea.get(f"{path}/links"), await cambodia.get(f"{path}/links")

    assert [(item["type"], item["id"]) for item in own.json()["items"]] == [("committed_by", profile["id"])]
    assert shared.json()["items"] == []
    assert "links" not in created
    wrong = await korea.post(f"{path}/links", {**link, "kind": "incident-reports"})
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "link-type-unsuitable")


async def test_a_number_is_given_once(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    first = await report(korea, external_id="case 1")
    taken = await korea.post(PATH, {**REPORT, "external_id": "case 1"})
    assert (taken.status_code, taken.headers["Location"]) == (409, f"{PATH}/{first['id']}")
    # A profile may have the same number.
    await korea.profile(external_id="case 1")


async def test_a_covered_report_shows_nothing_before_the_caveat(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    handling = {"tlp": "AMBER", "codes": ["H3"], "caveat": "Ask first.", "audience": {"agencies": ["KH-CNP"]}}
    path = await path_of(korea, handling=handling, victims=[HELD])

    reads = ["", "/versions", "/links", "/acknowledgements"]
    answers = [await cambodia.get(f"{path}{below}") for below in reads]
    answers.append(await cambodia.post(f"{path}/acknowledge"))

    assert {(answer.status_code, answer.json().get("caveat")) for answer in answers} == {(409, "Ask first.")}
    listed = (await cambodia.get(PATH)).json()["items"]
    assert [item["state"] for item in listed] == ["acknowledgement_required"]
    assert (await cambodia.get(PATH, params={"condition": "detained"})).json()["items"] == []
    assert "held" not in str(listed)
    await cambodia.post(f"{path}/handling/acknowledge", {"caveat": "Ask first."})
    assert (await cambodia.get(path)).json()["state"] == "open"
    assert (await cambodia.post(f"{path}/acknowledge")).status_code == 200


async def _many(partner: Partner) -> list[str]:
    return [(await report(partner, title=f"Report {number}"))["id"] for number in range(3)]


async def test_pages_go_on_where_they_ended(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    made = await _many(korea)
    first = (await korea.get(PATH, params={"limit": 2, "country": "KH"})).json()
    rest = (await korea.get(PATH, params={"limit": 2, "country": "KH", "cursor": first["next_cursor"]})).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None
