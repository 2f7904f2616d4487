"""The guides name what there is: every setting, every refusal, every role; and their links lead somewhere."""

import re
from pathlib import Path

import pytest

from app.core.problems import PROBLEM_TYPES
from app.identity.roles import Role
from app.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def _rows(guide: str, heading: str) -> list[list[str]]:
    """The table below a heading of a guide, row by row."""
    text = (ROOT / "docs" / "guides" / guide).read_text("utf-8")
    part = re.split(r"(?m)^## ", text.split(f"## {heading}\n", 1)[1])[0]
    table = re.findall(r"(?m)^\|(.+)\|$", part)
    return [[cell.strip().strip("`") for cell in row.split("|")] for row in table][2:]


def _environment(name: str) -> str:
    return "DATABASE_URL" if name == "database_url" else f"INTERDESK_{name.upper()}"


def test_the_operators_guide_lists_every_setting() -> None:
    told = {name: (default, meaning) for name, default, meaning in _rows("operators.md", "Settings")}
    assert told == {
        _environment(name): (str(field.default) if field.default not in (None, ()) else "", field.description)
        for name, field in Settings.model_fields.items()
    }


def test_the_integrators_guide_lists_every_refusal() -> None:
    told = {(int(status), slug) for status, slug, _ in _rows("integrators.md", "8. Understand refusals")}
    assert told == {(kind.status, slug) for slug, kind in PROBLEM_TYPES.items()}


def test_the_administrators_guide_lists_every_role() -> None:
    assert [role for role, _ in _rows("admins.md", "Roles")] == [role.value for role in Role]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"(?s)```.*?```", "", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


def test_every_decision_is_listed() -> None:
    listed = set(re.findall(r"\(decisions/([^)]+)\)", (ROOT / "docs" / "README.md").read_text("utf-8")))
    assert listed == {file.name for file in (ROOT / "docs" / "decisions").glob("*.md")}
