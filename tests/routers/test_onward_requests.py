"""Passing on: a reader asks, the originator alone opens, and nobody else hears of it."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.core import clock
from app.models.vocabularies import RecordKind
from app.routers.onward_requests import onward_request_routes
from app.web.openapi.security import permissions_needed
from tests.conftest import Hub, Partner
from tests.events.following import follower
from tests.routers.entrance import below_policies

PATH = "/v1/criminal-organizations"


def in_days(days: float) -> str:
    return clock.rfc3339(clock.now() + timedelta(days=days))


def asked(*agencies: str, **fields: Any) -> dict[str, Any]:
    return {"agencies": list(agencies), "reason": "Arrests in December.", "respond_by": in_days(7), **fields}


async def ask(reader: Partner, path: str, *agencies: str) -> str:
    answer = await reader.post(f"{path}/onward-requests", asked(*agencies))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


class Case:
    """A record of Korea's that Cambodia and Laos read; Thailand does not, and Vietnam is kept from it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.korea, self.cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
        self.laos, self.thailand = hub.partner("LA-DOP"), hub.partner("TH-RTP")
        self.vietnam = hub.partner("VN-MPS")
        self.path = ""

    async def share(self) -> "Case":
        audience = {"agencies": ["KH-CNP", "LA-DOP"], "excluded": ["VN-MPS"]}
        handling = {"tlp": "AMBER", "codes": ["H2"], "audience": audience}
        self.path = f"{PATH}/{(await self.korea.profile(handling=handling))['id']}"
        return self

    async def audience(self) -> list[str]:
        return list((await self.korea.get(f"{self.path}/handling")).json()["audience"]["agencies"])


@pytest.fixture
async def case(hub: Hub) -> Case:
    return await Case(hub).share()


async def test_a_reader_asks_and_the_originator_opens(case: Case) -> None:
    korea, cambodia, thailand = case.korea, case.cambodia, case.thailand
    body = asked("TH-RTP")
    made = await cambodia.post(f"{case.path}/onward-requests", body)
    place = made.headers["Location"]
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    request = made.json()
    assert {name: request[name] for name in body} == body
    assert (request["agency"], request["state"], request["granted_to"], request["disclosure"]) == (
        *("KH-CNP", "requested"),
        *(None, None),
    )
    assert (await thailand.get(case.path)).status_code == 404
    assert (await korea.get(place)).json() == request
    assert (await korea.get(f"{case.path}/onward-requests")).json()["items"] == [request]

    granted = await korea.post(f"{place}/grant", {"note": "For this case."}, '"1"', headers={"On-Behalf-Of": "Insp. H"})

    assert (granted.status_code, granted.headers["ETag"]) == (200, '"2"')
    told = granted.json()
    assert (told["state"], told["granted_to"], told["decision_note"]) == ("granted", ["TH-RTP"], "For this case.")
    assert (await thailand.get(case.path)).status_code == 200
    # The grant is a disclosure, and names the requester to the originator.
    disclosure = (await korea.get(f"{case.path}/disclosures/{told['disclosure']}")).json()
    assert (disclosure["agencies"], disclosure["purpose"], disclosure["officer"]) == (
        *(["TH-RTP"], "Arrests in December."),
        "Insp. H",
    )
    assert (disclosure["requested_by"], disclosure["onward_request"]) == ("KH-CNP", request["id"])
    assert (await korea.get(f"{case.path}/disclosures")).json()["items"] == [disclosure]
    access = (await korea.get(f"{case.path}/access")).json()["items"]
    assert {row["agency"]: row["disclosure"] for row in access}["TH-RTP"] == told["disclosure"]
    # The requester learns the answer and not by which act it was carried out.
    seen = (await cambodia.get(place)).json()
    assert seen == {**told, "disclosure": None}
    # What readers see of the record did not change.
    assert (await cambodia.get(case.path)).headers["ETag"] == '"1"'


async def test_a_disclosure_that_nobody_asked_for_says_so(case: Case) -> None:
    made = await case.korea.post(f"{case.path}/disclosures", {"agencies": ["TH-RTP"], "purpose": "x"})
    assert (made.json()["requested_by"], made.json()["onward_request"]) == (None, None)


async def test_the_originator_grants_a_part(case: Case) -> None:
    case.hub.register("INTERPOL", kind="international_organization")
    place = await ask(case.cambodia, case.path, "TH-RTP", "INTERPOL")
    other = await case.korea.post(f"{place}/grant", {"agencies": ["TH-RTP", "VN-MPS"]}, '"1"')
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/agencies/1")
    assert other.json()["errors"][0]["code"] == "not-requested"
    part = await case.korea.post(f"{place}/grant", {"agencies": ["INTERPOL"]}, '"1"')
    assert (part.status_code, part.json()["granted_to"]) == (200, ["INTERPOL"])
    assert (await case.thailand.get(case.path)).status_code == 404
    assert await case.audience() == ["KH-CNP", "LA-DOP", "INTERPOL"]


async def test_a_refusal_says_why(case: Case) -> None:
    place = await ask(case.cambodia, case.path, "TH-RTP")
    assert (await case.korea.post(f"{place}/refuse", {}, '"1"')).status_code == 422
    refused = await case.korea.post(f"{place}/refuse", {"reason": "A source is at risk."}, '"1"')
    assert (refused.status_code, refused.json()["state"]) == (200, "refused")
    seen = await case.cambodia.get(place)
    assert (seen.json()["decision_note"], seen.json()["granted_to"]) == ("A source is at risk.", None)
    late = await case.korea.post(f"{place}/grant", {}, '"2"')
    assert (late.status_code, late.json()["type"]) == (409, "/problems/conflict")
    assert await case.audience() == ["KH-CNP", "LA-DOP"]


async def test_who_asked_may_think_again(case: Case) -> None:
    place = await ask(case.cambodia, case.path, "TH-RTP")
    assert (await case.korea.post(f"{place}/withdraw", etag='"1"')).status_code == 403
    assert (await case.cambodia.post(f"{place}/withdraw")).status_code == 428
    withdrawn = await case.hub.caller("KH-CNP").post(f"{place}/withdraw", etag='"1"')
    assert (withdrawn.status_code, withdrawn.json()["state"], withdrawn.json()["version"]) == (200, "withdrawn", 2)
    for transition, body in (("grant", {}), ("refuse", {"reason": "x"})):
        assert (await case.korea.post(f"{place}/{transition}", body, '"2"')).status_code == 409
    assert (await case.cambodia.post(f"{place}/withdraw", etag='"2"')).status_code == 409


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"agencies": ["KH-CNP"]}, "/agencies/0", "requester-named"),
        ({"agencies": ["TH-RTP", "KR-KNPA"]}, "/agencies/1", "originator-named"),
        ({"agencies": []}, "/agencies", "too_short"),
        ({"agencies": [f"ZZ-{number}" for number in range(21)]}, "/agencies", "too_long"),
        ({"respond_by": "2020-01-01T00:00:00Z"}, "/respond_by", "respond-by-not-ahead"),
        ({"respond_by": "2099-01-01T00:00:00Z"}, "/respond_by", "respond-by-too-late"),
        ({"respond_by": "2099-01-01"}, "/respond_by", "time-invalid"),
        ({"reason": " "}, "/reason", "string_too_short"),
        ({"groups": []}, "/groups", "extra_forbidden"),
    ],
)
async def test_a_request_that_is_not_right(case: Case, change: dict[str, Any], pointer: str, code: str) -> None:
    refused = await case.cambodia.post(f"{case.path}/onward-requests", {**asked("TH-RTP"), **change})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert refused.json()["errors"][0]["code"].replace("-", "_") == code.replace("-", "_")
    assert case.hub.look("SELECT FROM onward_requests") == []


async def test_unknown_agencies_and_the_hub_are_refused_alike(case: Case) -> None:
    answers = [await case.cambodia.post(f"{case.path}/onward-requests", asked(code)) for code in ("ZZ-NONE", "HUB")]
    assert {answer.status_code for answer in answers} == {422}
    assert answers[0].json()["type"] == "/problems/unknown-reference"
    assert [flaw["pointer"] for flaw in answers[0].json()["errors"]] == ["/agencies/0"]
    assert {**answers[0].json(), "request_id": ""} == {**answers[1].json(), "request_id": ""}


async def test_too_long_a_body_is_refused(case: Case) -> None:
    limit = case.hub.settings.body_limit
    body = {**asked("TH-RTP"), "reason": "x" * 2 * limit}
    assert (await case.cambodia.post(f"{case.path}/onward-requests", body)).status_code == 413
    place = await ask(case.cambodia, case.path, "TH-RTP")
    for transition in ("grant", "refuse"):
        long = await case.korea.post(f"{place}/{transition}", {"note": "x" * 2 * limit}, '"1"')
        assert long.status_code == 413


async def test_who_may_ask_and_who_may_answer(case: Case) -> None:
    hub, place = case.hub, await ask(case.cambodia, case.path, "TH-RTP")
    requests = f"{case.path}/onward-requests"
    # The originator has nobody to ask.
    assert (await case.korea.post(requests, asked("TH-RTP"))).status_code == 403
    # Whom the record is hidden from.
    for method, path in (("GET", requests), ("POST", requests), ("GET", place), ("POST", f"{place}/withdraw")):
        assert (await case.thailand.call(method, path, json=asked("LA-DOP"))).status_code == 404
    # Readers answer nothing, not even their own requests.
    for transition, body in (("grant", {}), ("refuse", {"reason": "x"})):
        assert (await case.cambodia.post(f"{place}/{transition}", body, '"1"')).status_code == 403
    # Roles that read and do not write may ask, and not answer; others may not even ask.
    officer = hub.caller("KH-CNP", "operations_officer")
    assert (await officer.post(requests, asked("TH-RTP"))).status_code == 201
    assert (await hub.caller("KR-KNPA", "operations_officer").post(f"{place}/grant", {}, '"1"')).status_code == 403
    assert (await hub.caller("KH-CNP", "auditor").post(requests, asked("TH-RTP"))).status_code == 403
    revoked = hub.caller("KH-CNP")
    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", revoked.client_id
    )
    assert (await revoked.post(requests, asked("TH-RTP"))).status_code == 401
    assert (await revoked.get(place)).status_code == 401


async def test_transitions_are_based_on_the_version_read(case: Case) -> None:
    place = await ask(case.cambodia, case.path, "TH-RTP")
    for transition in ("grant", "refuse"):
        assert (await case.korea.post(f"{place}/{transition}", {"reason": "x"})).status_code == 428
        assert (await case.korea.post(f"{place}/{transition}", {"reason": "x"}, '"3"')).status_code == 412
    assert (await case.cambodia.post(f"{place}/withdraw", etag='"0"')).status_code == 412
    unchanged = await case.cambodia.get(place, headers={"If-None-Match": '"1"'})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_a_repeated_call_asks_and_opens_once(case: Case) -> None:
    requests, body, key = f"{case.path}/onward-requests", asked("TH-RTP"), {"Idempotency-Key": "k"}
    first = await case.cambodia.post(requests, body, headers=key)
    again = await case.cambodia.post(requests, body, headers=key)
    assert (again.status_code, again.headers["Idempotency-Replayed"], again.json()) == (201, "true", first.json())
    assert (await case.cambodia.post(requests, asked("TH-RTP", reason="y"), headers=key)).status_code == 422
    place = first.headers["Location"]
    granted = await case.korea.post(f"{place}/grant", {}, '"1"', headers=key)
    repeated = await case.korea.post(f"{place}/grant", {}, '"1"', headers=key)
    assert (repeated.status_code, repeated.json()) == (200, granted.json())
    assert len((await case.korea.get(f"{case.path}/disclosures")).json()["items"]) == 1
    # The first call's repeat still answers what that one made.
    assert (await case.cambodia.post(requests, body, headers=key)).json() == first.json()
    assert len((await case.korea.get(requests)).json()["items"]) == 1


async def test_a_third_reader_hears_nothing_of_it(case: Case) -> None:
    laos, auditor = await follower(case.laos), case.hub.caller("LA-DOP", "auditor")
    place = await ask(case.cambodia, case.path, "TH-RTP")
    assert (await case.laos.get(f"{case.path}/onward-requests")).json()["items"] == []
    assert (await case.laos.get(place)).status_code == 404
    assert (await case.laos.post(f"{place}/withdraw", etag='"1"')).status_code == 404
    assert (await case.laos.post(f"{place}/grant", {}, '"1"')).status_code == 403
    await case.korea.post(f"{place}/grant", {}, '"1"')
    assert await _told(laos, case) == []
    for trail in ("own", "records"):
        assert "onward_request.grant" not in (await auditor.get("/v1/audit-entries", params={"of": trail})).text
    # Neither does whom it was opened to.
    assert (await case.thailand.get(f"{case.path}/onward-requests")).json()["items"] == []
    assert (await case.thailand.get(place)).status_code == 404


async def _told(reader: Any, case: Case) -> list[str]:
    case.hub.operator("SELECT sequence_events()")
    return [kind for kind, _ in await reader.follow()]


def _of_requests(told: list[str]) -> list[str]:
    return [kind for kind in told if kind.startswith("onward_request.")]


async def test_both_are_told_of_every_step(case: Case) -> None:
    korea, cambodia = await follower(case.korea), await follower(case.cambodia)
    place = await ask(case.cambodia, case.path, "TH-RTP")
    assert await _told(korea, case) == await _told(cambodia, case) == ["onward_request.requested"]
    assert cambodia.events[-1]["data"]["detail"] == {"onward_request": place.rpartition("/")[2]}
    await case.korea.post(f"{place}/grant", {}, '"1"')
    assert await _told(korea, case) == ["handling.changed", "onward_request.granted"]
    assert await _told(cambodia, case) == ["onward_request.granted"]
    assert cambodia.events[-1]["data"]["detail"] == {"onward_request": place.rpartition("/")[2]}
    place = await ask(case.cambodia, case.path, "TH-RTP")
    await case.korea.post(f"{place}/refuse", {"reason": "x"}, '"1"')
    place = await ask(case.cambodia, case.path, "TH-RTP")
    await case.cambodia.post(f"{place}/withdraw", etag='"1"')
    steps = [f"onward_request.{word}" for word in ("requested", "refused", "requested", "withdrawn")]
    assert await _told(korea, case) == await _told(cambodia, case) == steps


async def test_both_have_it_in_their_trails(case: Case) -> None:
    place = await ask(case.cambodia, case.path, "TH-RTP")
    granted = (await case.korea.post(f"{place}/grant", {}, '"1"')).json()

    async def trail(agency: str, **filters: str) -> list[dict[str, Any]]:
        answer = await case.hub.caller(agency, "auditor").get("/v1/audit-entries", params=filters)
        return [entry for entry in answer.json()["items"] if entry["action"].startswith("onward_request.")]

    (own,) = await trail("KR-KNPA")
    assert (own["action"], own["detail"]) == (
        "onward_request.grant",
        {
            "onward_request": granted["id"],
            "requested_by": "KH-CNP",
            "granted_to": ["TH-RTP"],
            "disclosure": granted["disclosure"],
        },
    )
    (theirs,) = await trail("KR-KNPA", of="records")
    assert (theirs["agency"], theirs["action"], theirs["detail"]) == ("KH-CNP", "onward_request.request", None)
    (requester,) = await trail("KH-CNP")
    assert requester["detail"] == {"onward_request": granted["id"], "agencies": ["TH-RTP"]}
    assert await trail("TH-RTP") == await trail("LA-DOP") == []


async def test_an_excluded_agency_is_asked_for_like_any_other(case: Case) -> None:
    place = await ask(case.cambodia, case.path, "TH-RTP", "VN-MPS")
    refused = await case.korea.post(f"{place}/grant", {}, '"1"')
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "agency-excluded")
    assert refused.json()["errors"][0]["pointer"] == "/agencies/1"
    # Nothing happened, and the requester sees nothing of it.
    assert (await case.cambodia.get(place)).headers["ETag"] == '"1"'
    assert await case.audience() == ["KH-CNP", "LA-DOP"]
    assert (await case.korea.get(f"{case.path}/disclosures")).json()["items"] == []
    part = await case.korea.post(f"{place}/grant", {"agencies": ["TH-RTP"]}, '"1"')
    assert part.status_code == 200
    assert (await case.vietnam.get(case.path)).status_code == 404


async def test_who_sees_the_record_already_can_be_asked_for(case: Case) -> None:
    laos = await follower(case.laos)
    place = await ask(case.cambodia, case.path, "LA-DOP")
    granted = await case.korea.post(f"{place}/grant", {}, '"1"')
    assert (granted.status_code, granted.json()["granted_to"]) == (200, ["LA-DOP"])
    assert await case.audience() == ["KH-CNP", "LA-DOP"]
    assert await _told(laos, case) == []


async def test_a_request_goes_with_the_sight_of_the_record(case: Case) -> None:
    place = await ask(case.cambodia, case.path, "TH-RTP")
    cambodia = await follower(case.cambodia)
    narrower: dict[str, Any] = {"tlp": "AMBER", "codes": ["H2"], "audience": {"agencies": ["LA-DOP"]}}
    handling = await case.korea.get(f"{case.path}/handling")
    assert (await case.korea.put(f"{case.path}/handling", narrower, handling.headers["ETag"])).status_code == 200
    for method, path in (("GET", place), ("POST", f"{place}/withdraw")):
        assert (await case.cambodia.call(method, path, headers={"If-Match": '"1"'})).status_code == 404
    # The originator keeps it, and may answer still; that is then not the requester's to know.
    assert (await case.korea.post(f"{place}/grant", {}, '"1"')).status_code == 200
    assert _of_requests(await _told(cambodia, case)) == []
    await case.korea.post(f"{case.path}/disclosures", {"agencies": ["KH-CNP"], "purpose": "x"})
    assert (await case.cambodia.get(place)).json()["state"] == "granted"
    assert _of_requests(await _told(cambodia, case)) == []


async def test_a_retracted_record_takes_its_requests_along(case: Case) -> None:
    place = await ask(case.cambodia, case.path, "TH-RTP")
    await case.korea.post(f"{case.path}/retract", etag='"1"')
    requests = f"{case.path}/onward-requests"
    assert (await case.cambodia.get(requests)).json()["items"] == []
    assert (await case.cambodia.get(place)).status_code == 404
    assert (await case.cambodia.post(f"{place}/withdraw", etag='"1"')).status_code == 404
    for answer in (
        await case.cambodia.post(requests, asked("TH-RTP")),
        await case.korea.post(f"{place}/grant", {}, '"1"'),
        await case.korea.post(f"{place}/refuse", {"reason": "x"}, '"1"'),
    ):
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/retracted")
    assert (await case.korea.get(place)).status_code == 200
    assert (await case.thailand.get(case.path)).status_code == 404


async def test_a_request_about_one_record_is_not_reached_by_another(case: Case) -> None:
    place = await ask(case.cambodia, case.path, "TH-RTP")
    other = await case.korea.profile("Other", share=["KH-CNP"])
    elsewhere = place.replace(case.path, f"{PATH}/{other['id']}")
    assert (await case.cambodia.get(elsewhere)).status_code == 404
    assert (await case.korea.post(f"{elsewhere}/grant", {}, '"1"')).status_code == 404


async def test_pages_and_states(case: Case) -> None:
    requests = f"{case.path}/onward-requests"
    places = [await ask(case.cambodia, case.path, "TH-RTP") for _ in range(5)]
    await case.cambodia.post(f"{places[2]}/withdraw", etag='"1"')
    await ask(case.laos, case.path, "TH-RTP")

    async def walk(partner: Partner, **filters: Any) -> list[str]:
        found: list[str] = []
        parameters = {"limit": 2, **filters}
        while True:
            answer = await partner.get(requests, params=parameters)
            found += [f"{requests}/{item['id']}" for item in answer.json()["items"]]
            if answer.json()["next_cursor"] is None:
                return found
            parameters["cursor"] = answer.json()["next_cursor"]

    assert await walk(case.cambodia) == places[::-1]
    assert len(await walk(case.korea)) == 6
    assert await walk(case.cambodia, state="withdrawn") == [places[2]]
    assert await walk(case.cambodia, state="requested") == [*places[:2], *places[3:]][::-1]
    assert (await case.cambodia.get(requests, params={"state": "nonsense"})).status_code == 400
    cursor = (await case.cambodia.get(requests, params={"limit": 1})).json()["next_cursor"]
    other = await case.cambodia.get(requests, params={"limit": 1, "state": "requested", "cursor": cursor})
    assert other.status_code == 400


async def test_of_answers_at_the_same_moment_one_holds(case: Case) -> None:
    for number in range(4):
        agency = case.hub.register(f"ZZ-{number}")
        place = await ask(case.cambodia, case.path, agency)
        answers: list[httpx.Response] = await asyncio.gather(
            case.korea.post(f"{place}/grant", {}, '"1"'),
            case.cambodia.post(f"{place}/withdraw", etag='"1"'),
            case.hub.caller("KR-KNPA").post(f"{place}/grant", {}, '"1"'),
            case.korea.post(f"{place}/refuse", {"reason": "x"}, '"1"'),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
        state = (await case.korea.get(place)).json()["state"]
        assert (agency in await case.audience()) is (state == "granted")
    disclosed = (await case.korea.get(f"{case.path}/disclosures")).json()["items"]
    granted = (await case.korea.get(f"{case.path}/onward-requests", params={"state": "granted"})).json()["items"]
    assert {one["id"] for one in disclosed} == {one["disclosure"] for one in granted}


def _let_time_pass(hub: Hub) -> None:
    below_policies(hub, "UPDATE onward_requests SET respond_by = respond_by - interval '8 days'")


async def test_what_is_not_answered_in_time_is_told_once(case: Case) -> None:
    waiting = await ask(case.cambodia, case.path, "TH-RTP")
    answered = await ask(case.cambodia, case.path, "TH-RTP")
    await case.korea.post(f"{answered}/refuse", {"reason": "x"}, '"1"')
    readers = [await follower(partner) for partner in (case.korea, case.cambodia, case.laos, case.thailand)]
    assert case.hub.operator("SELECT tell_overdue_onward_requests()") == [(0,)]
    _let_time_pass(case.hub)
    assert case.hub.operator("SELECT tell_overdue_onward_requests()") == [(1,)]
    assert case.hub.operator("SELECT tell_overdue_onward_requests()") == [(0,)]
    told = [await _told(reader, case) for reader in readers]
    assert told == [["onward_request.overdue"], ["onward_request.overdue"], [], []]
    assert readers[1].events[-1]["data"]["detail"] == {"onward_request": waiting.rpartition("/")[2]}
    trail = case.hub.look("SELECT agency FROM audit_entries WHERE action = 'onward_request.overdue' ORDER BY agency")
    assert trail == [("KH-CNP",), ("KR-KNPA",)]
    # The version stays: whoever is about to answer is not refused for it. A late answer is one.
    assert (await case.korea.post(f"{waiting}/grant", {}, '"1"')).status_code == 200


async def test_whoever_lost_sight_is_not_told_of_time_passing(case: Case) -> None:
    await ask(case.cambodia, case.path, "TH-RTP")
    retracted = await Case.share(case)
    await ask(case.cambodia, retracted.path, "TH-RTP")
    await case.korea.post(f"{retracted.path}/retract", etag='"1"')
    below_policies(case.hub, "UPDATE records SET audience = array_remove(audience, 'KH-CNP')")
    cambodia, korea = await follower(case.cambodia), await follower(case.korea)
    _let_time_pass(case.hub)
    assert case.hub.operator("SELECT tell_overdue_onward_requests()") == [(2,)]
    below_policies(case.hub, "UPDATE records SET audience = audience || ARRAY['KH-CNP']")
    assert await _told(cambodia, case) == []
    # Of a record that is retracted nobody is told any more.
    assert await _told(korea, case) == ["onward_request.overdue"]


@pytest.mark.parametrize("kind", RecordKind)
def test_every_kind_has_the_same_calls_under_its_own_permissions(kind: RecordKind) -> None:
    app = FastAPI()
    app.include_router(onward_request_routes(kind, "x"))
    noun = kind.value.replace("-", "_").removesuffix("s")
    reading = {f"list_{noun}_onward_requests", f"request_{noun}_onward_sharing", f"read_{noun}_onward_request"}
    writing = {f"grant_{noun}_onward_request", f"refuse_{noun}_onward_request"}
    assert permissions_needed(app) == {
        **{key: [kind.read] for key in [*reading, f"withdraw_{noun}_onward_request"]},
        **{key: [kind.write] for key in writing},
    }


async def test_a_record_of_another_kind_is_passed_on_alike(case: Case) -> None:
    kind = RecordKind.BULLETINS
    case.hub.app.include_router(onward_request_routes(kind, "x"))
    record = case.path.rpartition("/")[2]
    below_policies(case.hub, "UPDATE records SET kind = %s WHERE id = %s", kind.value, record)
    place = await ask(case.cambodia, f"/v1/{kind}/{record}", "TH-RTP")
    assert place.startswith(f"/v1/{kind}/{record}/onward-requests/")
    assert (await case.korea.post(f"{place}/grant", {}, '"1"')).json()["state"] == "granted"
    assert (await case.thailand.get(f"/v1/{kind}/{record}/onward-requests")).json()["items"] == []
    # By its former kind it is not there.
    assert (await case.korea.get(f"{case.path}/onward-requests")).status_code == 404
