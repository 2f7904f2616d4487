"""CSV of records, safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

# Where a cell begins: also after a semicolon or a line break, which end cells, quoted or not, for a spreadsheet of a
# country that writes decimals with a comma. East Asian ones take the wide signs too.
_FORMULA = re.compile(r"(^|[;\t\r\n] *)(?=[=+\-@\t\r＝＋－＠])")


def _cell(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A value as text: lists joined by `; `, objects by their values.

    A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection).
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        text = " ".join(part for part in map(_cell, value.values()) if part)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        text = "; ".join(map(_cell, value))
    else:
        text = str(value)
        if isinstance(value, int | float):
            return text
    return _FORMULA.sub(r"\1'", text)


_FREE = ("patch", "detail")
"""Fields in which the names inside are part of what is said: they stay JSON."""


def _flat(row: Mapping[str, Any]) -> dict[str, str]:
    cells: dict[str, str] = {}
    for name, value in row.items():
        if name == "handling" and isinstance(value, Mapping):
            cells |= {f"handling.{part}": _cell(inner) for part, inner in value.items()}
        elif name in _FREE and value is not None:
            cells[name] = _cell(orjson.dumps(value).decode())
        else:
            cells[name] = _cell(value)
    return cells


def csv_table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """RFC 4180 in UTF-8, with a header; columns in the order in which they first appear. Empty for no rows."""
    flat = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(column for row in flat for column in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\r\n")
    if columns:
        writer.writeheader()
    writer.writerows(flat)
    return text.getvalue().encode()
