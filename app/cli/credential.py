"""`interdesk credential`: what partners' systems sign in with."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.terminal import AsJson, RefusedError, say, show, show_all

if TYPE_CHECKING:
    from app.access.desk import Desk
    from app.domain.credentials.shapes import Credential

app = typer.Typer(help="Issue, list, rotate and revoke credentials.", no_args_is_help=True)

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="What the credential signs in as.")]

_PAGE = 500
_ROLES = (
    "analyst, operations_officer, liaison_officer, commander, connector, auditor or agency_admin; the hub's own "
    "credentials have platform_admin alone"
)


@app.command()
def issue(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The agency it is for; HUB for the hub's own.")],
    label: Annotated[str, typer.Option(help="What it is for, as its administrator will recognize it.")],
    role: Annotated[list[str], typer.Option(help=f"A role; may be repeated: {_ROLES}.")],
    expires_at: Annotated[datetime | None, typer.Option(help="When it stops working, in UTC.")] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="Where it may be used from, in CIDR notation; may be repeated.")
    ] = None,
    jwks: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The client's public keys: it signs in with them (RFC 7523)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Issue a credential, and show its secret this once: only a hash of it is stored."""
    from app.cli import host
    from app.core.validation import validated
    from app.domain.credentials import issuing
    from app.domain.credentials.powers import Power
    from app.domain.credentials.shapes import CredentialCreate

    fields = {
        "label": label,
        "roles": role,
        "expires_at": expires_at.replace(tzinfo=UTC) if expires_at else None,
        "allowed_networks": network or [],
        "auth_method": "client_secret" if jwks is None else "private_key_jwt",
        "jwks": _keys(jwks) if jwks else None,
    }
    sent = validated(CredentialCreate, fields)

    async def act(desk: "Desk") -> "Credential":
        return await issuing.issue(desk, code, Power.KEEP, sent)

    _show_secret(host.at_desk("credential issue", act, agency=code), as_json=as_json)


@app.command("list")
def list_credentials(
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="Only those of this agency.")] = None,
    as_json: AsJson = False,
) -> None:
    """List credentials, by agency and the newest first; never a secret."""
    from app.cli import host
    from app.cli.agency import everybody
    from app.domain.agencies import directory

    async def act(desk: "Desk") -> list["Credential"]:
        agencies = [await directory.fetch(desk, code)] if code else await everybody(desk)
        return [credential for agency in agencies for credential in await _of(desk, agency.code)]

    found = [credential.model_dump(mode="json") for credential in host.at_desk("credential list", act)]
    columns = ["agency", "label", "roles", "client_id", "status", "expires_at", "last_used_at"]
    show_all(found, columns, as_json=as_json)


@app.command()
def rotate(
    client_id: ClientId,
    grace_seconds: Annotated[
        int, typer.Option(min=0, help="How long the former secret works beside the new one; 0 after it has leaked.")
    ] = 3600,
    as_json: AsJson = False,
) -> None:
    """Draw a new secret, and show it this once. Tokens that are out stay good until they expire."""
    from app.cli import host
    from app.core.validation import validated
    from app.domain.credentials import issuing
    from app.domain.credentials.shapes import Rotation

    sent = validated(Rotation, {"grace_seconds": grace_seconds})

    async def act(desk: "Desk") -> "Credential":
        return await issuing.rotate(desk, await _fetch(desk, client_id), sent)

    _show_secret(host.at_desk("credential rotate", act), as_json=as_json)


@app.command()
def revoke(client_id: ClientId, as_json: AsJson = False) -> None:
    """End a credential and its tokens for good, from the next request on."""
    from app.cli import host
    from app.domain.credentials import keeping

    async def act(desk: "Desk") -> "Credential":
        return await keeping.revoke(desk, await _fetch(desk, client_id))

    show(host.at_desk("credential revoke", act).model_dump(mode="json"), as_json=as_json)


async def _of(desk: "Desk", agency: str) -> list["Credential"]:
    from app.domain.credentials import keeping

    found: list[Credential] = []
    while True:
        after = (found[-1].created_at, found[-1].client_id) if found else None
        page = await keeping.page(desk, agency, order="created_at", filters={}, after=after, limit=_PAGE)
        found += page
        if len(page) < _PAGE:
            return found


async def _fetch(desk: "Desk", client_id: str) -> "Credential":
    from psycopg import sql

    from app.domain.credentials import keeping

    agency = sql.SQL("SELECT agency FROM credentials WHERE client_id = %(client_id)s")
    rows = await desk.rows(agency, client_id=client_id)
    if not rows:
        message = f"There is no credential {client_id}."
        raise RefusedError(message)
    return await keeping.fetch(desk, rows[0].agency, client_id)


def _keys(file: Path) -> Any:  # noqa: ANN401 - any JSON value
    import orjson

    try:
        return orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError:
        message = f"{file} is not JSON."
        raise RefusedError(message) from None


def _show_secret(credential: "Credential", *, as_json: bool) -> None:
    shown = credential.model_dump(mode="json")
    show(shown, as_json=as_json)
    if shown["client_secret"] is not None:
        say("Hand the secret over and keep no copy: it is shown this once, and only its hash is stored.")
