"""H1: what may be read need not be taken out for every purpose; whoever says what for is told which records stay."""

from typing import Any
from uuid import UUID

import pytest

from app.access import exports
from app.access.desk import open_operator_desk
from app.core.database_roles import DatabaseRole
from app.core.db import Database
from app.core.problems import Problem
from app.models.vocabularies import ExportPurpose
from tests.conftest import Hub, Partner

PATH = "/v1/criminal-organizations"


def _handling(*codes: str, share: str = "KH-CNP") -> dict[str, Any]:
    caveat = "Ask first." if "H3" in codes else None
    return {"tlp": "AMBER", "codes": list(codes), "caveat": caveat, "audience": {"agencies": [share]}}


async def _library(hub: Hub) -> tuple[Partner, Partner, dict[str, dict[str, Any]]]:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    hub.register("TH-RTP")
    made = {
        "kept": await korea.profile("Kept", handling=_handling("H1", "H2"), status="active"),
        "free": await korea.profile("Free", handling=_handling("H2"), status="dormant"),
        "covered": await korea.profile("Covered", handling=_handling("H1", "H3")),
        "hidden": await korea.profile("Hidden", handling=_handling("H1", share="TH-RTP"), status="active"),
        "own": await cambodia.profile("Own", handling=_handling("H1", share="KR-KNPA"), status="relocated"),
    }
    return korea, cambodia, made


@pytest.mark.parametrize("accept", ["text/csv", "application/json"])
async def test_evidence_is_refused_where_a_provider_forbids_it(hub: Hub, accept: str) -> None:
    _, cambodia, made = await _library(hub)
    wanted = {"headers": {"Accept": accept}}

    refused = await cambodia.get(PATH, params={"export_purpose": "evidence"}, **wanted)

    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/handling-forbids")
    # Whatever the caller sees stands in the way, a cover too; what it does not see is not named, nor is its own.
    references = sorted(made[name]["reference"] for name in ("kept", "covered"))
    assert refused.json()["references"] == references
    assert all(reference in refused.json()["detail"] for reference in references)
    for purpose in ("intelligence", "investigation", "statistics", None):
        params = {"export_purpose": purpose} if purpose else {}
        assert (await cambodia.get(PATH, params=params, **wanted)).status_code == 200, purpose
    for narrowed in ({"status": "dormant"}, {"originator": "KH-CNP"}, {"q": "free"}, {"q": "hidden"}):
        answer = await cambodia.get(PATH, params={"export_purpose": "evidence", **narrowed}, **wanted)
        assert answer.status_code == 200, narrowed
    assert (await cambodia.get(PATH, params={"export_purpose": "fun"}, **wanted)).status_code == 400


async def test_only_the_page_that_leaves_is_looked_at(hub: Hub) -> None:
    _, cambodia, _ = await _library(hub)
    page = await cambodia.get(PATH, params={"export_purpose": "evidence", "limit": 1})
    assert page.status_code == 200
    # Another purpose is no other list: a cursor goes on.
    cursor = page.json()["next_cursor"]
    assert (await cambodia.get(PATH, params={"limit": 1, "cursor": cursor})).status_code == 200
    refused = await cambodia.get(PATH, params={"export_purpose": "evidence", "limit": 1, "cursor": cursor})
    assert refused.status_code == 403


async def test_a_retracted_record_stands_in_nobodys_way(hub: Hub) -> None:
    korea, cambodia, made = await _library(hub)
    for name in ("kept", "covered"):
        await korea.post(f"{PATH}/{made[name]['id']}/retract", etag='"1"')
    assert (await cambodia.get(PATH, params={"export_purpose": "evidence"})).status_code == 200


async def test_the_purpose_stands_in_the_audit(hub: Hub) -> None:
    _, cambodia, made = await _library(hub)
    for purpose, narrowed in (("investigation", {"status": "active"}), ("evidence", {"status": "active"})):
        await cambodia.get(PATH, params={"export_purpose": purpose, **narrowed})
    entries = hub.look(
        "SELECT outcome, detail, record_ids::text[], originators FROM audit_entries"
        " WHERE action = 'record.list' ORDER BY id"
    )
    assert entries == [
        ("done", {"export_purpose": "investigation"}, [made["kept"]["id"]], ["KR-KNPA"]),
        ("handling-forbids", {"export_purpose": "evidence"}, [], []),
    ]
    trail = await hub.caller("KH-CNP", "auditor").get("/v1/audit-entries", params={"action": "record.list"})
    assert {entry["detail"]["export_purpose"] for entry in trail.json()["items"]} == {"investigation", "evidence"}


async def test_every_other_export_asks_the_same(hub: Hub) -> None:
    _, _, made = await _library(hub)
    database = Database(hub.conninfo(DatabaseRole.WORKER), 1)
    await database.open()

    async def kept(purpose: ExportPurpose | None, *names: str) -> list[str]:
        ids = [UUID(made[name]["id"]) for name in names]
        async with open_operator_desk(database, "KH-CNP", officer="test", purpose="test", request_id="test") as desk:
            try:
                await exports.require_exportable(desk, purpose, ids)
            except Problem as refusal:
                return list(refusal.extra["references"])
        return []

    forbidden = sorted(made[name]["reference"] for name in ("kept", "covered"))
    assert await kept(ExportPurpose.EVIDENCE, *made) == forbidden
    assert await kept(ExportPurpose.EVIDENCE, "free", "own", "hidden") == []
    assert await kept(ExportPurpose.STATISTICS, *made) == await kept(None, *made) == []
    await database.close()
