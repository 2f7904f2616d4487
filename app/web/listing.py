"""Lists of records: filters from the query, a page from the reader, a cursor for the next one; JSON or CSV."""

from typing import Annotated, Any, ClassVar, Literal

import orjson
from fastapi import Request, Response
from pydantic import Field, Strict

from app.core.clock import rfc3339
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.problems import INVALID_PARAMETER, Flaw, Problem
from app.core.shapes import Shape
from app.core.text import Line
from app.models.vocabularies import ExportPurpose, RecordKind
from app.web.answers import CSV, JSON, accepts, listing, table
from app.web.callers import Door
from app.web.paging import LIMIT_DEFAULT, LIMIT_MAX, open_cursor, seal_cursor


class Paging(Shape):
    """How much of a list, and where to go on."""

    limit: int = Field(
        LIMIT_DEFAULT, ge=1, le=LIMIT_MAX, description="How many items a page has at most; fewer where they are large."
    )
    cursor: Annotated[str, Field(max_length=2048)] | None = Field(
        None, description="`next_cursor` of the page before, unchanged, with the same filters."
    )


class RecordFilters(Paging):
    """What every list of records can be narrowed by; several filters narrow together."""

    facets: ClassVar[tuple[str, ...]] = ()
    """Fields of a kind's own that are kept as `name:value` with its records."""

    order: Literal["updated_at", "created_at"] = Field("updated_at", description="Newest first, by this moment.")
    reference: Line | None = Field(None, description="The record with this reference.")
    external_id: Line | None = Field(None, description="Records to which their originator gave this number.")
    originator: AgencyCode | None = Field(None, description="Records of this agency.")
    shared_with_me: Annotated[bool, Strict(strict=False)] | None = Field(
        None, description="`true`: only what other agencies share with yours."
    )
    updated_after: UtcDateTime | None = Field(
        None, description="Changed after this moment. A convenience: to stay in step, follow the event feed."
    )
    export_purpose: ExportPurpose | None = Field(
        None,
        description="What for the page is taken out of the hub, in whatever format; your agency's audit keeps it. For "
        "`evidence` a page with another agency's record under H1 is refused, and the refusal names it.",
    )

    def narrowing(self) -> dict[str, Any]:
        """The filters as the database takes them; what is not given is left out."""
        found: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("reference", "external_id", "originator", "shared_with_me")
            if getattr(self, name) is not None
        }
        if self.updated_after is not None:
            found["updated_after"] = rfc3339(self.updated_after)
        facets = [f"{name}:{getattr(self, name)}" for name in self.facets if getattr(self, name) is not None]
        if facets:
            found["facets"] = facets
        query = getattr(self, "q", None)
        if query is not None:
            found["q"] = query
        return found


async def page_of_records(request: Request, door: Door, kind: RecordKind, filters: RecordFilters) -> Response:
    """A page of records as the caller sees them, newest first, or best first where a name is searched."""
    media_type = accepts(request, JSON, CSV)
    narrowing = filters.narrowing()
    place = {**narrowing, "order": filters.order}
    after = open_cursor(door.house.cursors, request.url.path, place, filters.cursor)
    page = await door.house.reader.page(
        door.visit,
        door.permission,
        kind.value,
        order=filters.order,
        filters=narrowing,
        limit=filters.limit,
        after=after,
        purpose=filters.export_purpose,
    )
    cursor = None
    if page.more and page.last is not None:
        cursor = seal_cursor(door.house.cursors, request.url.path, place, page.last)
    if media_type == CSV:
        return table(request, orjson.loads(b"[" + page.items + b"]"), cursor)
    return listing(request, page.items, cursor)


def require_searchable(query: str | None) -> None:
    """400 for a search that holds nothing to search by."""
    if query is not None and not any(character.isalnum() for character in query):
        flaw = Flaw("/query/q", "query-empty", "Search for a name: at least one letter or digit.")
        raise Problem(INVALID_PARAMETER, errors=[flaw])
