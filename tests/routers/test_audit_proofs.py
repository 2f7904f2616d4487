"""Proofs over HTTP: what an agency may see of the trail it can prove, and nothing else can be asked for."""

import json
from typing import Any

import httpx
import pytest

from app.audit.canonical import canonical
from app.audit.checkpoints import is_signed, read_keys
from app.audit.merkle import leaf_hash, proves_consistency, proves_inclusion
from tests.access.statements import heard, listen
from tests.audit.conftest import change, seal_now
from tests.conftest import Hub, Partner

PATH = "/v1/criminal-organizations"
TRAIL = "/v1/audit-entries"
EXPORT = f"{TRAIL}/export"
CHECKPOINTS = "/v1/audit/checkpoints"
UNKNOWN = "01920000-0000-7000-8000-000000000000"


async def entries(caller: Partner, **filters: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await caller.get(TRAIL, params=filters)).json()["items"]
    return found


async def prove(caller: Partner, entry_id: str, **options: Any) -> httpx.Response:
    return await caller.get(f"{TRAIL}/{entry_id}/proof", **options)


def holds(proof: dict[str, Any], checkpoint: dict[str, Any]) -> bool:
    path = [bytes.fromhex(one) for one in proof["inclusion_path"]]
    leaf = leaf_hash(canonical(proof["leaf"]))
    root = bytes.fromhex(checkpoint["root_hash"])
    return proves_inclusion(leaf, proof["leaf_index"], checkpoint["tree_size"], path, root)


def told(answer: httpx.Response, entry_id: str) -> tuple[Any, ...]:
    headers = sorted((name, value) for name, value in answer.headers.items() if not name.startswith("ratelimit"))
    return answer.status_code, answer.content.replace(entry_id.encode(), b"ID"), headers


async def scene(hub: Hub) -> tuple[Partner, Partner, Partner, dict[str, Any]]:
    """Korea shares a profile that Cambodia reads; analysts, and Korea's auditor."""
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    shared = await korea.profile(share=["KH-CNP"])
    headers = {"On-Behalf-Of": "Officer Sok", "Access-Purpose": "case 9"}
    await cambodia.get(f"{PATH}/{shared['id']}", headers=headers)
    await seal_now(hub)
    return korea, cambodia, hub.caller("KR-KNPA", "auditor"), shared


async def test_own_entries_are_proved_as_they_are_listed(hub: Hub) -> None:
    korea, _, auditor, _ = await scene(hub)
    (entry,) = await entries(auditor, client_id=korea.client_id)

    answer = await prove(auditor, entry["id"])

    proof = answer.json()
    assert answer.status_code == 200
    assert proof["leaf"]["entry"] == entry
    assert proof["leaf"]["reader"] == "KR-KNPA"
    assert holds(proof, proof["checkpoint"])
    assert is_signed(proof["checkpoint"], read_keys((await hub.client.get("/v1/audit/keys")).json()))
    altered = {**proof, "leaf": {**proof["leaf"], "entry": {**entry, "officer": "somebody else"}}}
    assert not holds(altered, proof["checkpoint"])


async def test_others_reads_of_own_records_are_proved_without_what_is_theirs(hub: Hub) -> None:
    _, _, auditor, shared = await scene(hub)
    (entry,) = await entries(auditor, of="records")
    assert (entry["agency"], entry["record_ids"]) == ("KH-CNP", [shared["id"]])

    answer = await prove(auditor, entry["id"])

    proof = answer.json()
    assert proof["leaf"]["entry"] == entry
    assert proof["leaf"]["hidden"] is None
    assert holds(proof, proof["checkpoint"])
    assert "Sok" not in answer.text
    assert "case 9" not in answer.text


async def test_a_list_of_many_originators_proves_to_each_only_its_own(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    thailand = hub.partner("TH-RTP")
    mine = await korea.profile(share=["TH-RTP"])
    theirs = await cambodia.profile(share=["TH-RTP"])
    await thailand.get(PATH)
    await seal_now(hub)
    auditor = hub.caller("KR-KNPA", "auditor")
    reader = hub.caller("TH-RTP", "auditor")
    (entry,) = await entries(auditor, of="records")

    proof = (await prove(auditor, entry["id"])).json()
    whole = (await prove(reader, entry["id"])).json()

    assert holds(proof, proof["checkpoint"])
    assert proof["leaf"]["entry"]["record_ids"] == [mine["id"]]
    assert theirs["id"] not in json.dumps(proof)
    assert holds(whole, whole["checkpoint"])
    assert set(whole["leaf"]["entry"]["record_ids"]) == {mine["id"], theirs["id"]}
    assert whole["leaf"]["salt"] != proof["leaf"]["salt"]


async def test_a_proof_is_recorded_and_can_be_proved_itself(hub: Hub) -> None:
    _, _, auditor, _ = await scene(hub)
    (entry,) = await entries(auditor, of="records")
    await prove(auditor, entry["id"])

    (made,) = await entries(auditor, client_id=auditor.client_id, action="audit.prove")
    assert (made["record_ids"], made["outcome"]) == ([entry["id"]], "done")
    assert (await prove(auditor, made["id"])).status_code == 409
    sealed = await seal_now(hub)
    assert (await prove(auditor, made["id"])).status_code == 200
    assert 0 < sealed < 12
    assert await seal_now(hub) <= 2


async def test_an_entry_that_is_not_sealed_yet_is_to_be_asked_for_again(hub: Hub) -> None:
    _, _, auditor, _ = await scene(hub)
    await auditor.get(TRAIL)
    newest = (await entries(auditor))[0]

    answer = await prove(auditor, newest["id"])

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
    assert answer.headers["retry-after"] == "60"


async def test_an_entry_is_proved_in_the_tree_of_any_checkpoint_that_holds_it(hub: Hub) -> None:
    korea, _, auditor, _ = await scene(hub)
    (entry,) = await entries(auditor, client_id=korea.client_id)
    await seal_now(hub)
    (late,) = await entries(auditor, client_id=auditor.client_id)
    sizes = [row[0] for row in hub.look("SELECT tree_size FROM audit_checkpoints ORDER BY 1")]
    assert len(sizes) == 2

    for size in sizes:
        proof = (await prove(auditor, entry["id"], params={"tree_size": size})).json()
        assert proof["checkpoint"]["tree_size"] == size
        assert holds(proof, proof["checkpoint"])
    for wanted, size, code in (
        (entry, sizes[0] + 1, "checkpoint-unknown"),
        (entry, 2**62, "checkpoint-unknown"),
        (late, sizes[0], "tree-too-small"),
    ):
        answer = await prove(auditor, wanted["id"], params={"tree_size": size})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    for size in ("0", "x", str(2**63)):
        assert (await prove(auditor, entry["id"], params={"tree_size": size})).status_code == 400


async def test_another_agencys_entry_answers_like_none(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    listen(monkeypatch)
    korea, cambodia, _, _ = await scene(hub)
    strangers = {
        "a stranger": hub.caller(hub.register("TH-RTP"), "auditor"),
        "who read the record": hub.caller("KH-CNP", "auditor"),
        "without the permission": korea,
        "the hub": hub.caller("HUB", "platform_admin"),
    }
    await cambodia.get(f"{PATH}/{UNKNOWN}")
    await seal_now(hub)
    rows = hub.look("SELECT id::text FROM audit_entries WHERE agency = 'KR-KNPA' AND action = 'record.create'")
    await korea.get(PATH)  # not sealed yet
    rows += hub.look("SELECT id::text FROM audit_entries WHERE agency = 'KR-KNPA' AND action = 'record.list'")
    assert len(rows) == 2

    for why, caller in strangers.items():
        headers = {"X-Request-Id": "the-same"}
        with heard() as expected:
            nothing = told(await prove(caller, UNKNOWN, headers=headers), UNKNOWN)
        assert nothing[0] == (404 if why in ("a stranger", "who read the record") else 403), why
        for (entry_id,) in rows:
            with heard() as statements:
                assert told(await prove(caller, entry_id, headers=headers), entry_id) == nothing, why
            assert statements == expected
            assert statements
    for malformed in ("x", UNKNOWN.upper(), f"{{{UNKNOWN}}}"):
        assert (await prove(strangers["a stranger"], malformed)).status_code == 404


async def test_a_refused_read_of_a_hidden_record_is_no_leaf_of_its_originators(hub: Hub) -> None:
    korea, thailand = hub.partner("KR-KNPA"), hub.partner("TH-RTP")
    secret = await korea.profile("Secret")
    await thailand.get(f"{PATH}/{secret['id']}")
    await seal_now(hub)
    ((refused,),) = hub.look("SELECT id::text FROM audit_entries WHERE outcome = 'missing'")
    assert (await prove(hub.caller("KR-KNPA", "auditor"), refused)).status_code == 404
    assert (await prove(hub.caller("TH-RTP", "auditor"), refused)).status_code == 200


PLACES = (f"{TRAIL}/{UNKNOWN}/proof", EXPORT, CHECKPOINTS)


@pytest.mark.parametrize("path", PLACES)
async def test_a_revoked_token_and_a_missing_permission_open_nothing(hub: Hub, path: str) -> None:
    _, _, auditor, _ = await scene(hub)
    assert (await hub.client.get(path)).status_code == 401
    for role in ("analyst", "commander", "connector"):
        assert (await hub.caller("KR-KNPA", role).get(path)).status_code == 403
    narrow = Partner(hub, "KR-KNPA", auditor.client_id, hub.token(auditor.client_id, scope=["directory:read"]))
    assert (await narrow.get(path)).status_code == 403
    hub.operator("UPDATE credentials SET status = 'revoked' WHERE client_id = %s", auditor.client_id)
    assert (await auditor.get(path)).status_code == 401


async def test_the_platform_admin_sees_checkpoints_and_no_content(hub: Hub) -> None:
    await scene(hub)
    admin = hub.caller("HUB", "platform_admin")
    answer = await admin.get(CHECKPOINTS)
    assert answer.status_code == 200
    assert "KNPA" not in answer.text
    assert (await admin.get(EXPORT)).status_code == 403


async def test_checkpoints_are_paged_newest_first_and_continue_one_another(hub: Hub) -> None:
    _, _, auditor, _ = await scene(hub)
    for _ in range(4):
        await auditor.get(TRAIL)
        await seal_now(hub)
    whole = (await auditor.get(CHECKPOINTS)).json()["items"]
    assert [one["tree_size"] for one in whole] == [80, 64, 48, 32, 16]
    assert all(one["consistency_path"] is None for one in whole)

    first = whole[-2]
    paged: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = (
            await auditor.get(CHECKPOINTS, params={"from": 32, "limit": 2} | ({"cursor": cursor} if cursor else {}))
        ).json()
        paged += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [one["tree_size"] for one in paged] == [80, 64, 48, 32]
    for one in paged:
        path = [bytes.fromhex(node) for node in one["consistency_path"]]
        roots = bytes.fromhex(first["root_hash"]), bytes.fromhex(one["root_hash"])
        assert proves_consistency(32, one["tree_size"], path, *roots)
    assert (await auditor.get(CHECKPOINTS, params={"cursor": "x"})).status_code == 400
    table = await auditor.get(CHECKPOINTS, headers={"Accept": "text/csv"})
    assert table.text.count("\n") == 6


async def test_a_checkpoint_the_log_no_longer_reaches_is_an_alarm(hub: Hub) -> None:
    _, _, auditor, _ = await scene(hub)
    answer = await auditor.get(CHECKPOINTS, params={"from": 4096})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "from-ahead")
    for size in ("0", "-1", "x", str(2**63)):
        assert (await auditor.get(CHECKPOINTS, params={"from": size})).status_code == 400


async def test_before_anything_is_sealed_there_is_nothing_to_show(hub: Hub) -> None:
    hub.register("KR-KNPA")
    auditor = hub.caller("KR-KNPA", "auditor")
    assert (await hub.client.get("/v1/audit/keys")).json() == {"keys": []}
    assert (await auditor.get(CHECKPOINTS)).json()["items"] == []
    assert (await auditor.get(CHECKPOINTS, params={"from": 1})).status_code == 400
    assert (await auditor.get(EXPORT)).json() == {
        "type": "interdesk-audit-export",
        "agency": "KR-KNPA",
        "checkpoint": None,
        "items": [],
        "next_cursor": None,
    }


async def test_an_export_holds_everything_the_agency_may_see_in_parts(hub: Hub) -> None:
    korea, cambodia, auditor, shared = await scene(hub)
    for _ in range(4):
        await cambodia.get(f"{PATH}/{shared['id']}")
        await korea.get(PATH)
    await seal_now(hub)

    whole = (await auditor.get(EXPORT)).json()
    proofs = whole["items"]
    assert (whole["agency"], whole["next_cursor"]) == ("KR-KNPA", None)
    assert all(holds(proof, whole["checkpoint"]) for proof in proofs)
    seen = [*await entries(auditor, client_id=korea.client_id), *await entries(auditor, of="records")]
    exported = [proof["leaf"]["entry"] for proof in proofs]
    assert len(seen) == 10
    assert all(entry in exported for entry in seen)
    assert [entry["at"] for entry in exported] == sorted(entry["at"] for entry in exported)

    parts: list[Any] = []
    sizes = set()
    cursor = None
    while True:
        answer = await auditor.get(EXPORT, params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
        await seal_now(hub)
        part = answer.json()
        sizes.add(part["checkpoint"]["tree_size"])
        parts += part["items"]
        cursor = part["next_cursor"]
        assert ("link" in answer.headers) == (cursor is not None)
        if cursor is None:
            break
        assert len(part["items"]) == 3
    # The parts are of one tree, however much it grows meanwhile.
    assert len(sizes) == 1
    assert parts[: len(proofs)] != []
    assert [part["leaf"] for part in parts[: len(proofs)]] == [proof["leaf"] for proof in proofs]


async def test_an_export_can_be_narrowed_and_is_recorded(hub: Hub) -> None:
    _, _, auditor, _ = await scene(hub)
    moment = (await entries(auditor, of="records"))[0]["at"]
    later = (await auditor.get(EXPORT, params={"since": moment})).json()["items"]
    earlier = (await auditor.get(EXPORT, params={"until": moment})).json()["items"]
    assert (len(later), len(earlier)) == (1, 1)
    (made, _) = await entries(auditor, client_id=auditor.client_id, action="audit.export")
    assert made["detail"] == {"since": None, "until": moment, "officer": None, "record": None, "entries": 1}
    assert (await auditor.get(EXPORT, params={"limit": 5001})).status_code == 400
    assert (await auditor.get(EXPORT, params={"cursor": "x"})).status_code == 400


async def test_another_agencys_cursor_shows_the_own_entries_alone(hub: Hub) -> None:
    korea, cambodia, auditor, shared = await scene(hub)
    await korea.get(PATH)
    await cambodia.get(f"{PATH}/{shared['id']}")
    await seal_now(hub)
    cursor = (await auditor.get(EXPORT, params={"limit": 1})).json()["next_cursor"]
    other = (await hub.caller("KH-CNP", "auditor").get(EXPORT, params={"cursor": cursor})).json()
    assert other["agency"] == "KH-CNP"
    assert {item["leaf"]["reader"] for item in other["items"]} == {"KH-CNP"}


async def test_an_entry_that_was_altered_no_longer_proves(hub: Hub) -> None:
    _, _, auditor, _ = await scene(hub)
    (entry,) = await entries(auditor, of="records")
    assert change(hub, f"UPDATE audit_entries SET action = 'record.list' WHERE id = '{entry['id']}'") == 1  # noqa: S608 - ids of this test's own
    proof = (await prove(auditor, entry["id"])).json()
    assert proof["leaf"]["entry"]["action"] == "record.list"
    assert not holds(proof, proof["checkpoint"])
    assert change(hub, f"DELETE FROM audit_entries WHERE id = '{entry['id']}'") == 1  # noqa: S608 - as above
    assert (await prove(auditor, entry["id"])).status_code == 404
    exported = (await auditor.get(EXPORT)).json()["items"]
    assert [item["leaf"] for item in exported].count(None) == 1


async def test_the_trail_shows_entries_about_groups_and_about_the_trail(hub: Hub) -> None:
    chair = hub.partner("KR-KNPA", "commander")
    assert (await chair.post("/v1/groups", {"kind": "council", "name": "Council"})).status_code == 201
    auditor = hub.caller("KR-KNPA", "auditor")
    await prove(auditor, UNKNOWN)
    kinds = {entry["kind"] for entry in await entries(auditor)}
    assert {"groups", "audit-entries"} <= kinds
