"""`interdesk agency`: who takes part."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.terminal import AsJson, show, show_all

if TYPE_CHECKING:
    from app.access.desk import Desk
    from app.domain.agencies.shapes import Agency

app = typer.Typer(help="Register agencies, suspend and reinstate them.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(metavar="CODE", help="The agency's code, for example KR-KNPA.")]

_KINDS = (
    "national_police, international_organization, regional_organization, immigration, prosecution, foreign_ministry, "
    "forensic_service or other"
)
_PAGE = 500


@app.command()
def add(  # noqa: PLR0913 - the options of one command
    code: Code,
    name: Annotated[str, typer.Option(help="Its name in the language the hub works in.")],
    kind: Annotated[str, typer.Option(help=f"What it is: {_KINDS}.")],
    country: Annotated[str | None, typer.Option(help="Whose it is, as ISO 3166-1 alpha-2, for example KR.")] = None,
    native_name: Annotated[str | None, typer.Option(help="Its name in its own language.")] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="What its duty desk reads, as BCP 47; may be repeated.")
    ] = None,
    time_zone: Annotated[str, typer.Option(help="Where its office hours are, for example Asia/Seoul.")] = "UTC",
    phone: Annotated[str | None, typer.Option(help="Its duty desk's telephone, with + and country code.")] = None,
    email: Annotated[str | None, typer.Option(help="Its duty desk's email address.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register an agency. Its code is never used for a second one."""
    from app.cli import host
    from app.core.validation import validated
    from app.domain.agencies import directory
    from app.domain.agencies.shapes import AgencyCreate

    fields = {
        "code": code,
        "name": name,
        "native_name": native_name,
        "kind": kind,
        "country": country,
        "languages": language or [],
        "time_zone": time_zone,
        "contact": {"phone": phone, "email": email},
    }
    sent = validated(AgencyCreate, fields)
    _show(host.at_desk("agency add", lambda desk: directory.create(desk, sent)), as_json=as_json)


@app.command("list")
def list_agencies(
    status: Annotated[str | None, typer.Option(help="Only those that are active, or suspended.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the agencies, the newest first."""
    from app.cli import host

    agencies = [
        agency.model_dump(mode="json") for agency in host.at_desk("agency list", lambda desk: everybody(desk, status))
    ]
    show_all(agencies, ["code", "name", "kind", "country", "status"], as_json=as_json)


@app.command()
def suspend(code: Code, as_json: AsJson = False) -> None:
    """Keep an agency out from its next request on; its records stay as they are."""
    from app.cli import host
    from app.domain.agencies import directory, standing

    async def change(desk: "Desk") -> "Agency":
        return await standing.suspend(desk, await directory.fetch(desk, code))

    _show(host.at_desk("agency suspend", change), as_json=as_json)


@app.command()
def reinstate(code: Code, as_json: AsJson = False) -> None:
    """Let a suspended agency in again; its credentials sign in anew."""
    from app.cli import host
    from app.domain.agencies import directory, standing

    async def change(desk: "Desk") -> "Agency":
        return await standing.reinstate(desk, await directory.fetch(desk, code))

    _show(host.at_desk("agency reinstate", change), as_json=as_json)


async def everybody(desk: "Desk", status: str | None = None) -> list["Agency"]:
    """All agencies that the operator's transaction sees, the newest first."""
    from app.domain.agencies import directory

    found: list[Agency] = []
    while True:
        after = (found[-1].created_at, found[-1].code) if found else None
        page = await directory.page(desk, order="created_at", filters={"status": status}, after=after, limit=_PAGE)
        found += page
        if len(page) < _PAGE:
            return found


def _show(agency: "Agency", *, as_json: bool) -> None:
    show(agency.model_dump(mode="json"), as_json=as_json)
