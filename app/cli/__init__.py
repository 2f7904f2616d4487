"""`interdesk`, the command line on the host: the operator's own power. It opens no port but the server's."""

import gc
import sys
from typing import Annotated

import typer

from app.cli import (
    agency,
    attachments,
    audit,
    checklist_rules,
    credential,
    db,
    demo,
    doctor,
    importing,
    keeping,
    keys,
    openapi,
    oversight,
    retention,
    serve,
    statistics,
    worker,
    workflow,
)
from app.cli.terminal import EXIT_CODES, ExitCode, report

app = typer.Typer(
    name="interdesk",
    help="Coordination between police agencies that work the same cross-border crime: the operator's commands.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"interdesk {version('interdesk')}\n")
        raise typer.Exit


@app.callback()
def _common(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take what stands before the command."""


app.command("serve")(serve.serve)
app.command("worker")(worker.work)
app.command("demo")(demo.demo)
app.add_typer(db.app, name="db")
app.command("doctor")(doctor.doctor)
app.add_typer(agency.app, name="agency")
app.add_typer(credential.app, name="credential")
app.add_typer(keys.app, name="keys")
app.add_typer(attachments.app, name="attachments")
app.add_typer(audit.app, name="audit")
app.command("backup")(keeping.backup)
app.command("restore")(keeping.restore)
app.command("oversight")(oversight.oversight)
app.add_typer(retention.app, name="retention")
app.add_typer(checklist_rules.app, name="checklist-rules")
app.add_typer(statistics.app, name="statistics")
app.command("import")(importing.import_file)
app.command("openapi")(openapi.openapi)
app.command("workflow")(workflow.workflow)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and end the process with its exit code; what went wrong is said on standard error."""
    gc.disable()  # Importing makes many objects and no garbage: looking for some is a fifth of the time to a start.
    try:
        app(arguments, prog_name="interdesk")
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - every failure ends as a sentence and an exit code
        sys.exit(report(error))
    finally:
        gc.enable()
