"""`interdesk audit` as an operator or a partner types it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.audit.sealing import seal
from app.core.crypto import MasterKey
from app.core.database_roles import DatabaseRole
from tests.cli.conftest import Command
from tests.conftest import Cluster


@pytest.fixture
def sealed(managed: Command, cluster: Cluster, database: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """A managed database with an agency, a credential, and a log that is sealed."""
    secret = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef"
    monkeypatch.setenv("INTERDESK_MASTER_KEY", secret)
    managed("agency", "add", "KR-KNPA", "--name", "Agency", "--kind", "national_police", "--country", "KR")

    async def run() -> None:
        conninfo = cluster.conninfo(DatabaseRole.WORKER, database)
        async with await psycopg.AsyncConnection[Any].connect(conninfo, autocommit=True) as connection:
            await seal(connection, MasterKey.from_text(secret), at_once=True)

    asyncio.run(run())
    return managed


def _look(cluster: Cluster, database: str, query: str) -> Any:
    with psycopg.connect(cluster.conninfo(DatabaseRole.BACKUP, database)) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    return row[0]


def _key_set(cluster: Cluster, database: str, folder: Path) -> Path:
    file = folder / "keys.json"
    keys = _look(cluster, database, "SELECT jsonb_agg(public_jwk) FROM audit_keys")
    file.write_text(json.dumps({"keys": keys}))
    return file


def test_the_log_of_a_hub_is_checked(sealed: Command, cluster: Cluster, database: str) -> None:
    report = sealed("audit", "verify", "--json").json
    assert report["holds"]
    assert (report["tree_size"], report["checkpoints"], report["findings"]) == (16, 1, [])
    # Checking leaves an entry, and the next check says that it waits.
    again = sealed("audit", "verify", "--json").json
    assert (again["tree_size"], again["waiting"]) == (16, report["waiting"] + 1)
    detail = _look(cluster, database, "SELECT detail FROM audit_entries WHERE action = 'audit.verify' LIMIT 1")
    assert detail == {"holds": True, "tree_size": 16}
    spoken = sealed("audit", "verify")
    assert (spoken.code, spoken.err) == (0, "")
    assert "holds" in spoken.out


def test_what_an_operator_changed_is_named(sealed: Command, cluster: Cluster, database: str) -> None:
    with psycopg.connect(cluster.conninfo(DatabaseRole.OWNER, database)) as connection:
        connection.execute("ALTER TABLE audit_entries NO FORCE ROW LEVEL SECURITY")
        connection.execute(
            "UPDATE audit_entries SET officer = 'nobody' WHERE action = 'agency.create' AND agency = 'HUB'"
        )
    ended = sealed("audit", "verify", "--json")
    assert ended.code == 1
    (finding,) = {finding["entry_id"]: finding for finding in json.loads(ended.out)["findings"]}.values()
    assert finding["kind"] == "changed"
    spoken = sealed("audit", "verify")
    assert spoken.code == 1
    assert (
        f"changed: The entry is not what was sealed. (leaf {finding['leaf_index']}, entry {finding['entry_id']})"
        in spoken.err
    )


def test_keys_and_checkpoints_kept_elsewhere_are_believed_more(
    sealed: Command, cluster: Cluster, database: str, tmp_path: Path
) -> None:
    keys = _key_set(cluster, database, tmp_path)
    assert sealed("audit", "verify", "--keys", str(keys), "--json").json["holds"]
    others = json.loads(keys.read_text())
    others["keys"][0] |= {"kid": "another"}
    keys.write_text(json.dumps(others))
    ended = sealed("audit", "verify", "--keys", str(keys), "--json")
    assert (ended.code, json.loads(ended.out)["findings"][0]["kind"]) == (1, "signature")
    keys.write_text('{"keys": []}')
    assert sealed("audit", "verify", "--keys", str(keys)).code == 1
    keys.write_text("{")
    refused = sealed("audit", "verify", "--checkpoint", str(keys))
    assert (refused.code, refused.err) == (1, f"{keys} is no JSON.\n")
    keys.write_text("{}")
    assert "holds no checkpoint" in sealed("audit", "verify", "--checkpoint", str(keys)).err


def test_a_new_key_is_made(sealed: Command) -> None:
    made = sealed("audit", "rotate-key", "--json").json
    assert set(made) == {"kid", "created_at"}
    assert sealed("audit", "verify", "--json").json["holds"]


def test_a_file_is_checked_without_a_hub(bare: Command, tmp_path: Path) -> None:
    from tests.audit.test_verification import CHECKPOINT, KEY, export, inclusion  # noqa: PLC0415 - made here alone

    keys, proof = tmp_path / "keys.json", tmp_path / "proof.json"
    keys.write_text(json.dumps({"keys": [KEY.public_jwk]}))
    proof.write_text(json.dumps({**inclusion(7), "checkpoint": CHECKPOINT}, indent=2))
    report = bare("audit", "verify", "--file", str(proof), "--keys", str(keys), "--json").json
    assert report == {"holds": True, "complete": True, "entries": 1, "checkpoints": 1, "findings": []}

    proof.write_text("".join(json.dumps(part) + "\n" for part in (export(1, 2, more=True), export(3))))
    report = bare("audit", "verify", "--file", str(proof), "--keys", str(keys), "--json").json
    assert (report["holds"], report["entries"]) == (True, 3)

    proof.write_bytes(b"\xff\x00 what is this")
    ended = bare("audit", "verify", "--file", str(proof), "--keys", str(keys))
    assert ended.code == 1
    assert "not in the form of a proof" in ended.err


def test_a_file_does_not_vouch_for_itself(bare: Command, tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    proof.write_text("{}")
    assert bare("audit", "verify", "--file", str(proof)).code == 2
    assert bare("audit", "verify", "--file", str(tmp_path / "none")).code == 2
