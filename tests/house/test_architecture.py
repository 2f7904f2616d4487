"""The plan of the house holds: which room knows which, how large a file grows, and that nothing is left lying about."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LONGEST = 350

GENERATED = {"requirements.lock", "constraints.txt", "openapi/openapi.json"}

LEFT_OVER = re.compile(r"\b(TODO|FIXME|XXX|HACK|WIP)\b|^(<{7}|>{7}) ", re.MULTILINE)
ELSEWHERE = re.compile(
    r"pypi\.(org|python)|pythonhosted|registry\.npmjs|--(extra-)?index-url|--find-links"  # where packages come from
    r"|(?<!bench)/work/|/root/|/home/\w|/opt/pypi|\bhost\.docker\.internal"  # paths of one machine
    r"|\.\./shared|\b(contract|architecture|taxii-checklist|facts|stack)\.md\b"  # plans that are not shipped
)
ALLOWED = {
    # The lock command names the options that keep addresses out of the lock files.
    "Makefile": {"--find-links", "--index-url"},
}


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)  # noqa: S607
    if listed.returncode != 0:
        pytest.skip("not a checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name and name not in GENERATED]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def _texts() -> list[tuple[str, str]]:
    texts = []
    for path in _tracked():
        try:
            texts.append((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue  # a picture
    return [(name, text) for name, text in texts if name != Path(__file__).relative_to(ROOT).as_posix()]


def test_imports_go_one_way() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own tool
    assert ended.returncode == 0, ended.stdout


def test_every_room_has_its_floor() -> None:
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    named = {room for layer in layers for room in re.split(r" [|:] ", layer)}
    rooms = {f"app.{path.stem}" for path in (ROOT / "app").glob("*.py") if path.stem != "__init__"}
    rooms |= {f"app.{path.parent.name}" for path in (ROOT / "app").glob("*/__init__.py")}
    assert named == rooms


def test_no_file_is_long() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "app").rglob("*.py")}
    assert {path.name: length for path, length in lengths.items() if length > LONGEST} == {}


def test_nothing_is_left_lying_about() -> None:
    found = [f"{name}: {match.group()}" for name, text in _texts() for match in LEFT_OVER.finditer(text)]
    assert found == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [
        f"{name}: {match.group()}"
        for name, text in _texts()
        for match in ELSEWHERE.finditer(text)
        if match.group() not in ALLOWED.get(name, set())
    ]
    assert found == []


def test_pins_hold_no_address() -> None:
    for name in ("requirements.lock", "constraints.txt"):
        assert "://" not in (ROOT / name).read_text(encoding="utf-8")


def test_warnings_are_errors() -> None:
    options = PROJECT["tool"]["pytest"]["ini_options"]
    assert options["filterwarnings"] == ["error"]
    assert {"--strict-markers", "--strict-config", "--disable-socket"} <= set(options["addopts"].split())


def test_every_ignored_rule_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text.partition("[tool.ruff.lint]")[2].partition("[tool.ruff.lint.flake8")[0]
    rules = [line for line in section.splitlines() if re.match(r'\s+"[A-Z]+\d+"', line)]
    assert rules
    assert [line for line in rules if "#" not in line] == []
