"""What a body names and the caller may not know is refused like what never was, with the same words and statements."""

from typing import Any

import pytest

from tests.access.scene import PATH, STRANGER, set_scene, unknown_id
from tests.access.statements import heard, listen
from tests.conftest import Hub, Partner
from tests.routers.incidents import PATH as REPORTS
from tests.routers.incidents import REPORT, path_of


def _bodies(own: str, report: str, record: str, group: str, incident: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Every place where a body can name something hidden, called by somebody for a record of its own."""
    link = {"type": "related_to", "kind": "criminal-organizations", "id": record}
    handling = {"tlp": "AMBER", "audience": {"groups": [group], "observers_of": [group]}}
    return [
        ("POST", PATH, {"name": "x", "links": [link]}),
        ("POST", PATH, {"name": "x", "handling": handling}),
        ("POST", PATH, {"name": "x", "handling": {"legal_basis": record}}),
        ("POST", f"{own}/links", link),
        ("POST", f"{own}/links", {**link, "kind": "bulletins"}),
        ("POST", f"{own}/relations", {"type": "funds", "target": record}),
        ("PUT", f"{own}/handling", handling),
        ("PUT", f"{own}/handling?dry_run=true", handling),
        ("PUT", f"{own}/handling?dry_run=true", {"legal_basis": record}),
        ("POST", f"{own}/disclosures", {"groups": [group], "purpose": "why"}),
        ("POST", f"{own}/disclosures?dry_run=true", {"groups": [group], "purpose": "why"}),
        ("POST", f"{own}/disclosures", {"agencies": [STRANGER], "purpose": "why", "legal_basis": record}),
        ("POST", REPORTS, {**REPORT, "links": [{**link, "type": "committed_by"}]}),
        ("POST", REPORTS, {**REPORT, "handling": handling}),
        ("POST", f"{report}/merge", {"duplicate_of": incident}),
        ("POST", f"{report}/links", {"type": "duplicate_of", "kind": "incident-reports", "id": incident}),
        ("POST", "/v1/groups", {"kind": "council", "name": "x", "charter": record}),
    ]


async def _told(caller: Partner, method: str, path: str, body: dict[str, Any], *names: str) -> tuple[Any, ...]:
    headers = {"If-Match": '"1"', "X-Request-Id": "the-same"}
    with heard() as statements:
        answer = await caller.call(method, path, json=body, headers=headers)
    text = answer.text
    for name in names:
        text = text.replace(name, "ID")
    return answer.status_code, text, sorted(set(answer.headers) - {"ratelimit"}), statements


async def test_a_body_learns_nothing_of_what_it_names(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await set_scene(hub)
    listen(monkeypatch)
    for why in ("stranger agency", "lost sight", "removed from the group"):
        caller = scene.strangers[why]
        own = f"{PATH}/{(await caller.profile('Own', handling={'tlp': 'AMBER', 'audience': {}}))['id']}"
        report = await path_of(caller)
        hidden = (scene.record["id"], str(scene.group), scene.incident["record_id"])
        none = (unknown_id(), unknown_id(), unknown_id())
        for told, of_none in zip(_bodies(own, report, *hidden), _bodies(own, report, *none), strict=True):
            answer = await _told(caller, *told, *hidden)
            assert answer == await _told(caller, *of_none, *none), f"{why}: {told}"
            assert answer[0] == 422, f"{why}: {told}: {answer}"
            assert "/problems/unknown-reference" in answer[1]
        assert (await caller.get(f"{own}/handling")).headers["ETag"] == '"1"'


async def test_the_hub_is_named_like_an_agency_that_never_was(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    own = f"{PATH}/{(await korea.profile())['id']}"
    for part in ("agencies", "excluded"):
        answers = []
        for code in ("HUB", "ZQX"):
            for method, path, body in (
                ("POST", PATH, {"name": "x", "handling": {"audience": {part: [code]}}}),
                ("PUT", f"{own}/handling?dry_run=true", {"audience": {part: [code]}}),
                ("PUT", f"{own}/handling", {"audience": {part: [code]}}),
            ):
                told = await _told(korea, method, path, body, code)
                assert told[0] == 422
                answers.append(told[:3])
        assert answers[:3] == answers[3:]


async def test_links_end_with_the_sight_of_their_other_end(hub: Hub) -> None:
    """A link made while both ends were seen is no way to learn what became of the other end."""
    korea, thailand = hub.partner("KR-KNPA"), hub.partner("TH-RTP")
    secret = await korea.profile("Secret", share=["TH-RTP"])
    own = f"{PATH}/{(await thailand.profile('Own'))['id']}"
    body = {"type": "related_to", "kind": "criminal-organizations", "id": secret["id"]}
    made = await thailand.post(f"{own}/links", body, headers={"Idempotency-Key": "k"})
    assert made.status_code == 201
    handling = {"tlp": "AMBER", "audience": {}}
    await korea.put(f"{PATH}/{secret['id']}/handling", handling, '"1"')

    assert (await thailand.get(f"{own}/links")).json()["items"] == []
    again = await thailand.post(f"{own}/links", body, headers={"Idempotency-Key": "k"})
    assert again.status_code == 404
    # Not 409, as the same link once more would be while its end was seen.
    once_more = await thailand.post(f"{own}/links", body)
    unknown = await thailand.post(f"{own}/links", {**body, "id": unknown_id()})
    assert once_more.status_code == unknown.status_code == 422
    assert (await thailand.call("DELETE", f"{own}/links/{made.json()['id']}")).status_code == 404
