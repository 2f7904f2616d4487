"""Loads the invented profiles by COPY, once for every size."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
from psycopg import sql
from sqlalchemy import create_engine

import migrations
from app.core.database_roles import DatabaseRole
from bench import installation, profiles
from bench.baselines.sync_sqlmodel import Profile
from bench.database import Cluster, Connection, connect, create, exists, pristine

Progress = Callable[[int], None]
"""Told how many profiles are loaded so far."""

REPORT_EVERY = 5_000
HANDLING = {"tlp": "AMBER", "codes": ["H2"], "caveat": None, "review_on": "2031-11-22"}


def ensure(cluster: Cluster, size: int, progress: Progress) -> None:
    """Load the database of this size unless it stands there already, made by the same code."""
    database = pristine(size)
    if exists(cluster, database) and _loaded_by(cluster, database) == recipe():
        return
    create(cluster, database)
    load_plain(cluster, database, size, lambda loaded: progress(loaded // 5))
    installation.load(cluster, database, size, lambda loaded: progress(size // 5 + loaded * 4 // 5))
    with connect(cluster, database) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CREATE TABLE bench_loaded (recipe text NOT NULL)")
        connection.execute("INSERT INTO bench_loaded VALUES (%s)", [recipe()])


def recipe() -> str:
    """A hash of the code that the data follows from; what renders the documents is not in it."""
    folder = Path(__file__).parent
    sources = [
        folder / "profiles.py",
        folder / "data.py",
        folder / "installation.py",
        folder / "baselines" / "sync_sqlmodel.py",
        *sorted(Path(migrations.__file__).parent.glob("*/*")),
    ]
    texts = [source.read_bytes() for source in sources if source.suffix in {".py", ".sql"}]
    return hashlib.sha256(b"".join(texts)).hexdigest()


def _loaded_by(cluster: Cluster, database: str) -> str | None:
    with connect(cluster, database) as connection:
        if connection.execute("SELECT to_regclass('bench_loaded') IS NULL").fetchone() == (True,):
            return None
        row = connection.execute("SELECT recipe FROM bench_loaded").fetchone()
        return str(row[0]) if row else None


def load_plain(cluster: Cluster, database: str, size: int, progress: Progress) -> None:
    """Fill the table of the plain SQLModel application, which the API's role may read and write."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(cluster, database))
    Profile.metadata.create_all(engine)
    engine.dispose()
    with connect(cluster, database) as connection:
        table = sql.Identifier(Profile.__tablename__)
        _copy(connection, table, size, progress)
        connection.execute(
            sql.SQL("GRANT SELECT, INSERT, UPDATE ON {} TO {}").format(table, sql.Identifier(DatabaseRole.API))
        )


def _copy(connection: Connection, table: sql.Identifier, size: int, progress: Progress) -> None:
    columns = list(Profile.model_fields)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(table, names)) as copy:
        for number, row in enumerate(_rows(size, columns), start=1):
            copy.write_row(row)
            if number % REPORT_EVERY == 0 or number == size:
                progress(number)


def _rows(size: int, columns: list[str]) -> Iterator[list[Any]]:
    for number in range(size):
        moment = profiles.created_at(number)
        fields = plain(profiles.content(number)) | {
            "id": profiles.profile_id(number),
            "reference": profiles.reference(number),
            "originator": profiles.originator(number),
            "version": 1,
            "created_at": moment,
            "updated_at": moment,
        }
        yield [_as_json(fields[column]) for column in columns]


def plain(content: dict[str, Any]) -> dict[str, Any]:
    """The content as the plain application takes it: what is nested, and the handling, in one object."""
    scalars = {name: value for name, value in content.items() if not isinstance(value, list | dict)}
    nested = {name: value for name, value in content.items() if name not in scalars}
    return scalars | {"details": nested | {"handling": HANDLING}}


def _as_json(value: object) -> object:
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else value
