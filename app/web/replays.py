"""What a repeated call answers: the version that the first one made, as the caller may see it now."""

from uuid import UUID

from app.access.desk import Desk
from app.records import history
from app.web.calls import Replay
from app.web.idempotency import Kept


def replay_record(desk: Desk) -> Replay:
    """The kept version of a record."""

    async def replay(kept: Kept) -> str:
        return await history.version(desk, UUID(kept.resource_id), kept.version)

    return replay
