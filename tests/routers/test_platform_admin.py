"""A platform administrator who tries to see content, or to get more than it was given."""

import asyncio
from collections.abc import Iterator

import pytest
from psycopg import errors, sql

from app.access.desk import open_desk
from app.core import clock
from app.identity.callers import Visit
from tests.conftest import Hub, Partner
from tests.routers.entrance import admit, grant, platform_admin

# What the hub is there for, and what is for anybody. Whatever else there is must stay shut, also what comes later.
OPEN = (
    *("/oauth/", "/.well-known/", "/health/", "/problems", "/docs", "/openapi", "/metrics"),
    *("/v1/me", "/v1/agencies", "/v1/audit/"),
)
FIRST = {"label": "mine", "roles": ["agency_admin"]}


@pytest.fixture
async def root(hub: Hub) -> Partner:
    return await platform_admin(hub)


def calls_for_members(hub: Hub, record: str) -> Iterator[tuple[str, str]]:
    for path, operations in hub.app.openapi()["paths"].items():
        if not path.startswith(OPEN) and path != "/":
            filled = path
            while "{" in filled:
                name = filled[filled.index("{") : filled.index("}") + 1]
                filled = filled.replace(name, "1" if name == "{number}" else record)
            for method, spec in operations.items():
                asked = [
                    one["name"] for one in spec.get("parameters", []) if one["in"] == "query" and one.get("required")
                ]
                values = {"kind": "criminal-organizations", "record": record}
                query = "&".join(f"{name}={values[name]}" for name in asked)
                yield method.upper(), f"{filled}?{query}" if query else filled


async def test_no_call_for_members_answers_the_hub(hub: Hub, root: Partner) -> None:
    korea = hub.caller((await admit(root, "KR-KNPA")).agency)
    profile = await korea.profile("Bokor Group", handling={"tlp": "GREEN", "audience": {"community": True}})
    every_permission = Partner(hub, "HUB", root.client_id, hub.token(root.client_id, scope=hub.stranger_permissions()))

    asked = list(calls_for_members(hub, profile["id"]))

    assert len(asked) > 20
    assert ("GET", f"/v1/criminal-organizations/{profile['id']}/handling") in asked
    for method, path in asked:
        for caller in (root, every_permission):
            answer = await caller.call(method, path, headers={"If-Match": "*", "Access-Purpose": "audit"})
            assert answer.status_code == 403, f"{method} {path}: {answer.text}"
            assert "Bokor" not in answer.text
    for filters in ({"q": "Bokor"}, {"originator": "KR-KNPA"}, {"shared_with_me": "true"}):
        assert (await every_permission.get("/v1/criminal-organizations", params=filters)).status_code == 403


async def test_below_the_doors_the_hub_sees_no_row_of_content(hub: Hub, root: Partner) -> None:
    korea = hub.partner("KR-KNPA")
    await korea.profile("Bokor Group", handling={"tlp": "CLEAR", "audience": {"community": True}})
    house = hub.app.state.house
    claims = house.tokens.verify(root.access_token, house.keys, clock.now())
    async with open_desk(house.database, Visit(claims, "test", "127.0.0.1")) as desk:
        for table in ("records", "record_versions", "disclosures", "record_links", "amendments", "sightings", "events"):
            rows = await desk.rows(sql.SQL("SELECT count(*) AS n FROM {}").format(sql.Identifier(table)))
            assert rows[0].n == 0, table
        assert await desk.rows(sql.SQL("SELECT FROM credentials WHERE agency <> 'HUB'")) == []
        assert await desk.rows(sql.SQL("SELECT FROM audit_entries WHERE agency <> 'HUB'")) == []


async def test_the_hub_stands_in_no_audience(hub: Hub, root: Partner) -> None:
    korea = hub.partner("KR-KNPA")
    body = {"name": "Bokor Group", "handling": {"tlp": "AMBER", "audience": {"agencies": ["HUB"]}}}
    assert (await korea.post("/v1/criminal-organizations", body)).status_code == 422
    assert (await root.get("/v1/me")).json()["groups"] == []


async def test_the_hub_gets_no_more_than_it_was_given(root: Partner) -> None:
    korea = await admit(root, "KR-KNPA")
    own, theirs = "/v1/agencies/HUB/credentials", "/v1/agencies/KR-KNPA/credentials"
    for roles in (["analyst"], ["platform_admin", "analyst"], ["agency_admin"], ["auditor", "commander"]):
        assert (await root.post(own, {"label": "mine", "roles": roles})).status_code == 403
        assert (await root.patch(f"{own}/{root.client_id}", {"roles": roles}, etag='"1"')).status_code == 403
    assert (await root.post(theirs, FIRST)).status_code == 403, "a second administrator"
    for roles in (["analyst"], ["agency_admin", "analyst"], ["platform_admin"], ["connector"]):
        assert (await root.post(theirs, {"label": "mine", "roles": roles})).status_code == 403
    path = f"{theirs}/{korea.client_id}"
    assert (await root.get(theirs)).status_code == 403
    assert (await root.get(path)).status_code == 403
    assert (await root.patch(path, {"label": "x"}, etag='"1"')).status_code == 403
    assert (await root.post(f"{path}/rotate", etag="*")).status_code == 403
    assert (await root.post(f"{path}/revoke", etag="*")).status_code == 403
    assert (await root.get("/v1/agencies/XX-NONE/credentials")).status_code == 404
    assert (await korea.get("/v1/me")).status_code == 200


async def test_of_two_first_administrators_asked_for_at_once_one_is_issued(hub: Hub, root: Partner) -> None:
    for code in ("KR-A", "KR-B", "KR-C"):
        hub.register(code)
        answers = await asyncio.gather(*(root.post(f"/v1/agencies/{code}/credentials", FIRST) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 403, 403, 403]
        assert hub.look("SELECT count(*) FROM credentials WHERE agency = %s", code) == [(1,)]


async def test_the_policies_refuse_a_second_administrator_too(hub: Hub, root: Partner) -> None:
    await admit(root, "KR-KNPA")
    house = hub.app.state.house
    claims = house.tokens.verify(root.access_token, house.keys, clock.now())
    insert = (
        "INSERT INTO credentials (client_id, agency, label, roles, auth_method, secret_hash)"
        " VALUES ('x', '{}', 'x', ARRAY['{}'], 'client_secret', '')"
    )
    hub.register("TH-RTP")
    for code, role in (
        ("KR-KNPA", "agency_admin"),
        ("TH-RTP", "analyst"),
        ("TH-RTP", "platform_admin"),
        ("HUB", "analyst"),
    ):
        with pytest.raises((errors.InsufficientPrivilege, errors.CheckViolation)):
            async with open_desk(house.database, Visit(claims, "test", "127.0.0.1")) as desk:
                await desk.rows(sql.SQL(insert.format(code, role)))


async def test_the_hub_keeps_its_own_administrators_and_at_least_one(root: Partner) -> None:
    own = "/v1/agencies/HUB/credentials"
    assert (await root.post(f"{own}/{root.client_id}/revoke", etag="*")).status_code == 409
    second = await (await grant(root, "platform_admin", label="second")).sign_in()
    assert (await second.post(f"{own}/{root.client_id}/revoke", etag="*")).status_code == 200
    assert (await root.get("/v1/me")).status_code == 401
    assert (await second.post(f"{own}/{root.client_id}/rotate", etag="*")).status_code == 409
    assert [each["status"] for each in (await second.get(own)).json()["items"]] == ["revoked", "active"]


async def test_an_agencys_administrator_reaches_no_other_agency(root: Partner) -> None:
    korea, thailand = await admit(root, "KR-KNPA"), await admit(root, "TH-RTP")
    unknown = [await korea.get(f"/v1/agencies/{code}/credentials") for code in ("TH-RTP", "HUB", "XX-NONE", "%00")]
    assert {answer.status_code for answer in unknown} == {404}
    assert len({answer.json()["detail"] for answer in unknown}) == 1
    for code in ("TH-RTP", "HUB", "XX-NONE"):
        path = f"/v1/agencies/{code}/credentials"
        assert (await korea.post(path, FIRST)).status_code == 404
        for client_id in (thailand.client_id, root.client_id, "idc_none"):
            assert (await korea.get(f"{path}/{client_id}")).status_code == 404
            assert (await korea.patch(f"{path}/{client_id}", {"label": "x"}, etag="*")).status_code == 404
            assert (await korea.post(f"{path}/{client_id}/rotate", etag="*")).status_code == 404
            assert (await korea.post(f"{path}/{client_id}/revoke", etag="*")).status_code == 404
    assert (await korea.get(f"/v1/agencies/KR-KNPA/credentials/{thailand.client_id}")).status_code == 404
    analyst = await (await grant(korea, "analyst", "auditor")).sign_in()
    for code in ("KR-KNPA", "TH-RTP", "XX-NONE"):
        assert (await analyst.get(f"/v1/agencies/{code}/credentials")).status_code == 403
        assert (await analyst.post(f"/v1/agencies/{code}/credentials", FIRST)).status_code == 403
