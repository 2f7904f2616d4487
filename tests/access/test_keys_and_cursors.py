"""Keys of repeated calls and cursors belong to whom they were given, and outlast no right."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from app.web.paging import seal_cursor
from tests.access.scene import PATH, end_membership, found_group, unknown_id
from tests.conftest import Hub, Partner
from tests.routers.entrance import below_policies


def _key(key: str, **headers: str) -> dict[str, Any]:
    return {"headers": {"Idempotency-Key": key, **headers}}


async def test_a_key_is_its_clients_own(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    colleague = hub.caller("KR-KNPA", "analyst")
    body = {"name": "Bokor Group"}

    answers = [await caller.post(PATH, body, **_key("k")) for caller in (korea, colleague, cambodia, korea)]

    assert [answer.status_code for answer in answers] == [201] * 4
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, None, None, "true"]
    assert len({answer.json()["id"] for answer in answers}) == 3
    # Whether another's key exists, with which body, is not felt either.
    other = await cambodia.post(PATH, {"name": "Another"}, **_key("of-korea"))
    assert other.status_code == 201
    # A key goes with its path: a sub-resource has keys of its own.
    path = f"{PATH}/{answers[0].json()['id']}"
    assert (await korea.post(f"{path}/sightings", {"assessment": "corroborates"}, **_key("k"))).status_code == 201


async def test_a_repeat_passes_sign_in_permission_and_visibility(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    record = await korea.profile(share=["KH-CNP"])
    path = f"{PATH}/{record['id']}/amendments"
    body = {"patch": {"status": "dormant"}}
    first = await cambodia.post(path, body, **_key("k"))
    assert first.status_code == 201
    narrow = Partner(hub, "KH-CNP", cambodia.client_id, hub.token(cambodia.client_id, scope=["events:read"]))
    assert (await narrow.post(path, body, **_key("k"))).status_code == 403

    handling = {"tlp": "AMBER", "audience": {}}
    await korea.put(f"{PATH}/{record['id']}/handling", handling, '"1"')
    hidden = await cambodia.post(path, body, **_key("k", **{"X-Request-Id": "r"}))
    other = unknown_id()
    unknown = await cambodia.post(f"{PATH}/{other}/amendments", body, **_key("k", **{"X-Request-Id": "r"}))
    assert (hidden.status_code, hidden.text.replace(record["id"], other)) == (404, unknown.text)

    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", cambodia.client_id
    )
    assert (await cambodia.post(path, body, **_key("k"))).status_code == 401


async def test_a_repeat_answers_the_version_it_made_and_keeps_no_content(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    first = await korea.post(PATH, {"name": "A name nobody keeps"}, **_key("k"))
    path = f"{PATH}/{first.json()['id']}"
    await korea.patch(path, {"name": "Renamed"}, '"1"')
    await korea.call("POST", f"{path}/retract", **_key("r", **{"If-Match": '"2"'}))
    again = await korea.post(PATH, {"name": "A name nobody keeps"}, **_key("k"))
    assert (again.status_code, again.json(), again.headers["ETag"]) == (201, first.json(), '"1"')
    gone = await korea.call("POST", f"{path}/retract", **_key("r", **{"If-Match": '"2"'}))
    assert (gone.status_code, gone.json()["state"], gone.headers["Idempotency-Replayed"]) == (200, "retracted", "true")
    kept = hub.look("SELECT k::text FROM idempotency_keys k")
    assert kept
    assert "nobody keeps" not in str(kept)


@pytest.mark.parametrize("key", ["", "a" * 256, "\t", "sp\u00e4t"])
async def test_a_key_that_is_none_is_refused(hub: Hub, key: str) -> None:
    korea = hub.partner("KR-KNPA")
    headers: dict[str, Any] = {"Idempotency-Key": key.encode("latin-1")}
    assert (await korea.post(PATH, {"name": "x"}, headers=headers)).status_code == 400


async def test_a_cursor_of_another_opens_nothing(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    secret = [(await korea.profile(f"Secret {number}"))["id"] for number in range(3)]
    shared = [(await korea.profile(f"Shared {number}", share=["KH-CNP"]))["id"] for number in range(2)]
    await korea.profile("Newest secret")

    cursor = (await korea.get(PATH, params={"limit": 1})).json()["next_cursor"]
    stolen = (await cambodia.get(PATH, params={"limit": 1, "cursor": cursor})).json()
    assert [item["id"] for item in stolen["items"]] == [shared[1]]
    rest = (await cambodia.get(PATH, params={"limit": 50, "cursor": stolen["next_cursor"]})).json()
    assert [item["id"] for item in rest["items"]] == [shared[0]]
    # A cursor is sealed to its list: none leads from one record's parts into another's.
    for number in range(2):
        for record in (shared[0], secret[0]):
            await korea.post(f"{PATH}/{record}/sightings", {"assessment": "corroborates", "note": str(number)})
    below = [f"{PATH}/{record}/sightings" for record in (secret[0], shared[0])]
    sealed = (await korea.get(below[0], params={"limit": 1})).json()["next_cursor"]
    assert (await korea.get(below[1], params={"limit": 1, "cursor": sealed})).status_code == 400
    assert (await cambodia.get(below[0], params={"limit": 1, "cursor": sealed})).status_code == 404
    assert (await korea.get(PATH, params={"limit": 1, "cursor": sealed})).status_code == 400


async def test_a_cursor_does_not_outlast_sight(hub: Hub) -> None:
    """Pages are asked for one by one: whoever is taken out of a group between two of them gets nothing more of it."""
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    group = found_group(hub, "KR-KNPA", {"KH-CNP": "member"})
    handling = {"tlp": "AMBER", "audience": {"groups": [str(group)]}}
    records = [(await korea.profile(f"Group {number}", handling=handling))["id"] for number in range(4)]
    for query in ({"limit": 1}, {"limit": 1, "q": "group"}, {"limit": 1, "order": "created_at"}):
        page = (await cambodia.get(PATH, params=query)).json()
        assert len(page["items"]) == 1
        end_membership(hub, group, "KH-CNP")
        after = await cambodia.get(PATH, params={**query, "cursor": page["next_cursor"]})
        assert after.json() == {"items": [], "next_cursor": None}
        assert (await cambodia.get(f"{PATH}/{records[0]}", headers={"If-None-Match": '"1"'})).status_code == 404
        below_policies(hub, "UPDATE memberships SET until = NULL WHERE group_id = %s", group)


async def test_cursors_say_nothing_by_their_length(hub: Hub) -> None:
    """What is sealed can be measured: a place is as long as any other, however busy the hub is."""
    sealer = hub.app.state.house.cursors
    feed = {len(seal_cursor(sealer, "/", {}, {"position": 10**n, "agency": "KR-KNPA"})) for n in range(19)}
    moments = [datetime(2026, 11, 22, 9, 0, 0, tzinfo=UTC), datetime(2026, 11, 22, 9, 0, 0, 1, tzinfo=UTC)]
    lists = {len(seal_cursor(sealer, "/", {}, {"id": unknown_id(), "at": at.isoformat()})) for at in moments}
    scores = {len(seal_cursor(sealer, "/", {}, {"id": unknown_id(), "score": score})) for score in (1.0, 0.123456789)}
    assert len(feed | lists | scores) == 1


async def test_one_key_sent_many_times_at_once_makes_one_record(hub: Hub) -> None:
    partners = (hub.partner("KR-KNPA"), hub.partner("KH-CNP"))
    for partner in partners:
        await partner.profile("Known to the server from now on")
    answers = await asyncio.gather(*(partner.post(PATH, {"name": "Once"}, **_key("k")) for partner in partners * 10))
    for first, partner in enumerate(partners):
        own = answers[first::2]
        assert {answer.status_code for answer in own} <= {201, 409}
        made = {answer.json()["id"] for answer in own if answer.status_code == 201}
        assert len(made) == 1
        (listed,) = (await partner.get(PATH, params={"q": "once"})).json()["items"]
        assert {listed["id"]} == made


async def test_one_number_sent_many_times_at_once_names_one_record(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    await korea.profile("Known to the server from now on")
    answers = await asyncio.gather(*(korea.post(PATH, {"name": "x", "external_id": "2026-7"}) for _ in range(20)))
    (made,) = [answer for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code == 409]
    assert len(refused) == 19
    assert {answer.headers["Location"] for answer in refused} == {f"{PATH}/{made.json()['id']}"}
    assert {answer.json()["existing"] for answer in refused} == {f"{PATH}/{made.json()['id']}"}
    # To another agency the number is free, and nothing points at whose it is.
    other = await cambodia.post(PATH, {"name": "x", "external_id": "2026-7"})
    assert other.status_code == 201
    assert made.json()["id"] not in other.text


async def test_a_call_that_fails_in_a_group_fails_alone(hub: Hub) -> None:
    """Calls of several agencies share a transaction: what one of them may not do leaves the others untouched."""
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    partners = (korea, cambodia, thailand)
    for partner in partners:
        await partner.profile("Known to the server from now on")
    revoked = hub.caller("TH-RTP", "analyst")
    await revoked.profile("Known too")
    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", revoked.client_id
    )
    group = found_group(hub, "KR-KNPA", {})
    handling = {"tlp": "AMBER", "audience": {"groups": [str(group)]}}
    secret = await korea.profile("Secret")

    def calls() -> list[Any]:
        made = [partner.post(PATH, {"name": f"Of {partner.agency}"}) for partner in partners]
        refused = [
            revoked.post(PATH, {"name": "x"}),
            cambodia.post(PATH, {"name": "x", "handling": handling}),
            thailand.post(PATH, {"name": "x", "handling": {"audience": {"agencies": ["HUB"]}}}),
        ]
        reads = [partner.get(f"{PATH}/{secret['id']}") for partner in (*partners, revoked)]
        return [*made, *refused, *reads]

    answers = await asyncio.gather(*(call for _ in range(4) for call in calls()))
    for turn in range(4):
        statuses = [answer.status_code for answer in answers[turn * 10 : turn * 10 + 10]]
        assert statuses == [201, 201, 201, 401, 422, 422, 200, 404, 404, 401]
        for partner, answer in zip(partners, answers[turn * 10 :], strict=False):
            assert (answer.json()["originator"], answer.json()["name"]) == (partner.agency, f"Of {partner.agency}")
    # Each entry of the audit names who did it, and nobody else.
    wrong = hub.look(
        "SELECT count(*) FROM audit_entries a JOIN records r ON r.id = ANY (a.record_ids)"
        " WHERE a.action = 'record.create' AND a.agency IS DISTINCT FROM r.originator"
    )
    assert wrong == [(0,)]
