"""`interdesk backup` and `interdesk restore`: one encrypted file with everything, and the way back from it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.terminal import AsJson, ExitCode, RefusedError, print_json, progress, say, show

if TYPE_CHECKING:
    from app.installation import Installation
    from app.keeping.envelope import Key, Lock
    from app.keeping.person_keys import PersonKeyFile
    from app.keeping.reading import Backup
    from app.settings import Settings

_PASSPHRASE = "INTERDESK_BACKUP_PASSPHRASE"  # noqa: S105 - the setting's name

PassphraseFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help=f"The passphrase is the first line of this file, instead of {_PASSPHRASE}."),
]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write; nothing is overwritten.")],
    passphrase_file: PassphraseFile = None,
    recipient: Annotated[
        list[str] | None,
        typer.Option(metavar="AGE1…", help="Whose private age key is to open it; may be repeated."),
    ] = None,
    person_keys: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.keys", help="Where the keys of persons and attachments go, in place of what is there."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the database, the master key and what both are into one encrypted file, while everything goes on.

    It is opened by a passphrase, by private age keys, or by either. With --recipient alone this host holds nothing that
    opens its backups. Works as the role interdesk_backup: on the embedded database without further ado, on a managed
    one by INTERDESK_BACKUP_DATABASE_URL. The file is there when it is complete, or not at all.

    Persons are in it as ciphertext, without the keys to them, so that who is purged is gone from every backup. The keys
    go to the file of --person-keys, encrypted likewise: keep it apart from the backups, and only as last written. The
    same holds for attachments, whose bytes are not in it at all: they are in INTERDESK_ATTACHMENT_STORE.
    """
    from app.cli import host
    from app.cli.listening import Signals
    from app.keeping.files import refuse_existing
    from app.keeping.person_keys import require_key_file

    settings = host.load_settings()
    lock = _lock(settings, passphrase_file, recipient or [])
    refuse_existing(file)
    require_key_file(person_keys)
    with Signals(), host.installation() as installation:
        told = _back_up(installation, file, lock, person_keys)
    if told["persons"] and person_keys is None:
        say(f"It holds {told['persons']} persons without the keys to them: add --person-keys, or a restore shows none.")
    if told["attachments"]:
        also = ", and add --person-keys for the keys to them" if person_keys is None else ""
        say(f"It holds no bytes of the {told['attachments']} attachments: copy the store as well{also}.")
    show({"file": str(file), "bytes": file.stat().st_size, "sha256": _sha256(file), **told}, as_json=as_json)


def restore(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="The backup.")
    ],
    passphrase_file: PassphraseFile = None,
    identity_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Private age keys, one a line, instead of a passphrase.")
    ] = None,
    person_keys: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.keys",
            exists=True,
            dir_okay=False,
            help="The keys of persons and attachments, as last written.",
        ),
    ] = None,
    drill: Annotated[
        bool,
        typer.Option("--drill", help="Restore into a temporary installation, check it, remove it; nothing is kept."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into a new installation: an empty data folder, or an empty managed database with its roles made.

    The whole file is checked before anything is begun, every table when it is there; a restore that fails leaves
    nothing behind. The embedded database and the master key go into INTERDESK_DATA. On a managed server it works as
    interdesk_owner, by INTERDESK_OWNER_DATABASE_URL, and the key goes to INTERDESK_MASTER_KEY_FILE.

    Persons and attachments can be read again as far as the file of --person-keys, which the same key opens, holds the
    keys to them; the bytes of attachments come back with a copy of the store.
    """
    from app.cli import host
    from app.cli.listening import Signals
    from app.keeping.homes import refuse_used
    from app.keeping.person_keys import read_person_keys
    from app.keeping.restoring import open_backup

    settings = host.load_settings()
    key = _key(settings, passphrase_file, identity_file)
    if not drill:
        refuse_used(settings)
    with Signals():
        keys = None if person_keys is None else read_person_keys(person_keys, key)
        opened = open_backup(file, key, progress)
        if drill:
            _drill(opened, keys, as_json=as_json)
            return
        told = {"file": str(file), "sha256": _sha256(file), **_restore(settings, opened, keys)}
    show(told, as_json=as_json)
    if told["persons"] > told["persons_readable"]:
        missing = told["persons"] - told["persons_readable"]
        say(f"{missing} persons have no key: they were removed since, or --person-keys was not this hub's last.")
    say("Start it: the hub announces feed.restored to its partners by itself. Tell them from when the backup is.")


def _lock(settings: "Settings", passphrase_file: Path | None, recipients: list[str]) -> "Lock":
    from app.keeping.envelope import Lock

    # A passphrase of the settings does not open what is made for keys alone, on a host that is to hold none.
    passphrase = _passphrase(settings, passphrase_file, fallback=not recipients)
    if passphrase is None and not recipients:
        message = f"Nothing is written without encryption: give {_PASSPHRASE}, --passphrase-file or --recipient."
        raise RefusedError(message)
    return Lock(recipients, passphrase)


def _key(settings: "Settings", passphrase_file: Path | None, identity_file: Path | None) -> "Key":
    from app.keeping.envelope import Key
    from app.keeping.private_files import read_identities

    if identity_file is not None:
        return Key(identities=read_identities(identity_file))
    passphrase = _passphrase(settings, passphrase_file, fallback=True)
    if passphrase is None:
        message = f"Give what opens the backup: {_PASSPHRASE}, --passphrase-file or --identity-file."
        raise RefusedError(message)
    return Key(passphrase=passphrase)


def _passphrase(settings: "Settings", file: Path | None, *, fallback: bool) -> str | None:
    from app.keeping.private_files import read_passphrase

    if file is not None:
        return read_passphrase(file)
    given = settings.backup_passphrase
    return given.get_secret_value() if fallback and given is not None else None


def _back_up(installation: "Installation", file: Path, lock: "Lock", person_keys: Path | None) -> dict[str, Any]:
    from app.core.database_roles import DatabaseRole
    from app.keeping import making

    conninfo, master_key = installation.conninfo(DatabaseRole.BACKUP), installation.master_key()
    schema = installation.schema().current
    if schema is None:
        raise RefusedError("There is nothing to back up: the database has no schema yet.")
    opened_by = {"recipients": list(lock.recipients), "passphrase": lock.passphrase is not None}
    # Before anything leaves the database, and so part of the backup itself.
    _note(installation, "backup", "backup.create", {"file": file.name, **opened_by})
    return making.make(conninfo, master_key, schema, file, lock, progress, person_keys=person_keys).summary


def _sha256(file: Path) -> str:
    """What tells a file from another that somebody put in its place."""
    from hashlib import file_digest

    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()


def _restore(settings: "Settings", opened: "Backup", keys: "PersonKeyFile | None") -> dict[str, Any]:
    from app.keeping.restoring import restored

    with restored(settings, opened, progress) as installation:
        _note(installation, "restore", "backup.restore", {"made_at": opened.manifest.made_at})
        readable = 0 if keys is None else _adopt(installation, keys)
        return {
            **opened.manifest.summary,
            "schema": installation.schema().current,
            "persons_readable": readable,
        }


def _adopt(installation: "Installation", keys: "PersonKeyFile") -> int:
    from app.cli import host
    from app.keeping.person_keys import adopt

    async def bring() -> int:
        async with host.operator_database(installation) as database, host.operator_desk(database, "restore") as desk:
            return await adopt(desk, keys)

    return host.run(bring())


def _drill(opened: "Backup", keys: "PersonKeyFile | None", *, as_json: bool) -> None:
    from app.cli import host
    from app.keeping.drill import drill

    checks = drill(opened, keys, progress, officer=host.operator_name())
    holds = all(check.holds for check in checks)
    if as_json:
        print_json({"holds": holds, **opened.manifest.summary, "checks": [check.document() for check in checks]})
    else:
        show({"holds": holds, **opened.manifest.summary}, as_json=False)
        for check in checks:
            typer.echo(f"{'ok     ' if check.holds else 'FAILED '}  {check.check}: {check.detail}")
    if not holds:
        raise typer.Exit(ExitCode.REFUSED)


def _note(installation: "Installation", command: str, action: str, detail: dict[str, Any]) -> None:
    """Leave an entry in the audit, as the operator's."""
    from app.audit.trail import note
    from app.cli import host

    async def write() -> None:
        async with host.operator_database(installation) as database, host.operator_desk(database, command) as desk:
            await note(desk, action, detail=detail)

    host.run(write())
