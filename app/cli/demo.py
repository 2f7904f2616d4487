"""`interdesk demo`: a story to try everything with."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.terminal import AsJson, RefusedError, print_json, progress, say

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from uuid import UUID

    from app.access.desk import Desk
    from app.core.stores import Store
    from app.demo.homecoming import People
    from app.installation import Installation


def demo(
    reset: Annotated[bool, typer.Option("--reset", help="Begin anew, with an empty database; only on a demo.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --reset: also where agencies were added that are not the story's.")
    ] = False,
    unless_used: Annotated[
        bool, typer.Option("--unless-used", help="Do nothing, and succeed, on a database used for something else.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell a new installation a story, and print the credentials to follow it with.

    Five agencies, their council, what they agreed on, what they know of invented groups behind compounds at Bokor and
    Sihanoukville, and three flights that bring five hundred people home. Run again, it adds what is missing and prints
    the same credentials, which are drawn for each installation and kept in demo-credentials.json in the data folder.
    Refused on a database that is used for something else.
    """
    from app.cli import host

    with host.installation() as installation:
        if reset:
            _empty(installation, sure=yes)
        installation.prepare()
        told = tell(installation, unless_used=unless_used)
    if told is None:
        return
    if as_json:
        print_json(told)
    else:
        show_credentials(installation, told)


def tell(installation: "Installation", *, unless_used: bool) -> list[dict[str, Any]] | None:
    """Tell the story where that may be; its credentials, or None on a database that is used for something else.

    Raises:
        RefusedError: it is used for something else, and not `unless_used`.
    """
    from app.cli import host
    from app.demo import mark

    if not mark.is_demo(installation):
        present = mark.agencies(installation)
        if present:
            message = f"This database is no demo: it is used by {_some(present)}."
            if unless_used:
                say(message)
                return None
            message += " Choose an empty one, for example by INTERDESK_DATA=./demo."
            raise RefusedError(message)
        mark.put(installation)
    # Whatever the hub asks of others, what the story's agencies share rests on their agreements.
    lawful = installation.settings.model_copy(update={"legal_basis": "required"})
    return host.run(_tell(replace(installation, settings=lawful)))


def show_credentials(installation: "Installation", told: list[dict[str, Any]]) -> None:
    """Print the credentials of the demo for people."""
    from app.demo.credentials import FILE

    for entry in told:
        typer.echo(f"{entry['agency']:10} {entry['label']:23} {', '.join(entry['roles'])}")
        typer.echo(f"{'':10} {entry['client_id']}  {entry['client_secret']}")
    say(f"The secrets are kept in {installation.settings.data / FILE}. Everything in this demo is invented.")


def _empty(installation: "Installation", *, sure: bool) -> None:
    from app.cli import host
    from app.core.database_roles import DatabaseRole
    from app.core.migrations import status
    from app.demo import attaching, credentials, mark, story

    if not mark.is_demo(installation):
        raise RefusedError("This database is no demo. It was left as it is.")
    if mark.is_served(installation):
        raise RefusedError("A server is using this database. Stop it first.")
    schema, files = status(installation.conninfo(DatabaseRole.OWNER)), []
    if schema.current is not None:
        added = sorted(set(mark.agencies(installation)) - {agency["code"] for agency in story.AGENCIES})
        if added and not sure and not (sys.stdin.isatty() and typer.confirm(_question(added), err=True)):
            message = f"{_question(added)} Say so with --yes."
            raise RefusedError(message)
    if schema.up_to_date:
        files = host.run(_files(installation))
    mark.empty(installation)
    host.run(attaching.delete(_store(installation), files))
    (installation.settings.data / credentials.FILE).unlink(missing_ok=True)


def _some(codes: list[str]) -> str:
    most = 3
    return ", ".join(codes[:most]) + (f" and {len(codes) - most} more" if len(codes) > most else "")


def _question(added: list[str]) -> str:
    return f"{_some(added)} would be lost too, with everything they wrote. Begin anew all the same?"


def _store(installation: "Installation") -> "Store":
    from app.core.stores import open_store

    return open_store(installation.settings.attachment_store, installation.settings.data)


async def _files(installation: "Installation") -> "list[UUID]":
    """What the store holds for the demo's records."""
    from app.cli import host
    from app.demo import attaching

    async with host.operator_database(installation) as database, host.operator_desk(database, "demo") as desk:
        return await attaching.stored(desk)


async def _tell(installation: "Installation") -> list[dict[str, Any]]:
    from app.attachments.sealing import AttachmentKeys
    from app.cli import host
    from app.demo import attaching, credentials, telling
    from app.demo.homecoming import People

    people = People.under(installation.master_key())
    cabinet = attaching.Cabinet(_store(installation), AttachmentKeys(installation.master_key()))
    async with host.operator_database(installation) as database:

        def open_desk(agency: str | None) -> "AbstractAsyncContextManager[Desk]":
            return host.operator_desk(database, "demo", agency)

        with progress("Telling the story", telling.STEPS) as done:
            await telling.tell(open_desk, people, done)
        await attaching.attach(open_desk, cabinet)
        provided = await credentials.provide(open_desk, installation.settings.data)
    await _fly(installation, people, provided)
    return provided


async def _fly(installation: "Installation", people: "People", provided: list[dict[str, Any]]) -> None:
    """Fly the story's people home, as the role that the server has: the operator's sees nothing of persons."""
    from app.access.desk import open_desk
    from app.core.database_roles import DatabaseRole
    from app.core.db import Database
    from app.demo import desks, flying

    clients = {entry["agency"]: entry["client_id"] for entry in provided if "liaison_officer" in entry["roles"]}
    conninfo = installation.conninfo(DatabaseRole.API)
    database = Database(conninfo, connections=2, session=installation.settings.session)
    await database.open()

    def at_desk(agency: str | None) -> "AbstractAsyncContextManager[Desk]":
        return open_desk(database, desks.visit(clients[str(agency)]))

    try:
        with progress("Bringing five hundred people home", flying.STEPS) as done:
            await flying.fly(at_desk, people, done)
    finally:
        await database.close()
