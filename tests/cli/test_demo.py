"""`interdesk demo` at the command line."""

from pathlib import Path

from app.demo import attaching, story
from tests.cli.conftest import Command


def test_it_tells_the_story_and_prints_the_credentials(managed: Command, tmp_path: Path) -> None:
    first = managed("demo", "--json").json
    second = managed("demo", "--json").json
    shown = managed("demo")

    assert first == second
    assert len(first) == len(story.CREDENTIALS)
    assert all(one["client_secret"] in shown.out for one in first)
    assert (tmp_path / "var" / "demo-credentials.json").exists()
    assert "invented" in shown.err


def test_a_database_in_use_is_left_alone(managed: Command) -> None:
    managed("agency", "add", "KR-KNPA", "--name", "Police", "--kind", "national_police")

    refused = managed("demo", "--json")
    left = managed("demo", "--unless-used")
    reset = managed("demo", "--reset", "--yes")

    assert (refused.code, refused.out) == (1, "")
    assert "it is used by KR-KNPA" in refused.err
    assert (left.code, left.out) == (0, "")
    assert (reset.code, reset.err) == (1, "This database is no demo. It was left as it is.\n")
    assert len(managed("agency", "list", "--json").json) == 2


def test_agencies_that_were_added_are_not_lost_in_silence(managed: Command) -> None:
    managed("demo")
    managed("agency", "add", "ZZ-NEW", "--name", "Police", "--kind", "national_police")

    refused = managed("demo", "--reset")

    assert refused.code == 1
    assert "ZZ-NEW would be lost too" in refused.err


def test_a_managed_database_is_emptied_where_it_is_managed(managed: Command) -> None:
    managed("demo")

    ended = managed("demo", "--reset")

    assert ended.code == 3
    assert "drop and create the database there" in ended.err
    assert managed("demo", "--json").code == 0


def test_its_files_can_be_downloaded_and_go_with_it(managed: Command, tmp_path: Path) -> None:
    managed("demo")
    before = managed("attachments", "verify", "--contents", "--json").json

    assert managed("demo").code == 0

    assert before == managed("attachments", "verify", "--contents", "--json").json
    assert (before["holds"], before["whole"], before["unknown"]) == (True, len(attaching.ATTACHED), [])
    files = [path for path in (tmp_path / "var" / "attachments").rglob("*") if path.is_file()]
    assert len(files) == len(attaching.ATTACHED)
    # A database that is not emptied keeps its files.
    assert managed("demo", "--reset").code == 3
    assert managed("attachments", "verify", "--json").json == before
