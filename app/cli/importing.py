"""`interdesk import`: a published list as one agency's profiles."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.terminal import AsJson, RefusedError, progress, say, show

if TYPE_CHECKING:
    from app.access.handling import HandlingIn

_LARGEST_FILE = 256 * 1024 * 1024


def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="The list, as JSON.")
    ],
    agency: Annotated[str, typer.Option("--as", metavar="CODE", help="The agency whose profiles they become.")],
    tlp: Annotated[str, typer.Option(help="Label of the profiles: RED, AMBER+STRICT, AMBER, GREEN or CLEAR.")] = "RED",
    share_with: Annotated[
        list[str] | None, typer.Option(metavar="CODE", help="An agency that sees them; may be repeated.")
    ] = None,
    community: Annotated[
        bool, typer.Option("--community", help="Let every agency see them; needs GREEN or CLEAR.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the organizations of a published list in as an agency's profiles.

    Read is the United States Treasury's list of designated transnational criminal organizations (OFAC). The list's
    own numbers become the profiles' external_id, so it can be run again: what is there already stays as it is, with
    whatever the agency has written since, and only what is missing is added. What the agency retracted stays so.

    Unless told otherwise the profiles are RED and seen by the agency alone: that a list is public does not make public
    that an agency works with it. Handling is set when a profile is created and not changed by a later run.
    """
    from app.cli import host
    from app.exchange import imports, ofac

    handling = _handling(tlp, share_with or [], community=community)
    value = _parsed(file)
    if not ofac.is_ofac(value):
        message = f"{file} is not a list that can be read: it has no source and items. See interdesk import --help."
        raise RefusedError(message)
    listing = ofac.read(value)

    async def bring_in() -> imports.Outcome:
        async with host.operator_database(installation) as database:
            with progress("Importing", len(listing.organizations)) as done:
                return await imports.bring_in(
                    lambda: host.operator_desk(database, "import", agency), listing, handling, done
                )

    with host.installation() as installation:
        outcome = host.run(bring_in())
    show({"agency": agency, "source": listing.source, **outcome.document()}, as_json=as_json)
    if not (outcome.created or outcome.changed or outcome.relations_created):
        say("Nothing has changed: everything in the list was there already.")


def _handling(tlp: str, agencies: list[str], *, community: bool) -> "HandlingIn":
    from app.access.handling import HandlingIn
    from app.core.problems import Problem
    from app.core.validation import validated

    try:
        return validated(HandlingIn, {"tlp": tlp, "audience": {"agencies": agencies, "community": community}})
    except Problem as problem:
        raise RefusedError(" ".join(flaw.detail for flaw in problem.errors)) from None


def _parsed(file: Path) -> Any:  # noqa: ANN401 - any JSON value
    import orjson

    if file.stat().st_size > _LARGEST_FILE:
        message = f"{file} is larger than {_LARGEST_FILE // 1024 // 1024} MB."
        raise RefusedError(message)
    try:
        return orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        message = f"{file} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        raise RefusedError(message) from None
