"""`interdesk db`: the database's schema and its roles."""

import sys
from typing import Annotated

import typer

from app.cli.terminal import AsJson, ExitCode, say, show

app = typer.Typer(help="Bring the database up to date, or make its roles.", no_args_is_help=True)


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Apply the migrations that are missing; running it again changes nothing.

    Works as the role interdesk_owner: on the embedded database without further ado, on a managed one by
    INTERDESK_OWNER_DATABASE_URL.
    """
    from app.cli import host

    with host.installation() as installation:
        before, after = installation.upgrade()
    show(
        {
            "before": before.current,
            "current": after.current,
            "newest": after.newest,
            "up_to_date": after.up_to_date,
            "changed": before.current != after.current,
        },
        as_json=as_json,
    )


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say where the schema stands; ends with 3 if it is not up to date."""
    from app.cli import host

    with host.installation() as installation:
        state = installation.schema()
    show({"current": state.current, "newest": state.newest, "up_to_date": state.up_to_date}, as_json=as_json)
    if not state.up_to_date:
        say("Run: interdesk db upgrade")
        raise typer.Exit(ExitCode.SET_UP)


@app.command()
def roles(
    database: Annotated[str, typer.Option(help="Name of the database.")] = "interdesk",
    as_json: AsJson = False,
) -> None:
    """Print the SQL that makes the database roles on a managed PostgreSQL.

    An administrator of that server runs it once: interdesk db roles | psql -d interdesk -v ON_ERROR_STOP=1
    """
    from app.core.database_roles import roles_script

    script = roles_script(database)
    if as_json:
        show({"database": database, "script": script}, as_json=True)
    else:
        sys.stdout.write(script)
