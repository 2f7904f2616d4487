"""`interdesk statistics`: tables over all incident reports, published now."""

from datetime import datetime

import typer

from app.cli.terminal import AsJson, print_json, say

app = typer.Typer(help="Publish tables over all incident reports.", no_args_is_help=True)


@app.callback()
def _commands() -> None:
    """Take what stands before the command."""


@app.command()
def publish(as_json: AsJson = False) -> None:
    """Publish as of this moment what the worker publishes as of the end of each month.

    What is published is rounded, the same for every agency, and never changes. A year in which fewer than five reports
    changed since it was counted last keeps its tables.
    """
    from app.core import clock

    as_of = clock.rfc3339(_publish())
    if as_json:
        print_json({"as_of": as_of})
    else:
        say(f"Published as of {as_of}.")


def _publish() -> datetime:
    from app.cli import host
    from app.domain.statistics import publishing

    async def work() -> datetime:
        async with host.operator_database(installation) as database, database.pool.connection() as connection:
            return await publishing.publish_now(connection, host.operator_name())

    with host.installation() as installation:
        return host.run(work())
