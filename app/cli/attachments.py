"""`interdesk attachments`: whether the store holds what the database knows of."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.terminal import AsJson, ExitCode, print_json, progress, say, show

if TYPE_CHECKING:
    from app.attachments.verifying import Verification

app = typer.Typer(help="Compare the store of attachments with the database.", no_args_is_help=True)


@app.command()
def verify(
    contents: Annotated[
        bool, typer.Option("--contents", help="Read, open and hash every attachment, which takes its time.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare every attachment with what is stored; nothing is changed, and nothing of a name or content is shown.

    missing: there is nothing stored. damaged: it has another size or, with --contents, does not open or is not what was
    attached. keyless: its key did not come with a restore. unknown: something is stored that no attachment has, as
    after a restore of an older backup; delete it by hand once you are sure. What is uploaded or removed meanwhile may
    be named: run it again. Exits with 1 if an attachment cannot be read.
    """
    found = _verified(contents=contents)
    if as_json:
        print_json(found.document())
    else:
        show({name: _shown(value) for name, value in found.document().items()}, as_json=False)
    if not found.holds:
        say("Bring what is missing or damaged back from a copy of the store.")
        raise typer.Exit(ExitCode.REFUSED)


def _shown(value: object) -> object:
    return " ".join(value) if isinstance(value, list) else value


def _verified(*, contents: bool) -> "Verification":
    from app.attachments.sealing import AttachmentKeys
    from app.attachments.verifying import verify
    from app.cli import host
    from app.core.stores import open_store

    async def compare() -> "Verification":
        store = open_store(installation.settings.attachment_store, installation.settings.data)
        keys = AttachmentKeys(installation.master_key())
        async with (
            host.operator_database(installation) as database,
            host.operator_desk(database, "attachments verify") as desk,
        ):
            with progress("Attachments compared", None) as done:
                return await verify(desk, store, keys, contents=contents, done=done)

    with host.installation() as installation:
        return host.run(compare())
