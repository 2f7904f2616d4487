import re
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import ids
from app.core.ids import _assemble, _Generator

EARLY, LATER = 1_795_000_000_000, 1_795_000_000_001


def milliseconds(identifier: UUID) -> int:
    return identifier.int >> 80


def random_part(identifier: UUID) -> int:
    return (identifier.int >> 64 & 0xFFF) << 62 | identifier.int & (1 << 62) - 1


def test_the_layout_is_that_of_rfc_9562() -> None:
    """The example of RFC 9562, appendix A.6."""
    example = _assemble(0x017F22E279B0, 0xCC3 << 62 | 0x18C4DC0C0C07398F)
    assert example == UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


def test_an_id_is_version_7_and_carries_the_time() -> None:
    before = time.time_ns() // 1_000_000
    identifier = ids.uuid7()
    assert (identifier.version, identifier.variant) == (7, "specified in RFC 4122")
    assert milliseconds(identifier) - before < 1000


def test_ids_grow_whatever_the_clock_does() -> None:
    generator = _Generator()
    drawn = [generator.draw(moment) for moment in (EARLY, EARLY, LATER, EARLY - 5_000, EARLY, LATER, LATER + 1)]
    assert drawn == sorted(set(drawn))
    assert [milliseconds(identifier) for identifier in drawn] == [EARLY] * 2 + [LATER] * 4 + [LATER + 1]


def test_ids_of_one_millisecond_do_not_count() -> None:
    generator = _Generator()
    drawn = [random_part(generator.draw(EARLY)) for _ in range(1000)]
    steps = {later - earlier for earlier, later in pairwise(drawn)}
    assert len(steps) == 999
    assert min(steps) > 1_000_000


def test_a_full_millisecond_borrows_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbits", lambda bits: (1 << bits) - 1)  # the worst luck there is
    generator = _Generator()
    drawn = [generator.draw(EARLY) for _ in range(20_000)]
    assert drawn == sorted(set(drawn))
    fitted = sum(milliseconds(identifier) == EARLY for identifier in drawn)
    assert fitted >= 8192
    assert milliseconds(drawn[-1]) > EARLY


def test_threads_never_draw_the_same_id() -> None:
    with ThreadPoolExecutor(8) as threads:
        drawn = [*threads.map(lambda _: ids.uuid7(), range(20_000))]
    assert len(set(drawn)) == 20_000


@given(st.uuids())
def test_the_canonical_text_is_read(identifier: UUID) -> None:
    assert ids.parse_uuid(str(identifier)) == identifier


@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text.upper(),
        lambda text: text.replace("-", ""),
        lambda text: "{" + text + "}",
        lambda text: "urn:uuid:" + text,
        lambda text: " " + text,
        lambda text: text + "\n",
        lambda text: text[:-1],
        lambda text: text.replace(text[0], "٣", 1),
        lambda _: "",
    ],
)
def test_any_other_spelling_is_refused(spell: Callable[[str], str]) -> None:
    assert ids.parse_uuid(spell("c" + str(uuid4())[1:])) is None


@given(st.text())
def test_arbitrary_text_is_no_id(text: str) -> None:
    parsed = ids.parse_uuid(text)
    assert parsed is None or str(parsed) == text


def test_a_reference_can_be_said_aloud() -> None:
    reference = ids.draw_reference("KR-KNPA", "CO", 2026)
    assert re.fullmatch(r"KR-KNPA-CO-2026-[0-9]{6}", reference)


def test_the_digits_of_a_reference_keep_their_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", lambda bound: {1_000_000: 42}[bound])
    assert ids.draw_reference("INTERPOL", "RR", 2026) == "INTERPOL-RR-2026-000042"


def test_references_are_not_a_running_number() -> None:
    numbers = [int(ids.draw_reference("KR-KNPA", "CO", 2026)[-6:]) for _ in range(50)]
    assert numbers != sorted(numbers)
