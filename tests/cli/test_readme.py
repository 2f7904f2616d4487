"""The README's first exchange and three guides, run line by line as they stand."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_serving import DEADLINE, INTERDESK, Host, serve

REFUSED = ["acknowledgement-required", "precondition-failed", "invalid-body"]
"""What the guide shows to be refused, in its order."""

AS_MAKE_RUN = ("--demo",)
"""The options by which `make run` starts the hub that these pages tell a newcomer to start."""

SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)


NEEDS_SHELL = pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl")


def _run(blocks: list[str], folder: Path, *options: str) -> str:
    """What the blocks print, run one after the other on a hub of their own; none of them may fail."""
    host = Host(folder)
    with serve(host, *options) as serving:
        script = "".join(blocks).replace("http://127.0.0.1:8000", serving.said["address"])
        script = script.replace('PATH="$PWD/.venv/bin:$PATH"', "").replace(".venv/bin/interdesk", "interdesk")
        done = subprocess.run(
            ["/usr/bin/env", "bash", "-eu"],
            input=script,
            cwd=folder,
            env={"PATH": f"{INTERDESK.parent}:{Path(sys.executable).parent}:/usr/bin:/bin", "INTERDESK_DATA": "./var"},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


@NEEDS_SHELL
def test_the_first_exchange_goes_as_written(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    text = (pytestconfig.rootpath / "README.md").read_text(encoding="utf-8")
    blocks = SHELL.findall(text.partition("## A first exchange")[2].partition("\n## ")[0])

    told = _run(blocks, tmp_path, *AS_MAKE_RUN)

    assert re.findall(r"^\d{3}$", told, re.MULTILINE) == ["200", "404", "404", "404", "404", "200"]
    assert '{"items":[],"next_cursor":null}' in told
    assert told.count('"state":"retracted"') == 2
    assert len(blocks) == 5


@NEEDS_SHELL
def test_the_integrators_guide_goes_as_written(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    text = (pytestconfig.rootpath / "docs" / "guides" / "integrators.md").read_text(encoding="utf-8")

    told = _run(SHELL.findall(text), tmp_path, *AS_MAKE_RUN)

    refused = re.findall(r'"type":"(?:[^"]*)/problems/([a-z-]+)"', told)
    assert refused == REFUSED
    assert "Invalid HTTP request" not in told


@NEEDS_SHELL
def test_the_guide_to_operations_goes_as_written(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    text = (pytestconfig.rootpath / "docs" / "guides" / "running-an-operation.md").read_text(encoding="utf-8")

    told = _run(SHELL.findall(text), tmp_path, *AS_MAKE_RUN)

    assert "/problems/" not in told
    assert '"state":"completed"' in told
    assert '"key":"illegal_detention","operations":1,"arrested":14,"rescued":7' in told
    assert "total,,seized_value,cash,USD,51000.50" in told
    assert (tmp_path / "timeline.svg").read_text(encoding="utf-8").startswith("<?xml")


@NEEDS_SHELL
def test_the_guide_to_statistics_goes_as_written(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    text = (pytestconfig.rootpath / "docs" / "guides" / "statistics.md").read_text(encoding="utf-8")

    told = _run(SHELL.findall(text), tmp_path)

    assert "/problems/" not in told
    official = "{'2021': 4, '2022': 1, '2023': 17, '2024': None%s}"
    assert told.index("{'2023': (1, 0), '2025': (2, 0)}\n" + official % "") < told.index(
        "{'2023': (1, 0), '2025': (2, 1)}\n" + official % ", '2025-01': 330"
    )
    assert told.count("{'2025': (2, 0)}\n" + official % "") == 1
    assert "2023-04,,1,0,0,1\n2025-08,,1,0,0,1" in told
    assert '"scope":"community"' in told
    drawn = (tmp_path / "reports.svg").read_text(encoding="utf-8")
    assert drawn.count(">not reported<") == 1


@NEEDS_SHELL
def test_somebody_is_brought_home_as_written(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    text = (pytestconfig.rootpath / "docs" / "guides" / "bringing-somebody-home.md").read_text(encoding="utf-8")

    told = _run(SHELL.findall(text), tmp_path, *AS_MAKE_RUN)

    assert told.splitlines()[-15:] == [
        *("submitted", "acknowledged", "accepted", "/problems/screened-as-victim"),
        *("submitted", "acknowledged", "accepted", "cleared"),
        *("frozen", "scheduled", "departed", "in_transit", "arrived", "handed_over", "closed"),
    ]
