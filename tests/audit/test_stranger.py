"""A stranger takes the verifier of docs/audit.md, and needs nothing of the project's to run it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.audit.conftest import seal_now
from tests.conftest import Hub

PATH = "/v1/criminal-organizations"
DOCS = Path(__file__).parents[2] / "docs" / "audit.md"


def verifier(folder: Path) -> Path:
    """The program of the documentation, as a file."""
    (program,) = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    imported = set(re.findall(r"^(?:import|from) (.*?)(?: import .*)?$", program, re.MULTILINE))
    assert all(name.startswith(("base64, hashlib, json, sys", "cryptography.")) for name in imported)
    assert len([line for line in program.split("def check", 1)[1].split("\n\n")[0].splitlines() if line]) <= 20
    file = folder / "verify.py"
    file.write_text(program)
    return file


def run(program: Path, keys: Any, proof: Any) -> tuple[int, str]:
    folder = program.parent
    (folder / "keys.json").write_text(json.dumps(keys))
    (folder / "proof.json").write_text(json.dumps(proof))
    ended = subprocess.run(  # noqa: S603 - the program of the documentation
        [sys.executable, "-I", str(program), "keys.json", "proof.json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


async def test_the_verifier_of_the_documentation_does(hub: Hub, tmp_path: Path) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    shared = await korea.profile("보코르 \U0001f3db", share=["KH-CNP"])
    for number in range(20):
        headers = {"Access-Purpose": f'case {number} — "ទី" \\ \U0001f3db'.encode()}
        await cambodia.get(f"{PATH}/{shared['id']}", headers=headers)
        if number % 7 == 0:
            await seal_now(hub)
    await seal_now(hub)
    auditor, own = hub.caller("KR-KNPA", "auditor"), hub.caller("KH-CNP", "auditor")
    keys = (await hub.client.get("/v1/audit/keys")).json()
    program = verifier(tmp_path)

    theirs = (await auditor.get("/v1/audit-entries", params={"of": "records"})).json()["items"]
    ours = (await own.get("/v1/audit-entries", params={"client_id": cambodia.client_id})).json()["items"]
    assert (len(theirs), len(ours)) == (20, 20)
    proof = (await auditor.get(f"/v1/audit-entries/{theirs[0]['id']}/proof")).json()
    full = (await own.get(f"/v1/audit-entries/{ours[3]['id']}/proof")).json()
    for one in (proof, full):
        code, said = run(program, keys, one)
        assert (code, said) == (0, f"sealed at {one['checkpoint']['at']}\n")

    leaf, checkpoint = full["leaf"], full["checkpoint"]
    forgeries = [
        {**full, "leaf": {**leaf, "entry": {**leaf["entry"], "officer": "x"}}},
        {**full, "leaf": proof["leaf"]},
        {**full, "leaf_index": full["leaf_index"] ^ 1},
        {**full, "inclusion_path": full["inclusion_path"][:-1]},
        {**full, "inclusion_path": [*full["inclusion_path"], checkpoint["root_hash"]]},
        {**full, "checkpoint": {**checkpoint, "at": "2020-01-01T00:00:00.000000Z"}},
        {**full, "checkpoint": {**checkpoint, "signature": "1" * 128}},
        {**full, "checkpoint": {**checkpoint, "kid": "another"}},
    ]
    for forged in forgeries:
        code, said = run(program, keys, forged)
        assert code == 1, said
