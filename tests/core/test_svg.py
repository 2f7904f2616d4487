"""Drawings hold whatever text there is, as text."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import svg

NAMESPACE = "{http://www.w3.org/2000/svg}"


def _shown(words: str) -> ET.Element:
    root = svg.drawing(100, 50, words, words)
    svg.text(root, (1, 2), words)
    svg.group(root, "group", words)
    return ET.fromstring(svg.written(root))  # noqa: S314 - our own


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_any_text_is_text(words: str) -> None:
    read = _shown(words)
    assert {part.tag.removeprefix(NAMESPACE) for part in read.iter()} == {"svg", "title", "desc", "rect", "text", "g"}


@pytest.mark.parametrize(
    "words",
    [
        "</text><script>alert(1)</script>",
        '" onload="alert(1)',
        "&lt;b&gt; &amp; ]]>",
        "보코르 그룹",
        "ខ្មែរ",
        "مراقبة البوابة",
        "𠜎 😀",
    ],
)
def test_text_reads_as_it_was_written(words: str) -> None:
    read = _shown(words)
    for name in ("title", "desc", "text", "g/{http://www.w3.org/2000/svg}title"):
        assert read.findtext(f"{NAMESPACE}{name}") == words


def test_what_xml_cannot_hold_is_replaced() -> None:
    assert svg.clean("a\0b\x1f\ufffe\uffffc\t\n") == "a\ufffdb\ufffd\ufffd\ufffdc\t\n"


@pytest.mark.parametrize(
    ("words", "longest", "shown"),
    [
        ("short", 10, "short"),
        ("two  spaces\nand a line", 30, "two spaces and a line"),
        ("exactly ten", 11, "exactly ten"),
        ("one too many", 11, "one too ma…"),
        ("보코르 그룹", 11, "보코르 그룹"),
        ("보코르 그룹", 10, "보코르 그…"),
        ("cafe\u0301s", 5, "cafe\u0301s"),
        ("cafe\u0301s are", 5, "cafe\u0301…"),
        ("ខ្មែរ", 2, "ខ…"),  # the sign that joins the next letter on goes with it
        ("ខ្មែរ", 3, "ខ្មែ…"),
        ("", 5, ""),
    ],
)
def test_long_text_is_cut_between_letters(words: str, longest: int, shown: str) -> None:
    assert svg.shortened(words, longest) == shown
    assert svg.columns(shown) <= longest + 1
