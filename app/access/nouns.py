"""What has calls of its own and is no record: groups, agreements, meetings, transports.

Each stands in tables with policies of their own, counts its versions, and is found, answered again and audited alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.core import clock
from app.core.ids import draw_reference
from app.core.problems import not_found

_DRAWS: Final = 20


class Numbered(Protocol):
    """A thing of one of these nouns."""

    @property
    def id(self) -> UUID:
        """Its id."""
        ...

    @property
    def version(self) -> int:
        """Counts its changes; also the ETag."""
        ...

    @property
    def updated_at(self) -> datetime:
        """When it last changed."""
        ...

    def model_dump_json(self) -> str:
        """It as it is served."""
        ...


T = TypeVar("T", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Noun(Generic[T]):
    """One of these nouns, and how its things are read."""

    name: str
    """In the plural, as in the path of its calls."""
    one: sql.Composed
    """Selects a thing by `id`, under the caller's policies."""
    one_version: sql.Composed
    """Selects a `version` of the thing with an `id`, if the caller sees the thing and saw that version."""
    shaped: Callable[[Any], T]
    """Makes a thing of a row of either."""

    async def fetch(self, desk: Desk, thing_id: UUID | None) -> T:
        """The thing if the caller may know of it; otherwise 404, whether or not there is one."""
        return self._only(await desk.rows(self.one, id=thing_id))

    async def version(self, desk: Desk, thing_id: UUID | None, number: int) -> T:
        """One version of a thing that the caller may know of; 404 otherwise."""
        return self._only(await desk.rows(self.one_version, id=thing_id, version=number))

    async def note_read(
        self, desk: Desk, action: str, ids: Sequence[UUID], detail: Mapping[str, Any] | None = None
    ) -> None:
        """Write the audit entry of a read."""
        await desk.call(
            "audit",
            p_action=action,
            p_outcome="done",
            p_kind=self.name,
            p_ids=list(ids),
            p_originators=[],
            p_detail=Jsonb(dict(detail or {})),
        )

    def _only(self, rows: Sequence[Any]) -> T:
        if not rows:
            raise not_found()
        return self.shaped(rows[0])


async def number(desk: Desk, function: str, done: str, code: str, **arguments: object) -> None:
    """Call a function that creates a thing under a reference drawn for it, until it answers `done`: it was free."""
    agency = desk.caller.agency
    for _ in range(_DRAWS):
        reference = draw_reference(agency, code, clock.now().year)
        row = await desk.call_one(function, p_reference=reference, **arguments)
        if row[0] == done:
            return
    message = f"no free reference for {agency} {code} in {_DRAWS} draws"
    raise RuntimeError(message)
