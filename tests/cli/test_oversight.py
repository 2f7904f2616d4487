"""`interdesk oversight`: everything the audit knows of one officer or one record, and who is told that it was asked."""

import asyncio
import json
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.audit.conftest import seal_now
from tests.cli.conftest import Command, Ended
from tests.conftest import Hub, Partner
from tests.events.following import follower, place

PATH = "/v1/criminal-organizations"
REASON = ("--reason", "Parliamentary committee, request 12")
Oversight = Callable[..., Awaitable[Ended]]


@pytest.fixture
def oversight(
    managed: Command, hub: Hub, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Oversight:
    """The command on the hub's own database and keys."""
    monkeypatch.setenv("INTERDESK_MASTER_KEY", hub.app.state.house.master_key.text())

    async def run(*arguments: str) -> Ended:
        capfd.readouterr()  # what the hub has logged
        # A command runs a loop of its own.
        return await asyncio.to_thread(managed, *arguments)

    return run


async def _read(caller: Partner, record: dict[str, Any], officer: str) -> int:
    headers = {"On-Behalf-Of": officer, "Access-Purpose": "case 9"}
    return (await caller.get(f"{PATH}/{record['id']}", headers=headers)).status_code


async def _scene(hub: Hub) -> tuple[Partner, Partner, Partner, dict[str, Any]]:
    """Korea's record, read by Cambodia, and tried in vain by Thailand."""
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    shared = await korea.profile(share=["KH-CNP"])
    assert await _read(cambodia, shared, "Insp. Sok") == 200
    assert await _read(korea, shared, "Insp. Han") == 200
    await seal_now(hub)
    assert await _read(thailand, shared, "Insp. Sok") == 404
    return korea, cambodia, thailand, shared


def _entries(file: Path) -> list[dict[str, Any]]:
    parts = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [item["leaf"]["entry"] for part in parts for item in part["items"]]


async def _keys(hub: Hub, folder: Path) -> str:
    file = folder / "keys.json"
    file.write_text((await hub.client.get("/v1/audit/keys")).text)
    return str(file)


async def test_an_officer_is_exported_with_proofs_that_hold(hub: Hub, oversight: Oversight, tmp_path: Path) -> None:
    *_, shared = await _scene(hub)
    file = tmp_path / "sok.jsonl"

    told = (await oversight("oversight", "--officer", "Insp. Sok", "--out", str(file), *REASON, "--json")).json

    assert (told["entries"], told["waiting"]) == (2, 0)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = _entries(file)
    assert [(entry["agency"], entry["outcome"], entry["purpose"]) for entry in found] == [
        ("KH-CNP", "done", "case 9"),
        ("TH-RTP", "missing", "case 9"),
    ]
    assert found[0]["record_ids"] == [shared["id"]]
    assert json.loads(file.read_text())["about"] == {
        "officer": "Insp. Sok", "record": None, "agency": None, "reason": REASON[1],
    }  # fmt: skip
    verify = ("audit", "verify", "--file", str(file), "--keys", await _keys(hub, tmp_path), "--json")
    assert (await oversight(*verify)).json == {
        "holds": True, "complete": True, "entries": 2, "checkpoints": 1, "findings": [],
    }  # fmt: skip
    file.write_text(file.read_text().replace("case 9", "case 8", 1))
    assert (await oversight(*verify)).code == 1
    again = await oversight("oversight", "--officer", "Insp. Sok", "--out", str(file), *REASON)
    assert (again.code, "nothing is overwritten" in again.err) == (1, True)


async def test_a_record_is_exported_by_its_reference_and_of_one_agency(
    hub: Hub, oversight: Oversight, tmp_path: Path
) -> None:
    *_, shared = await _scene(hub)
    everything, one = tmp_path / "everything", tmp_path / "one"

    told = (
        await oversight("oversight", "--record", shared["reference"], "--out", str(everything), *REASON, "--json")
    ).json
    await oversight("oversight", "--record", shared["id"], "--agency", "KH-CNP", "--out", str(one), *REASON)

    assert told["record"] == shared["id"]
    assert [(entry["agency"], entry["action"]) for entry in _entries(everything)] == [
        ("KR-KNPA", "record.create"),
        ("KH-CNP", "record.read"),
        ("KR-KNPA", "record.read"),
        ("TH-RTP", "record.read"),
        ("HUB", "audit.oversight"),
    ]
    assert [entry["officer"] for entry in _entries(one)] == ["Insp. Sok"]


async def test_the_agencies_are_told_and_only_the_originator_of_what(
    hub: Hub, oversight: Oversight, tmp_path: Path
) -> None:
    korea, cambodia, thailand, shared = await _scene(hub)
    followers = {caller.agency: await follower(caller) for caller in (korea, cambodia, thailand)}
    auditors = {code: hub.caller(code, "auditor") for code in followers}

    await oversight("oversight", "--record", shared["id"], "--out", str(tmp_path / "file"), *REASON)
    place(hub)

    for code, reader in followers.items():
        await reader.follow()
        (event,) = reader.events
        assert event["type"] == "interdesk.audit.exported"
        assert event["data"]["detail"] == {"entries": {"KR-KNPA": 2, "KH-CNP": 1, "TH-RTP": 1}[code]}
        parameters = {"client_id": "operator", "action": "audit.oversight"}
        (entry,) = (await auditors[code].get("/v1/audit-entries", params=parameters)).json()["items"]
        assert (entry["purpose"], entry["record_ids"]) == (REASON[1], [])
        about = (await auditors[code].get("/v1/audit-entries", params={"of": "records"})).json()["items"]
        asked = [item["record_ids"] for item in about if item["action"] == "audit.oversight"]
        assert asked == ([[shared["id"]]] if code == "KR-KNPA" else [])


async def test_the_same_is_told_of_a_record_that_never_was(hub: Hub, oversight: Oversight, tmp_path: Path) -> None:
    thailand = hub.partner("TH-RTP")
    unknown = "01920000-0000-7000-8000-000000000000"
    assert await _read(thailand, {"id": unknown}, "Insp. Sok") == 404
    reader = await follower(thailand)

    told = (await oversight("oversight", "--record", unknown, "--out", str(tmp_path / "file"), *REASON, "--json")).json
    place(hub)
    await reader.follow()

    assert told["entries"] == 2
    assert [event["data"]["detail"] for event in reader.events] == [{"entries": 1}]


async def test_what_is_refused(hub: Hub, oversight: Oversight, tmp_path: Path) -> None:
    file = tmp_path / "file"
    hub.partner("KR-KNPA")

    both = await oversight("oversight", "--officer", "x", "--record", "y", "--out", str(file), *REASON)
    neither = await oversight("oversight", "--out", str(file), *REASON)
    unexplained = await oversight("oversight", "--officer", "x", "--out", str(file))
    empty = await oversight("oversight", "--officer", "x", "--out", str(file), "--reason", " ")
    nowhere = await oversight("oversight", "--record", "KR-KNPA-CO-2026-000000", "--out", str(file), *REASON)

    assert [ended.code for ended in (both, neither, unexplained, empty, nowhere)] == [2, 2, 2, 1, 1]
    assert not file.exists()


async def test_many_entries_are_many_parts_of_one_tree(
    hub: Hub, oversight: Oversight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.domain.audit_entries.oversight.PART", 2)
    korea = hub.partner("KR-KNPA")
    profile = await korea.profile()
    for _ in range(4):
        await _read(korea, profile, "Insp. Han")
    file = tmp_path / "file"

    await oversight("oversight", "--officer", "Insp. Han", "--out", str(file), *REASON)

    parts = [json.loads(line) for line in file.read_text().splitlines()]
    assert [len(part["items"]) for part in parts] == [2, 2]
    assert [part["next_cursor"] is None for part in parts] == [False, True]
    assert len({part["checkpoint"]["root_hash"] for part in parts}) == 1
    ended = await oversight("audit", "verify", "--file", str(file), "--keys", await _keys(hub, tmp_path), "--json")
    assert (ended.json["holds"], ended.json["complete"], ended.json["entries"]) == (True, True, 4)


def test_the_servers_role_cannot_ask_this_way(hub: Hub) -> None:
    functions = "SELECT proname, has_function_privilege('interdesk_api', oid, 'EXECUTE') FROM pg_proc"
    found = hub.look(f"{functions} WHERE proname LIKE '%%oversight%%' ORDER BY 1")
    assert [allowed for _, allowed in found] == [False] * 5
