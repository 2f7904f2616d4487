"""The drill: a backup is restored into an installation that is thrown away again, and asked what partners will ask.

That every table holds what it held is checked by every restore. Here the rest: the key opens what it must, the audit is
the one that was sealed, a proof of it holds, the feed goes on behind every cursor, and the hub can be written to.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from app.access.desk import open_operator_desk
from app.audit.canonical import canonical
from app.audit.checkpoints import read_keys
from app.audit.inspection import inspect
from app.audit.merkle import inclusion, leaf_hash, proves_inclusion
from app.audit.sealing import seal
from app.audit.trail import note
from app.audit.tree import fetch_hashes
from app.core.data_keys import DataKeyError
from app.core.database_roles import DatabaseRole
from app.core.db import Connection, Database
from app.core.ids import uuid7
from app.events.sequencer import sequence
from app.identity.signing import KeyKeeper
from app.installation import Installation
from app.keeping.homes import embedded_home
from app.keeping.manifest import Manifest
from app.keeping.person_keys import PersonKeyFile
from app.keeping.reading import Backup
from app.keeping.restoring import bring_in
from app.keeping.stages import Stage, silent
from app.persons.sealing import PersonKeys, Place
from app.settings import Settings

_PERSONS: Final = "SELECT id, record_id, version, sealed FROM persons"
_LEAF: Final = (
    "SELECT leaf_index, document FROM audit_log_page(%s, %s) WHERE entry_id IS NOT NULL AND document IS NOT NULL"
    " ORDER BY leaf_index DESC LIMIT 1"
)
_WINDOW: Final = 4096
_FEED: Final = (
    "SELECT count(*) FILTER (WHERE position IS NULL), count(*) FILTER (WHERE position > %(cursor)s),"
    " min(position) FILTER (WHERE type = 'feed.restored' AND position > %(cursor)s) FROM events"
)


@dataclass(frozen=True)
class Check:
    """Something that was tried, and whether it held."""

    check: str
    holds: bool
    detail: str

    def document(self) -> dict[str, Any]:
        """The check as JSON values."""
        return asdict(self)


def drill(backup: Backup, keys: PersonKeyFile | None = None, stage: Stage = silent, *, officer: str) -> list[Check]:
    """Restore into a temporary embedded installation, make every check, and remove it; `keys` are those of persons.

    Its database lies unencrypted in the folder for temporary files while that lasts, closed to other users.

    Raises:
        BackupError: it cannot even be restored.
    """
    manifest = backup.manifest
    with tempfile.TemporaryDirectory(prefix="interdesk-drill-") as folder:
        settings = Settings.model_construct(data=Path(folder) / "installation")
        with embedded_home(settings, manifest.master_key) as installation:
            bring_in(installation, backup, stage)
            rows = sum(content.rows for content in manifest.tables.values())
            versions = manifest.tables["public.record_versions"].rows
            detail = (
                f"{manifest.summary['records']} records with {versions} versions, {rows} rows in "
                f"{len(manifest.tables)} tables: as many, with the same content"
            )
            content = Check("content", holds=True, detail=detail)
            return [content, _persons(installation, manifest, keys), *_in_loop(installation, manifest, officer)]


def _in_loop(installation: Installation, manifest: Manifest, officer: str) -> list[Check]:
    return asyncio.run(_checks(installation, manifest, officer))


def _persons(installation: Installation, manifest: Manifest, keys: PersonKeyFile | None) -> Check:
    """Whether every person that has a key in the file opens with it."""
    if keys is None:
        apart = " The keys to them are kept apart: try them with --person-keys." if manifest.persons else ""
        return Check("persons", holds=True, detail=f"{manifest.persons} persons, as ciphertext.{apart}")
    opener, wrapped, opened = PersonKeys(manifest.master_key), keys.wrapped(), 0
    with psycopg.connect(installation.conninfo(DatabaseRole.BACKUP)) as connection:
        for person, record, version, sealed in connection.execute(_PERSONS):
            if person in wrapped:
                try:
                    opener.unwrap(Place(person, record), wrapped[person]).open(sealed, version)
                except DataKeyError:
                    return Check("persons", holds=False, detail=f"the person {person} does not open with its key")
                opened += 1
    detail = f"{opened} of {manifest.persons} persons open with the keys of {keys.made_at}"
    return Check("persons", holds=True, detail=detail)


async def _checks(installation: Installation, manifest: Manifest, officer: str) -> list[Check]:
    checks: dict[str, Callable[[Installation, Manifest, str], Awaitable[str]]] = {
        "master key": _opens_keys,
        "audit": _audit_holds,
        "proof": _proof_holds,
        "feed": _feed_goes_on,
        "writing": _can_be_written,
    }
    made = []
    for name, check in checks.items():
        try:
            made.append(Check(name, holds=True, detail=await check(installation, manifest, officer)))
        except _FailedError as failed:
            made.append(Check(name, holds=False, detail=str(failed)))
        except Exception as error:  # noqa: BLE001 - one check that fails must not hide the others
            made.append(Check(name, holds=False, detail=f"{type(error).__name__}: {error}"))
    return made


class _FailedError(Exception):
    """What did not hold."""


@asynccontextmanager
async def _worker(installation: Installation) -> AsyncIterator[Connection]:
    conninfo = installation.conninfo(DatabaseRole.WORKER)
    async with await psycopg.AsyncConnection[Any].connect(conninfo, autocommit=True) as connection:
        yield connection


@asynccontextmanager
async def _database(installation: Installation, role: DatabaseRole) -> AsyncIterator[Database]:
    database = Database(installation.conninfo(role), connections=2)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def _opens_keys(installation: Installation, manifest: Manifest, _officer: str) -> str:
    if not installation.has_signing_keys():
        return "there is no signing key yet that it must open"
    async with _database(installation, DatabaseRole.API) as database:
        await KeyKeeper.open(database, manifest.master_key)
    return "opens the signing keys"


async def _audit_holds(installation: Installation, manifest: Manifest, _officer: str) -> str:
    keys = read_keys(manifest.audit_keys) if manifest.audit_keys["keys"] else {}
    anchors = [manifest.checkpoint] if manifest.checkpoint else []
    async with _worker(installation) as connection:
        report = await inspect(connection, keys, anchors)
    if report.findings:
        message = f"{len(report.findings)} findings, the first: {report.findings[0].what}"
        raise _FailedError(message)
    if report.anchors != len(anchors):
        message = "the log does not reach the checkpoint of the backup"
        raise _FailedError(message)
    return f"{report.tree_size} leaves and {report.checkpoints} checkpoints hold, up to that of the backup"


async def _proof_holds(installation: Installation, manifest: Manifest, _officer: str) -> str:
    if manifest.checkpoint is None:
        return "nothing was sealed yet"
    size, root = manifest.checkpoint["tree_size"], bytes.fromhex(manifest.checkpoint["root_hash"])
    async with _worker(installation) as connection:
        rows = await (await connection.execute(_LEAF, (max(0, size - _WINDOW), size))).fetchall()
        if not rows:
            return "the newest leaves are blind"
        ((index, document),) = rows
        (path,) = await fetch_hashes(connection, [inclusion(index, size)])
    if not proves_inclusion(leaf_hash(canonical(document)), index, size, path, root):
        message = f"the proof of leaf {index} does not lead to the checkpoint of the backup"
        raise _FailedError(message)
    return f"leaf {index} is proved by {len(path)} hashes in the tree of {size}"


async def _feed_goes_on(installation: Installation, manifest: Manifest, _officer: str) -> str:
    async with _worker(installation) as connection:
        await sequence(connection)
    cursor = manifest.feed_position
    with psycopg.connect(installation.conninfo(DatabaseRole.BACKUP)) as connection:
        waiting, after, restored = connection.execute(_FEED, {"cursor": cursor}).fetchone() or (1, 0, None)
    if waiting:
        message = f"{waiting} events got no place"
        raise _FailedError(message)
    if manifest.feed_placed and restored is None:
        message = f"nobody at {cursor} would be told of the restore"
        raise _FailedError(message)
    return f"a reader at {cursor}, the newest place of the backup, is told {after} events more"


async def _can_be_written(installation: Installation, manifest: Manifest, officer: str) -> str:
    async with (
        _database(installation, DatabaseRole.WORKER) as database,
        open_operator_desk(
            database, None, officer=officer, purpose="interdesk restore --drill", request_id=str(uuid7())
        ) as desk,
    ):
        await note(desk, "backup.drill", detail={"made_at": manifest.made_at})
    async with _worker(installation) as connection:
        sealed = await seal(connection, manifest.master_key, at_once=True)
    if not sealed:
        message = "an entry was written and could not be sealed"
        raise _FailedError(message)
    return f"an entry was written, and sealed with {sealed - 1} that waited"
