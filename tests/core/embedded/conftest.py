"""Folders for the embedded PostgreSQL, and what clears them away."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.embedded import EmbeddedPostgres
from tests.core.embedded.support import Users, clear_away, copy


@pytest.fixture
def users() -> Iterator[Users]:
    others = Users()
    yield others
    others.kill()


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete cluster that does not run; copying one is quicker than making one."""
    folder = tmp_path_factory.mktemp("original") / "data"
    EmbeddedPostgres.start(folder).release()
    return folder


@pytest.fixture(scope="session")
def shared_data(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy(original, tmp_path_factory.mktemp("shared") / "data")


@pytest.fixture(scope="session")
def shared(shared_data: Path) -> Iterator[EmbeddedPostgres]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERDESK_MASTER_KEY", "do not tell")
        running = EmbeddedPostgres.start(shared_data)
    with running:
        yield running


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nothing ever ran."""
    folder = tmp_path / "a fresh folder"
    yield folder
    clear_away(folder)


@pytest.fixture
def data(original: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder with a cluster that does not run."""
    folder = copy(original, tmp_path / "a folder")
    yield folder
    clear_away(folder)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that, unlike pytest's own, other users can reach."""
    folder = Path(tempfile.mkdtemp(prefix="interdesk-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    for each in folder.iterdir():
        clear_away(each)
    shutil.rmtree(folder)
