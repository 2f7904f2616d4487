"""Both stores keep what they are given, whole or not at all, and delete it."""

import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from app.core.ids import uuid7
from app.core.stores import Kept, Store, StoreError, open_store
from app.core.stores.disk import DiskStore
from tests.core.stores.bucket import ACCESS_KEY, BUCKET, SECRET_KEY, Bucket, served

LARGE = secrets.token_bytes(12 * 1024 * 1024 + 7)


@dataclass
class Shelf:
    """A store, and what is there below it."""

    store: Store
    everything: Callable[[], list[str]]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    with served() as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL", found.address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        yield found
        assert found.unsigned == []


@pytest.fixture(params=["disk", "bucket"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "disk":
        folder = tmp_path / "attachments"
        return Shelf(open_store("disk", tmp_path), lambda: [path.name for path in files(folder)])
    bucket: Bucket = request.getfixturevalue("bucket")
    store = open_store(f"s3+http://{BUCKET}/hub/one", tmp_path)
    return Shelf(store, lambda: [*bucket.objects, *bucket.uploads])


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def parts_of(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 65_536):
        yield data[at : at + 65_536]


async def breaking(data: bytes) -> AsyncIterator[bytes]:
    async for part in parts_of(data):
        yield part
    raise ConnectionAbortedError


async def content(store: Store, name: UUID) -> bytes:
    return b"".join([part async for part in store.get(name)])


async def test_what_is_put_is_there_until_it_is_deleted(shelf: Shelf) -> None:
    large, small = uuid7(), uuid7()
    await shelf.store.put(large, parts_of(LARGE))
    await shelf.store.put(small, parts_of(b"small"))

    assert await content(shelf.store, large) == LARGE
    assert await content(shelf.store, small) == b"small"
    assert {kept async for kept in shelf.store.listed()} == {Kept(large, len(LARGE)), Kept(small, 5)}
    assert await shelf.store.check()

    await shelf.store.delete(large)
    await shelf.store.delete(large)
    assert [kept.name async for kept in shelf.store.listed()] == [small]
    with pytest.raises(StoreError):
        await content(shelf.store, large)
    assert len(shelf.everything()) == 1


@pytest.mark.parametrize("size", [10, len(LARGE)])
async def test_what_breaks_off_leaves_nothing(shelf: Shelf, size: int) -> None:
    with pytest.raises(ConnectionAbortedError):
        await shelf.store.put(uuid7(), breaking(LARGE[:size]))
    assert shelf.everything() == []


async def test_a_bucket_that_is_full_or_gone_says_so(bucket: Bucket, tmp_path: Path) -> None:
    store = open_store(f"s3+http://{BUCKET}", tmp_path)
    bucket.full = True
    with pytest.raises(StoreError) as refused:
        await store.put(uuid7(), parts_of(LARGE))
    assert SECRET_KEY not in str(refused.value)
    assert (bucket.objects, bucket.uploads) == ({}, {})
    assert await store.check() == f"s3://{BUCKET}"
    with pytest.raises(StoreError):
        await open_store("s3+http://another-bucket", tmp_path).check()


async def test_the_address_of_a_bucket_is_one_with_tls(bucket: Bucket, tmp_path: Path) -> None:
    assert bucket.address.startswith("http://")
    with pytest.raises(StoreError):
        await open_store(f"s3://{BUCKET}", tmp_path).check()


async def test_a_disk_that_is_full_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _part: memoryview) -> int:
        raise OSError(28, os.strerror(28))

    store = DiskStore(tmp_path)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError, match="No space left on device"):
        await store.put(uuid7(), parts_of(b"x"))
    monkeypatch.undo()
    assert files(tmp_path) == []


async def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store, name = DiskStore(tmp_path / "attachments"), uuid7()
        await store.put(name, parts_of(b"x"))
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "attachments").rglob("*")}
    assert modes == {str(name)[-2:]: 0o700, str(name): 0o600}
    assert await store.check() == f"the folder {tmp_path / 'attachments'}"
    (tmp_path / "attachments").chmod(0o750)
    with pytest.raises(StoreError, match="chmod 700"):
        await store.check()


async def test_what_a_power_cut_left_goes_with_its_name(tmp_path: Path) -> None:
    store, name = DiskStore(tmp_path), uuid7()
    await store.put(name, parts_of(b"x"))
    (path,) = files(tmp_path)
    path.rename(path.with_suffix(".part"))
    assert [kept async for kept in store.listed()] == []
    await store.delete(name)
    assert files(tmp_path) == []


async def test_nothing_is_kept_twice_under_a_name(tmp_path: Path) -> None:
    store, name = DiskStore(tmp_path), uuid7()
    await store.put(name, parts_of(b"first"))
    with pytest.raises(StoreError):
        await store.put(name, parts_of(b"second"))
    assert await content(store, name) == b"first"
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("setting", ["", "Disk", "s3://", "s3://B", "https://bucket", "s3://key:secret@bucket", "/var"])
def test_a_setting_that_names_no_store_is_refused(setting: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="INTERDESK_ATTACHMENT_STORE"):
        open_store(setting, tmp_path)
