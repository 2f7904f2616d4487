"""Making the roles and the database, the only thing the superuser ever does."""

import hashlib
import time

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from app.core.database_roles import DATABASE, DatabaseRole, roles_script, template_script
from app.core.embedded.address import PORT
from app.core.embedded.cluster import SUPERUSER, configure
from app.core.embedded.errors import EmbeddedPostgresError
from app.core.embedded.layout import Layout
from app.core.embedded.server import reload

_MAINTENANCE = """\
-- Only the owner needs a database to stand on while it makes or drops another.
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO interdesk_owner;
-- Tests clone databases from a template; on a managed server nobody needs this.
ALTER ROLE interdesk_owner CREATEDB;
"""

_PAUSE = 0.005
_SECONDS = 30.0
_ROLES = [role.value for role in DatabaseRole]


def _mark() -> str:
    text = "\n".join([roles_script(DATABASE), template_script(), _MAINTENANCE])
    return hashlib.sha256(text.encode()).hexdigest()


def is_current(layout: Layout) -> bool:
    """Whether the cluster has seen the scripts of this version."""
    try:
        return layout.roles_mark.read_text(encoding="utf-8") == _mark()
    except OSError:
        return False


def configure_for(layout: Layout, user: str) -> None:
    """Write the configuration; the superuser is let in only while its scripts are still to run."""
    configure(layout.cluster, user, _ROLES if is_current(layout) else [*_ROLES, SUPERUSER])


def ensure_roles(layout: Layout, user: str, sockets: str) -> None:
    """Run the scripts in a running server if they are due, and shut the superuser out again.

    Killed half-way it is simply repeated at the next start, since all of it may run twice.
    """
    if is_current(layout):
        return
    configure_for(layout, user)
    reload(layout)
    try:
        _run_scripts(sockets)
    except psycopg.Error as problem:
        message = (
            f"The roles of the embedded PostgreSQL could not be made: {problem} See {layout.log}; if the folder holds "
            "nothing you need, remove it and start again."
        )
        raise EmbeddedPostgresError(message) from problem
    configure(layout.cluster, user, _ROLES)
    reload(layout)
    _wait_until_shut(sockets)
    layout.roles_mark.write_text(_mark(), encoding="utf-8")


def _run_scripts(sockets: str) -> None:
    with _superuser(sockets, "postgres") as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    with _superuser(sockets, DATABASE) as connection:
        connection.execute(roles_script(DATABASE).encode())
        connection.execute(_MAINTENANCE.encode())
        compressions = connection.execute("SELECT enumvals FROM pg_settings WHERE name = 'default_toast_compression'")
        if "lz4" in (compressions.fetchone() or ([],))[0]:
            connection.execute("ALTER SYSTEM SET default_toast_compression = 'lz4'")
    with _superuser(sockets, "template1") as connection:
        connection.execute(template_script().encode())


def _superuser(sockets: str, database: str) -> psycopg.Connection:
    """Connect as the superuser, waiting for the server to have read that it may."""
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            return psycopg.connect(_conninfo(sockets, database), autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)


def _wait_until_shut(sockets: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        try:
            psycopg.connect(_conninfo(sockets, "postgres")).close()
        except psycopg.OperationalError:
            return
        time.sleep(_PAUSE)
    message = "The embedded PostgreSQL still lets its superuser in. Stop it and start again."
    raise EmbeddedPostgresError(message)


def _conninfo(sockets: str, database: str) -> str:
    return make_conninfo(host=sockets, port=PORT, user=SUPERUSER, dbname=database)
