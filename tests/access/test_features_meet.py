"""What no feature alone would give away: agreements, groups, recalls, emergencies and changes where they meet."""

import asyncio
from typing import Any

import pytest

from app.records import shelf
from app.settings import Settings
from tests.access.scene import found_group
from tests.conftest import PUBLIC_URL, Hub, Partner
from tests.routers.agreements_below import agree, charter, put_in_force
from tests.routers.entrance import below_policies

PATH = "/v1/criminal-organizations"
KOREA, CAMBODIA, THAILAND = "KR-KNPA", "KH-CNP", "TH-RTP"


def _three(hub: Hub) -> tuple[Partner, Partner, Partner]:
    korea, cambodia, thailand = (hub.partner(code, "analyst", "commander") for code in (KOREA, CAMBODIA, THAILAND))
    return korea, cambodia, thailand


async def _seen(path: str, *partners: Partner) -> list[int]:
    return [(await partner.get(path)).status_code for partner in partners]


async def _shared(korea: Partner, **handling: Any) -> str:
    return f"{PATH}/{(await korea.profile(handling={'tlp': 'AMBER', **handling}))['id']}"


async def _rehandle(korea: Partner, path: str, **fields: Any) -> int:
    handling = await korea.get(f"{path}/handling")
    return (await korea.put(f"{path}/handling", {**handling.json(), **fields}, handling.headers["ETag"])).status_code


async def test_a_chair_that_drops_the_charter_does_not_open_what_rested_on_it(hub: Hub) -> None:
    korea, cambodia, thailand = _three(hub)
    group = str(found_group(hub, CAMBODIA, {KOREA: "member", THAILAND: "member"}))
    founding = agree(hub, KOREA, CAMBODIA, kind="charter")
    charter(hub, group, founding)
    path = await _shared(korea, audience={"groups": [group]})
    assert await _seen(path, cambodia, thailand) == [200, 404]

    charter(hub, group, None)
    changed = await _rehandle(korea, path, discoverable="hit")

    assert changed == 200
    assert await _seen(path, cambodia, thailand) == [404, 404]
    charter(hub, group, founding)
    assert await _seen(path, cambodia, thailand) == [200, 404]


async def test_what_was_said_while_a_group_had_no_charter_stays_unread(hub: Hub) -> None:
    korea, cambodia, _ = _three(hub)
    group = str(found_group(hub, CAMBODIA, {KOREA: "member"}))
    founding = agree(hub, KOREA, CAMBODIA, kind="charter")
    charter(hub, group, founding)
    path = await _shared(korea, audience={"groups": [group]})
    charter(hub, group, None)
    for summary, etag in (("The name of a source", '"1"'), (None, '"2"')):
        assert (await korea.patch(path, {"summary": summary}, etag)).status_code == 200

    charter(hub, group, founding)

    assert await _seen(path, cambodia) == [200]
    assert await _seen(f"{path}/versions/2", cambodia) == [404]


@pytest.mark.parametrize("by", ["recall", "handling"])
async def test_whom_an_agreement_hides_it_from_just_now_is_asked_for_its_copies(hub: Hub, by: str) -> None:
    korea, cambodia, _ = _three(hub)
    basis = agree(hub, KOREA, CAMBODIA)
    path = await _shared(korea, legal_basis=basis, audience={"agencies": [CAMBODIA]})
    put_in_force(hub, basis, in_force=False)

    if by == "recall":
        answer = await korea.post(f"{path}/recalls", {"agencies": [CAMBODIA], "reason": "Compromised."})
        assert answer.status_code == 201, answer.text
    else:
        assert await _rehandle(korea, path, legal_basis=None, audience={}) == 200
    put_in_force(hub, basis, in_force=True)

    assert await _seen(path, cambodia) == [404]
    ((part,),) = [(await cambodia.get("/v1/recalls")).json()["items"]]
    assert part["cause"] == by


async def test_a_group_recalled_beside_another_is_not_let_in_by_that_ones_chair(hub: Hub) -> None:
    korea, cambodia, thailand = _three(hub)
    stays = str(found_group(hub, CAMBODIA, {KOREA: "member"}))
    goes = str(found_group(hub, KOREA, {THAILAND: "member"}))
    path = await _shared(korea, audience={"groups": [stays, goes]})

    answer = await korea.post(f"{path}/recalls", {"groups": [goes], "reason": "Compromised."})
    below_policies(hub, "INSERT INTO memberships (group_id, agency, role) VALUES (%s, %s, 'member')", stays, THAILAND)

    assert answer.status_code == 201, answer.text
    assert await _seen(path, cambodia, thailand) == [200, 404]


async def test_a_confirmed_emergency_stays_closed_to_whom_it_was_recalled_from(hub: Hub) -> None:
    korea, cambodia, thailand = _three(hub)
    path = await _shared(korea)
    urgent = {"agencies": [CAMBODIA, THAILAND], "purpose": "Search.", "emergency": True, "reason": "A victim called."}
    emergency = (await korea.post(f"{path}/disclosures", urgent)).json()
    await korea.post(f"{path}/recalls", {"agencies": [THAILAND], "reason": "Compromised."})

    sent = {"legal_basis": agree(hub, KOREA, CAMBODIA, THAILAND), "reason": "Not found yet."}
    confirmed = await korea.post(f"{path}/disclosures/{emergency['id']}/confirm", sent, '"1"')

    assert confirmed.status_code == 200, confirmed.text
    assert await _seen(path, cambodia, thailand) == [200, 404]
    assert [part["recipients"][0]["state"] for part in (await thailand.get("/v1/recalls")).json()["items"]] == ["open"]


async def test_who_may_only_act_in_emergencies_opens_nothing_for_good(hub: Hub) -> None:
    korea, _, _ = _three(hub)
    commander = hub.caller(KOREA, "commander")
    path = await _shared(korea)
    urgent = {"agencies": [CAMBODIA], "purpose": "Search.", "emergency": True, "reason": "A victim called."}
    emergency = (await commander.post(f"{path}/disclosures", urgent)).json()

    sent = {"legal_basis": agree(hub, KOREA, CAMBODIA), "reason": "Not found yet."}
    confirmed = await commander.post(f"{path}/disclosures/{emergency['id']}/confirm", sent, '"1"')

    assert confirmed.status_code == 403


async def test_emergencies_are_few(hub: Hub) -> None:
    korea, _, _ = _three(hub)
    urgent = {"agencies": [CAMBODIA], "purpose": "Search.", "emergency": True, "reason": "A victim called."}
    path = await _shared(korea)

    statuses = [(await korea.post(f"{path}/disclosures", urgent)).status_code for _ in range(21)]

    assert statuses == [201] * 20 + [409]


async def test_a_patch_does_not_write_back_whom_a_recall_took_out(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    korea, cambodia, thailand = _three(hub)
    path = await _shared(korea, audience={"agencies": [CAMBODIA, THAILAND]})
    reached, go_on = asyncio.Event(), asyncio.Event()
    replace = shelf._replace

    async def late(*arguments: Any, **named: Any) -> Any:
        reached.set()
        await go_on.wait()
        return await replace(*arguments, **named)

    monkeypatch.setattr(shelf, "_replace", late)
    patching = asyncio.create_task(korea.patch(path, {"summary": "Relocated."}, '"1"'))
    await asyncio.wait_for(reached.wait(), 10)
    recalled = await korea.post(f"{path}/recalls", {"agencies": [THAILAND], "reason": "Compromised."})
    go_on.set()
    patched = await patching

    assert (recalled.status_code, patched.status_code) == (201, 200)
    document = (await korea.get(path)).json()
    assert (document["handling"]["audience"]["agencies"], document["summary"]) == ([CAMBODIA], "Relocated.")
    assert await _seen(path, cambodia, thailand) == [200, 404]


async def test_a_tombstone_is_for_those_who_saw_the_record(hub: Hub) -> None:
    korea, cambodia, _ = _three(hub)
    path = await _shared(korea, tlp="GREEN", audience={"community": True})
    retracted = await korea.post(f"{path}/retract", None, '"1"')
    late = hub.partner("VN-MPS")

    assert retracted.status_code == 200
    assert await _seen(path, korea, cambodia, late) == [200, 200, 404]
    assert (await late.get(PATH)).json()["items"] == []


async def test_an_originator_that_left_a_group_can_still_handle_what_it_shared(hub: Hub) -> None:
    korea, cambodia, _ = _three(hub)
    group = str(found_group(hub, CAMBODIA, {KOREA: "member"}))
    other = str(found_group(hub, CAMBODIA, {THAILAND: "member"}))
    path = await _shared(korea, audience={"groups": [group]})
    left = f"/v1/groups/{group}/members/{KOREA}"
    assert (await korea.call("DELETE", left)).status_code == 204

    kept = await _rehandle(korea, path, caveat="Ask first.")
    named = await _rehandle(korea, path, audience={"groups": [group, other]})

    assert (kept, named) == (200, 422)
    assert await _seen(path, cambodia) == [200]


class TestRequired:
    """Where sharing takes a legal basis."""

    @pytest.fixture
    def settings(self, tmp_path: Any) -> Settings:
        return Settings(_env_file=None, data=tmp_path, public_url=PUBLIC_URL, legal_basis="required")

    async def test_a_charter_tells_nothing_of_itself_to_who_is_no_party(self, hub: Hub) -> None:
        _, _, thailand = _three(hub)
        group = str(found_group(hub, CAMBODIA, {KOREA: "member", THAILAND: "member"}))
        founding = agree(hub, KOREA, CAMBODIA, kind="charter")
        charter(hub, group, founding)
        path = f"{await _shared(thailand)}/disclosures"
        told = []
        for in_force in (True, False):
            put_in_force(hub, founding, in_force=in_force)
            answer = await thailand.post(path, {"groups": [group], "purpose": "p"}, params={"dry_run": "true"})
            told.append([(flaw["pointer"], flaw["code"]) for flaw in answer.json()["errors"]])

        assert told == [[("/groups/0", "originator-no-party")]] * 2
