"""Creating records in groups: sign-in, permission, record, audit and one commit for all of them.

Only what is plainly right is created here. Whatever the database has to object to leaves nothing behind and is done
again at a desk, which finds the same and refuses it as every call is refused; so there is one place that refuses.
"""

from dataclasses import dataclass

from app.access.grouping import Grouped
from app.access.handling import Handling
from app.access.reading import entry_of
from app.core.db import Database
from app.core.problems import Problem
from app.identity.callers import Visit
from app.identity.roles import Permission
from app.models.vocabularies import RecordKind
from app.records.shelf import Body, Stored, draft

_LARGEST_GROUP = 16
_MOST_CLIENTS = 10_000


@dataclass(frozen=True, slots=True)
class OnceKey:
    """The key of a call that is not to be done twice, where it belongs, and the hash of its body in hex."""

    path: str
    key: str
    body_hash: str


class Creations:
    """Creates records for one process."""

    def __init__(self, database: Database) -> None:
        self._groups = Grouped(
            database, "SELECT * FROM create_records(%s::json)", largest=_LARGEST_GROUP, repeatable=False
        )
        self._agencies: dict[str, str] = {}

    def remember(self, client_id: str, agency: str) -> None:
        """Keep which agency a client was found to belong to; the database compares it each time."""
        if len(self._agencies) < _MOST_CLIENTS:
            self._agencies[client_id] = agency

    async def create(
        self,
        visit: Visit,
        permission: Permission,
        kind: RecordKind,
        body: Body,
        handling: Handling,
        external_id: str | None,
        once: OnceKey | None,
    ) -> Stored | None:
        """The record, created and committed; None, and nothing done, where that takes a desk."""
        agency = self._agencies.get(visit.claims.client_id)
        if agency is None or permission not in visit.claims.scope:
            return None
        try:
            stored, arguments = draft(agency, kind, body, handling, external_id)
        except Problem:
            return None
        entry = entry_of(visit, permission, kind.value)
        key = {} if once is None else {"path": once.path, "key": once.key, "body_hash": once.body_hash}
        row = await self._groups.ask({**arguments, **entry, "agency": agency, **key})
        return stored if row.outcome == "created" else None
