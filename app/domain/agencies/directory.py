"""Entries of the directory: read by every member, kept by the hub and by each agency's own administrators."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.audit.trail import note
from app.core.problems import CONFLICT, FORBIDDEN, PRECONDITION_FAILED, Problem, not_found
from app.core.validation import validated
from app.domain.agencies.shapes import Agency, AgencyContent, AgencyCreate, AgencyPatch, Contact
from app.identity.roles import Permission

OWN_FIELDS = frozenset({"name", "native_name", "languages", "time_zone", "contact"})
"""What an agency's own administrators keep; the rest says what the hub admitted it as."""

_CODE = re.compile(r"[A-Z0-9-]{2,40}")
_COLUMNS = sql.SQL(
    "code, name, native_name, kind, country, languages, time_zone, contact_phone, contact_email, status, version,"
    " created_at, updated_at"
)
_FETCH = sql.SQL("SELECT {} FROM agencies WHERE code = %(code)s").format(_COLUMNS)
_VERSION = sql.SQL("SELECT entry FROM agency_versions WHERE code = %(code)s AND version = %(version)s")
_PAGE = sql.SQL(
    "SELECT {columns} FROM agencies"
    " WHERE (%(kind)s::text IS NULL OR kind = %(kind)s) AND (%(country)s::text IS NULL OR country = %(country)s)"
    " AND (%(language)s::text IS NULL OR %(language)s = ANY (languages))"
    " AND (%(status)s::text IS NULL OR status = %(status)s)"
    " AND (%(updated_after)s::timestamptz IS NULL OR updated_at > %(updated_after)s)"
    " AND (%(at)s::timestamptz IS NULL OR ({order}, code) < (%(at)s, %(code)s))"
    " ORDER BY {order} DESC, code DESC LIMIT %(limit)s"
)
_CREATE = sql.SQL(
    "INSERT INTO agencies (code, name, native_name, kind, country, languages, time_zone, contact_phone, contact_email)"
    " VALUES (%(code)s, %(name)s, %(native_name)s, %(kind)s, %(country)s, %(languages)s, %(time_zone)s, %(phone)s,"
    " %(email)s) ON CONFLICT (code) DO NOTHING RETURNING {}"
).format(_COLUMNS)
_CHANGE = sql.SQL(
    "UPDATE agencies SET name = %(name)s, native_name = %(native_name)s, kind = %(kind)s, country = %(country)s,"
    " languages = %(languages)s, time_zone = %(time_zone)s, contact_phone = %(phone)s, contact_email = %(email)s,"
    " version = version + 1, updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')"
    " WHERE code = %(code)s AND version = %(version)s RETURNING {}"
).format(_COLUMNS)


def entry_of(fields: Mapping[str, Any]) -> Agency:
    """The entry that stands in a row of the table, or in a kept version of one."""
    return Agency.model_validate(
        {name: fields[name] for name in Agency.model_fields if name != "contact"}
        | {"contact": Contact(phone=fields["contact_phone"], email=fields["contact_email"])}
    )


def _columns(content: AgencyContent) -> dict[str, Any]:
    return content.model_dump(mode="json", exclude={"code", "contact"}) | content.contact.model_dump()


async def fetch(desk: Desk, code: str) -> Agency:
    """The entry of an agency, or 404. The hub's own agency stands in no directory but its administrators'."""
    rows = await desk.rows(_FETCH, code=code) if _CODE.fullmatch(code) else []
    if not rows:
        raise not_found()
    return entry_of(rows[0]._asdict())


async def at_version(desk: Desk, code: str, version: int) -> Agency:
    """An entry as it was, for whoever could change it; 404 for everybody else."""
    rows = await desk.rows(_VERSION, code=code, version=version)
    if not rows:
        raise not_found()
    return entry_of(rows[0].entry)


async def page(
    desk: Desk,
    *,
    order: str,
    filters: Mapping[str, Any],
    after: tuple[datetime, str] | None,
    limit: int,
) -> Sequence[Agency]:
    """Up to `limit` entries after a place, newest first; the read is recorded."""
    at, code = after or (None, None)
    names = ("kind", "country", "language", "status", "updated_after")
    statement = _PAGE.format(columns=_COLUMNS, order=sql.Identifier(order))
    chosen = {name: filters.get(name) for name in names}
    rows = await desk.rows(statement, **chosen, at=at, code=code, limit=limit)
    await note(desk, "agency.list")
    return [entry_of(row._asdict()) for row in rows]


async def create(desk: Desk, sent: AgencyCreate) -> Agency:
    """Admit an agency; 409 if its code is or ever was an agency's."""
    rows = await desk.rows(_CREATE, code=sent.code, **_columns(sent))
    if not rows:
        raise Problem(CONFLICT, detail=f"The code {sent.code} is taken. A code is never used twice.")
    await _tell(desk, sent.code, "agency.created", "agency.create")
    return entry_of(rows[0]._asdict())


def require_keeper(desk: Desk, agency: Agency) -> None:
    """403 for whoever may read this entry but not change it."""
    hub = Permission.AGENCIES_MANAGE in desk.caller.permissions
    if not hub and agency.code != desk.caller.agency:
        raise Problem(FORBIDDEN, detail="Only the hub and the agency's own administrators change its entry.")


async def patch(desk: Desk, agency: Agency, sent: AgencyPatch) -> Agency:
    """Apply a merge patch to an entry; 403 for what is the hub's alone to change, 412 if somebody was faster."""
    before = agency.model_dump(mode="json", include=set(AgencyContent.model_fields))
    content = validated(AgencyContent, sent.merged(before))
    after = content.model_dump(mode="json")
    changed = sorted(name for name in after if after[name] != before[name])
    if not changed:
        return agency
    if Permission.AGENCIES_MANAGE not in desk.caller.permissions and not OWN_FIELDS.issuperset(changed):
        others = ", ".join(sorted(set(changed) - OWN_FIELDS))
        raise Problem(FORBIDDEN, detail=f"Only the hub changes {others}.")
    rows = await desk.rows(_CHANGE, code=agency.code, version=agency.version, **_columns(content))
    if not rows:
        raise Problem(PRECONDITION_FAILED)
    await _tell(desk, agency.code, "agency.updated", "agency.update", changed=changed)
    return entry_of(rows[0]._asdict())


async def _tell(desk: Desk, code: str, event: str, action: str, **detail: object) -> None:
    data = {"agency": code, **detail}
    await note(desk, action, detail=data)
    await desk.call("tell_agency", p_agency=code, p_event=event, p_action=action, p_data=Jsonb(data))
