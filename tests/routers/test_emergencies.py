"""Emergency disclosures: where life is in danger nobody waits for a legal basis, and nothing is left open by it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core import clock
from app.settings import Settings
from tests.conftest import PUBLIC_URL, Hub
from tests.events.following import follower, only, place
from tests.routers.agreements_below import agree, put_in_force
from tests.routers.entrance import below_policies

PATH = "/v1/criminal-organizations"
URGENT = {"agencies": ["KH-CNP"], "purpose": "Search the compound.", "emergency": True, "reason": "A victim called."}


@pytest.fixture
def settings(tmp_path: Any) -> Settings:
    return Settings(_env_file=None, data=tmp_path, public_url=PUBLIC_URL, legal_basis="required")


class Case:
    """A record of Korea's that Cambodia does not see, and Korea's commander."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.korea, self.cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
        self.commander = hub.caller("KR-KNPA", "commander")
        self.path = ""
        self.record: dict[str, Any] = {}

    async def opened(self) -> dict[str, Any]:
        self.record = await self.korea.profile(handling={"tlp": "AMBER"})
        self.path = f"{PATH}/{self.record['id']}"
        answer = await self.commander.post(f"{self.path}/disclosures", URGENT)
        assert answer.status_code == 201, answer.text
        disclosure: dict[str, Any] = answer.json()
        return disclosure

    async def seen(self) -> int:
        return (await self.cambodia.get(self.path)).status_code

    def lapse(self) -> None:
        below_policies(self.hub, "UPDATE emergencies SET until = now() - interval '1 second'")

    def tell(self) -> None:
        self.hub.operator("SELECT lapse_emergencies()")
        place(self.hub)


@pytest.fixture
def case(hub: Hub) -> Case:
    return Case(hub)


async def test_it_opens_for_72_hours_and_is_flagged_everywhere(case: Case) -> None:
    reader, owner = await follower(case.cambodia), await follower(case.korea)

    disclosure = await case.opened()
    place(case.hub)

    left = datetime.fromisoformat(disclosure["lapses_at"]) - clock.now()
    assert timedelta(hours=71, minutes=58) < left <= timedelta(hours=72)
    assert (disclosure["emergency"], disclosure["reason"], disclosure["without_basis"]) == (
        True,
        URGENT["reason"],
        True,
    )
    assert await case.seen() == 200
    (access,) = [
        row for row in (await case.korea.get(f"{case.path}/access")).json()["items"] if row["agency"] == "KH-CNP"
    ]
    assert (access["via"], access["without_basis"], access["until"]) == ("emergency", True, disclosure["lapses_at"])
    assert access["disclosure"] == disclosure["id"]
    await reader.follow()
    (shared,) = [event for event in reader.events if event["type"] == "interdesk.record.shared"]
    assert shared["data"]["detail"]["emergency"] is True
    assert shared["data"]["detail"]["lapses_at"] == disclosure["lapses_at"]
    assert only(await owner.follow(), "emergency.disclosed") == [case.record["reference"]]
    ((detail,),) = case.hub.look("SELECT detail FROM audit_entries WHERE action = 'record.disclose'")
    assert detail["emergency"] is True
    # Its audience is what its originator set: the emergency stands beside it.
    assert (await case.korea.get(f"{case.path}/handling")).json()["audience"]["agencies"] == []


async def test_it_lapses_by_the_clock_and_both_are_told(case: Case) -> None:
    await case.opened()
    reader, owner = await follower(case.cambodia), await follower(case.korea)

    case.lapse()
    seen = await case.seen(), (await case.cambodia.get(PATH)).json()["items"]
    case.tell()
    case.tell()

    assert seen == (404, [])
    assert only(await reader.follow(), "record.lost") == [case.record["reference"]]
    assert only(await owner.follow(), "emergency.lapsed") == [case.record["reference"]]


async def test_who_sees_the_record_otherwise_loses_nothing(case: Case) -> None:
    await case.opened()
    basis = agree(case.hub, "KR-KNPA", "KH-CNP")
    also = {"agencies": ["KH-CNP"], "purpose": "Case 12.", "legal_basis": basis}
    assert (await case.korea.post(f"{case.path}/disclosures", also)).status_code == 201
    reader = await follower(case.cambodia)

    case.lapse()
    case.tell()

    assert await case.seen() == 200
    assert await reader.follow() == []


async def test_a_confirmation_prolongs_it(case: Case) -> None:
    disclosure = await case.opened()
    below_policies(case.hub, "UPDATE emergencies SET until = now() + interval '1 minute'")
    path = f"{case.path}/disclosures/{disclosure['id']}/confirm"

    stale = await case.commander.post(path, {"reason": "Not found yet."}, '"7"')
    missing = await case.commander.post(path, {"reason": "Not found yet."})
    powerless = await case.korea.post(path, {"reason": "Not found yet."}, '"1"')
    foreign = await case.hub.caller("KH-CNP", "commander").post(path, {"reason": "x"}, '"1"')
    key = {"Idempotency-Key": "once"}
    confirmed = await case.commander.post(path, {"reason": "Not found yet."}, '"1"', headers=key)
    repeated = await case.commander.post(path, {"reason": "Not found yet."}, '"1"', headers=key)

    assert [a.status_code for a in (stale, missing, powerless, foreign)] == [412, 428, 403, 403]
    assert (confirmed.status_code, confirmed.json()["version"], confirmed.headers["ETag"]) == (200, 2, '"2"')
    assert (repeated.content, repeated.headers["Idempotency-Replayed"]) == (confirmed.content, "true")
    assert confirmed.json()["lapses_at"] > disclosure["lapses_at"]
    ((until,),) = case.hub.look("SELECT until FROM emergencies")
    assert until - clock.now() > timedelta(hours=71)


async def test_a_confirmation_on_a_legal_basis_makes_it_an_ordinary_disclosure(case: Case) -> None:
    disclosure = await case.opened()
    basis = agree(case.hub, "KR-KNPA", "KH-CNP")
    reader = await follower(case.cambodia)
    path = f"{case.path}/disclosures/{disclosure['id']}"

    sent = {"legal_basis": basis, "reason": "The memorandum is signed."}
    both = case.hub.caller("KR-KNPA", "commander", "analyst")
    confirmed = await both.post(f"{path}/confirm", sent, '"1"')
    again = await both.post(f"{path}/confirm", sent, '"2"')
    case.lapse()
    case.tell()

    lasting = (await case.korea.get(f"{case.path}/disclosures/{confirmed.json()['confirmed_by']}")).json()
    assert (lasting["legal_basis"], lasting["emergency"], lasting["agencies"]) == (basis, False, ["KH-CNP"])
    assert again.status_code == 409
    assert await case.seen() == 200
    assert await reader.follow() == []
    put_in_force(case.hub, basis, in_force=False)
    assert await case.seen() == 404


async def test_a_confirmation_on_an_agreement_that_does_not_cover_it_changes_nothing(case: Case) -> None:
    disclosure = await case.opened()
    basis = agree(case.hub, "KR-KNPA", "KH-CNP", in_force=False)
    path = f"{case.path}/disclosures/{disclosure['id']}"

    both = case.hub.caller("KR-KNPA", "commander", "analyst")
    refused = await both.post(f"{path}/confirm", {"legal_basis": basis, "reason": "x"}, '"1"')

    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "no-legal-basis")
    assert (await case.korea.get(path)).json() == disclosure
    assert len((await case.korea.get(f"{case.path}/disclosures")).json()["items"]) == 1


async def test_what_has_lapsed_is_confirmed_no_more(case: Case) -> None:
    disclosure = await case.opened()
    case.lapse()
    path = f"{case.path}/disclosures/{disclosure['id']}/confirm"

    assert (await case.commander.post(path, {"reason": "x"}, '"1"')).status_code == 409
    assert await case.seen() == 404


async def test_an_ordinary_disclosure_needs_no_confirmation(case: Case) -> None:
    await case.opened()
    basis = agree(case.hub, "KR-KNPA", "KH-CNP")
    sent = {"agencies": ["KH-CNP"], "purpose": "p", "legal_basis": basis}
    ordinary = (await case.korea.post(f"{case.path}/disclosures", sent)).json()

    path = f"{case.path}/disclosures/{ordinary['id']}/confirm"
    assert (await case.commander.post(path, {"reason": "x"}, '"1"')).status_code == 409


async def test_it_takes_the_permission_for_it_and_nothing_else_does(case: Case) -> None:
    await case.opened()
    path = f"{case.path}/disclosures"

    by_analyst = await case.korea.post(path, URGENT)
    tried = await case.korea.post(f"{path}?dry_run=true", URGENT)
    by_commander = await case.commander.post(path, {"agencies": ["KH-CNP"], "purpose": "p"})
    by_nobody = await case.hub.caller("KR-KNPA", "auditor").post(path, URGENT)
    by_reader = await case.hub.caller("KH-CNP", "commander").post(path, URGENT)

    assert {a.status_code for a in (by_analyst, tried, by_commander, by_nobody, by_reader)} == {403}


@pytest.mark.parametrize(
    ("wrong", "flaw"),
    [
        ({"reason": None}, ("/reason", "reason-and-emergency")),
        ({"groups": ["01920000-0000-7000-8000-000000000000"]}, ("/groups", "emergency-for-groups")),
        ({"legal_basis": "01920000-0000-7000-8000-000000000000"}, ("/legal_basis", "emergency-with-basis")),
        ({"agencies": ["ZZ-NONE"]}, ("/agencies/0", "unknown-reference")),
    ],
)
async def test_what_is_wrong_with_it_is_said(case: Case, wrong: dict[str, Any], flaw: tuple[str, str]) -> None:
    await case.opened()

    answer = await case.commander.post(f"{case.path}/disclosures", {**URGENT, **wrong})

    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [flaw]


async def test_an_exclusion_holds_in_an_emergency(case: Case) -> None:
    await case.opened()
    handling = await case.korea.get(f"{case.path}/handling")
    shut = {**handling.json(), "audience": {"excluded": ["KH-CNP"]}}
    assert (await case.korea.put(f"{case.path}/handling", shut, handling.headers["ETag"])).status_code == 200

    assert await case.seen() == 404
    again = await case.commander.post(f"{case.path}/disclosures", URGENT)
    assert [error["code"] for error in again.json()["errors"]] == ["agency-excluded"]


async def test_changes_of_the_rest_leave_it_open(case: Case) -> None:
    await case.opened()
    handling = await case.korea.get(f"{case.path}/handling")
    changed = await case.korea.put(
        f"{case.path}/handling", {**handling.json(), "caveat": "Ask first."}, handling.headers["ETag"]
    )

    assert changed.status_code == 200
    assert await case.seen() == 200
    assert (await case.cambodia.get(f"{case.path}/versions")).status_code == 200


async def test_a_dry_run_says_who_would_see_it(case: Case) -> None:
    await case.opened()
    case.hub.register("TH-RTP")

    tried = await case.commander.post(f"{case.path}/disclosures?dry_run=true", {**URGENT, "agencies": ["TH-RTP"]})

    assert (tried.status_code, tried.json()["gained"]) == (200, ["TH-RTP"])
    assert case.hub.look("SELECT count(*) FROM emergencies") == [(1,)]
