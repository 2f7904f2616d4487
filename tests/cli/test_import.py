"""`interdesk import` at the command line."""

import json
from pathlib import Path

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from tests.cli.conftest import Command
from tests.conftest import Cluster
from tests.exchange.test_ofac import item, listing


@pytest.fixture
def korea(cluster: Cluster, database: str) -> str:
    with psycopg.connect(cluster.conninfo(DatabaseRole.WORKER, database)) as connection:
        connection.execute("SELECT enter_operator(NULL, 'test', 'test', 'set-up')")
        connection.execute("INSERT INTO agencies (code, name, kind) VALUES ('KR-KNPA', 'Police', 'national_police')")
    return "KR-KNPA"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "list.json"
    path.write_text(json.dumps(listing(item(1), item(2, "HARBOUR GROUP", linked_to=["LANTERN TRADING"]))), "utf-8")
    return str(path)


def test_a_list_is_brought_in_as_often_as_one_likes(managed: Command, korea: str, file: str) -> None:
    first = managed("import", file, "--as", korea, "--json")
    second = managed("import", file, "--as", korea, "--json")

    assert (first.json["agency"], first.json["created"], first.json["relations_created"]) == (korea, 2, 1)
    assert (second.json["created"], second.json["unchanged"], second.json["relations_unchanged"]) == (0, 2, 1)
    assert "Nothing has changed" in second.err


def test_an_unknown_agency_is_refused(managed: Command, file: str) -> None:
    ended = managed("import", file, "--as", "XX-NONE", "--json")

    assert (ended.code, ended.out, ended.err) == (1, "", "There is no such agency.\n")


def test_handling_that_does_not_fit_together_is_refused(managed: Command, korea: str, file: str) -> None:
    ended = managed("import", file, "--as", korea, "--community")

    assert ended.code == 1
    assert "RED is not for the whole community" in ended.err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a list that can be read"),
        ('{"source": "x", "items": [{"name": "y"}]}', "/items/0/source_id"),
    ],
)
def test_what_is_no_list_is_refused(managed: Command, korea: str, tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(content, encoding="utf-8")

    ended = managed("import", str(path), "--as", korea)

    assert (ended.code, ended.out) == (1, "")
    assert sentence in ended.err
