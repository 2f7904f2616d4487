"""`interdesk retention`: what is near its review date, and the daily purge, now."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.terminal import AsJson, ExitCode, print_json, progress, say, show_all

if TYPE_CHECKING:
    from app.records.purging import Outlook, Reviewed, Run

app = typer.Typer(help="See what is near its review date, and purge what has passed it.", no_args_is_help=True)


@app.command()
def report(as_json: AsJson = False) -> None:
    """Count, by agency and kind, the records whose review is at most six months away or has passed.

    With --json every one of them is named: to_warn (not warned of yet), warned, due (purged by the next run) and held
    (past their date, and kept by a legal hold). Nothing of their content is shown.
    """
    found = _outlook()
    groups = {"to_warn": found.to_warn, "warned": found.warned, "due": found.due, "held": found.held}
    _show(groups, {}, as_json=as_json)


@app.command()
def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Do now what the worker does every night: warn of reviews within six months, and purge what has passed its date.

    Of a purged record only a tombstone is left in the hub's tables; this cannot be undone. Legal holds are kept. It
    may be interrupted and run again, beside the worker and the servers. Exits with 1 if something due is left, because
    others were at work on it at that moment: run it again.
    """
    if dry_run:
        found = _outlook()
        _show({"warned": found.to_warn, "purged": found.due, "held": found.held}, {"dry_run": True}, as_json=as_json)
        return
    done = _run(len(_outlook().due))
    groups = {"warned": done.warned, "purged": done.purged, "held": done.held, "busy": done.busy}
    _show(groups, {"dry_run": False, "names_left": done.names_left}, as_json=as_json)
    if done.busy or done.names_left:
        say("Others were at work on some of it: run this again.")
        raise typer.Exit(ExitCode.REFUSED)


def _outlook() -> "Outlook":
    from app.cli import host
    from app.records import purging

    async def look() -> "Outlook":
        async with host.operator_database(installation) as database, database.pool.connection() as connection:
            return await purging.outlook(connection)

    with host.installation() as installation:
        return host.run(look())


def _run(total: int) -> "Run":
    from app.cli import host
    from app.records import purging

    operator = purging.Operator(host.operator_name(), "interdesk retention purge")

    async def work() -> "Run":
        async with host.operator_database(installation) as database, database.pool.connection() as connection:
            with progress("Records purged", total) as done:
                return await purging.run(connection, operator, done)

    with host.installation() as installation:
        return host.run(work())


def _show(groups: Mapping[str, Sequence["Reviewed"]], also: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json({**also, **{name: [record.document() for record in records] for name, records in groups.items()}})
        return
    counts = {name: Counter((one.originator, one.kind) for one in records) for name, records in groups.items()}
    rows = [
        {"originator": originator, "kind": kind, **{name: count[originator, kind] for name, count in counts.items()}}
        for originator, kind in sorted({key for count in counts.values() for key in count})
    ]
    rows.append({"originator": "all", "kind": "all", **{name: len(records) for name, records in groups.items()}})
    show_all(rows, ["originator", "kind", *groups], as_json=False)
