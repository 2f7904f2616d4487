"""Drawings as SVG: plain shapes and text that any browser shows, without scripts, styles or anything to be loaded.

Built as an XML tree, so that no text can end up as markup; what XML cannot hold is replaced.
"""

import re
import unicodedata
import xml.etree.ElementTree as ET
from typing import Final

MEDIA_TYPE: Final = "image/svg+xml"

_NAMESPACE: Final = "http://www.w3.org/2000/svg"
_FONTS: Final = "system-ui, 'Noto Sans', 'Noto Sans CJK KR', 'Noto Sans Khmer', 'Noto Sans Thai', sans-serif"
# XML 1.0, section 2.2: everything else is no character there, however it is escaped.
_NO_CHARACTER: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Thai, Lao, Khmer and Burmese build syllables of letters that belong together: what joins to the next letter must not
# be the last that is shown.
_JOINS_ON: Final = "\u0e40\u0e41\u0e42\u0e43\u0e44\u0ec0\u0ec1\u0ec2\u0ec3\u0ec4\u1039\u17d2\u200d"

Element = ET.Element


def drawing(width: int, height: int, title: str, description: str) -> Element:
    """An empty drawing on white, in pixels; `title` and `description` say what it shows to those who cannot see it."""
    size = {"width": f"{width}", "height": f"{height}", "viewBox": f"0 0 {width} {height}"}
    root = Element("svg", {"xmlns": _NAMESPACE, **size, "role": "img", "font-family": _FONTS, "font-size": "12"})
    tooltip(root, title)
    ET.SubElement(root, "desc").text = clean(description)
    rectangle(root, (0, 0), (width, height), fill="#ffffff")
    return root


def written(root: Element) -> str:
    """The drawing as a document."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def clean(text: str) -> str:
    """The text with what XML cannot hold replaced."""
    return _NO_CHARACTER.sub("\ufffd", text)


def group(parent: Element, name: str, told: str | None = None) -> Element:
    """A group of shapes of the class `name`; `told` is shown where somebody points at it."""
    made = ET.SubElement(parent, "g", {"class": name})
    if told is not None:
        tooltip(made, told)
    return made


def tooltip(parent: Element, text: str) -> None:
    """What is shown, and read out, where somebody points at a shape."""
    ET.SubElement(parent, "title").text = clean(text)


def shape(parent: Element, name: str, **attributes: float | str) -> Element:
    """Any element; numbers are written with one decimal, and `_` stands for `-` in a name."""
    values = {key.rstrip("_").replace("_", "-"): _value(value) for key, value in attributes.items()}
    return ET.SubElement(parent, name, values)


def rectangle(parent: Element, corner: tuple[float, float], size: tuple[float, float], **attributes: str) -> Element:
    """A rectangle by its upper left corner, its width and its height."""
    return shape(parent, "rect", x=corner[0], y=corner[1], width=size[0], height=size[1], **attributes)


def line(parent: Element, start: tuple[float, float], end: tuple[float, float], **attributes: str) -> Element:
    """A line from one point to another."""
    return shape(parent, "line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], **attributes)


def path(parent: Element, *points: tuple[float, float], **attributes: str) -> Element:
    """A line through several points; with a `fill`, the area inside it."""
    return shape(parent, "polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), **attributes)


def text(parent: Element, place: tuple[float, float], words: str, **attributes: str) -> Element:
    """A line of text; whatever it holds, it turns the direction of nothing beside it."""
    made = shape(parent, "text", x=place[0], y=place[1], unicode_bidi="isolate", **attributes)
    made.text = clean(words)
    return made


def columns(words: str) -> int:
    """How many columns a text takes up, about: the letters of East Asia two, marks on letters none."""
    return sum(_columns(character) for character in words)


def shortened(words: str, longest: int) -> str:
    """The text in about `longest` columns, with an ellipsis for what was left out; no letter loses its marks."""
    words = " ".join(words.split())
    if columns(words) <= longest:
        return words
    room, kept = longest - 1, ""
    for character in words:
        room -= _columns(character)
        if room < 0 and not unicodedata.category(character).startswith("M"):
            break
        kept += character
    return kept.rstrip(f" {_JOINS_ON}") + "…"


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _value(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.1f}"
