"""The key-encryption key of an installation, which wraps the keys of persons and of attachments."""

from collections.abc import Callable

from app.access.desk import Desk
from app.core.data_keys import Kek


async def present_kek(desk: Desk, draw: Callable[[], Kek]) -> Kek:
    """The one that wraps now, held until the transaction ends; the first one of an installation is drawn here."""
    rows = await desk.call("person_kek")
    if not rows:
        made = draw()
        rows = await desk.call("found_person_kek", p_id=made.id, p_sealed=made.sealed)
    return Kek(rows[0].id, bytes(rows[0].sealed))
