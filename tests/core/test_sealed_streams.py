"""A stream opens as it was sealed, and what was done to it on the way is noticed."""

import secrets
from collections.abc import AsyncIterator

import pytest

from app.core.crypto import SealError
from app.core.sealed_streams import PIECE, TAG, open_stream, seal_stream, sealed_size

KEY = secrets.token_bytes(32)
PLACE = b"here"


async def parts_of(data: bytes, size: int = 10_000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def sealed(data: bytes, key: bytes = KEY) -> bytes:
    return b"".join([part async for part in seal_stream(parts_of(data), key, PLACE)])


async def opened(data: bytes, key: bytes = KEY, place: bytes = PLACE, size: int = 7_777) -> bytes:
    return b"".join([part async for part in open_stream(parts_of(data, size), key, place)])


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 5])
async def test_what_was_sealed_opens(size: int) -> None:
    data = secrets.token_bytes(size)
    closed = await sealed(data)
    assert len(closed) == sealed_size(size)
    assert await opened(closed) == data
    assert await opened(closed, size=1 << 20) == data
    if size > 16:
        assert data[:16] not in closed


async def test_whatever_is_done_to_it_is_noticed() -> None:
    data = secrets.token_bytes(3 * PIECE + 5)
    closed = await sealed(data)
    whole = PIECE + TAG
    first, second, third, last = (closed[at : at + whole] for at in range(0, len(closed), whole))
    assert len(last) == 5 + TAG
    for wrong in (
        first + second + third,  # cut at a piece's end
        first,
        b"",
        closed[:-1],
        closed + b"\0",
        closed + last,
        second + first + third + last,
        first + first + third + last,
        first + third + last,
        bytes([closed[0] ^ 1]) + closed[1:],
        closed[:-1] + bytes([closed[-1] ^ 1]),
    ):
        with pytest.raises(SealError):
            await opened(wrong)


async def test_it_opens_with_its_key_in_its_place_alone() -> None:
    closed = await sealed(b"once")
    with pytest.raises(SealError):
        await opened(closed, secrets.token_bytes(32))
    with pytest.raises(SealError):
        await opened(closed, place=b"there")
    with pytest.raises(ValueError, match="32 bytes"):
        await opened(closed, b"short")


async def test_what_comes_before_the_flaw_is_right() -> None:
    data = secrets.token_bytes(2 * PIECE)
    closed = await sealed(data)
    stream = open_stream(parts_of(closed[:-1] + bytes([closed[-1] ^ 1])), KEY, PLACE)
    assert await anext(stream) == data[:PIECE]
    with pytest.raises(SealError):
        await anext(stream)
