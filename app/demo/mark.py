"""A database that is a demo says so itself, in its comment: only the owner writes it, and a copy of rows lacks it."""

import psycopg
from psycopg import sql

from app.core.database_roles import DatabaseRole, database_privileges
from app.installation import Installation, InstallationError

MARK = "Interdesk demo: invented agencies, organizations and people"

_COMMENT = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
_AGENCIES = "SELECT code FROM agencies WHERE NOT hub ORDER BY code"
_SERVERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'interdesk_api'"
_TEMPLATE = "template1"
_MAINTENANCE = "postgres"


def is_demo(installation: Installation) -> bool:
    """Whether the database says of itself that it is a demo."""
    with psycopg.connect(installation.conninfo(DatabaseRole.API), autocommit=True) as connection:
        row = connection.execute(_COMMENT).fetchone()
    return row is not None and row[0] == MARK


def put(installation: Installation) -> None:
    """Mark the database as a demo."""
    with psycopg.connect(installation.conninfo(DatabaseRole.OWNER), autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(MARK)))


def agencies(installation: Installation) -> list[str]:
    """The codes of the agencies that the database knows, the hub's own left out."""
    with psycopg.connect(installation.conninfo(DatabaseRole.WORKER)) as connection:
        connection.execute("SELECT enter_operator(NULL, 'demo', 'demo', 'interdesk demo')")
        return [code for (code,) in connection.execute(_AGENCIES).fetchall()]


def is_served(installation: Installation) -> bool:
    """Whether a server is using the database at this moment."""
    with psycopg.connect(installation.conninfo(DatabaseRole.OWNER), autocommit=True) as connection:
        row = connection.execute(_SERVERS).fetchone()
    return bool(row and row[0])


def empty(installation: Installation) -> None:
    """Put an empty database in the place of a demo's.

    Raises:
        InstallationError: the database is no demo, or not the embedded one: of a managed server the owner may not
            create databases.
    """
    if not is_demo(installation):
        message = "This database is no demo. It was left as it is."
        raise InstallationError(message)
    if installation.postgres is None:
        message = "On a managed server, drop and create the database there, and make its roles again."
        raise InstallationError(message)
    conninfo = installation.conninfo(DatabaseRole.OWNER)
    with psycopg.connect(conninfo) as connection:
        name = connection.info.dbname
    names = {"name": sql.Identifier(name), "template": sql.Identifier(_TEMPLATE)}
    maintenance = psycopg.conninfo.make_conninfo(conninfo, dbname=_MAINTENANCE)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        # Without FORCE, which takes more power than the owner has: it waits for sessions that are just ending.
        connection.execute(sql.SQL("DROP DATABASE {name}").format(**names))
        connection.execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {template}").format(**names))
        connection.execute(database_privileges(name).encode())
