"""What the doctor looks at, each check on its own: one that fails does not hide the others."""

import ipaddress
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import psycopg

from app.cli.host import load_settings, run
from app.core.crypto import MasterKeyError
from app.core.database_roles import DatabaseRole
from app.core.db import Database
from app.core.embedded import EmbeddedPostgres, EmbeddedPostgresError
from app.core.logs import LEVELS
from app.core.stores import StoreError, open_store
from app.identity.keys import SigningKeyError
from app.identity.signing import KeyKeeper
from app.installation import MASTER_KEY_FILE, Installation, InstallationError, excess_power, open_installation
from app.settings import Settings

OLDEST_POSTGRESQL = 150_000
_LATE_SECONDS = 60

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `mend` says what to do about it."""

    check: str
    level: Level
    detail: str
    mend: str | None = None

    def document(self) -> dict[str, str | None]:
        """The finding as JSON values."""
        return asdict(self)


def examine() -> list[Finding]:
    """Make every check that can be made, in the order in which one depends on another."""
    try:
        settings = load_settings()
    except InstallationError as error:
        return [Finding("settings", "problem", str(error), "Correct them in the environment or in .env.")]
    findings = [Finding("settings", "ok", "read"), *_settings(settings), _store(settings)]
    if settings.database_url is None and not EmbeddedPostgres.is_there(settings.data):
        return [*findings, _nothing_there(settings), *_master_key(Installation(settings, None), answers=False)]
    with ExitStack() as stack:
        try:
            installation = stack.enter_context(open_installation(settings))
        except EmbeddedPostgresError as error:
            key = _master_key(Installation(settings, None), answers=False)
            return [*findings, Finding("database", "problem", str(error)), *key]
        return [*findings, *_in_database(installation)]


def _in_database(installation: Installation) -> Iterator[Finding]:
    """What takes a database: the roles, and for each role that is as it should be what can be seen with it."""
    sound = set()
    for role in (DatabaseRole.API, DatabaseRole.WORKER, DatabaseRole.OWNER):
        found = list(_role(installation, role))
        yield from found
        if found[0].level == "ok":
            sound.add(role)
    answers = DatabaseRole.API in sound
    yield from _tried(partial(_master_key, answers=answers), installation, "master key")
    if answers:
        yield from _tried(_schema, installation, "schema")
        yield from _tried(_feed, installation, "background work")
    if answers and DatabaseRole.WORKER in sound:
        yield from _tried(_agencies, installation, "agencies")
        yield from _tried(_persons, installation, "persons")


def _tried(check: Callable[[Installation], Iterator[Finding]], installation: Installation, name: str) -> list[Finding]:
    try:
        return list(check(installation))
    except psycopg.Error as error:
        return [Finding(name, "problem", str(error).strip())]


def _nothing_there(settings: Settings) -> Finding:
    detail = f"nothing is there yet at {settings.data.absolute()}"
    mend = "The first start makes a database there. If there should be one, correct INTERDESK_DATA."
    return Finding("database", "warning", detail, mend)


def _settings(settings: Settings) -> Iterator[Finding]:
    url = urlsplit(settings.public_url)
    if "public_url" not in settings.model_fields_set:
        yield Finding(
            "public address",
            "warning",
            f"INTERDESK_PUBLIC_URL is not set, so tokens and links name {settings.public_url}",
            "Set it to the address that partners use before the first of them signs in.",
        )
    elif url.scheme != "https" and not _is_loopback(url.hostname or ""):
        mend = "Serve through a proxy that speaks TLS, and set INTERDESK_PUBLIC_URL to its https address."
        yield Finding("public address", "problem", f"{settings.public_url} is not https: secrets travel in clear", mend)
    else:
        yield Finding("public address", "ok", settings.public_url)
    if settings.log_level.lower() not in LEVELS:
        mend = f"Set INTERDESK_LOG_LEVEL to one of {', '.join(LEVELS)}."
        yield Finding("log level", "problem", f"there is no level {settings.log_level!r}", mend)
    file = Path(".env")
    if file.is_file() and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        mend = "Run: chmod 600 .env"
        yield Finding(".env", "warning", "other users of this machine can read it, and it may hold secrets", mend)


def _store(settings: Settings) -> Finding:
    try:
        found = run(open_store(settings.attachment_store, settings.data).check())
    except StoreError as error:
        mend = "Correct INTERDESK_ATTACHMENT_STORE, or what it names; for a bucket, AWS_… in the environment too."
        return Finding("attachments", "problem", str(error), mend)
    return Finding("attachments", "ok", f"kept in {found}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _role(installation: Installation, role: DatabaseRole) -> Iterator[Finding]:
    """First the role itself; with the one that serves also the server."""
    name = f"role {role}"
    try:
        conninfo = installation.conninfo(role)
        signed_in, excess = excess_power(conninfo)
    except InstallationError as error:
        # The owner is needed where migrations are run, which may be another host.
        yield Finding(name, "warning" if role is DatabaseRole.OWNER else "problem", str(error))
    except psycopg.Error as error:
        yield Finding(name, "problem", str(error).strip(), "Check the address, the password and the server.")
    else:
        yield _power(name, role, signed_in, excess)
        if role is DatabaseRole.API:
            yield from _server(conninfo, managed=installation.postgres is None)


def _power(name: str, role: DatabaseRole, signed_in: str, excess: list[str]) -> Finding:
    mend = "Use the roles that this makes: interdesk db roles"
    if role is DatabaseRole.OWNER:
        above = [clause for clause in excess if "superuser" in clause or "bypasses" in clause]
        if above:
            return Finding(name, "problem", f"{signed_in} {' and '.join(above)}", mend)
    elif excess:
        return Finding(name, "problem", f"{signed_in} {' and '.join(excess)}", mend)
    return Finding(name, "ok", "signs in and may no more than it should")


def _server(conninfo: str, *, managed: bool) -> Iterator[Finding]:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        version = connection.info.server_version
        shown = connection.info.parameter_status("server_version")
        if version < OLDEST_POSTGRESQL:
            yield Finding("server", "problem", f"PostgreSQL {shown}", "PostgreSQL 15 or later is needed.")
        else:
            yield Finding("server", "ok", f"PostgreSQL {shown}, {'managed' if managed else 'embedded'}")
        settings = "current_setting('synchronous_commit'), current_setting('fsync'), current_setting('server_encoding')"
        row = connection.execute(f"SELECT {settings}, show_trgm('김민준') <> '{{}}'").fetchone()
        commit, fsync, encoding, finds = row or ("", "", "", False)
    if commit == "off" or fsync == "off":
        detail = f"synchronous_commit is {commit} and fsync is {fsync}: an answered write can be lost"
        yield Finding("durability", "problem", detail, "Set both to on for this database.")
    if encoding != "UTF8" or not finds:
        mend = "Create the database again with ENCODING 'UTF8' and LC_CTYPE 'C.UTF-8'; interdesk db roles shows how."
        yield Finding("names", "problem", f"encoding {encoding}: names outside ASCII cannot be searched", mend)
    else:
        yield Finding("names", "ok", "every script can be searched")


def _master_key(installation: Installation, *, answers: bool) -> Iterator[Finding]:
    """`answers`: whether the database can be asked for what the key must open."""
    settings = installation.settings
    kept = settings.data / MASTER_KEY_FILE
    given = settings.master_key is not None or settings.master_key_file is not None
    if not given and settings.database_url is None and not kept.exists():
        if not answers:
            return
        if not installation.has_signing_keys():
            yield Finding("master key", "ok", f"none yet; the first start makes one at {kept}")
            return
    try:
        master_key = installation.master_key()
    except (InstallationError, MasterKeyError) as error:
        yield Finding("master key", "problem", str(error))
        return
    if not answers or not installation.has_signing_keys():
        nothing = "there is nothing yet that it must open" if answers else "what it must open cannot be seen"
        yield Finding("master key", "ok", f"present; {nothing}")
        return

    async def open_keys() -> None:
        database = Database(installation.conninfo(DatabaseRole.API), connections=2)
        await database.open()
        try:
            await KeyKeeper.open(database, master_key)
        finally:
            await database.close()

    try:
        run(open_keys())
    except SigningKeyError as error:
        mend = "Give the server the master key that this database was set up with."
        yield Finding("master key", "problem", str(error), mend)
    else:
        yield Finding("master key", "ok", "opens the signing keys")


def _schema(installation: Installation) -> Iterator[Finding]:
    state = installation.schema()
    if state.up_to_date:
        yield Finding("schema", "ok", f"at {state.current}")
    else:
        detail = f"at {state.current or 'nothing'}, and this version needs {state.newest}"
        yield Finding("schema", "problem", detail, "Run: interdesk db upgrade")


def _feed(installation: Installation) -> Iterator[Finding]:
    if not installation.schema().up_to_date:
        return
    with psycopg.connect(installation.conninfo(DatabaseRole.API), autocommit=True) as connection:
        waiting, seconds = connection.execute("SELECT waiting, seconds FROM feed_lag()").fetchone() or (0, 0.0)
    if seconds > _LATE_SECONDS:
        detail = f"{waiting} events have waited for up to {seconds:.0f} s, so partners do not learn of changes"
        mend = "Run interdesk serve or interdesk worker, and look for a transaction that stays open."
        yield Finding("background work", "warning", detail, mend)
    else:
        yield Finding("background work", "ok", "no event waits")


def _agencies(installation: Installation) -> Iterator[Finding]:
    if not installation.schema().up_to_date:
        return
    with psycopg.connect(installation.conninfo(DatabaseRole.WORKER)) as connection:
        connection.execute("SELECT enter_operator(NULL, 'doctor', 'doctor', 'interdesk doctor')")
        row = connection.execute("SELECT count(*) FROM agencies WHERE NOT hub").fetchone()
    count = int(row[0]) if row else 0
    if count:
        yield Finding("agencies", "ok", f"{count} registered")
    else:
        yield Finding("agencies", "ok", "none registered yet", "interdesk agency add CODE --name … --kind …")


def _persons(installation: Installation) -> Iterator[Finding]:
    if not installation.schema().up_to_date:
        return
    with psycopg.connect(installation.conninfo(DatabaseRole.WORKER)) as connection:
        connection.execute("SELECT enter_operator(NULL, 'doctor', 'doctor', 'interdesk doctor')")
        persons, keys = connection.execute("SELECT persons, keys FROM persons_with_keys()").fetchone() or (0, 0)
    if persons > keys:
        mend = (
            "After a restore without --person-keys, restore again with the newest such file; who was removed has none."
        )
        yield Finding("persons", "warning", f"nobody can read {persons - keys} of {persons}: their keys are gone", mend)
    else:
        yield Finding("persons", "ok", f"{persons}, each with a key" if persons else "none entered")
