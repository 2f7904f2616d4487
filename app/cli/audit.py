"""`interdesk audit`: check the log, or what somebody exported of it; change the key that signs it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.terminal import AsJson, ExitCode, RefusedError, print_json, progress, say, show

if TYPE_CHECKING:
    from app.audit.checkpoints import PublicKeys
    from app.core.db import Connection

app = typer.Typer(help="Check the audit log, and proofs of it.", no_args_is_help=True)

_A_FILE = {"exists": True, "dir_okay": False, "readable": True}


@app.command()
def verify(
    file: Annotated[
        Path | None,
        typer.Option(**_A_FILE, help="Check this proof or export, offline, instead of the hub's whole log."),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(**_A_FILE, help="Audit keys fetched earlier from /v1/audit/keys; needed with --file."),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(**_A_FILE, help="A checkpoint kept elsewhere that the log must continue; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that no entry of the audit was changed, removed, inserted or reordered since it was sealed.

    Without --file it reads the whole log of this hub beside everything else that goes on. With --file it needs no
    database and no network: nothing but the file, and keys you trust. Exits with 1 if anything is wrong.
    """
    trusted = None if keys is None else _read_keys(keys)
    if file is None:
        _verify_log(trusted, [_read(path) for path in checkpoint or ()], as_json=as_json)
    elif trusted is None:
        raise typer.BadParameter("give --keys: a file cannot vouch for itself.", param_hint="--file")
    else:
        _verify_file(file, trusted, as_json=as_json)


@app.command("rotate-key")
def rotate_key(as_json: AsJson = False) -> None:
    """Make a new key to sign checkpoints with, from the next one on; the earlier keys stay published for ever.

    Tell the partners its kid by another way than the hub, so that they can compare.
    """
    from app.audit import checkpoints
    from app.cli import host

    async def change() -> dict[str, Any]:
        async with host.operator_database(installation) as database, database.transaction() as connection:
            key = await checkpoints.add_key(connection, installation.master_key())
            return {"kid": key.kid, "created_at": key.created_at}

    with host.installation() as installation:
        made = host.run(change())
    show(made, as_json=as_json)


def _read(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError:
        message = f"{path} is no JSON."
        raise RefusedError(message) from None


def _read_keys(path: Path) -> "PublicKeys":
    from app.audit.checkpoints import read_keys

    try:
        return read_keys(_read(path))
    except ValueError as error:
        message = f"{path}: {error}"
        raise RefusedError(message) from None


def _verify_file(path: Path, keys: "PublicKeys", *, as_json: bool) -> None:
    from app.audit.verification import FileCheck, lines_of

    check = FileCheck(keys)
    with path.open(encoding="utf-8", errors="replace") as file, progress("Entries checked") as done:
        check.run(lines_of(file), done)
    report = {
        "holds": check.holds,
        "complete": check.complete,
        "entries": check.entries,
        "checkpoints": check.checkpoints,
    }
    _end(report, check.findings, check.findings, as_json=as_json)


def _verify_log(trusted: "PublicKeys | None", anchors: list[Any], *, as_json: bool) -> None:
    from app.audit.inspection import tree_size
    from app.cli import host

    async def check() -> dict[str, Any]:
        async with host.operator_database(installation) as database:
            async with database.pool.connection() as connection:
                with progress("Leaves checked", await tree_size(connection)) as done:
                    report = await _inspected(connection, trusted, anchors, done)
            async with host.operator_desk(database, "audit verify") as desk:
                from app.audit.trail import note

                await note(desk, "audit.verify", detail={"holds": report["holds"], "tree_size": report["tree_size"]})
        return report

    with host.installation() as installation:
        report = host.run(check())
    findings = report.pop("findings")
    _end(report, findings, [_line(finding) for finding in findings], as_json=as_json)


async def _inspected(
    connection: "Connection", trusted: "PublicKeys | None", anchors: list[Any], done: Callable[[int], None]
) -> dict[str, Any]:
    from app.audit.checkpoints import fetch_keys, read_keys
    from app.audit.inspection import AnchorError, inspect

    published = await fetch_keys(connection)
    keys = trusted if trusted is not None else read_keys(published) if published["keys"] else {}
    try:
        return (await inspect(connection, keys, anchors, done)).document()
    except AnchorError:
        raise RefusedError("A file given with --checkpoint holds no checkpoint.") from None


def _line(finding: dict[str, Any]) -> str:
    places = {"leaf": finding["leaf_index"], "entry": finding["entry_id"]}
    where = ", ".join(f"{name} {place}" for name, place in places.items() if place is not None)
    return f"{finding['kind']}: {finding['what']}{f' ({where})' if where else ''}"


def _end(report: dict[str, Any], findings: list[Any], lines: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({**report, "findings": findings})
    else:
        show(report, as_json=False)
        for line in lines:
            say(line)
    if not report["holds"]:
        raise typer.Exit(ExitCode.REFUSED)
