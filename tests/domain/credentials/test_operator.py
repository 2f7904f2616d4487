"""Credentials in the hands of the operator, at the host's command line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.access.desk import Desk, open_operator_desk
from app.core.database_roles import DatabaseRole
from app.core.db import Database
from app.core.problems import FORBIDDEN, Problem
from app.domain.agencies import directory, standing
from app.domain.credentials import issuing, keeping
from app.domain.credentials.powers import Power, power_over
from app.domain.credentials.shapes import CredentialCreate, CredentialStatus, Rotation
from app.identity.roles import Role
from tests.conftest import Hub
from tests.routers.entrance import Key, admit, platform_admin


@asynccontextmanager
async def at_host(hub: Hub, agency: str | None) -> AsyncIterator[Desk]:
    database = Database(hub.conninfo(DatabaseRole.WORKER), 2)
    await database.open()
    try:
        async with open_operator_desk(database, agency, officer="root", purpose="set-up", request_id="cli") as desk:
            yield desk
    finally:
        await database.close()


def wanted(*roles: Role) -> CredentialCreate:
    return CredentialCreate(label="case system", roles=list(roles))


async def test_the_operator_issues_rotates_and_revokes_for_an_agency_and_it_is_told(hub: Hub) -> None:
    hub.register("KR-KNPA")
    async with at_host(hub, "KR-KNPA") as desk:
        assert await power_over(desk, "KR-KNPA") is Power.KEEP
        issued = await issuing.issue(desk, "KR-KNPA", Power.KEEP, wanted(Role.ANALYST, Role.AGENCY_ADMIN))
    assert issued.client_secret is not None
    partner = await Key(hub, "KR-KNPA", issued.client_id, issued.client_secret).sign_in()
    async with at_host(hub, "KR-KNPA") as desk:
        found = await keeping.fetch(desk, "KR-KNPA", issued.client_id)
        rotated = await issuing.rotate(desk, found, Rotation())
    assert rotated.client_secret not in (None, issued.client_secret)
    async with at_host(hub, "KR-KNPA") as desk:
        found = await keeping.fetch(desk, "KR-KNPA", issued.client_id)
        assert (await keeping.revoke(desk, found)).status is CredentialStatus.REVOKED, "the last administrator too"
    assert (await partner.get("/v1/me")).status_code == 401
    told = hub.look("SELECT type FROM events WHERE audience = '{KR-KNPA}' ORDER BY at")
    assert [row[0] for row in told] == ["credential.issued", "credential.rotated", "credential.revoked"]
    entries = hub.look("SELECT action, agency, officer FROM audit_entries WHERE client_id = 'operator' ORDER BY at")
    assert entries == [
        ("credential.issue", "KR-KNPA", "root"),
        ("credential.rotate", "KR-KNPA", "root"),
        ("credential.revoke", "KR-KNPA", "root"),
    ]


async def test_the_operator_issues_the_hubs_administrators_and_no_other_mixture(hub: Hub) -> None:
    async with at_host(hub, "HUB") as desk:
        issued = await issuing.issue(desk, "HUB", Power.KEEP, wanted(Role.PLATFORM_ADMIN))
    assert issued.client_secret is not None
    root = await Key(hub, "HUB", issued.client_id, issued.client_secret).sign_in()
    await admit(root, "KR-KNPA")
    for agency, roles in (
        ("HUB", (Role.PLATFORM_ADMIN, Role.ANALYST)),
        ("HUB", (Role.ANALYST,)),
        ("KR-KNPA", (Role.PLATFORM_ADMIN,)),
    ):
        with pytest.raises(Problem) as caught:
            async with at_host(hub, agency) as desk:
                await issuing.issue(desk, agency, Power.KEEP, wanted(*roles))
        assert caught.value.type is FORBIDDEN


async def test_the_operator_suspends_and_reinstates(hub: Hub) -> None:
    korea = await admit(await platform_admin(hub), "KR-KNPA")
    async with at_host(hub, None) as desk:
        await standing.suspend(desk, await directory.fetch(desk, "KR-KNPA"))
    assert (await korea.get("/v1/me")).status_code == 401
    async with at_host(hub, None) as desk:
        assert (await standing.reinstate(desk, await directory.fetch(desk, "KR-KNPA"))).version == 3
