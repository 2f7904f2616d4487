"""What is in the tables of a database, as numbers: how many rows, and a sum over them that tells any change."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import psycopg
from psycopg import sql

_FORM: Final = {
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "xmlbinary": "base64",
}
"""Settings that the text of a value depends on."""

_TABLES: Final = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""

# The sum does not depend on the order of rows, and a row that is there twice does not cancel itself out.
_CONTENT: Final = sql.SQL(
    "SELECT count(*), coalesce(sum(('x' || left(encode(sha256(convert_to(whole_row::text, 'UTF8')), 'hex'), 15))"
    "::bit(60)::bigint), 0)::text FROM ONLY {table} AS whole_row"
)


KEPT_APART: Final = (
    "public.person_keks",
    "public.person_keys",
    "public.person_marks",
    "public.attachment_keys",
)
"""Tables whose rows no backup holds: what a purge destroys there must not come back with one. They are restored from a
file of their own."""


class Content(NamedTuple):
    """What a table holds."""

    rows: int
    sum: str
    """The sum of the first 60 bits of every row's SHA-256, in decimal."""


def tables(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """Schema and name of every table that holds rows of its own, those of extensions left out."""
    return [(schema, name) for schema, name in connection.execute(_TABLES).fetchall()]


def contents(connection: psycopg.Connection) -> Iterator[tuple[str, Content]]:
    """Every table, as `schema.name`, and what a backup holds of it, for a role that passes over row-level security.

    All of one moment where the connection is in a transaction that sees one.
    """
    for name, value in _FORM.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    for schema, name in tables(connection):
        whole = f"{schema}.{name}"
        row = None if whole in KEPT_APART else connection.execute(_content(schema, name)).fetchone()
        yield whole, Content(*row) if row else Content(0, "0")


def checking_script(expected: Mapping[str, Content]) -> str:
    """SQL that fails, naming the first table, unless the tables hold exactly this; for the inside of a transaction."""
    lines = [f"SET LOCAL {name} = '{value}';" for name, value in _FORM.items()]
    lines += [_check(name, content) for name, content in expected.items()]
    return "\n".join([*lines, ""])


def _content(schema: str, name: str) -> sql.Composed:
    return _CONTENT.format(table=sql.Identifier(schema, name))


def _check(name: str, content: Content) -> str:
    schema, _, table = name.partition(".")
    block = sql.SQL(
        "DO $check$ BEGIN IF (SELECT (held.count, held.coalesce) FROM ({content}) AS held) IS DISTINCT FROM "
        "({rows}::bigint, {sum}::text) THEN RAISE EXCEPTION {complaint}; END IF; END $check$;"
    )
    complaint = f"the table {name} does not hold what was backed up".replace("%", "%%")
    return block.format(
        content=_content(schema, table),
        rows=sql.Literal(content.rows),
        sum=sql.Literal(content.sum),
        complaint=sql.Literal(complaint),
    ).as_string()
