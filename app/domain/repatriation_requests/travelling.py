"""What the sides of a request cannot do by hand, because a transport carries its people."""

from collections.abc import Mapping
from typing import Final

from psycopg import sql

from app.access.desk import Desk
from app.core.problems import CONFLICT, Problem
from app.records.shelf import Stored

_JOURNEYS: Final = sql.SQL("SELECT phase, reference FROM journeys_of(%(record)s) ORDER BY reference NULLS LAST")

_BY_TRANSPORT: Final = {
    "awaited": "Its people stand on a manifest, and the transport moves the request",
    "under_way": "Its people are on their way, and the transport moves the request",
}
_TRAVELLED: Final = {
    "under_way": "Some of its people are on their way: nothing is taken back any more",
    "received": "Some of its people have come home: nothing is taken back any more",
}

_REFUSED: Final[Mapping[str, Mapping[str, str]]] = {
    "schedule": _BY_TRANSPORT,
    "depart": _BY_TRANSPORT,
    "hand-over": _BY_TRANSPORT,
    "decline": _TRAVELLED,
    "withdraw": _TRAVELLED,
    "return": _TRAVELLED,
    "hold": {"under_way": "Some of its people are on their way, and nobody can stop them"},
}
"""Which steps are refused while people of the request are so far, and why."""


async def require_no_contradiction(desk: Desk, stored: Stored, action: str) -> None:
    """409 for a step of a held request that manifests contradict, with the transports that the caller sees."""
    refused = _REFUSED.get(action)
    if refused is None:
        return
    journeys = await desk.rows(_JOURNEYS, record=stored.envelope.id)
    for phase, sentence in refused.items():
        found = [row.reference for row in journeys if row.phase == phase]
        if found:
            named = ", ".join(filter(None, found))
            raise Problem(CONFLICT, detail=f"{sentence}: {named}." if named else f"{sentence}.")
