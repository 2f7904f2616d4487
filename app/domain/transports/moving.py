"""From the frozen manifest to the arrival: the organizer's steps. The requests of those on board move along in SQL."""

from collections.abc import Mapping
from typing import Any, Final

from app.access.desk import Desk
from app.core.problems import PRECONDITION_FAILED, TRANSPORT_NOT_READY, Flaw, Problem
from app.domain.transports.shapes import Transport
from app.domain.transports.transports import TRANSPORTS
from app.domain.transports.workflow import WORKFLOW

_PERMITS: Final = {
    "permit-not-granted": "This permit is not granted.",
    "permit-expired": "This permit is not good for the day of departure any more.",
}


async def freeze(desk: Desk, transport: Transport) -> Transport:
    """Close the manifest and schedule its requests; 409 with everything that is missing."""
    return await _move(desk, transport, "freeze")


async def unfreeze(desk: Desk, transport: Transport, reason: str) -> Transport:
    """Open the manifest again; 409 unless it is frozen, and nobody has boarded."""
    return await _move(desk, transport, "unfreeze", p_reason=reason)


async def depart(desk: Desk, transport: Transport) -> Transport:
    """Note the departure; 409 while somebody has neither boarded nor stayed away."""
    return await _move(desk, transport, "depart")


async def arrive(desk: Desk, transport: Transport) -> Transport:
    """Note the arrival; 409 unless it has departed."""
    return await _move(desk, transport, "arrive")


async def cancel(desk: Desk, transport: Transport, reason: str) -> Transport:
    """Cancel it and free its people; 409 once it has departed."""
    return await _move(desk, transport, "cancel", p_reason=reason)


async def _move(desk: Desk, transport: Transport, action: str, **arguments: object) -> Transport:
    WORKFLOW.require(action, transport.state)
    row = await desk.call_one(f"{action}_transport", p_id=transport.id, p_expected=transport.version, **arguments)
    if row.outcome == "not-ready":
        raise Problem(TRANSPORT_NOT_READY, errors=[_missing(flaw) for flaw in row.flaws])
    if row.outcome != "moved":
        raise Problem(PRECONDITION_FAILED)
    return await TRANSPORTS.fetch(desk, transport.id)


def _missing(flaw: Mapping[str, Any]) -> Flaw:
    """What is missing, as far as everybody who takes part may know it: no person, and numbers by agency."""
    code = flaw["code"]
    if code in _PERMITS:
        return Flaw(f"/permits/{flaw['place']}", code, _PERMITS[code])
    if code == "escorts-missing":
        return Flaw("/escorts", code, f"{flaw['needed']} escorts are needed, {flaw['escorts']} are there.")
    details = {
        "manifest-empty": "Nobody is to travel.",
        "not-separated": f"Two who must be kept apart sit in the same section: {flaw.get('section')}.",
        "request-not-cleared": f"Of requests that are not cleared, put there by {_whose(flaw)}.",
        "not-boarded": f"Neither boarded nor stayed away, put there by {_whose(flaw)}.",
    }
    return Flaw("/manifest", code, details[code])


def _whose(flaw: Mapping[str, Any]) -> str:
    return f"{flaw.get('agency')}: {flaw.get('count')}"
