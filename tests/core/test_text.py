"""Text in its canonical form."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.core.text import LINE_MAX, Line, LongLine, Narrative, Paragraph

LINE: TypeAdapter[str] = TypeAdapter(Line)
PARAGRAPH: TypeAdapter[str] = TypeAdapter(Paragraph)


def _code(adapter: TypeAdapter[str], value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    (error,) = caught.value.errors()
    return error["type"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  Bokor Group ", "Bokor Group"),
        (unicodedata.normalize("NFD", "김민준"), "김민준"),
        ("សុខ សុភា", "សុខ សុភា"),
        ("\u00a0Hùng\u3000", "Hùng"),
        ("क्\u200dष", "क्\u200dष"),
    ],
)
def test_line_is_kept_in_canonical_form(sent: str, kept: str) -> None:
    assert LINE.validate_python(sent) == kept


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("", "string_too_short"),
        ("   ", "string_too_short"),
        ("\u3000\u00a0", "string_too_short"),
        ("\u200b\u200d", "text-invisible"),
        (" \ufeff", "text-invisible"),
        ("a\x00b", "text-control-character"),
        ("a\nb", "text-control-character"),
        ("a\x85b", "text-control-character"),
        ("a\ud83d", "text-half-character"),
        ("a" * (LINE_MAX + 1), "string_too_long"),
        (7, "string_type"),
        (None, "string_type"),
        (["a"], "string_type"),
    ],
)
def test_line_refuses(sent: object, code: str) -> None:
    assert _code(LINE, sent) == code


def test_length_is_that_of_the_canonical_text() -> None:
    decomposed = unicodedata.normalize("NFD", "각" * LINE_MAX)
    assert len(decomposed) == 3 * LINE_MAX
    assert LINE.validate_python(decomposed) == "각" * LINE_MAX
    # U+0958 is one character as sent and two in canonical form.
    assert _code(LINE, "\u0958" * LINE_MAX) == "string_too_long"


def test_message_says_where_and_what() -> None:
    with pytest.raises(ValidationError, match=r"Remove the control character U\+0007 at position 2\."):
        LINE.validate_python("ab\x07c")


def test_paragraph_keeps_lines_and_tabs() -> None:
    assert PARAGRAPH.validate_python("one\r\ntwo\rthree\n\tfour") == "one\ntwo\nthree\n\tfour"
    assert _code(PARAGRAPH, "one\x0btwo") == "text-control-character"
    assert _code(PARAGRAPH, "\n\t\n") == "string_too_short"


@pytest.mark.parametrize(("adapter", "maximum"), [(LongLine, 1_000), (Paragraph, 4_000), (Narrative, 20_000)])
def test_each_type_has_its_length(adapter: type[str], maximum: int) -> None:
    text: TypeAdapter[str] = TypeAdapter(adapter)
    assert len(text.validate_python("가" * maximum)) == maximum
    assert _code(text, "가" * (maximum + 1)) == "string_too_long"


@given(st.text(st.characters(), max_size=60))
def test_any_text_is_canonical_after_one_pass_or_refused(sent: str) -> None:
    for adapter in (LINE, PARAGRAPH):
        try:
            kept = adapter.validate_python(sent)
        except ValidationError:
            continue
        assert adapter.validate_python(kept) == kept == unicodedata.normalize("NFC", kept)
        kept.encode()
        assert "\x00" not in kept
        assert kept == kept.strip()


def test_schema_states_the_rules() -> None:
    schema = LINE.json_schema()
    assert (schema["type"], schema["minLength"], schema["maxLength"]) == ("string", 1, LINE_MAX)
    assert schema["pattern"] == r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
