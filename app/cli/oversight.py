"""`interdesk oversight`: everything the audit knows of one officer or one record, as one file with its proofs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from app.cli.terminal import AsJson, RefusedError, say, show

if TYPE_CHECKING:
    from app.core.db import Database
    from app.domain.audit_entries.oversight import OpenDesk, Subject
    from app.installation import Installation

_LONGEST_REASON = 500


def oversight(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write; nothing is overwritten.")],
    reason: Annotated[str, typer.Option(help="Why, and for whom: kept in the audit, and shown to the agencies.")],
    officer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who calls were made on behalf of, exactly as they said.")
    ] = None,
    record: Annotated[str | None, typer.Option(metavar="ID", help="A record's id or reference.")] = None,
    agency: Annotated[str | None, typer.Option(metavar="CODE", help="Only what this agency did.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write all entries of the audit on one officer or one record to a file that proves itself offline.

    `interdesk audit verify --file FILE --keys KEYS` checks it without the hub. The export is in the audit before it is
    made, and told to the agencies whose entries these are and to the record's originator. The file holds names of
    officers and their reasons, unencrypted: it is made readable for you alone.
    """
    from app.cli import host
    from app.keeping.files import refuse_existing

    if (officer is None) == (record is None):
        raise typer.BadParameter("name one of the two.", param_hint="--officer, --record")
    if not reason.strip() or len(reason) > _LONGEST_REASON:
        message = f"Say why in at most {_LONGEST_REASON} characters: the agencies concerned are shown it."
        raise RefusedError(message)
    refuse_existing(out)
    with host.installation() as installation:
        told = host.run(_export(installation, out, reason.strip(), (officer, record, agency)))
    show(told, as_json=as_json)
    if told["waiting"]:
        say(f"{told['waiting']} entries are not sealed yet and not in the file. Export again in a minute.")


async def _export(
    installation: "Installation", out: Path, reason: str, asked: tuple[str | None, str | None, str | None]
) -> dict[str, Any]:
    from app.audit.sealing import seal
    from app.cli import host
    from app.domain.audit_entries import oversight as room
    from app.keeping.files import new_file

    officer, record, agency = asked
    async with host.operator_database(installation) as database:
        open_desk = _opener(database, reason)
        async with open_desk() as desk:
            found = None if record is None else await room.find_record(desk, record)
        subject = room.Subject(officer, found, agency)

        async def seal_all() -> None:
            async with database.pool.connection() as connection:
                await seal(connection, installation.master_key(), at_once=True)

        left = await room.waiting(open_desk, subject, seal_all)
        with new_file(out) as file:
            written = await _write(file, open_desk, subject, reason)
    return {"file": str(out), "record": found, **written, "waiting": left}


def _opener(database: "Database", reason: str) -> "OpenDesk":
    from app.access.desk import open_operator_desk
    from app.cli import host
    from app.core.ids import uuid7

    request = str(uuid7())
    return lambda: open_operator_desk(database, None, officer=host.operator_name(), purpose=reason, request_id=request)


async def _write(file: BinaryIO, open_desk: "OpenDesk", subject: "Subject", reason: str) -> dict[str, Any]:
    from app.domain.audit_entries import oversight as room

    about = {
        "officer": subject.officer,
        "record": None if subject.record is None else str(subject.record),
        "agency": subject.agency,
        "reason": reason,
    }
    entries, size = 0, 0
    async with open_desk() as desk:
        async for part in room.parts(desk, subject, about):
            file.write(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            entries += len(part["items"])
            size = part["checkpoint"]["tree_size"] if part["checkpoint"] else 0
    return {"entries": entries, "tree_size": size}
