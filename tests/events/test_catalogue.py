"""The catalogue is complete: what the code announces stands in it, and what stands in it is announced."""

import re
from pathlib import Path

import app
from app.events.catalogue import PREFIX, EventType
from migrations import SQL

_ROOT = Path(app.__file__).parents[1]
_CATALOGUE = _ROOT / "app" / "events" / "catalogue.py"
_NOUNS = "record|handling|links|amendment|sighting|group|members|agency|credential|recovery|feed|emergency|retention"
_WORD = rf"[\"']((?:{_NOUNS})\.[a-z_]+)[\"']"
_ANNOUNCED = (
    r"announce\('([a-z._]+)'",
    r"announce\(CASE WHEN \w+ THEN '([a-z._]+)'",
    r"announce\(CASE WHEN \w+ THEN '[a-z._]+' ELSE '([a-z._]+)'",
    r"tell_agency\(\w+, '([a-z._]+)'",
    r"INSERT INTO events \([^)]*\)\s*VALUES \('([a-z._]+)'",
)
_MADE_OF_A_STATE = {"amendment.accepted", "amendment.rejected"}


def _texts(folder: Path, pattern: str) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.rglob(pattern)) if file != _CATALOGUE)


def _types() -> set[str]:
    return {kind.stored for kind in EventType}


def test_what_the_database_announces_stands_in_the_catalogue() -> None:
    text = _texts(SQL, "*.sql")
    announced = {word for pattern in _ANNOUNCED for word in re.findall(pattern, text)}

    assert {"record.shared", "record.lost", "group.left", "recovery.requested"} <= announced <= _types()


def test_what_the_code_announces_stands_in_the_catalogue() -> None:
    """Events are told apart from audit actions by their tense."""
    words = set(re.findall(_WORD, _texts(_ROOT / "app", "*.py")))
    events = {word for word in words if re.search(r"(ed|lost|left|expiring)$", word)}

    assert {"record.updated", "sighting.added"} <= events <= _types()


def test_what_stands_in_the_catalogue_is_announced() -> None:
    words = set(re.findall(_WORD, _texts(_ROOT / "app", "*.py") + _texts(SQL, "*.sql")))

    assert _types() - words <= _MADE_OF_A_STATE


def test_a_type_is_found_by_its_full_name_and_explains_itself() -> None:
    assert EventType("interdesk.record.lost") is EventType.RECORD_LOST
    for kind in EventType:
        assert kind == f"{PREFIX}{kind.stored}"
        assert kind.description.endswith(".")


def test_the_guide_says_what_every_type_means() -> None:
    guide = (_ROOT / "docs" / "guides" / "staying-in-step.md").read_text(encoding="utf-8")

    for kind in EventType:
        assert f"| `{kind}` | {kind.description} |" in guide
