"""The lines that administrators script, run as they do: an embedded database, a server, a first exchange."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import httpx
import pytest

INTERDESK = Path(sys.executable).parent / "interdesk"
PATH = "/v1/criminal-organizations"
DEADLINE = 60.0

Process: TypeAlias = "subprocess.Popen[str]"


def put_down(process: Process) -> None:
    """End a process that may have ended; one that does not listen is killed, so that no test waits for ever."""
    process.terminate()
    try:
        process.communicate(timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise


@dataclass(frozen=True)
class Host:
    """A host with an empty folder and no settings."""

    folder: Path

    @property
    def log(self) -> Path:
        """What servers on this host have written. A pipe that nobody reads would fill, and halt them."""
        return self.folder / "server.log"

    def start(self, *arguments: str, log: IO[str] | int = subprocess.PIPE, **environment: str) -> Process:
        return subprocess.Popen(  # noqa: S603 - our own
            [INTERDESK, *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "INTERDESK_DATA": "./var", **environment},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        process = self.start(*arguments, **environment)
        try:
            out, err = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
        return process.returncode, out, err

    def json(self, *arguments: str) -> Any:
        code, out, err = self.run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)


@dataclass(frozen=True)
class Serving:
    """A server at work, and what it said of itself."""

    process: Process
    log: Path
    said: dict[str, Any]

    def end(self) -> tuple[int, list[dict[str, Any]]]:
        """End it as a service manager does; its exit code and its log."""
        put_down(self.process)
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return self.process.returncode, [json.loads(line) for line in lines if line.startswith("{")]


@contextmanager
def serve(host: Host, *options: str, **environment: str) -> Iterator[Serving]:
    with host.log.open("w", encoding="utf-8") as log:
        process = host.start("serve", "--port", "0", "--json", *options, log=log, **environment)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, host.log.read_text(encoding="utf-8")
        yield Serving(process, host.log, json.loads(line))
    finally:
        put_down(process)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return Host(tmp_path_factory.mktemp("a host"))


@pytest.fixture(scope="module")
def korea(host: Host) -> dict[str, Any]:
    """A credential of a newly registered agency, by the lines that are fixed."""
    host.json("db", "upgrade")
    name = ("--name", "Korean National Police Agency")
    host.json("agency", "add", "KR-KNPA", *name, "--kind", "national_police", "--country", "KR")
    roles = ("--role", "analyst", "--role", "liaison_officer")
    issued: dict[str, Any] = host.json("credential", "issue", "KR-KNPA", "--label", "case system", *roles)
    return issued


@pytest.fixture
def serving(host: Host, korea: dict[str, Any]) -> Iterator[Serving]:
    assert korea
    with serve(host) as started:
        yield started


def signed_in(client: httpx.Client, credential: dict[str, Any]) -> dict[str, str]:
    answer = client.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(credential["client_id"], credential["client_secret"]),
    )
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_the_fixed_lines_lead_to_a_first_profile(host: Host, korea: dict[str, Any], serving: Serving) -> None:
    with httpx.Client(base_url=serving.said["address"]) as client:
        headers = signed_in(client, korea)
        created = client.post(PATH, json={"name": "Bokor Group"}, headers=headers)
        metadata = client.get("/.well-known/oauth-authorization-server").json()
        revoked = host.json("credential", "revoke", korea["client_id"])
        after = client.get(PATH, headers=headers)

    code, log = serving.end()
    requests = [entry for entry in log if entry["event"] == "request"]
    assert created.status_code == 201
    assert "server" not in created.headers
    assert metadata["issuer"] == serving.said["address"]
    assert (revoked["status"], after.status_code) == ("revoked", 401)
    assert code == 0
    assert [entry["status"] for entry in requests] == [200, 201, 200, 401]
    assert not any(korea["client_secret"] in json.dumps(entry) or "Bokor" in json.dumps(entry) for entry in log)


def test_the_doctor_finds_nothing_wrong(host: Host, korea: dict[str, Any]) -> None:
    assert korea
    findings = host.json("doctor")

    assert {finding["check"] for finding in findings if finding["level"] != "ok"} == {"public address"}
    assert {finding["level"] for finding in findings} == {"ok", "warning"}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_process_asks_for_a_legal_basis_where_the_setting_does(
    host: Host, korea: dict[str, Any], workers: str
) -> None:
    issued = host.json("credential", "issue", korea["agency"], "--label", "another system", "--role", "analyst")
    handling = {"tlp": "AMBER", "audience": {"agencies": ["KH-CNP"]}}
    if not any(agency["code"] == "KH-CNP" for agency in host.json("agency", "list")):
        host.json("agency", "add", "KH-CNP", "--name", "Police", "--kind", "national_police", "--country", "KH")

    with (
        serve(host, "--workers", workers, INTERDESK_LEGAL_BASIS="required") as started,
        httpx.Client(base_url=started.said["address"]) as client,
    ):
        headers = signed_in(client, issued)
        refused = client.post(PATH, json={"name": "Bokor Group", "handling": handling}, headers=headers)

    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/no-legal-basis")


def test_a_database_that_was_killed_comes_back(host: Host, serving: Serving) -> None:
    pid = int((host.folder / "var" / "postgres" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
    os.kill(pid, signal.SIGKILL)

    answer = None
    deadline = time.monotonic() + DEADLINE
    with httpx.Client(base_url=serving.said["address"], timeout=30) as client:
        while answer != 200 and time.monotonic() < deadline:
            answer = client.get("/health/ready").status_code

    assert answer == 200
    assert serving.end()[0] == 0


def test_several_processes_share_a_port(host: Host, korea: dict[str, Any]) -> None:
    assert korea
    with serve(host, "--workers", "2") as started:
        answer = httpx.get(f"{started.said['address']}/health/ready", timeout=DEADLINE)

        assert (started.said["workers"], answer.status_code) == (2, 200)
        assert started.end()[0] == 0


def test_a_port_in_use_is_refused(host: Host, serving: Serving) -> None:
    port = serving.said["address"].rpartition(":")[2]

    code, out, err = host.run("serve", "--port", port)

    assert (code, out) == (1, "")
    assert f"Cannot listen on 127.0.0.1 port {port}" in err


def test_the_worker_runs_alone(host: Host, korea: dict[str, Any]) -> None:
    assert korea
    process = host.start("worker", "--json")
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.terminate()
        _, err = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()

    assert json.loads(said) == {"status": "working"}
    assert (process.returncode, [line for line in err.splitlines() if "exception" in line]) == (0, [])


def test_a_managed_database_needs_a_master_key(host: Host) -> None:
    address = "postgresql://interdesk_api@localhost/interdesk"
    code, out, err = host.run("serve", "--port", "0", DATABASE_URL=address)

    assert (code, out) == (3, "")
    assert "there is no master key" in err


def test_the_demo_can_be_told_on_the_way(tmp_path: Path) -> None:
    host = Host(tmp_path)
    with serve(host, "--demo") as first:
        with httpx.Client(base_url=first.said["address"]) as client:
            headers = signed_in(client, first.said["demo"][0])
            profiles = client.get(PATH, headers=headers).json()["items"]
        first.end()
    with serve(host, "--demo") as second:
        second.end()

    assert len(profiles) > 3
    assert first.said["demo"] == second.said["demo"]
