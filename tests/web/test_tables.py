"""CSV that a spreadsheet can open without harm."""

import csv
import io

from app.web.tables import csv_table
from tests.conftest import Hub


def test_a_formula_is_not_run() -> None:
    rows = [{"name": "=HYPERLINK(1)", "note": "-1+1", "count": -3, "names": ["@a", "b"], "none": None, "yes": True}]

    (row,) = csv.DictReader(io.StringIO(csv_table(rows).decode()))

    assert row == {
        "name": "'=HYPERLINK(1)",
        "note": "'-1+1",
        "count": "-3",
        "names": "'@a; b",
        "none": "",
        "yes": "true",
    }


def test_what_is_said_by_names_keeps_them() -> None:
    rows = [{"patch": {"status": "relocated", "summary": None, "note": "; =1"}, "detail": None}]

    (row,) = csv.DictReader(io.StringIO(csv_table(rows).decode()))

    assert row == {"patch": '{"status":"relocated","summary":null,"note":"; \'=1"}', "detail": ""}


async def test_lists_are_offered_as_tables(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    created = await korea.profile("보코르, 그룹", aliases=[{"name": "Bokor"}])
    path = "/v1/criminal-organizations"

    table = await korea.get(path, headers={"Accept": "text/csv"})
    versions = await korea.get(f"{path}/{created['id']}/versions", headers={"Accept": "text/csv"})

    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(table.text))
    assert (row["name"], row["aliases"], row["handling.tlp"]) == ("보코르, 그룹", "Bokor", "AMBER")
    for answer in (table, versions, await korea.get(path)):
        assert answer.headers["Vary"] == "Accept, Accept-Encoding"
    assert versions.text.splitlines()[0] == "version,at,by,changed"
    assert (await korea.get(path, headers={"Accept": "text/html"})).status_code == 406
