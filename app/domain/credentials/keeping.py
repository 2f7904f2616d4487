"""An agency's credentials as its administrators keep them: listed, read, changed, revoked."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from psycopg import errors, sql
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.audit.trail import note
from app.core import clock
from app.core.problems import CONFLICT, FORBIDDEN, PRECONDITION_FAILED, Flaw, Problem, invalid, not_found
from app.core.validation import validated
from app.domain.credentials.powers import Power, check_grant
from app.domain.credentials.shapes import (
    AuthMethod,
    Credential,
    CredentialContent,
    CredentialPatch,
    CredentialStatus,
    check_expiry,
)

COLUMNS = sql.SQL(
    "client_id, agency, label, roles, auth_method, allowed_networks, jwks, expires_at, status, former_secret_until,"
    " last_used_at, revoked_at, version, created_at, updated_at"
)
CHANGED = sql.SQL(
    "version = version + 1, updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')"
)
"""What every change of a credential sets."""

_FETCH = sql.SQL("SELECT {} FROM credentials WHERE agency = %(agency)s AND client_id = %(client_id)s").format(COLUMNS)
_VERSION = sql.SQL(
    "SELECT entry FROM credential_versions WHERE client_id = %(client_id)s AND version = %(version)s"
    " AND entry ->> 'agency' = %(agency)s"
)
_PAGE = sql.SQL(
    "SELECT {columns} FROM credentials WHERE agency = %(agency)s"
    " AND (%(role)s::text IS NULL OR %(role)s = ANY (roles))"
    " AND (%(auth_method)s::text IS NULL OR auth_method = %(auth_method)s)"
    " AND (%(status)s::text IS NULL OR %(status)s ="
    " CASE WHEN status = 'active' AND expires_at <= clock_timestamp() THEN 'expired' ELSE status END)"
    " AND (%(at)s::timestamptz IS NULL OR ({order}, client_id) < (%(at)s, %(client_id)s))"
    " ORDER BY {order} DESC, client_id DESC LIMIT %(limit)s"
)
_CHANGE = sql.SQL(
    "UPDATE credentials SET label = %(label)s, roles = %(roles)s::text[], expires_at = %(expires_at)s,"
    " allowed_networks = %(allowed_networks)s::cidr[], jwks = %(jwks)s,"
    " warned_days = CASE WHEN expires_at IS NOT DISTINCT FROM %(expires_at)s THEN warned_days END, {changed}"
    " WHERE client_id = %(client_id)s AND version = %(version)s RETURNING {columns}"
).format(changed=CHANGED, columns=COLUMNS)
_REVOKE = sql.SQL(
    "UPDATE credentials SET status = 'revoked', revoked_at = clock_timestamp(), {changed}"
    " WHERE client_id = %(client_id)s AND version = %(version)s RETURNING {columns}"
).format(changed=CHANGED, columns=COLUMNS)
_REFUSED_BY_TABLE = {
    "credentials_last_admin": (CONFLICT, "This is the last administrator. Issue another one first."),
    "credentials_platform_admin": (FORBIDDEN, "platform_admin stands alone, and belongs to the hub."),
}


def credential_of(fields: Mapping[str, Any]) -> Credential:
    """The credential that stands in a row of the table, or in a kept version of one."""
    networks = [str(network) for network in fields["allowed_networks"]]
    found = Credential.model_validate(
        {name: fields[name] for name in Credential.model_fields} | {"allowed_networks": networks}
    )
    expired = found.expires_at is not None and found.expires_at <= clock.now()
    if found.status is CredentialStatus.ACTIVE and expired:
        return found.model_copy(update={"status": CredentialStatus.EXPIRED})
    return found


async def fetch(desk: Desk, agency: str, client_id: str) -> Credential:
    """A credential of the agency, or 404."""
    rows = []
    if client_id.isascii() and client_id.isprintable():
        rows = await desk.rows(_FETCH, agency=agency, client_id=client_id)
    if not rows:
        raise not_found()
    return credential_of(rows[0]._asdict())


async def at_version(desk: Desk, agency: str, client_id: str, version: int) -> Credential:
    """A credential as it was, for the agency's administrators and whoever issued it; otherwise 404."""
    rows = await desk.rows(_VERSION, agency=agency, client_id=client_id, version=version)
    if not rows:
        raise not_found()
    return credential_of(rows[0].entry)


async def page(
    desk: Desk,
    agency: str,
    *,
    order: str,
    filters: Mapping[str, Any],
    after: tuple[datetime, str] | None,
    limit: int,
) -> Sequence[Credential]:
    """Up to `limit` credentials after a place, newest first; the read is recorded."""
    at, client_id = after or (None, None)
    chosen = {name: filters.get(name) for name in ("role", "auth_method", "status")}
    statement = _PAGE.format(columns=COLUMNS, order=sql.Identifier(order))
    rows = await desk.rows(statement, agency=agency, **chosen, at=at, client_id=client_id, limit=limit)
    await note(desk, "credential.list", detail={"agency": agency})
    return [credential_of(row._asdict()) for row in rows]


def require_active(credential: Credential) -> None:
    """409 for what is revoked: nothing brings it back."""
    if credential.status is CredentialStatus.REVOKED:
        raise Problem(CONFLICT, detail="The credential is revoked.")


async def patch(desk: Desk, credential: Credential, sent: CredentialPatch) -> Credential:
    """Apply a merge patch; what is taken away counts from the next request on, also for tokens already issued.

    Raises Problem 403 for a role that the caller may not grant, 409 for a revoked credential or the agency's last
    administrator, 412 if somebody was faster.
    """
    require_active(credential)
    before = credential.model_dump(mode="json", include=set(CredentialContent.model_fields))
    content = validated(CredentialContent, sent.merged(before))
    after = content.model_dump(mode="json")
    changed = sorted(name for name in after if after[name] != before[name])
    if not changed:
        return credential
    _check(credential, content, changed)
    if "roles" in changed:
        check_grant(desk, Power.KEEP, content.roles)
    async with refused_by_table():
        rows = await desk.rows(_CHANGE, client_id=credential.client_id, version=credential.version, **columns(content))
    return await told(desk, rows, "credential.updated", "credential.update", changed=changed)


def _check(credential: Credential, content: CredentialContent, changed: Sequence[str]) -> None:
    flaws = check_expiry(content) if "expires_at" in changed else []
    if (content.jwks is not None) != (credential.auth_method is AuthMethod.PRIVATE_KEY_JWT):
        detail = f"The credential signs in by {credential.auth_method}, which cannot be changed; issue another one."
        flaws.append(Flaw("/jwks", "keys-mismatch", detail))
    if flaws:
        raise invalid(*flaws)


async def revoke(desk: Desk, credential: Credential) -> Credential:
    """End a credential and its tokens from the next request on, for good; 409 for the last administrator."""
    require_active(credential)
    async with refused_by_table():
        rows = await desk.rows(_REVOKE, client_id=credential.client_id, version=credential.version)
    return await told(desk, rows, "credential.revoked", "credential.revoke")


def columns(content: CredentialContent) -> dict[str, Any]:
    """What an administrator decides, as the table takes it."""
    return content.model_dump(mode="json", exclude={"expires_at", "jwks", "auth_method"}) | {
        "expires_at": content.expires_at,
        "jwks": None if content.jwks is None else Jsonb(content.jwks),
    }


async def told(desk: Desk, rows: Sequence[Any], event: str, action: str, **detail: object) -> Credential:
    """A changed credential, once the change is recorded and told to its agency; 412 if nothing was changed."""
    if not rows:
        raise Problem(PRECONDITION_FAILED)
    credential = credential_of(rows[0]._asdict())
    await tell(desk, credential, event, action, **detail)
    return credential


async def tell(desk: Desk, credential: Credential, event: str, action: str, **detail: object) -> None:
    """Record a change of a credential, and tell its agency."""
    data = {"agency": credential.agency, "client_id": credential.client_id, **detail}
    await note(desk, action, detail=data)
    await desk.call("tell_agency", p_agency=credential.agency, p_event=event, p_action=action, p_data=Jsonb(data))


@asynccontextmanager
async def refused_by_table() -> AsyncIterator[None]:
    """What the table itself refuses, as the answer to it."""
    try:
        yield
    except errors.CheckViolation as error:
        refusal = _REFUSED_BY_TABLE.get(error.diag.constraint_name or "")
        if refusal is None:
            raise
        kind, detail = refusal
        raise Problem(kind, detail=detail) from None
