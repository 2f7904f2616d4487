"""What a process writes about itself: structured, and without what it stumbled over."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import structlog

from app.core import logs


@pytest.fixture(autouse=True)
def _untouched() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("alembic", "asyncio", "procrastinate", "psycopg")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, former in levels.items():
        logging.getLogger(name).setLevel(former)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def written(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capfd.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_own_and_foreign_messages_are_json_lines_on_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", human=False)

    structlog.get_logger("interdesk.test").info("request", status=200)
    logging.getLogger("some.library").warning("cannot %s", "reach")
    logging.getLogger("some.library").debug("hidden")
    logging.getLogger("alembic").info("hidden")

    own, foreign = written(capfd)
    assert (own["event"], own["status"], own["level"]) == ("request", 200, "info")
    assert own["timestamp"].endswith("Z")
    assert (foreign["event"], foreign["logger"], foreign["level"]) == ("cannot reach", "some.library", "warning")


def test_an_exception_is_told_without_what_it_says(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", human=False)

    def fail() -> None:
        name = "a victim's name"
        known: dict[str, str] = {}
        try:
            known[name]
        except KeyError as error:
            message = f"cannot find {name}"
            raise ValueError(message) from error

    try:
        fail()
    except ValueError:
        structlog.get_logger("interdesk.test").exception("failed")
        logging.getLogger("some.library").exception("failed too")

    _, err = capfd.readouterr()
    assert "victim" not in err
    assert len(err.splitlines()) == 2
    for line in err.splitlines():
        (error, cause) = json.loads(line)["exception"]
        assert (error["type"], cause["type"]) == ("builtins.ValueError", "builtins.KeyError")
        assert error["at"][-1].endswith(" fail")


def test_what_is_wrong_with_the_machine_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", human=False)

    try:
        psycopg.connect("host=/nonexistent")
    except psycopg.OperationalError:
        structlog.get_logger("interdesk.test").exception("failed")

    (line,) = written(capfd)
    assert "/nonexistent" in line["exception"][0]["message"]


def test_a_terminal_gets_something_readable(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", human=True)

    structlog.get_logger("interdesk.test").info("request", status=200)

    _, err = capfd.readouterr()
    assert "request" in err
    assert not err.startswith("{")


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="INTERDESK_LOG_LEVEL is one of debug, info, warning, error"):
        logs.configure("loud")
