"""The five database roles, and the SQL that makes them and shuts everybody else out of a database."""

from enum import StrEnum
from importlib.resources import files

ENGINE = "interdesk_engine"
"""Owns the SECURITY DEFINER functions; cannot sign in. The owner may ``SET ROLE`` to it."""

DATABASE = "interdesk"
"""What the database is called unless somebody chooses otherwise."""

_CONTENTS = """\
-- The schema belongs to the owner and nobody else creates in it, except the engine: PostgreSQL asks for CREATE from
-- whoever is to own a function. What the owner and the engine make is executable by nobody unless granted, and
-- readable by the backup.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO interdesk_owner;
GRANT USAGE, CREATE ON SCHEMA public TO interdesk_engine;
GRANT USAGE ON SCHEMA public TO interdesk_api, interdesk_worker, interdesk_backup;
ALTER DEFAULT PRIVILEGES FOR ROLE interdesk_owner, interdesk_engine REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE interdesk_owner, interdesk_engine GRANT USAGE ON SCHEMAS TO interdesk_backup;
ALTER DEFAULT PRIVILEGES FOR ROLE interdesk_owner, interdesk_engine GRANT SELECT ON TABLES TO interdesk_backup;
ALTER DEFAULT PRIVILEGES FOR ROLE interdesk_owner, interdesk_engine GRANT SELECT ON SEQUENCES TO interdesk_backup;
"""

_EXTENSIONS = """\
-- The extensions are trusted: whoever may create in the database may install them. As the owner's they can be
-- updated by a migration.

SET LOCAL ROLE interdesk_owner;
CREATE EXTENSION IF NOT EXISTS cube SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA public;
RESET ROLE;
"""

_DATABASE_PRIVILEGES = """\
-- Nobody else connects, and nobody but the owner makes temporary objects.

REVOKE ALL ON DATABASE @database@ FROM PUBLIC;
GRANT CONNECT ON DATABASE @database@ TO interdesk_api, interdesk_worker, interdesk_backup;
"""

_TEMPLATE = """\
BEGIN;
SET LOCAL client_min_messages = warning;
REVOKE ALL ON DATABASE @database@ FROM PUBLIC;
GRANT CREATE ON DATABASE @database@ TO interdesk_owner;
@contents@
@extensions@
REVOKE ALL ON DATABASE @database@ FROM interdesk_owner;
COMMIT;
"""


class DatabaseRole(StrEnum):
    """The roles that sign in; none is a superuser, and only the backup reads past row-level security."""

    OWNER = "interdesk_owner"
    API = "interdesk_api"
    WORKER = "interdesk_worker"
    BACKUP = "interdesk_backup"


def roles_script(database: str = DATABASE) -> str:
    """Return the SQL an administrator runs once, connected to ``database``; running it again changes nothing.

    It makes the roles without passwords, their settings, the privileges on the database and its public schema, and
    the extensions cube, pg_trgm and unaccent, in one transaction. It needs PostgreSQL 15 or later.
    """
    script = files(__package__).joinpath("database_roles.sql").read_text(encoding="utf-8")
    ownership = f"ALTER DATABASE @database@ OWNER TO interdesk_owner;\n\n{_DATABASE_PRIVILEGES}"
    script = script.replace("@database_privileges@", ownership)
    return _fill(script, database)


def database_privileges(database: str) -> str:
    """Return the SQL by which the owner shuts others out of a database it made from a template.

    A template passes on its schemas, tables and default privileges, but not who may connect.
    """
    return _fill(_DATABASE_PRIVILEGES, database)


def template_script(database: str = "template1") -> str:
    """Return the SQL, for a superuser, after which databases made from this template suit the owner at once."""
    return _fill(_TEMPLATE, database)


def _fill(script: str, database: str) -> str:
    if not database or "\0" in database or "\n" in database:
        message = f"not the name of a database: {database!r}"
        raise ValueError(message)
    identifier = '"' + database.replace('"', '""') + '"'
    literal = "'" + database.replace("'", "''") + "'"
    return (
        script.replace("@contents@", _CONTENTS)
        .replace("@extensions@", _EXTENSIONS)
        .replace("@database_literal@", literal)
        .replace("@database@", identifier)
    )
