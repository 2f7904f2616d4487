"""Whoever changes the tables themselves, as only an operator could, is found out."""

from typing import Any

import pytest

from app.audit.checkpoints import fetch_keys, read_keys
from app.audit.inspection import AnchorError, Report, inspect
from tests.audit.conftest import change, seal_now, worker
from tests.conftest import Hub

PATH = "/v1/criminal-organizations"
OF_READS = "FROM audit_entries WHERE action = 'record.read'"


async def check(hub: Hub, *anchors: Any) -> Report:
    async with worker(hub) as connection:
        published = await fetch_keys(connection)
        keys = read_keys(published) if published["keys"] else {}
        return await inspect(connection, keys, anchors)


async def log(hub: Hub) -> None:
    """A log of three batches, in which Cambodia reads what Korea shares."""
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    shared = await korea.profile(share=["KH-CNP"])
    for _ in range(3):
        for _ in range(4):
            await cambodia.get(f"{PATH}/{shared['id']}")
        await seal_now(hub)


def kinds(report: Report) -> set[str]:
    return {finding.kind for finding in report.findings}


async def newest_checkpoint(hub: Hub) -> dict[str, Any]:
    (one,) = (await hub.caller("KR-KNPA", "auditor").get("/v1/audit/checkpoints", params={"limit": 1})).json()["items"]
    found: dict[str, Any] = one
    return found


async def test_a_log_that_nobody_touched_holds(hub: Hub) -> None:
    await log(hub)
    kept = await newest_checkpoint(hub)
    report = await check(hub, kept)
    assert report.findings == []
    assert (report.tree_size, report.checkpoints, report.anchors) == (48, 3, 1)
    assert report.root_hash == kept["root_hash"]
    # The reading of the checkpoint waits to be sealed.
    assert (report.waiting, report.entries) == (1, hub.look("SELECT count(*) FROM audit_entries")[0][0])


async def test_an_empty_log_holds(hub: Hub) -> None:
    report = await check(hub)
    assert (report.findings, report.tree_size, report.root_hash) == ([], 0, None)


CHANGES = {
    "the action": "action = 'record.list'",
    "the outcome": "outcome = 'missing'",
    "the agency": "agency = 'KR-KNPA'",
    "the officer": "officer = 'somebody else'",
    "the reason": "purpose = 'case 1'",
    "the credential": "client_id = 'another'",
    "the records": "record_ids = ARRAY[gen_random_uuid()]",
    "the originators": "originators = ARRAY['TH-RTP']",
    "nobody told": "originators = '{}'",
    "the kind": "kind = 'bulletins'",
    "the request": "request_id = 'another'",
    "the address": "peer = '203.0.113.1'",
    "the detail": "detail = '{}'",
    "the time": "at = at + interval '1 microsecond'",
    "the id": "id = gen_random_uuid()",
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_changed_entry_is_found(hub: Hub, what: str) -> None:
    await log(hub)
    one = f"id = (SELECT id {OF_READS} ORDER BY at LIMIT 1)"
    assert change(hub, f"UPDATE audit_entries SET {CHANGES[what]} WHERE {one}") == 1  # noqa: S608
    report = await check(hub)
    assert kinds(report) <= {"changed", "removed", "inserted"}
    assert kinds(report) & {"changed", "removed"}


async def test_a_removed_entry_is_found(hub: Hub) -> None:
    await log(hub)
    ((entry,),) = hub.look(f"SELECT id {OF_READS} ORDER BY at LIMIT 1")
    assert change(hub, f"DELETE FROM audit_entries WHERE id = '{entry}'") == 1  # noqa: S608
    report = await check(hub)
    # Both leaves of it: the reader's, and that of whose record was read.
    assert {(finding.kind, finding.entry_id) for finding in report.findings} == {("removed", str(entry))}
    assert len(report.findings) == 2


async def test_an_entry_removed_with_its_leaves_is_found(hub: Hub) -> None:
    await log(hub)
    ((entry,),) = hub.look(f"SELECT id {OF_READS} ORDER BY at LIMIT 1")
    change(
        hub,
        f"DELETE FROM audit_leaves WHERE entry_id = '{entry}'",  # noqa: S608
        f"DELETE FROM audit_entries WHERE id = '{entry}'",  # noqa: S608
    )
    report = await check(hub)
    assert [finding.kind for finding in report.findings] == ["removed", "removed"]


async def test_an_entry_made_blind_is_found(hub: Hub) -> None:
    await log(hub)
    ((entry,),) = hub.look(f"SELECT id {OF_READS} ORDER BY at LIMIT 1")
    change(
        hub,
        f"UPDATE audit_leaves SET entry_id = NULL, at = NULL, reader = NULL WHERE entry_id = '{entry}'",  # noqa: S608
        f"DELETE FROM audit_entries WHERE id = '{entry}'",  # noqa: S608
    )
    assert kinds(await check(hub)) == {"changed"}


INSERT = (
    "INSERT INTO audit_entries (id, at, agency, client_id, action, outcome, record_ids, originators{names})"
    " SELECT {id}, {at}, agency, client_id, 'record.list', outcome, record_ids, originators{values}"
    f" {OF_READS} ORDER BY at LIMIT 1"
)
INSERTIONS = {
    "between others, by time": INSERT.format(names="", values="", id="uuid7()", at="at - interval '1 hour'"),
    "between others, by number": INSERT.format(names=", arrival", values=", arrival", id="uuid7()", at="at"),
    "before all others": INSERT.format(names=", arrival", values=", -5", id="uuid7()", at="at"),
    "beside another": INSERT.format(names="", values="", id="id", at="at + interval '1 microsecond'"),
}


@pytest.mark.parametrize("where", INSERTIONS)
async def test_an_inserted_entry_is_found_before_and_after_the_next_seal(hub: Hub, where: str) -> None:
    await log(hub)
    for _ in range(200):  # until the numbers given so far are settled, for which others' transactions have to end
        await seal_now(hub)
        ((settled,),) = hub.look("SELECT settled >= (SELECT max(arrival) FROM audit_entries) FROM audit_sealing")
        if settled:
            break
    assert change(hub, INSERTIONS[where]) == 1
    assert kinds(await check(hub)) == {"inserted"}
    await hub.caller("KR-KNPA", "auditor").get("/v1/audit-entries")
    await seal_now(hub)
    assert kinds(await check(hub)) == {"inserted"}


async def test_reordered_entries_are_found(hub: Hub) -> None:
    await log(hub)
    change(
        hub,
        "UPDATE audit_leaves SET leaf_index = 10000 WHERE leaf_index = 3",
        "UPDATE audit_leaves SET leaf_index = 3 WHERE leaf_index = 5",
        "UPDATE audit_leaves SET leaf_index = 5 WHERE leaf_index = 10000",
    )
    assert kinds(await check(hub)) == {"tree"}


async def test_entries_that_changed_places_are_found(hub: Hub) -> None:
    await log(hub)
    (first,), (second,) = hub.look(f"SELECT id {OF_READS} ORDER BY at LIMIT 2")
    change(
        hub,
        "UPDATE audit_entries a SET request_id = b.request_id FROM audit_entries b"  # noqa: S608 - as above
        f" WHERE a.id IN ('{first}', '{second}') AND b.id IN ('{first}', '{second}') AND a.id <> b.id",
    )
    assert kinds(await check(hub)) == {"changed"}


TREE = {
    "a leaf's hash": "UPDATE audit_leaves SET leaf_hash = sha256('x') WHERE leaf_index = 5",
    "a leaf's salt": "UPDATE audit_leaves SET salt = sha256('x') WHERE leaf_index = 5",
    "a kept subtree": "UPDATE audit_nodes SET node_hash = sha256('x') WHERE node_index = 1",
    "a subtree that is gone": "DELETE FROM audit_nodes WHERE node_index = 1",
    "a checkpoint's root": "UPDATE audit_checkpoints SET root_hash = sha256('x') WHERE tree_size = 32",
    "a checkpoint's time": "UPDATE audit_checkpoints SET at = at - interval '1 day' WHERE tree_size = 32",
    "a checkpoint's signature": "UPDATE audit_checkpoints SET signature = sha256('x') || sha256('')",
    "the newest checkpoint": "UPDATE audit_checkpoints SET tree_size = 40 WHERE tree_size = 48",
    "a leaf too many": "INSERT INTO audit_leaves SELECT 48, NULL, NULL, NULL, salt, leaf_hash"
    " FROM audit_leaves LIMIT 1",
}


@pytest.mark.parametrize("what", TREE)
async def test_a_changed_tree_is_found(hub: Hub, what: str) -> None:
    await log(hub)
    assert change(hub, TREE[what]) >= 1
    assert kinds(await check(hub)) & {"tree", "changed", "signature"}


async def test_a_log_cut_back_is_found_by_a_checkpoint_kept_elsewhere(hub: Hub) -> None:
    """All that is left is consistent; only who kept a checkpoint knows that there was more."""
    await log(hub)
    kept = await newest_checkpoint(hub)
    cut = (
        "DELETE FROM audit_entries WHERE id IN (SELECT entry_id FROM audit_leaves WHERE leaf_index >= 32)",
        "DELETE FROM audit_entries e WHERE NOT EXISTS (SELECT FROM audit_leaves l WHERE l.entry_id = e.id)",
        "DELETE FROM audit_leaves WHERE leaf_index >= 32",
        "DELETE FROM audit_nodes WHERE node_index >= 2",
        "DELETE FROM audit_checkpoints WHERE tree_size > 32",
    )
    change(hub, *cut)
    assert kinds(await check(hub)) == set()
    assert kinds(await check(hub, kept)) == {"cut"}


async def test_a_log_sealed_anew_is_found_by_a_checkpoint_kept_elsewhere(hub: Hub) -> None:
    """Who has the master key can write another history; not the one that partners hold."""
    await log(hub)
    kept = await newest_checkpoint(hub)
    change(
        hub,
        f"DELETE {OF_READS}",
        "DELETE FROM audit_leaves",
        "DELETE FROM audit_nodes",
        "DELETE FROM audit_checkpoints",
        "UPDATE audit_sealing SET settled = 0",
    )
    for _ in range(3):
        hub.operator("SELECT audit('test', 'done', NULL, '{}', '{}', NULL) FROM generate_series(1, 16)")
        await seal_now(hub)
    assert kinds(await check(hub)) == set()
    assert kinds(await check(hub, kept)) == {"tree"}


async def test_what_is_no_checkpoint_is_no_anchor(hub: Hub) -> None:
    await log(hub)
    kept = await newest_checkpoint(hub)
    assert kinds(await check(hub, {**kept, "tree_size": 16})) == {"signature"}
    for anchor in ({}, {"tree_size": "x"}, [], {**kept, "signature": "x"}):
        with pytest.raises(AnchorError):
            await check(hub, anchor)


async def test_findings_are_bounded(hub: Hub) -> None:
    await log(hub)
    hub.operator("SELECT audit('test', 'done', NULL, '{}', '{}', NULL) FROM generate_series(1, 300)")
    await seal_now(hub)
    change(hub, "UPDATE audit_entries SET purpose = 'x'")
    assert len((await check(hub)).findings) == 100
