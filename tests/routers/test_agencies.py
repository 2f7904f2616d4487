"""The directory over HTTP, and the hub's decisions about who takes part."""

import asyncio
from typing import Any

import pytest
from psycopg import errors, sql

from app.access.desk import open_desk
from app.core import clock
from app.identity.callers import Visit
from tests.conftest import Hub, Partner
from tests.routers.entrance import admit, grant, issue, platform_admin

PATH = "/v1/agencies"
KOREA = {
    "code": "KR-KNPA",
    "name": "Korean National Police Agency",
    "native_name": "경찰청",
    "kind": "national_police",
    "country": "KR",
    "languages": ["ko", "en", "ko"],
    "time_zone": "Asia/Seoul",
    "contact": {"phone": "+82 2 3150 0000", "email": "duty@police.example"},
}


@pytest.fixture
async def root(hub: Hub) -> Partner:
    return await platform_admin(hub)


def events(hub: Hub) -> list[Any]:
    return [
        row[0] for row in hub.look("SELECT type FROM events WHERE audience = '{KR-KNPA}' AND kind IS NULL ORDER BY at")
    ]


def trail(hub: Hub, agency: str) -> list[Any]:
    return [
        row[0]
        for row in hub.look(
            "SELECT action FROM audit_entries WHERE agency = %s AND outcome = 'done' ORDER BY at", agency
        )
    ]


async def test_an_agency_is_admitted_and_read_by_every_member(hub: Hub, root: Partner) -> None:
    created = await root.post(PATH, KOREA)

    assert created.status_code == 201, created.text
    assert (created.headers["Location"], created.headers["ETag"]) == (f"{PATH}/KR-KNPA", '"1"')
    body = created.json()
    moments = {body.pop("created_at"), body.pop("updated_at")}
    assert all(moment.endswith("Z") for moment in moments)
    assert body == KOREA | {
        "languages": ["ko", "en"],
        "contact": {"phone": "+82231500000", "email": "duty@police.example"},
        "status": "active",
        "version": 1,
    }
    for role in ("analyst", "auditor", "connector"):
        member = hub.caller("KR-KNPA", role)
        answer = await member.get(f"{PATH}/KR-KNPA")
        assert answer.json() == created.json()
        unchanged = await member.get(f"{PATH}/KR-KNPA", headers={"If-None-Match": answer.headers["ETag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_a_code_is_never_used_twice_and_the_hubs_is_taken(root: Partner) -> None:
    assert (await root.post(PATH, KOREA)).status_code == 201
    assert (await root.post(PATH, KOREA)).status_code == 409
    assert (await root.post(f"{PATH}/KR-KNPA/suspend", etag="*")).status_code == 200
    assert (await root.post(PATH, KOREA)).status_code == 409
    assert (await root.post(PATH, KOREA | {"code": "HUB"})).status_code == 409


async def test_two_who_admit_the_same_code_at_once_make_one_agency(root: Partner) -> None:
    answers = await asyncio.gather(*(root.post(PATH, KOREA) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"code": "kr-knpa"}, "/code"),
        ({"code": "KR--KNPA"}, "/code"),
        ({"name": "  "}, "/name"),
        ({"kind": "secret_service"}, "/kind"),
        ({"country": "XX"}, "/country"),
        ({"languages": ["klingon!"]}, "/languages/0"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"contact": {"phone": "117"}}, "/contact/phone"),
        ({"contact": {"fax": "x"}}, "/contact/fax"),
        ({"hub": True}, "/hub"),
        ({"status": "suspended"}, "/status"),
        ({"version": 7}, "/version"),
    ],
)
async def test_an_entry_that_is_not_right_is_refused_with_a_pointer(
    root: Partner, change: dict[str, Any], pointer: str
) -> None:
    answer = await root.post(PATH, KOREA | change)
    assert answer.status_code == 422, answer.text
    assert [flaw["pointer"] for flaw in answer.json()["errors"]] == [pointer]


async def test_only_the_hub_admits_suspends_and_reinstates(root: Partner) -> None:
    korea = await admit(root, "KR-KNPA")
    everything = await (await grant(korea, "analyst", "commander", "agency_admin", "auditor")).sign_in()
    for caller in (korea, everything):
        assert (await caller.post(PATH, KOREA | {"code": "KR-OTHER"})).status_code == 403
        for act in ("suspend", "reinstate", "revoke-all"):
            assert (await caller.post(f"{PATH}/KR-KNPA/{act}", etag="*")).status_code == 403
            assert (await caller.post(f"{PATH}/XX-NONE/{act}", etag="*")).status_code == 403
    assert (await root.post(f"{PATH}/XX-NONE/suspend", etag="*")).status_code == 404
    assert (await root.post(f"{PATH}/%00/suspend", etag="*")).status_code == 404


async def test_an_agencys_administrator_keeps_names_languages_time_zone_and_contact(hub: Hub, root: Partner) -> None:
    korea, thailand = await admit(root, "KR-KNPA", country="KR"), await admit(root, "TH-RTP", country="TH")
    path = f"{PATH}/KR-KNPA"
    own = {
        "name": "KNPA",
        "native_name": "경찰청",
        "languages": ["ko"],
        "time_zone": "Asia/Seoul",
        "contact": {"email": "a@police.example"},
    }

    changed = await korea.patch(path, own, etag='"1"')
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert {name: changed.json()[name] for name in own} == own | {
        "contact": {"phone": None, "email": "a@police.example"}
    }
    assert (await korea.patch(path, {"native_name": None}, etag='"2"')).json()["native_name"] is None
    assert (await korea.patch(path, {"native_name": None}, etag='"3"')).headers["ETag"] == '"3"', "nothing differs"

    for theirs in ({"kind": "immigration"}, {"country": "KH"}, {"country": None, "name": "x"}):
        assert (await korea.patch(path, theirs, etag='"3"')).status_code == 403
    assert (await thailand.patch(path, {"name": "x"}, etag='"3"')).status_code == 403
    assert (await thailand.patch(f"{PATH}/XX-NONE", {"name": "x"}, etag='"3"')).status_code == 404
    analyst = await (await grant(korea, "analyst")).sign_in()
    assert (await analyst.patch(path, {"name": "x"}, etag='"3"')).status_code == 403
    narrowed = await (await grant(korea, "agency_admin")).sign_in(scope="directory:read")
    assert (await narrowed.patch(path, {"name": "x"}, etag='"3"')).status_code == 403
    assert (await root.patch(path, {"kind": "immigration"}, etag='"3"')).json()["kind"] == "immigration"
    assert events(hub).count("agency.updated") == 3


async def test_a_change_needs_the_present_version(root: Partner) -> None:
    await root.post(PATH, KOREA)
    path = f"{PATH}/KR-KNPA"
    assert (await root.patch(path, {"name": "A"})).status_code == 428
    assert (await root.patch(path, {"name": "A"}, etag='"1"')).status_code == 200
    assert (await root.patch(path, {"name": "B"}, etag='"1"')).status_code == 412
    assert (await root.patch(path, {"code": "KR-X"}, etag='"2"')).status_code == 422
    assert (await root.patch(path, {"status": "suspended"}, etag='"2"')).status_code == 422
    assert (await root.patch(path, {"name": None}, etag='"2"')).status_code == 422
    text = await root.call("PATCH", path, content="x", headers={"If-Match": '"2"', "Content-Type": "text/plain"})
    assert text.status_code == 415
    assert "merge-patch" in text.headers["Accept-Patch"]
    answers = await asyncio.gather(*(root.patch(path, {"name": f"N{n}"}, etag='"2"') for n in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]


async def test_a_suspended_agency_is_out_with_the_next_request_and_comes_back_only_by_signing_in(
    hub: Hub, root: Partner
) -> None:
    korea = await admit(root, "KR-KNPA")
    key = await grant(korea, "analyst")
    analyst = await key.sign_in()

    suspended = await root.post(f"{PATH}/KR-KNPA/suspend", etag="*")

    assert (suspended.json()["status"], suspended.headers["ETag"]) == ("suspended", '"2"')
    for caller in (korea, analyst):
        assert (await caller.get("/v1/me")).status_code == 401
        assert (await caller.get("/v1/criminal-organizations")).status_code == 401
    assert (await key.ask()).status_code == 401
    assert (await root.post(f"{PATH}/KR-KNPA/suspend", etag="*")).status_code == 409
    reinstated = await root.post(f"{PATH}/KR-KNPA/reinstate", etag="*")
    assert reinstated.json()["status"] == "active"
    assert (await root.post(f"{PATH}/KR-KNPA/reinstate", etag="*")).status_code == 409
    assert (await analyst.get("/v1/me")).status_code == 401, "a token from before stays ended"
    assert (await (await key.sign_in()).get("/v1/me")).status_code == 200
    assert [each for each in events(hub) if each.startswith("agency.")] == [
        "agency.created",
        "agency.suspended",
        "agency.reinstated",
    ]
    assert {"agency.suspend", "agency.reinstate"} <= set(trail(hub, "HUB")) & set(trail(hub, "KR-KNPA"))


async def test_revoke_all_ends_every_token_and_no_credential(hub: Hub, root: Partner) -> None:
    korea, thailand = await admit(root, "KR-KNPA"), await admit(root, "TH-RTP")
    key = await grant(korea, "analyst")
    analyst = await key.sign_in()

    answer = await root.post(f"{PATH}/KR-KNPA/revoke-all", etag="*")

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert [(await caller.get("/v1/me")).status_code for caller in (korea, analyst, thailand)] == [401, 401, 200]
    assert (await (await key.sign_in()).get("/v1/me")).status_code == 200
    assert events(hub)[-1] == "agency.tokens_revoked"


async def test_the_hub_cannot_shut_itself_out(root: Partner) -> None:
    assert (await root.post(f"{PATH}/HUB/suspend", etag="*")).status_code == 409
    assert (await root.get("/v1/me")).status_code == 200
    assert (await root.post(f"{PATH}/HUB/revoke-all", etag="*")).status_code == 200
    assert (await root.get("/v1/me")).status_code == 401


async def test_the_hubs_own_agency_stands_in_no_members_directory(root: Partner) -> None:
    korea = await admit(root, "KR-KNPA")
    assert [each["code"] for each in (await korea.get(PATH)).json()["items"]] == ["KR-KNPA"]
    hidden, unknown = await korea.get(f"{PATH}/HUB"), await korea.get(f"{PATH}/NONE")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json()["detail"] == unknown.json()["detail"]
    assert (await korea.patch(f"{PATH}/HUB", {"name": "x"}, etag='"1"')).status_code == 404
    assert (await root.get(f"{PATH}/HUB")).status_code == 200


async def test_the_list_pages_filters_and_comes_as_csv(root: Partner) -> None:
    for number in range(5):
        kind = "immigration" if number % 2 else "national_police"
        await root.post(
            PATH, {"code": f"KR-A{number}", "name": f"=A{number}", "kind": kind, "country": "KR", "languages": ["ko"]}
        )
    await root.patch(f"{PATH}/KR-A0", {"name": "changed"}, etag='"1"')

    seen: list[str] = []
    path: str | None = f"{PATH}?limit=2&country=KR"
    while path:
        answer = await root.get(path)
        seen += [each["code"] for each in answer.json()["items"]]
        link = answer.headers.get("Link")
        path = link[link.index("/v1") : link.index(">")] if link else None
    assert seen == ["KR-A0", "KR-A4", "KR-A3", "KR-A2", "KR-A1"]

    async def codes(**filters: str) -> list[str]:
        return [each["code"] for each in (await root.get(PATH, params=filters)).json()["items"]]

    assert await codes(country="KR", order="created_at", limit="1") == ["KR-A4"]
    assert await codes(kind="immigration") == ["KR-A3", "KR-A1"]
    assert await codes(language="km") == []
    assert await codes(status="suspended") == []
    moment = (await root.get(f"{PATH}/KR-A4")).json()["updated_at"]
    assert await codes(updated_after=moment) == ["KR-A0"]
    cursor = (await root.get(PATH, params={"limit": 1})).json()["next_cursor"]
    assert (await root.get(PATH, params={"cursor": cursor, "country": "KR"})).status_code == 400
    assert (await root.get(PATH, params={"cursor": "x"})).status_code == 400
    assert (await root.get(PATH, params={"kind": "x"})).status_code == 400
    table = await root.get(PATH, params={"country": "KR"}, headers={"Accept": "text/csv"})
    assert table.headers["Content-Type"].startswith("text/csv")
    assert "'=A1" in table.text


async def test_a_repeated_call_answers_the_version_it_made(root: Partner) -> None:
    once = {"Idempotency-Key": "admit-1"}
    first = await root.post(PATH, KOREA, headers=once)
    await root.patch(f"{PATH}/KR-KNPA", {"name": "Later"}, etag='"1"')
    again = await root.post(PATH, KOREA, headers=once)
    assert (again.status_code, again.json(), again.headers["ETag"]) == (201, first.json(), '"1"')
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == f"{PATH}/KR-KNPA"
    assert (await root.post(PATH, KOREA | {"name": "x"}, headers=once)).status_code == 422

    suspended = await root.post(f"{PATH}/KR-KNPA/suspend", etag="*", headers=once)
    await root.post(f"{PATH}/KR-KNPA/reinstate", etag="*")
    repeated = await root.post(f"{PATH}/KR-KNPA/suspend", etag="*", headers=once)
    assert repeated.json() == suspended.json()
    assert (await root.get(f"{PATH}/KR-KNPA")).json()["status"] == "active", "a repeat moves nothing"


@pytest.mark.parametrize("move", ["suspend", "reinstate", "revoke-all"])
async def test_a_move_needs_the_present_version_or_a_star_in_an_emergency(root: Partner, move: str) -> None:
    await root.post(PATH, KOREA)
    if move == "reinstate":
        await root.post(f"{PATH}/KR-KNPA/suspend", etag='"1"')
    before = await root.get(f"{PATH}/KR-KNPA")
    path, once = f"{PATH}/KR-KNPA/{move}", {"Idempotency-Key": "m"}
    assert (await root.post(path)).status_code == 428
    assert (await root.post(path, headers=once)).status_code == 428
    assert (await root.post(path, etag='"9"')).status_code == 412
    assert (await root.post(path, etag="9")).status_code == 400
    assert (await root.get(f"{PATH}/KR-KNPA")).json() == before.json(), "what is refused moves nothing"
    assert (await root.post(path, etag=before.headers["ETag"], headers=once)).status_code == 200
    assert (await root.post(path, headers=once)).headers["Idempotency-Replayed"] == "true", "a repeat needs none"
    await root.post(f"{PATH}/KR-KNPA/{'suspend' if move == 'reinstate' else 'reinstate'}", etag="*")
    assert (await root.post(path, etag="*")).status_code == 200


async def test_the_database_itself_refuses_what_is_the_hubs(hub: Hub) -> None:
    admin = issue(hub, hub.register("KR-KNPA"), "agency_admin")
    house = hub.app.state.house
    partner = await admin.sign_in()
    claims = house.tokens.verify(partner.access_token, house.keys, clock.now())
    for statement in (
        "UPDATE agencies SET status = 'suspended' WHERE code = 'KR-KNPA'",
        "UPDATE agencies SET country = 'KH' WHERE code = 'KR-KNPA'",
        "UPDATE credentials SET agency = 'HUB'",
        "UPDATE credentials SET tokens_valid_from = now()",
        "INSERT INTO recoveries (agency, label, requested_by, effective_at) VALUES ('KR-KNPA', 'x', 'x', now())",
        "UPDATE recoveries SET effective_at = now()",
        "SELECT end_tokens('KR-KNPA')",
        "SELECT complete_recovery('KR-KNPA', uuid7(), 'x', '')",
        "SELECT tell_agency('HUB', 'agency.x', 'agency.x', '{}')",
    ):
        with pytest.raises((errors.CheckViolation, errors.InsufficientPrivilege)):
            async with open_desk(house.database, Visit(claims, "test", "127.0.0.1")) as desk:
                await desk.rows(sql.SQL(statement))
