"""Who may administer whose credentials, and grant what.

An agency's administrators keep all of its own. The hub keeps its own too; for a member it can issue the first
administrator's credential, ask for a recovery, and nothing else. To everybody else another agency's credentials are
not there, whether or not there is such an agency.
"""

from collections.abc import Iterable
from enum import Enum, auto

from psycopg import sql

from app.access.desk import Desk
from app.core.problems import FORBIDDEN, Problem, not_found
from app.identity.roles import Permission, Role

_EXISTS = sql.SQL("SELECT FROM agencies WHERE code = %(code)s")
_NEEDS = "This call needs the permission credentials:manage or credentials:bootstrap."


class Power(Enum):
    """What a caller may do with an agency's credentials."""

    KEEP = auto()
    """Everything: they are its own agency's."""
    BOOTSTRAP = auto()
    """Issue the first administrator's credential, and ask for a recovery."""


async def power_over(desk: Desk, code: str) -> Power:
    """What the caller may do with the credentials of the agency `code`.

    Raises Problem 403 for a token without either permission; 404 for another agency, but for the hub only if there is
    none of this code.
    """
    permissions = desk.caller.permissions
    if not permissions & {Permission.CREDENTIALS_MANAGE, Permission.CREDENTIALS_BOOTSTRAP}:
        raise Problem(FORBIDDEN, detail=_NEEDS)
    if code == desk.caller.agency:
        return Power.KEEP
    if Permission.CREDENTIALS_BOOTSTRAP not in permissions or not code.isascii() or not code.isprintable():
        raise not_found()
    if not await desk.rows(_EXISTS, code=code):
        raise not_found()
    return Power.BOOTSTRAP


async def require_keeper(desk: Desk, code: str) -> None:
    """403 for the hub where it may only bootstrap; otherwise as `power_over`."""
    if await power_over(desk, code) is not Power.KEEP:
        raise Problem(FORBIDDEN, detail="An agency's credentials are kept by its own administrators alone.")


def check_grant(desk: Desk, power: Power, roles: Iterable[Role]) -> None:
    """403 for roles that the caller may not grant with this power. The operator meets only what the table refuses."""
    granted = frozenset(roles)
    if "operator" in desk.caller.roles:
        return
    if power is Power.BOOTSTRAP:
        if granted != {Role.AGENCY_ADMIN}:
            raise Problem(FORBIDDEN, detail="The hub issues an agency's first agency_admin, and no other role.")
    elif Permission.CREDENTIALS_MANAGE in desk.caller.permissions:
        if Role.PLATFORM_ADMIN in granted:
            raise Problem(FORBIDDEN, detail="An agency grants every role but platform_admin.")
    elif granted != {Role.PLATFORM_ADMIN}:
        raise Problem(FORBIDDEN, detail="The hub's own credentials hold platform_admin, and no other role.")
