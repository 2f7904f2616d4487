"""Recovery: a new administrator's credential for an agency that lost its own, a day after everybody there was told."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.audit.trail import note
from app.core.clock import rfc3339
from app.core.ids import uuid7
from app.core.problems import CONFLICT, Problem, not_found
from app.domain.credentials.issuing import with_secret
from app.domain.credentials.keeping import at_version
from app.domain.credentials.shapes import IssuedCredential, Recovery, RecoveryRequest, RecoveryState
from app.identity.secrets import hash_secret, new_client_id, new_client_secret

_COLUMNS = sql.SQL(
    "id, agency, label, state, requested_by, requested_at, effective_at, decided_by, decided_at, completed_with,"
    " CASE WHEN decided_at IS NULL THEN 1 ELSE 2 END AS version"
)
_FETCH = sql.SQL("SELECT {} FROM recoveries WHERE agency = %(agency)s AND id = %(id)s").format(_COLUMNS)
_PAGE = sql.SQL(
    "SELECT {} FROM recoveries WHERE agency = %(agency)s"
    " AND (%(at)s::timestamptz IS NULL OR (requested_at, id) < (%(at)s, %(id)s))"
    " ORDER BY requested_at DESC, id DESC LIMIT %(limit)s"
).format(_COLUMNS)
_NOT_REQUESTED = {
    "hub": "The hub's own administrators are recovered by the operator, at the host's command line.",
    "no-admin": "The agency never had an administrator. Issue its first agency_admin instead.",
    "suspended": "The agency is suspended: its administrators could not cancel. Reinstate it first.",
    "pending": "A recovery of this agency is pending already.",
}


async def fetch(desk: Desk, agency: str, recovery_id: UUID | None) -> Recovery:
    """A recovery of the agency, or 404."""
    rows = await desk.rows(_FETCH, agency=agency, id=recovery_id)
    if not rows:
        raise not_found()
    return Recovery.model_validate(rows[0]._asdict())


def as_requested(recovery: Recovery) -> Recovery:
    """A recovery as it was answered to whoever asked for it."""
    undecided = {
        "state": RecoveryState.PENDING,
        "decided_by": None,
        "decided_at": None,
        "completed_with": None,
        "version": 1,
    }
    return recovery.model_copy(update=undecided)


async def page(desk: Desk, agency: str, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[Recovery]:
    """Up to `limit` recoveries of the agency after a place, newest first; the read is recorded."""
    at, recovery_id = after or (None, None)
    rows = await desk.rows(_PAGE, agency=agency, at=at, id=recovery_id, limit=limit)
    await note(desk, "recovery.list", detail={"agency": agency})
    return [Recovery.model_validate(row._asdict()) for row in rows]


async def request(desk: Desk, agency: str, sent: RecoveryRequest) -> Recovery:
    """Ask for a recovery, and tell the agency; 409 where one is pending, not possible or not needed."""
    recovery_id = uuid7()
    row = await desk.call_one("request_recovery", p_agency=agency, p_id=recovery_id, p_label=sent.label)
    if row.outcome != "requested":
        raise Problem(CONFLICT, detail=_NOT_REQUESTED[row.outcome])
    await note(desk, "recovery.request", detail={"agency": agency, "recovery": str(recovery_id)})
    return await fetch(desk, agency, recovery_id)


async def cancel(desk: Desk, recovery: Recovery) -> Recovery:
    """End a recovery before it takes effect, and tell the agency; 409 if it is decided already."""
    row = await desk.call_one("cancel_recovery", p_agency=recovery.agency, p_id=recovery.id)
    if row.outcome != "cancelled":
        raise _decided()
    await note(desk, "recovery.cancel", detail={"agency": recovery.agency, "recovery": str(recovery.id)})
    return await fetch(desk, recovery.agency, recovery.id)


async def complete(desk: Desk, recovery: Recovery) -> IssuedCredential:
    """Issue the administrator's credential; 409 before its day is over, and if it was cancelled or is done."""
    client_id, secret = new_client_id(), new_client_secret()
    row = await desk.call_one(
        "complete_recovery",
        p_agency=recovery.agency,
        p_id=recovery.id,
        p_client=client_id,
        p_secret_hash=hash_secret(secret),
    )
    if row.outcome == "early":
        raise Problem(CONFLICT, detail=f"It takes effect at {rfc3339(recovery.effective_at)}.")
    if row.outcome != "completed":
        raise _decided()
    detail = {"agency": recovery.agency, "recovery": str(recovery.id), "client_id": client_id}
    await note(desk, "recovery.complete", detail=detail)
    return with_secret(await at_version(desk, recovery.agency, client_id, 1), secret)


def _decided() -> Problem:
    return Problem(CONFLICT, detail="The recovery is no longer pending.")
