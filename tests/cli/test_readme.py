"""The README's first exchange, run line by line as it stands there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_serving import DEADLINE, INTERDESK, Host, serve

SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl")
def test_the_first_exchange_goes_as_written(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    text = (pytestconfig.rootpath / "README.md").read_text(encoding="utf-8")
    blocks = SHELL.findall(text.partition("## A first exchange")[2].partition("\n## ")[0])
    host = Host(tmp_path)
    host.json("db", "upgrade")

    with serve(host) as serving:
        script = "".join(blocks).replace("http://127.0.0.1:8000", serving.said["address"])
        script = script.replace('PATH="$PWD/.venv/bin:$PATH"', "")
        done = subprocess.run(
            ["/usr/bin/env", "bash", "-eu"],
            input=script,
            cwd=tmp_path,
            env={"PATH": f"{INTERDESK.parent}:{Path(sys.executable).parent}:/usr/bin:/bin", "INTERDESK_DATA": "./var"},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert re.findall(r"^\d{3}$", done.stdout, re.MULTILINE) == ["200", "404", "404", "404", "404", "200"]
    assert '{"items":[],"next_cursor":null}' in done.stdout
    assert done.stdout.count('"state":"retracted"') == 2
    assert len(blocks) == 5
