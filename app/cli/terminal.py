"""What the commands have in common at the terminal: JSON or something readable, errors, exit codes, progress."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any

import typer


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    SET_UP = 3
    DEFECT = 70
    INTERRUPTED = 130


EXIT_CODES = (
    "Exit codes: 0 done; 1 refused, and nothing was changed; 2 wrong usage; 3 the set-up or the database is not ready "
    "(`interdesk doctor` says what is wrong); 70 a defect of Interdesk; 130 interrupted. "
    "Results go to standard output, everything else to standard error."
)

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object or array on standard output, and nothing else.")
]


class RefusedError(Exception):
    """What was asked for cannot be done; the message is a sentence for the operator."""


def show(value: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing: a JSON object, or its fields one a line."""
    if as_json:
        print_json(value)
        return
    width = max(len(name) for name in value)
    for name, field in value.items():
        sys.stdout.write(f"{name.replace('_', ' '):{width}}  {_plain(field)}\n")


def show_all(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print a list: a JSON array of whole objects, or a table of some columns."""
    if as_json:
        print_json(rows)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*(name.replace("_", " ") for name in columns), box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(_plain(row[name]) for name in columns))
    # A pipe gets whole lines: cut at eighty characters a client id could not be copied from it.
    Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 500).print(table)


def say(text: str) -> None:
    """Tell the operator something that is no result."""
    sys.stderr.write(f"{text}\n")


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, where that is a terminal; gives a function that takes how many are done."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)


def report(error: Exception) -> ExitCode:
    """Say on standard error what went wrong, and return the code to end with."""
    code, lines = _explained(error)
    if code is ExitCode.DEFECT:
        import traceback

        traceback.print_exception(error)
    for line in lines:
        say(line)
    return code


def _explained(error: Exception) -> tuple[ExitCode, Iterable[str]]:
    """The exit code of an error, and what is to be said about it."""
    from psycopg import errors
    from sqlalchemy.exc import DBAPIError

    from app.core.crypto import MasterKeyError
    from app.core.data_keys import DataKeyError
    from app.core.embedded import EmbeddedPostgresError
    from app.core.problems import Problem
    from app.core.programs import ProgramsError
    from app.core.stores import StoreError
    from app.identity.keys import SigningKeyError
    from app.installation import InstallationError
    from app.keeping.errors import BackupError

    cause = error.orig if isinstance(error, DBAPIError) else error
    match cause:
        case RefusedError() | BackupError():
            return ExitCode.REFUSED, [str(cause)]
        case Problem():
            return ExitCode.REFUSED, _problem(cause)
        case InstallationError() | EmbeddedPostgresError() | ProgramsError() | StoreError():
            lines = [str(cause)]
        case MasterKeyError():
            lines = [_sentence(str(cause))]
        case SigningKeyError() | DataKeyError():
            lines = [_sentence(str(cause)), "Give the server the master key that this database was set up with."]
        case errors.UndefinedFunction() | errors.UndefinedTable():
            lines = ["The database's schema is not there, or not up to date. Run: interdesk db upgrade"]
        case errors.OperationalError() | errors.InsufficientPrivilege():
            lines = [f"The database cannot be used: {str(cause).strip()}"]
        case _:
            return ExitCode.DEFECT, ["This is a defect of Interdesk."]
    return ExitCode.SET_UP, lines


def _problem(error: Any) -> Iterable[str]:  # noqa: ANN401 - a Problem, whose module is not imported for type checks alone
    if error.type.slug == "unauthorized" and error.reason in ("unknown", "suspended"):
        yield {"unknown": "There is no such agency.", "suspended": "The agency is suspended."}[error.reason]
        return
    words = {"invalid-body": "Not everything given is right.", "not-found": "There is no such thing here."}
    yield error.detail or words.get(error.type.slug, f"{error.type.title}.")
    for flaw in error.errors:
        yield f"  {flaw.pointer or '/'}: {flaw.detail}"


def _sentence(text: str) -> str:
    """Give the text a capital and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def print_json(value: object) -> None:
    """Print a JSON value in one line, at once: a server's first line must not wait for its last."""
    sys.stdout.write(json.dumps(value, default=_json_form, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _json_form(value: object) -> str:
    if isinstance(value, datetime):
        from app.core.clock import rfc3339

        return rfc3339(value)
    return str(value)


def _plain(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M UTC")
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "-"
    return str(value)
