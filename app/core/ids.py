"""Identifiers: UUIDv7 for machines, references for people."""

import re
import secrets
import threading
import time
from uuid import UUID

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# RFC 9562, section 5.7: 48 bits of Unix milliseconds, version, 12 random bits, variant, 62 random bits.
_RANDOM_BITS = 74
_RANDOM_B_BITS = 62
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
# The widest step between two ids of one millisecond. Half the random range is kept free for steps, so at least
# 2**73 / 2**60 = 8192 ids fit into a millisecond before the generator has to borrow the next one.
_STEP_BITS = 60


class _Generator:
    """Makes ids that only grow, in this process, whatever the wall clock does.

    Within one millisecond (or while the clock stands behind the last id) the random part grows by a *random* step
    (RFC 9562, section 6.2, method 2). A step of one would let an agency that creates two records learn how many other
    records, hidden ones too, were created between them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millisecond = 0
        self._random = 0

    def draw(self, millisecond: int) -> UUID:
        with self._lock:
            if millisecond > self._millisecond:
                self._restart(millisecond)
            else:
                self._random += 1 + secrets.randbits(_STEP_BITS)
                if self._random >> _RANDOM_BITS:
                    self._restart(self._millisecond + 1)
            return _assemble(self._millisecond, self._random)

    def _restart(self, millisecond: int) -> None:
        self._millisecond = millisecond
        self._random = secrets.randbits(_RANDOM_BITS - 1)


def _assemble(millisecond: int, random: int) -> UUID:
    random_a = random >> _RANDOM_B_BITS
    random_b = random & ((1 << _RANDOM_B_BITS) - 1)
    return UUID(int=millisecond << 80 | _VERSION | random_a << 64 | _VARIANT | random_b)


_generator = _Generator()


def uuid7() -> UUID:
    """A new UUIDv7 (RFC 9562), greater than every one this process made before."""
    return _generator.draw(time.time_ns() // 1_000_000)


def parse_uuid(text: str) -> UUID | None:
    """The UUID written in `text`, or None unless it is written canonically: lower case, 8-4-4-4-12.

    `uuid.UUID` also takes braces, `urn:uuid:` and missing hyphens: then one resource would have many addresses.
    """
    return UUID(text) if _CANONICAL.fullmatch(text) else None


def draw_reference(originator: str, kind_code: str, year: int) -> str:
    """A record's spoken name, for example `KR-KNPA-CO-2026-481902`.

    The six digits are drawn at random: a running number would count and date records that the reader may not see. A
    draw can collide; whoever stores the reference holds it unique for originator, kind and year, and draws again.
    """
    return f"{originator}-{kind_code}-{year:04d}-{secrets.randbelow(1_000_000):06d}"
