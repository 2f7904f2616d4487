"""What a record was: its versions, each reader's from the one at which it first could see the record."""

from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core.problems import not_found
from app.records.shapes import VersionSummary
from app.records.shelf import Stored

# What the first version that a reader sees changed is about one that it does not.
_VERSIONS = sql.SQL(
    "SELECT v.version, v.at, coalesce(v.agency, r.originator) AS by,"
    " CASE WHEN r.originator = caller_agency() OR v.version > first_version_seen(r.id)"
    " THEN v.changed ELSE '{}' END AS changed FROM record_versions v JOIN records r ON r.id = v.record_id"
    " WHERE v.record_id = %(id)s AND v.version < %(before)s ORDER BY v.version DESC LIMIT %(limit)s"
)
_VERSION = sql.SQL(
    "SELECT v.version, CASE WHEN r.originator = caller_agency() THEN v.document ELSE v.shared_document END AS text"
    " FROM record_versions v JOIN records r ON r.id = v.record_id"
    " WHERE v.record_id = %(id)s AND v.version = %(version)s"
)
_LAST = 2**31 - 1


async def versions(desk: Desk, stored: Stored, before: int | None, limit: int) -> list[VersionSummary]:
    """The versions the caller may see, newest first, below `before`. Agencies stand there, never officers."""
    rows = await desk.rows(_VERSIONS, id=stored.envelope.id, before=before or _LAST, limit=limit)
    return [VersionSummary(version=row.version, at=row.at, by=row.by, changed=row.changed) for row in rows]


async def version(desk: Desk, record_id: UUID, number: int) -> str:
    """One version as the caller was or would have been served it; 404 for one from before it could see the record."""
    rows = await desk.rows(_VERSION, id=record_id, version=min(number, _LAST))
    if not rows:
        raise not_found()
    return str(rows[0].text)
