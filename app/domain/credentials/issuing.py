"""Secrets: drawn here, shown once, stored as a hash."""

from psycopg import sql

from app.access.desk import Desk
from app.core.problems import CONFLICT, FORBIDDEN, Problem, invalid
from app.domain.credentials.keeping import (
    CHANGED,
    COLUMNS,
    at_version,
    columns,
    refused_by_table,
    require_active,
    tell,
    told,
)
from app.domain.credentials.powers import Power, check_grant
from app.domain.credentials.shapes import (
    AuthMethod,
    Credential,
    CredentialCreate,
    IssuedCredential,
    Rotation,
    check_expiry,
)
from app.identity.secrets import hash_secret, new_client_id, new_client_secret

_ISSUE = sql.SQL(
    "INSERT INTO credentials (client_id, agency, label, roles, auth_method, allowed_networks, jwks, secret_hash,"
    " expires_at) VALUES (%(client_id)s, %(agency)s, %(label)s, %(roles)s::text[], %(auth_method)s,"
    " %(allowed_networks)s::cidr[], %(jwks)s, %(secret_hash)s, %(expires_at)s)"
)
_ROTATE = sql.SQL(
    "UPDATE credentials SET former_secret_hash = CASE WHEN %(grace)s > 0 THEN secret_hash END,"
    " former_secret_until = CASE WHEN %(grace)s > 0 THEN clock_timestamp() + make_interval(secs => %(grace)s) END,"
    " secret_hash = %(secret_hash)s, {changed}"
    " WHERE client_id = %(client_id)s AND version = %(version)s RETURNING {columns}"
).format(changed=CHANGED, columns=COLUMNS)


def with_secret(credential: Credential, secret: str | None) -> IssuedCredential:
    """A credential in the answer that shows its secret, or, repeated, does not."""
    return IssuedCredential(**credential.model_dump(), client_secret=secret)


async def issue(desk: Desk, agency: str, power: Power, sent: CredentialCreate) -> IssuedCredential:
    """Issue a credential of the agency.

    Raises Problem 403 for roles that the caller may not grant, among them an agency's second administrator by the hub;
    422 for what has expired already.
    """
    check_grant(desk, power, sent.roles)
    flaws = check_expiry(sent)
    if flaws:
        raise invalid(*flaws)
    if power is Power.BOOTSTRAP:
        (row,) = await desk.call("awaits_first_admin", p_agency=agency)
        if not row.awaits_first_admin:
            detail = "The agency has had an administrator. They issue its credentials; if they are locked out, recover."
            raise Problem(FORBIDDEN, detail=detail)
    client_id = new_client_id()
    secret = new_client_secret() if sent.auth_method is AuthMethod.CLIENT_SECRET else None
    async with refused_by_table(), desk.connection.cursor() as cursor:
        await cursor.execute(
            _ISSUE,
            columns(sent)
            | {
                "client_id": client_id,
                "agency": agency,
                "auth_method": sent.auth_method.value,
                "secret_hash": hash_secret(secret) if secret else None,
            },
        )
    issued = await at_version(desk, agency, client_id, 1)
    await tell(desk, issued, "credential.issued", "credential.issue", roles=[role.value for role in issued.roles])
    return with_secret(issued, secret)


async def rotate(desk: Desk, credential: Credential, sent: Rotation) -> IssuedCredential:
    """Draw a new secret; the former one works until its grace ends. Tokens are not affected.

    Raises Problem 409 for a revoked credential, or one that has keys instead of a secret.
    """
    require_active(credential)
    if credential.auth_method is not AuthMethod.CLIENT_SECRET:
        raise Problem(CONFLICT, detail="This credential has keys and no secret. Change its jwks with PATCH.")
    secret = new_client_secret()
    rows = await desk.rows(
        _ROTATE,
        client_id=credential.client_id,
        version=credential.version,
        secret_hash=hash_secret(secret),
        grace=sent.grace_seconds,
    )
    rotated = await told(desk, rows, "credential.rotated", "credential.rotate", grace_seconds=sent.grace_seconds)
    return with_secret(rotated, secret)
