"""`/v1/events`: the feed that keeps a partner's copy in step."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator, Field

from app.core.shapes import Shape
from app.events import feed
from app.events.catalogue import EventType
from app.events.feed import Bookmark, EventPage
from app.identity.roles import Permission
from app.web.answers import JSON
from app.web.callers import Door, through_door
from app.web.openapi import operation
from app.web.paging import LIMIT_DEFAULT, LIMIT_MAX, next_link, open_cursor, seal_cursor

router = APIRouter(prefix="/v1/events", tags=["Events"])

NOW = "now"


def _split(value: object) -> object:
    """Several types, whether their parameter is repeated or they are joined by commas."""
    if isinstance(value, list):
        return [part for item in value for part in (item.split(",") if isinstance(item, str) else [item])]
    return value


class FeedQuery(Shape):
    """Where in the feed, and what of it."""

    cursor: Annotated[str, Field(max_length=2048)] | None = Field(
        None,
        description="`next_cursor` of the answer before; `now` for the end of the feed as it is, with no events. Left "
        "out, the feed begins with the first event that your agency may know of.",
    )
    types: Annotated[list[EventType], BeforeValidator(_split), Field(max_length=len(EventType))] | None = Field(
        None, description="Only these types, joined by commas. The cursor goes with any choice of types."
    )
    limit: int = Field(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX, description="How many events at most.")


@router.get(
    "", summary="Follow the feed", operation_id="list_events", **operation(EventPage, etag=False, headers=("Link",))
)
async def list_events(
    request: Request, door: Annotated[Door, through_door(Permission.EVENTS_READ)], query: Annotated[FeedQuery, Query()]
) -> Response:
    """Read what happened to the records your agency sees, oldest first: references and links, never content.

    Every answer has a cursor to come back with, which is good for your agency at any later time; no event that was
    written before is ever passed over. While `more` is true there is more to fetch at once. An event is shown while
    your agency sees what it tells of and your token may read its kind; `record.lost` says that it does not any more.
    """
    house, path = door.house, request.url.path
    place = Bookmark(None) if query.cursor == NOW else Bookmark()
    if query.cursor not in (None, NOW):
        kept = open_cursor(house.cursors, path, {}, query.cursor) or {}
        place = Bookmark(kept["position"], kept["agency"])
    page = await feed.read(house.database, door.visit, place, query.types, query.limit)
    cursor = seal_cursor(house.cursors, path, {}, {"position": page.next.position, "agency": page.next.agency})
    public_url = house.settings.public_url
    body = {
        "items": [feed.cloud_event(event, public_url) for event in page.events],
        "next_cursor": cursor,
        "more": page.more,
    }
    return Response(orjson.dumps(body), headers=next_link(request, public_url, cursor), media_type=JSON)
