"""Uploads that break off, take too long, lose their access or find the store full: they leave nothing behind."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.types import Message

from app.attachments import attachments
from app.core.stores import Store, StoreError
from app.settings import Settings
from tests.conftest import Hub, Partner
from tests.events.following import until
from tests.routers.attaching import (
    PATH,
    PDF,
    PROFILES,
    TEXT,
    attach,
    attached,
    empty_trash,
    remove,
    stored,
)
from tests.routers.entrance import below_policies

LIMIT = 200_000
PROFILE = f"/v1/{PROFILES}"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"attachment_limit": LIMIT, "database_connections": 2})


@pytest.fixture
def korea(hub: Hub) -> Partner:
    return hub.partner("KR-KNPA", "analyst")


@pytest.fixture
async def record(korea: Partner) -> str:
    return str((await korea.profile())["id"])


def kept(hub: Hub) -> int:
    """How many attachments there are; nothing else is in the store."""
    ((count,),) = hub.look("SELECT count(*) FROM attachments")
    assert len(stored(hub)) == count
    return int(count)


def scope_of(partner: Partner, method: str, path: str, query: str = "") -> dict[str, Any]:
    """A call as a server hands it to the application."""
    headers = {"host": "hub.test", "authorization": f"Bearer {partner.access_token}"}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("hub.test", 80),
    }


async def sent_raw(hub: Hub, partner: Partner, record: str, receive: Callable[[], Any]) -> list[Message]:
    """An upload whose body comes from `receive`, as a server would hand it on; what was answered."""
    answered: list[Message] = []

    async def send(message: Message) -> None:
        answered.append(message)

    await hub.app(scope_of(partner, "POST", PATH, f"kind={PROFILES}&record={record}"), receive, send)
    return answered


@pytest.mark.parametrize("size", [0, 100, 150_000])
async def test_what_breaks_off_leaves_nothing(hub: Hub, korea: Partner, record: str, size: int) -> None:
    messages = [
        {"type": "http.request", "body": PDF.ljust(size, b"%")[:size], "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0) if len(messages) > 1 else messages[0]

    answered = await sent_raw(hub, korea, record, receive)
    assert answered[0]["status"] == 422
    assert kept(hub) == 0


async def test_an_upload_that_is_cut_down_leaves_nothing(hub: Hub, korea: Partner, record: str) -> None:
    begun = asyncio.Event()

    async def receive() -> Message:
        if begun.is_set():
            await asyncio.Event().wait()
        begun.set()
        return {"type": "http.request", "body": PDF.ljust(150_000, b"%"), "more_body": True}

    upload = asyncio.create_task(sent_raw(hub, korea, record, receive))
    await begun.wait()

    async def being_stored() -> bool:
        return bool(stored(hub))

    await until(being_stored)
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert kept(hub) == 0


class Broken:
    """A store that is full after some bytes."""

    def __init__(self, store: Store, after: int) -> None:
        self._store = store
        self._left = after

    async def put(self, name: UUID, parts: AsyncIterator[bytes]) -> None:
        async def until_full() -> AsyncIterator[bytes]:
            async for part in parts:
                self._left -= len(part)
                if self._left < 0:
                    raise StoreError("the store on the disk fails: No space left on device")
                yield part

        await self._store.put(name, until_full())

    async def delete(self, name: UUID) -> None:
        await self._store.delete(name)


@pytest.mark.parametrize("after", [0, 100_000])
async def test_a_full_store_takes_nothing_and_keeps_no_half(hub: Hub, korea: Partner, record: str, after: int) -> None:
    whole = hub.app.state.house.store
    hub.app.state.house.store = Broken(whole, after)
    answer = await attach(korea, record, PDF.ljust(150_000, b"%"))
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert "space" not in answer.text
    assert kept(hub) == 0
    hub.app.state.house.store = whole
    assert (await attach(korea, record)).status_code == 201


async def test_access_is_looked_at_again_after_the_last_byte(hub: Hub, korea: Partner, record: str) -> None:
    async def while_(act: Callable[[], Any]) -> httpx.Response:
        async def parts() -> AsyncIterator[bytes]:
            yield PDF
            await act()

        return await attach(korea, record, parts())

    async def retract() -> None:
        assert (await korea.post(f"{PROFILE}/{record}/retract", etag="*")).status_code == 200

    async def revoke() -> None:
        hub.operator("UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE agency = 'KR-KNPA'")

    assert (await while_(retract)).status_code == 409
    assert (await while_(revoke)).status_code in (401, 409)
    assert kept(hub) == 0


async def test_an_upload_that_takes_too_long_is_given_up(
    hub: Hub, korea: Partner, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield PDF
        below_policies(hub, "UPDATE attachment_trash SET due_at = clock_timestamp()")

    answer = await attach(korea, record, parts())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "body-too-slow")
    assert kept(hub) == 0
    monkeypatch.setattr("app.attachments.uploading.GIVEN_UP_AFTER", 0.05)

    async def never() -> AsyncIterator[bytes]:
        yield PDF
        await asyncio.Event().wait()

    answer = await attach(korea, record, never())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "body-too-slow")
    assert kept(hub) == 0


async def test_what_a_crash_left_in_the_store_is_deleted(
    hub: Hub, korea: Partner, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(attachments, "add", crash)
    assert (await attach(korea, record)).status_code == 500
    monkeypatch.undo()
    stays = await attached(korea, record, TEXT)
    assert len(stored(hub)) == 2
    assert await empty_trash(hub) == 0
    below_policies(hub, "UPDATE attachment_trash SET due_at = clock_timestamp()")
    assert await empty_trash(hub) == 1
    assert [file.name for file in stored(hub)] == [stays.rpartition("/")[2]]


async def test_what_the_store_does_not_delete_waits(hub: Hub, korea: Partner, record: str) -> None:
    class Stubborn:
        async def delete(self, _name: UUID) -> None:
            raise StoreError("the store in the bucket fails: Timeout")

    await remove(korea, await attached(korea, record))
    whole, hub.app.state.house.store = hub.app.state.house.store, Stubborn()
    assert await empty_trash(hub) == 0
    hub.app.state.house.store = whole
    assert await empty_trash(hub) == 1
    assert stored(hub) == []


class Large:
    """20 MB that nobody holds: each part is made when it is asked for, and forgotten."""

    SIZE = 20 * 1024 * 1024

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield PDF.ljust(65_536, b"%")
        for number in range(1, self.SIZE // 65_536):
            yield number.to_bytes(4, "big") * 16_384


async def test_memory_does_not_grow_with_size(hub: Hub, korea: Partner, record: str) -> None:
    home = hub.app.state.house
    object.__setattr__(home, "settings", home.settings.model_copy(update={"attachment_limit": 2 * Large.SIZE}))
    await attached(korea, record)
    tracemalloc.start()
    try:
        path = await attached(korea, record, aiter(Large()))
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        parts = await _parts_of(hub, korea, f"{path}/content")
        given = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(parts) == Large.SIZE
    assert max(parts) <= 65_536
    assert taken < 6 * 1024 * 1024
    assert given < 6 * 1024 * 1024


async def _parts_of(hub: Hub, partner: Partner, path: str) -> list[int]:
    """The sizes of what a download hands to the server, part by part."""
    parts: list[int] = []

    async def send(message: Message) -> None:
        parts.append(len(message.get("body", b"")))

    await hub.app(scope_of(partner, "GET", path), asyncio.Event().wait, send)
    return parts
