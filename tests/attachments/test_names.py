"""What an attachment is called leads nobody astray."""

import pytest

from app.attachments.names import LONGEST, display_name, sent_name

SENT = {
    None: None,
    "attachment": None,
    'attachment; filename="a b.pdf"': "a b.pdf",
    "attachment; filename*=UTF-8''%EB%8F%99%EC%9D%98.pdf": "동의.pdf",
    'attachment; filename="동의.pdf"'.encode().decode("latin-1"): "동의.pdf",
    "attachment; filename*=nothing''%41.pdf": "A.pdf",
    'form-data; name="x"; filename="c.txt"': "c.txt",
}


@pytest.mark.parametrize("header", SENT)
def test_a_name_is_read_off_its_header(header: str | None) -> None:
    assert sent_name(header) == SENT[header]


SHOWN = {
    "consent.pdf": "consent.pdf",
    "Consent.PDF": "Consent.PDF",
    "동의서.pdf": "동의서.pdf",
    "invoice.exe": "invoice.exe.pdf",
    "/etc/passwd": "passwd.pdf",
    "C:\\Users\\kim\\x.pdf": "x.pdf",
    "..": "attachment.pdf",
    "": "attachment.pdf",
    ".pdf": "pdf.pdf",
    "a\u202efdp.exe": "a_fdp.exe.pdf",
    "a\r\nSet-Cookie: x.pdf": "a__Set-Cookie_ x.pdf",
    'a"b<c>d.pdf': "a_b_c_d.pdf",
    "half \ud800.pdf": "half _.pdf",
    "CON.pdf": "_CON.pdf",
    "lpt1": "_lpt1.pdf",
    "  many   blanks .pdf": "many blanks.pdf",
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_name_is_made_safe(name: str) -> None:
    assert display_name(name, "application/pdf") == SHOWN[name]


def test_a_name_has_an_end() -> None:
    for character in ("x", "가", "𠀀"):
        shown = display_name(character * 500 + ".pdf", "application/pdf")
        assert LONGEST - 4 <= len(shown.encode()) <= LONGEST
        assert shown.endswith(f"{character}.pdf")


def test_text_keeps_the_ending_of_a_table_and_no_other() -> None:
    assert display_name("list.csv", "text/plain") == "list.csv"
    assert display_name("run.bat", "text/plain") == "run.bat.txt"
