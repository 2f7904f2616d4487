"""`interdesk keys`: the keys that sign access tokens, and those that wrap the keys of persons and attachments."""

from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.terminal import AsJson, progress, say, show, show_all

if TYPE_CHECKING:
    from app.core.db import Database
    from app.installation import Installation

app = typer.Typer(
    help="List and rotate the keys that sign access tokens, and those of persons and attachments.", no_args_is_help=True
)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the signing keys, newest first: which of them signs now, and which only verifies."""
    from app.cli import host

    async def read() -> list[dict[str, Any]]:
        async with host.operator_database(installation) as database:
            return await _described(installation, database)

    with host.installation() as installation:
        keys = host.run(read())
    show_all(keys, ["kid", "state", "created_at", "retires_at"], as_json=as_json)


@app.command()
def rotate(
    compromised: Annotated[
        bool,
        typer.Option("--compromised", help="The keys in use are known to others: let every token they signed fail."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a new signing key; servers that run take it over by themselves.

    It signs once every server and every reader of the key set has had time to learn it. Tokens that are out stay good
    until they expire, unless --compromised: then their clients have to sign in again at once.
    """
    from app.cli import host
    from app.identity import signing

    async def change() -> dict[str, Any]:
        async with host.operator_database(installation) as database:
            async with host.operator_desk(database, "keys rotate") as desk:
                key = await signing.rotate(desk.connection, installation.master_key(), compromised=compromised)
            return next(one for one in await _described(installation, database) if one["kid"] == key.kid)

    with host.installation() as installation:
        made = host.run(change())
    show(made, as_json=as_json)
    if compromised:
        say("Every token signed before fails within a minute. Find out how the key became known: it is kept sealed.")


@app.command("rotate-persons")
def rotate_persons(as_json: AsJson = False) -> None:
    """Wrap the keys of all persons and attachments anew, under a fresh key; destroy the one that wrapped them.

    Servers go on working meanwhile. It may be interrupted: run it again, and it goes on where it was. What is kept of
    persons and attached is not written anew, so it takes seconds. Make a backup with --person-keys afterwards.
    """
    from app.attachments.sealing import ATTACHMENTS
    from app.cli import host
    from app.core.data_keys import DataKeys
    from app.persons.sealing import PERSONS
    from app.records.purging import Operator
    from app.records.rotation import Rotation, rotate

    operator = Operator(host.operator_name(), "interdesk keys rotate-persons")

    async def change() -> Rotation:
        keys = DataKeys(installation.master_key())
        async with host.operator_database(installation) as database, database.pool.connection() as connection:
            with ExitStack() as stack:
                return await rotate(
                    connection,
                    keys,
                    (PERSONS, ATTACHMENTS),
                    operator,
                    lambda total: stack.enter_context(progress("Keys wrapped", total)),
                )

    with host.installation() as installation:
        done = host.run(change())
    show(done.document(), as_json=as_json)


async def _described(installation: "Installation", database: "Database") -> list[dict[str, Any]]:
    from app.core import clock
    from app.identity.signing import KeyKeeper

    keeper = await KeyKeeper.open(database, installation.master_key())
    now = clock.now()
    signer = keeper.ring.signing_key(now).kid
    async with database.pool.connection() as connection:
        cursor = await connection.execute("SELECT kid, created_at, retires_at FROM load_signing_keys() ORDER BY 2 DESC")
        rows: list[tuple[str, datetime, datetime | None]] = await cursor.fetchall()
    return [
        {
            "kid": kid,
            "state": "signs" if kid == signer else "verifies" if retires_at else "published",
            "created_at": created_at,
            "retires_at": retires_at,
        }
        for kid, created_at, retires_at in rows
    ]
