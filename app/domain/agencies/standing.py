"""Whether an agency takes part: suspended, reinstated, all its tokens ended. Each counts from the next request on."""

from psycopg import errors, sql
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.audit.trail import note
from app.core.problems import CONFLICT, PRECONDITION_FAILED, Problem
from app.domain.agencies.directory import fetch
from app.domain.agencies.shapes import Agency, AgencyStatus

_SET = sql.SQL(
    "UPDATE agencies SET status = %(status)s, version = version + 1,"
    " updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')"
    " WHERE code = %(code)s AND version = %(version)s RETURNING code"
)
_HUB_STAYS = "agencies_hub_is_active"


async def suspend(desk: Desk, agency: Agency) -> Agency:
    """Keep an agency out. Its tokens end, and so does a recovery that its administrators could no longer cancel.

    Raises Problem 409 if it is suspended already, or is the hub's own.
    """
    return await _set(desk, agency, AgencyStatus.SUSPENDED, "agency.suspended", "agency.suspend")


async def reinstate(desk: Desk, agency: Agency) -> Agency:
    """Let an agency in again; its credentials sign in anew. 409 if it is not suspended."""
    return await _set(desk, agency, AgencyStatus.ACTIVE, "agency.reinstated", "agency.reinstate")


async def revoke_all(desk: Desk, agency: Agency) -> Agency:
    """End every token of an agency. Its credentials stay, and can sign in again at once."""
    (row,) = await desk.call("end_tokens", p_agency=agency.code)
    data = {"agency": agency.code, "credentials": row.end_tokens}
    await _tell(desk, agency.code, "agency.tokens_revoked", "agency.revoke_tokens", data)
    return agency


async def _set(desk: Desk, agency: Agency, status: AgencyStatus, event: str, action: str) -> Agency:
    if agency.status is status:
        raise Problem(CONFLICT, detail=f"The agency is {status} already.")
    try:
        rows = await desk.rows(_SET, code=agency.code, version=agency.version, status=status.value)
    except errors.CheckViolation as error:
        if error.diag.constraint_name != _HUB_STAYS:
            raise
        raise Problem(CONFLICT, detail="The hub's own agency cannot be suspended.") from None
    if not rows:
        raise Problem(PRECONDITION_FAILED)
    await _tell(desk, agency.code, event, action, {"agency": agency.code})
    return await fetch(desk, agency.code)


async def _tell(desk: Desk, code: str, event: str, action: str, data: dict[str, object]) -> None:
    await note(desk, action, detail=data)
    await desk.call("tell_agency", p_agency=code, p_event=event, p_action=action, p_data=Jsonb(data))
