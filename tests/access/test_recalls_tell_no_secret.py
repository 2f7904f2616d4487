"""What a recall tells: a recipient its own part, the originator all, and nobody who else could see the record."""

from typing import Any

import httpx

from tests.access.scene import LOST, ORIGINATOR, PATH, READER, set_scene
from tests.conftest import Hub, Partner
from tests.routers.entrance import below_policies

RECALLS = "/v1/recalls"
RECIPIENTS = ("KH-CNP", "TH-RTP")


async def _recalled(hub: Hub) -> tuple[Partner, dict[str, Partner], dict[str, Any]]:
    """A record that was taken back from two agencies, while a third goes on reading it."""
    korea = hub.partner(ORIGINATOR)
    others = {agency: hub.partner(agency) for agency in (*RECIPIENTS, "INTERPOL")}
    path = f"{PATH}/{(await korea.profile(share=list(others)))['id']}"
    answer = await korea.post(f"{path}/recalls", {"agencies": list(RECIPIENTS), "reason": "The source asked for it."})
    assert answer.status_code == 201, answer.text
    return korea, others, answer.json()


async def _everything(hub: Hub, partner: Partner, recall: str) -> list[httpx.Response]:
    """All that a partner can be told of a recall."""
    hub.operator("SELECT sequence_events()")
    auditor = hub.caller(partner.agency, "auditor")
    place = f"{RECALLS}/{recall}"
    return [
        await partner.get(place),
        await partner.get(place, headers={"Accept": "text/csv"}),
        await partner.get(RECALLS),
        await partner.get(RECALLS, headers={"Accept": "text/csv"}),
        *[await partner.get(RECALLS, params={"state": state}) for state in ("open", "overdue", "acknowledged")],
        await partner.get("/v1/events", params={"limit": 500}),
        await auditor.get("/v1/audit-entries", params={"limit": 500}),
        await auditor.get("/v1/audit-entries", params={"of": "records", "limit": 500}),
        await partner.post(f"{place}/acknowledge", {"outcome": "nonsense"}),
        await partner.post(f"{place}/acknowledge", {"outcome": "deleted"}),
        await partner.post(f"{place}/acknowledge", {"outcome": "deleted"}),
        await partner.get(place),
    ]


async def test_a_recipient_learns_nothing_of_the_others(hub: Hub) -> None:
    korea, others, recall = await _recalled(hub)
    below_policies(hub, "UPDATE recall_recipients SET due_at = at, next_notice_at = at")
    hub.operator("SELECT remind_of_recalls()")
    own = await korea.get(f"{RECALLS}/{recall['id']}")
    assert [part["agency"] for part in own.json()["recipients"]] == list(RECIPIENTS)

    for agency in RECIPIENTS:
        answers = await _everything(hub, others[agency], recall["id"])
        assert [answer.status_code for answer in answers[-4:]] == [422, 200, 409, 200]
        assert agency in answers[0].text
        for answer in answers:
            for other in (*others.keys() - {agency}, korea.client_id):
                assert other not in answer.text, (agency, answer.request.url)


async def test_a_recipients_version_counts_its_own_part_alone(hub: Hub) -> None:
    _, others, recall = await _recalled(hub)
    cambodia, thailand = (others[agency] for agency in RECIPIENTS)
    place = f"{RECALLS}/{recall['id']}"
    before = await cambodia.get(place)
    await thailand.post(f"{place}/acknowledge", {"outcome": "deleted"})

    after = await cambodia.get(place)
    assert (after.content, after.headers["ETag"]) == (before.content, before.headers["ETag"])
    assert (await cambodia.get(place, headers={"If-None-Match": '"1"'})).status_code == 304


async def test_whoever_still_reads_the_record_is_told_of_no_recall(hub: Hub) -> None:
    _, others, recall = await _recalled(hub)
    reader = others["INTERPOL"]
    hub.operator("SELECT sequence_events()")
    for path in (RECALLS, "/v1/events"):
        assert "recall" not in (await reader.get(path, params={"limit": 500})).text
    assert (await reader.get(f"{PATH}/{recall['record_id']}/recalls")).status_code == 403
    assert (await reader.get(f"{RECALLS}/{recall['id']}")).status_code == 404


async def test_lists_hold_nothing_of_others_recalls(hub: Hub) -> None:
    scene = await set_scene(hub)
    asked = scene.repatriation["recall_id"]
    own = {
        "lost sight": {scene.parts["recall_id"], scene.incident["recall_id"], asked},
        "party to a suspended agreement": {asked},
    }
    told = set()
    for why, caller in scene.strangers.items():
        answer = await caller.get(RECALLS)
        if answer.status_code == 200:
            told.add(why)
            assert {item["id"] for item in answer.json()["items"]} == own.get(why, set()), why
        else:
            assert answer.status_code in (401, 403), why
    assert told >= {*own, "stranger agency"}
    assert (await scene.reader.get(RECALLS)).json()["items"] == []
    recalled = (await scene.originator.get(RECALLS)).json()["items"]
    assert {item["record_id"] for item in recalled} >= {scene.record["id"], scene.operation["record_id"]}


async def test_recalls_of_kinds_that_a_token_may_not_read_are_left_out(hub: Hub) -> None:
    scene = await set_scene(hub)
    place = f"{RECALLS}/{scene.parts['recall_id']}"
    for agency in (LOST, ORIGINATOR):
        client = hub.credential(agency, "commander")
        narrow = Partner(hub, agency, client, hub.token(client, scope=["bulletins:read"]))
        assert (await narrow.get(RECALLS)).json()["items"] == []
        assert (await narrow.get(place)).status_code == 404
        assert (await narrow.post(f"{place}/acknowledge", {"outcome": "deleted"})).status_code == 404
        none = Partner(hub, agency, client, hub.token(client, scope=["events:read"]))
        for answer in (await none.get(RECALLS), await none.get(place)):
            assert answer.status_code == 403
    administrator = hub.caller(READER, "agency_admin")
    assert (await administrator.get(RECALLS)).status_code == 403
