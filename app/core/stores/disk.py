"""A store in a folder: files that only their owner can read, named by ids."""

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, ParamSpec, TypeVar
from uuid import UUID

from app.core.ids import parse_uuid
from app.core.stores.interface import Kept, StoreError

_READ: Final = 256 * 1024
_WRITE: Final = 1024 * 1024
"""Bytes that are gathered before they are handed to the disk, which takes a thread each time."""

_DRAFT: Final = ".part"
_P = ParamSpec("_P")
_T = TypeVar("_T")


class DiskStore:
    """Keeps each thing as a file: `<last two digits of the id>/<id>`, in folders with mode 0700.

    A file has its name once it is complete and on the disk. What a power cut leaves unfinished ends in `.part`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: UUID, parts: AsyncIterable[bytes]) -> None:
        """As `Store.put`."""
        path = self._path(name)
        draft = path.with_suffix(_DRAFT)
        descriptor = await _off_the_loop(_begin, draft)
        try:
            try:
                waiting = bytearray()
                async for part in parts:
                    waiting += part
                    if len(waiting) >= _WRITE:
                        await _off_the_loop(_write, descriptor, bytes(waiting))
                        waiting.clear()
                await _off_the_loop(_finish, descriptor, bytes(waiting))
            finally:
                os.close(descriptor)
            await _off_the_loop(_name, draft, path)
        finally:
            with suppress(OSError):  # named by now, or deleted with its name later
                draft.unlink(missing_ok=True)

    async def get(self, name: UUID) -> AsyncIterator[bytes]:
        """As `Store.get`."""
        descriptor = await _off_the_loop(os.open, self._path(name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            while part := await _off_the_loop(os.read, descriptor, _READ):
                yield part
        finally:
            os.close(descriptor)

    async def delete(self, name: UUID) -> None:
        """As `Store.delete`."""
        await _off_the_loop(_delete, self._path(name))

    async def listed(self) -> AsyncIterator[Kept]:
        """As `Store.listed`."""
        for kept in await _off_the_loop(lambda: list(_files(self._folder))):
            yield kept

    async def check(self) -> str:
        """As `Store.check`: the folder, where it is there, can be written, and nobody else can look into it."""
        return await _off_the_loop(_check, self._folder)

    def _path(self, name: UUID) -> Path:
        return self._folder / str(name)[-2:] / str(name)


async def _off_the_loop(act: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
    """Do in a thread what may wait for the disk."""
    try:
        return await asyncio.to_thread(act, *arguments, **named)
    except OSError as error:
        message = f"the store on the disk fails: {error.strerror or error}"
        raise StoreError(message) from error


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _begin(draft: Path) -> int:
    _make(draft.parent.parent)
    _make(draft.parent)
    return os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _write(descriptor: int, part: bytes) -> None:
    rest = memoryview(part)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _finish(descriptor: int, part: bytes) -> None:
    _write(descriptor, part)
    os.fsync(descriptor)


def _name(draft: Path, path: Path) -> None:
    """Give the draft its name, unless there is something of that name, and make that durable."""
    os.link(draft, path)
    draft.unlink()
    for folder in (path.parent, path.parent.parent):  # the folder itself may have been made for this file
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _delete(path: Path) -> None:
    for one in (path, path.with_suffix(_DRAFT)):
        one.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[Kept]:
    for path in folder.glob("??/*"):
        name = parse_uuid(path.name)
        if name is not None:
            yield Kept(name, path.stat().st_size)


def _check(folder: Path) -> str:
    if not folder.exists():
        return f"the folder {folder}, which the first attachment makes"
    if folder.stat().st_mode & 0o077:
        message = f"others can look into {folder}: chmod 700 {folder}"
        raise StoreError(message)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        message = f"{folder} cannot be written"
        raise StoreError(message)
    return f"the folder {folder}"
