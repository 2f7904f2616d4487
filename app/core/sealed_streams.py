"""Sealing of what is too long to be held: in pieces, none of which can be altered, left out, repeated or reordered.

This is the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance", 2015) with AES-256-GCM, in the form that age gives it: pieces of 64 KiB, the nonce of
each its number in 11 bytes and a byte that is 1 for the last one. So what was cut off is missed, and what was appended
is noticed. A key seals one stream and no other: with two, nonces would repeat.
"""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.crypto import KEY_BYTES, SealError

PIECE: Final = 64 * 1024
"""Bytes of clear text in each piece but the last, which may have fewer."""

TAG: Final = 16
_NUMBER_BYTES: Final = 11


def sealed_size(size: int) -> int:
    """How many bytes a stream of `size` bytes has when it is sealed; at least one piece, though it be empty."""
    return size + TAG * max(1, -(-size // PIECE))


class _Pieces:
    """Seals or opens piece after piece."""

    def __init__(self, key: bytes, place: bytes) -> None:
        if len(key) != KEY_BYTES:
            message = f"a sealing key has {KEY_BYTES} bytes"
            raise ValueError(message)
        self._aead = AESGCM(key)
        self._place = place
        self._number = 0

    def _nonce(self, *, last: bool) -> bytes:
        nonce = self._number.to_bytes(_NUMBER_BYTES, "big") + bytes([last])
        self._number += 1
        return nonce

    def seal(self, piece: bytes, *, last: bool) -> bytes:
        return self._aead.encrypt(self._nonce(last=last), piece, self._place)

    def open(self, piece: bytes, *, last: bool) -> bytes:
        try:
            return self._aead.decrypt(self._nonce(last=last), piece, self._place)
        except InvalidTag:
            message = "altered, cut, of another place or sealed with another key"
            raise SealError(message) from None


async def seal_stream(parts: AsyncIterable[bytes], key: bytes, place: bytes) -> AsyncIterator[bytes]:
    """What comes in `parts` of any length, sealed; `place` names where it belongs, and must be given to open it."""
    pieces = _Pieces(key, place)
    async for piece, last in _in_pieces(parts, PIECE):
        yield pieces.seal(piece, last=last)


async def open_stream(parts: AsyncIterable[bytes], key: bytes, place: bytes) -> AsyncIterator[bytes]:
    """What was sealed with this key for this place, piece by piece, each only after it was found whole.

    Raises:
        SealError: altered, cut, appended to, of another place, or sealed with another key. What came before is right.
    """
    pieces = _Pieces(key, place)
    async for piece, last in _in_pieces(parts, PIECE + TAG):
        yield pieces.open(piece, last=last)


async def _in_pieces(parts: AsyncIterable[bytes], size: int) -> AsyncIterator[tuple[bytes, bool]]:
    """The parts in pieces of one size, each with whether it is the last; an empty one stands for nothing at all."""
    waiting = bytearray()
    async for part in parts:
        waiting += part
        while len(waiting) > size:  # the last one is known by the end alone
            yield bytes(waiting[:size]), False
            del waiting[:size]
    yield bytes(waiting), True
