"""`GET /v1/me`: who the hub takes the caller for, and what it may do at this moment."""

from datetime import datetime
from uuid import UUID

from psycopg import sql
from pydantic import Field

from app.access.desk import Desk
from app.audit.trail import note
from app.core.dates import UtcDateTime
from app.core.problems import not_found
from app.core.shapes import Shape

_CREDENTIAL = sql.SQL("SELECT label, expires_at FROM credentials WHERE client_id = %(client)s")
_GROUPS = sql.SQL(
    "SELECT g.id, g.kind, g.name, m.role FROM memberships m JOIN groups g ON g.id = m.group_id"
    " WHERE m.agency = %(agency)s AND m.until IS NULL AND g.ended_at IS NULL ORDER BY g.name, g.id"
)


class OwnMembership(Shape):
    """A group that the caller's agency stands in."""

    id: UUID = Field(description="The group's id, as audiences name it.")
    name: str = Field(description="The group's name.", examples=["Bokor response council"])
    kind: str = Field(description="`council`, `joint_team` or `working_group`.", examples=["council"])
    role: str = Field(description="The agency's part: `chair`, `member` or `observer`.", examples=["member"])


class Myself(Shape):
    """The caller as the hub knows it now: changed roles and memberships show here with the next request."""

    agency: str = Field(description="Code of the agency that the credential belongs to.", examples=["KR-KNPA"])
    client_id: str = Field(description="The credential.", examples=["idc_abcdefghijklmnopqrstuvwxyz"])
    label: str = Field(description="What its administrator called it.", examples=["case system"])
    roles: list[str] = Field(description="The roles that the credential has now.", examples=[["analyst"]])
    permissions: list[str] = Field(
        description="What this token may do now: its scope and what the roles grant, whichever is less.",
        examples=[["directory:read", "profiles:read"]],
    )
    groups: list[OwnMembership] = Field(description="The groups the agency stands in.")
    expires_at: UtcDateTime | None = Field(description="When the credential expires; null if it does not.")
    token_expires_at: UtcDateTime = Field(description="When this token expires.")


async def myself(desk: Desk, token_expires_at: datetime) -> Myself:
    """Describe the caller to itself."""
    rows = await desk.rows(_CREDENTIAL, client=desk.caller.client_id)
    if not rows:
        raise not_found()
    groups = await desk.rows(_GROUPS, agency=desk.caller.agency)
    await note(desk, "me.read")
    return Myself(
        agency=desk.caller.agency,
        client_id=desk.caller.client_id,
        label=rows[0].label,
        roles=sorted(desk.caller.roles),
        permissions=sorted(permission.value for permission in desk.caller.permissions),
        groups=[OwnMembership(id=group.id, name=group.name, kind=group.kind, role=group.role) for group in groups],
        expires_at=rows[0].expires_at,
        token_expires_at=token_expires_at,
    )
