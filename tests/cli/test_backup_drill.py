"""The whole way, as it is gone when it matters: a hub at work is backed up, lost, restored and served again."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from pyrage import x25519

from app.audit.sealing import seal
from app.core.crypto import load_master_key
from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres
from tests.cli.test_serving import DEADLINE, PATH, Host, serve, signed_in
from tests.core.embedded.support import NOBODY, clear_away, needs_root

IDENTITY = x25519.Identity.generate()
EVENTS = "/v1/events"
TRAIL = "/v1/audit-entries"


def _seal(data: Path) -> None:
    """Seal the audit, for which the worker would take a minute."""

    async def run() -> None:
        with EmbeddedPostgres.start(data) as postgres:
            conninfo = postgres.conninfo(DatabaseRole.WORKER)
            async with await psycopg.AsyncConnection[Any].connect(conninfo, autocommit=True) as connection:
                await seal(connection, load_master_key(data / "master.key"), at_once=True)

    asyncio.run(run())


def _create(client: httpx.Client, name: str) -> dict[str, Any]:
    answer = client.post(PATH, json={"name": name})
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


@contextmanager
def _writers(client: httpx.Client, count: int) -> Iterator[list[dict[str, Any]]]:
    """Callers that go on creating profiles; the list grows with those that were answered."""
    created: list[dict[str, Any]] = []
    ended = threading.Event()

    def write(number: int) -> None:
        while not ended.is_set():
            created.append(_create(client, f"Written meanwhile by {number}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield created
    finally:
        ended.set()
        for thread in threads:
            thread.join(DEADLINE)


def _all(client: httpx.Client) -> dict[str, tuple[Any, Any]]:
    """Every profile with its versions, by id."""
    listed, cursor = [], None
    while True:
        page = client.get(PATH, params={"limit": 200, **({"cursor": cursor} if cursor else {})}).json()
        listed += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    return {
        record_id: (client.get(f"{PATH}/{record_id}").json(), client.get(f"{PATH}/{record_id}/versions").json())
        for record_id in listed
    }


def _follow(client: httpx.Client, cursor: str | None, until: str) -> tuple[list[tuple[str, Any]], str]:
    """Read the feed until an event of that type or about that reference came."""
    told: list[tuple[str, Any]] = []
    deadline = time.monotonic() + DEADLINE
    while not any(until in event for event in told):
        assert time.monotonic() < deadline, told
        page = client.get(EVENTS, params={"cursor": cursor} if cursor else {}).json()
        told += [(event["type"].removeprefix("interdesk."), event["subject"]) for event in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is not None
    return told, cursor


def _proof(client: httpx.Client, headers: dict[str, str], entry: str, size: int | None) -> dict[str, Any]:
    """The proof of an entry; until the server's own worker has sealed it, which takes about a minute, there is none."""
    deadline = time.monotonic() + 2 * DEADLINE
    parameters = {"tree_size": size} if size else {}
    while (answer := client.get(f"{TRAIL}/{entry}/proof", params=parameters, headers=headers)).status_code == 409:
        assert time.monotonic() < deadline, answer.text
    assert answer.status_code == 200, answer.text
    proof: dict[str, Any] = answer.json()
    return proof


def _credentials(host: Host) -> tuple[dict[str, Any], dict[str, Any]]:
    host.json("db", "upgrade")
    host.json("agency", "add", "KR-KNPA", "--name", "Agency", "--kind", "national_police", "--country", "KR")
    analyst, auditor = (
        host.json("credential", "issue", "KR-KNPA", "--label", role, "--role", role) for role in ("analyst", "auditor")
    )
    return analyst, auditor


def test_a_hub_is_lost_and_goes_on(tmp_path: Path) -> None:
    host, backup, identities = Host(tmp_path), tmp_path / "hub.backup", tmp_path / "identities.txt"
    identities.write_text(f"{IDENTITY}\n")
    identities.chmod(0o600)
    analyst, auditor = _credentials(host)
    with serve(host) as serving, httpx.Client(base_url=serving.said["address"], timeout=DEADLINE) as client:
        client.headers = httpx.Headers(signed_in(client, analyst))
        first = _create(client, "Bokor Group")
        etag = client.get(f"{PATH}/{first['id']}").headers["etag"]
        client.patch(
            f"{PATH}/{first['id']}",
            json={"status": "dormant"},
            headers={"If-Match": etag, "Content-Type": "application/merge-patch+json"},
        )
        _, cursor = _follow(client, None, first["reference"])
        second = _create(client, "Sihanoukville Crew")
        _seal(tmp_path / "var")
        audited = signed_in(client, auditor)
        entry = client.get(TRAIL, params={"action": "record.create"}, headers=audited).json()["items"][-1]["id"]
        proof = _proof(client, audited, entry, None)
        with _writers(client, 3) as meanwhile:
            before = list(meanwhile)
            told = host.json("backup", str(backup), "--recipient", str(IDENTITY.to_public()))
        live = _all(client)
        lost = _create(client, "Written after the backup")
        serving.end()

    assert told["records"] < len(live)
    drilled = host.json("restore", str(backup), "--identity-file", str(identities), "--drill")
    host.run("restore", str(backup), "--identity-file", str(identities), "--json", INTERDESK_DATA="./restored")
    again = Host(tmp_path / "again")
    again.folder.mkdir()
    (tmp_path / "restored").rename(again.folder / "var")
    with serve(again) as serving, httpx.Client(base_url=serving.said["address"], timeout=DEADLINE) as client:
        client.headers = httpx.Headers(signed_in(client, analyst))
        events, cursor = _follow(client, cursor, "feed.restored")
        back = _all(client)
        third = _create(client, "Written after the restore")
        later, _ = _follow(client, cursor, third["reference"])
        proved = _proof(client, signed_in(client, auditor), entry, proof["checkpoint"]["tree_size"])
        checked = again.json("audit", "verify")

    assert drilled["holds"]
    assert len(back) == told["records"]
    assert {record_id: live[record_id] for record_id in back} == back
    assert {first["id"], second["id"], *(record["id"] for record in before)} <= set(back)
    assert len(back[first["id"]][1]["items"]) == 2
    assert lost["id"] not in back
    references = [subject for kind, subject in events if kind == "record.created"]
    assert references[0] == second["reference"]
    assert set(references) == {back[record_id][0]["reference"] for record_id in set(back) - {first["id"]}}
    assert ("record.created", third["reference"]) in later
    assert proved == proof
    assert checked["holds"]


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that an ordinary user can be given: pytest's own lie where only root can go."""
    folder = Path(tempfile.mkdtemp(prefix="interdesk-test-", dir="/tmp"))
    yield folder
    clear_away(folder / "var")
    shutil.rmtree(folder)


@needs_root
def test_an_ordinary_user_restores_what_root_backed_up(public_folder: Path, tmp_path: Path) -> None:
    host, backup, identities = Host(tmp_path), public_folder / "hub.backup", public_folder / "identities.txt"
    _credentials(host)
    host.json("backup", str(backup), "--recipient", str(IDENTITY.to_public()))
    identities.write_text(f"{IDENTITY}\n")
    identities.chmod(0o600)
    for path in (public_folder, backup, identities):
        os.chown(path, NOBODY, NOBODY)
    # All is imported before the change, because Python itself may lie where only root can read.
    code = f"""
import os, sys, tempfile
from app.cli import main, keeping, host
import app.keeping.drill, app.keeping.restoring, app.cli.listening
from app.core.database_roles import roles_script
roles_script()
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
main(["restore", "hub.backup", "--identity-file", "identities.txt", "--json"])
"""
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", code],
        cwd=public_folder,
        env={"PATH": os.environ["PATH"], "INTERDESK_DATA": "./var", "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    key = (public_folder / "var" / "master.key").stat()
    assert (key.st_uid, key.st_mode & 0o777) == (NOBODY, 0o600)
    assert (public_folder / "var" / "postgres").stat().st_uid == NOBODY
    assert {path.name for path in (public_folder / "var").iterdir()} == {"master.key", "postgres", "postgres.roles"}
