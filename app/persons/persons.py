"""Entering, reading, changing and removing the persons of a record.

They are opened here, in the server's memory, for one answer; the database holds ciphertext. Nothing of a person stands
in the record's document, in an event, in the audit or in a log: everywhere else a person is an id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from psycopg import sql

from app.access.desk import Desk
from app.core import clock
from app.core.data_keys import Kek, WrappedKey
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, FORBIDDEN, PRECONDITION_FAILED, Problem, not_found
from app.core.validation import validated
from app.models.vocabularies import RecordKind
from app.persons import sealing
from app.persons.marks import PersonMarks
from app.persons.sealing import PersonKey, PersonKeys
from app.persons.shapes import PersonHead, PersonIn, PersonPatch
from app.records import shelf
from app.records.keks import present_kek
from app.records.shelf import Stored

PAGE_BYTES: Final = 4 * 1024 * 1024
"""Ciphertext that a page opens at most; always one person."""

_COLUMNS: Final = sql.SQL(
    "p.id, p.agency, p.version, p.sealed, p.created_at, p.updated_at, k.wrapped, e.id AS kek_id, e.sealed AS kek_sealed"
)
# Without its key a person is not there: so it is after a restore that did not bring the keys.
_FROM: Final = sql.SQL("FROM persons p JOIN person_keys k ON k.person_id = p.id JOIN person_keks e ON e.id = k.kek_id")
_ONE: Final = sql.SQL("SELECT {columns} {tables} WHERE p.record_id = %(record)s AND p.id = %(id)s").format(
    columns=_COLUMNS, tables=_FROM
)
_FORMER: Final = sql.SQL(
    "SELECT p.id, p.agency, v.version, v.sealed, p.created_at, v.made_at AS updated_at, k.wrapped, e.id AS kek_id,"
    " e.sealed AS kek_sealed {tables} JOIN person_versions v ON v.person_id = p.id"
    " WHERE p.record_id = %(record)s AND p.id = %(id)s AND v.version = %(version)s"
).format(tables=_FROM)
_PAGE: Final = sql.SQL(
    "SELECT * FROM (SELECT {columns}, lead(p.id) OVER newest IS NOT NULL AS more,"
    " sum(octet_length(p.sealed)) OVER newest - octet_length(p.sealed) AS bytes_before"
    " {tables} WHERE p.record_id = %(record)s AND (p.created_at, p.id) < (%(at)s, %(last)s)"
    " WINDOW newest AS (ORDER BY p.created_at DESC, p.id DESC)) AS found"
    " WHERE bytes_before < %(bytes)s ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
).format(columns=_COLUMNS, tables=_FROM)

_LEFT: Final = ("in_transit", "handed_over", "closed")
"""States of a repatriation request in which those whom it is about have left: nobody is added to them."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A person that was opened for the caller."""

    id: UUID
    agency: str
    version: int
    created_at: datetime
    updated_at: datetime
    content: bytes
    """What is known of the person, as one JSON object; the fields of `PersonIn`."""
    key: PersonKey

    @property
    def text(self) -> str:
        """The person as it is served."""
        head = PersonHead(
            id=self.id,
            agency=self.agency,
            version=self.version,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )
        return f"{head.model_dump_json()[:-1]},{self.content.decode().rstrip()[1:]}"


@dataclass(frozen=True, slots=True)
class People:
    """A page of persons, and whether there are more behind it."""

    persons: Sequence[Opened]
    more: bool


async def require_carried(desk: Desk, stored: Stored) -> None:
    """403 for a reader whose sight of the record rests on agreements that do not cover data of persons."""
    if stored.own:
        return
    row = await desk.call_one("carries_persons", p_record=stored.envelope.id)
    if not row[0]:
        detail = "The agreement by which your agency sees the record does not cover data of persons."
        raise Problem(FORBIDDEN, detail=detail)


def require_writer(desk: Desk, stored: Stored) -> None:
    """403 for whoever may read the record and not write of its persons.

    Its originator may, and of a request to bring people home both sides: not agencies of countries on the way.
    """
    if stored.own:
        return
    asked = stored.kind is RecordKind.REPATRIATION_REQUESTS and stored.fields.get("requested_agency")
    if asked != desk.caller.agency:
        raise Problem(FORBIDDEN, detail="Only the agency that owns the record enters and changes its persons.")


async def listed(desk: Desk, keys: PersonKeys, stored: Stored, after: Place | None, limit: int) -> People:
    """The persons of a record that the caller may see, newest first."""
    at, last = after or NEWEST
    rows = await desk.rows(_PAGE, record=stored.envelope.id, at=at, last=last, bytes=PAGE_BYTES, limit=limit)
    return People([_opened(keys, stored, row) for row in rows], bool(rows and rows[-1].more))


async def one(desk: Desk, keys: PersonKeys, stored: Stored, person_id: UUID | None) -> Opened:
    """One person of a record; 404 if there is none that the caller may see."""
    rows = await desk.rows(_ONE, record=stored.envelope.id, id=person_id)
    if not rows:
        raise not_found()
    return _opened(keys, stored, rows[0])


async def as_of(desk: Desk, keys: PersonKeys, stored: Stored, person_id: UUID | None, version: int) -> Opened:
    """One person as it was in one of its versions, which are kept for a day; 404 if there is none."""
    present = await one(desk, keys, stored, person_id)
    if present.version == version:
        return present
    rows = await desk.rows(_FORMER, record=stored.envelope.id, id=person_id, version=version)
    if not rows:
        raise not_found()
    return _opened(keys, stored, rows[0])


async def add(desk: Desk, keys: PersonKeys, marks: PersonMarks, stored: Stored, sent: PersonIn) -> Opened:
    """Enter a person; 409 once the record is retracted or its people have left, 404 if it was lost from sight."""
    shelf.require_current(stored)
    if stored.kind is RecordKind.REPATRIATION_REQUESTS and stored.life in _LEFT:
        raise Problem(CONFLICT, detail=f"It is {stored.life}: ask for somebody else with another request.")
    place = sealing.Place(uuid7(), stored.envelope.id)
    key, wrapped = keys.draw(place, await present_kek(desk, keys.draw_kek))
    at, content = clock.now(), _json(sent)
    row = await desk.call_one(
        "add_person",
        p_id=place.person,
        p_record=place.record,
        p_at=at,
        p_sealed=key.close(content, 1),
        p_kek=wrapped.kek.id,
        p_wrapped=wrapped.wrapped,
    )
    if row[0] == "left":
        raise Problem(CONFLICT, detail="Its people have left meanwhile: ask for somebody else with another request.")
    if row[0] != "added":
        raise not_found()
    await _mark(desk, marks, stored, place.person, sent)
    return Opened(place.person, desk.caller.agency, 1, at, at, content, key)


async def change(desk: Desk, marks: PersonMarks, stored: Stored, person: Opened, patch: PersonPatch) -> Opened:
    """Put the person's next version in place; a patch that changes nothing makes none. 412 if somebody was faster."""
    shelf.require_current(stored)
    changed = validated(PersonIn, patch.merged(orjson.loads(person.content)))
    content = _json(changed)
    if content == person.content.rstrip():
        return person
    version, at = person.version + 1, max(clock.now(), person.updated_at + clock.TICK)
    row = await desk.call_one(
        "change_person",
        p_id=person.id,
        p_record=stored.envelope.id,
        p_expected=person.version,
        p_at=at,
        p_sealed=person.key.close(content, version),
    )
    if row[0] != "changed":
        raise Problem(PRECONDITION_FAILED)
    await _mark(desk, marks, stored, person.id, changed)
    return Opened(person.id, person.agency, version, person.created_at, at, content, person.key)


async def remove(desk: Desk, stored: Stored, person: Opened) -> None:
    """Remove the person for good, with its key; 412 if somebody was faster."""
    row = await desk.call_one("remove_person", p_id=person.id, p_record=stored.envelope.id, p_expected=person.version)
    if row[0] != "removed":
        raise Problem(PRECONDITION_FAILED)


async def _mark(desk: Desk, marks: PersonMarks, stored: Stored, person: UUID, known: PersonIn) -> None:
    """Keep by what a person of a repatriation request is known again on another one; of others nothing is kept."""
    if stored.kind is RecordKind.REPATRIATION_REQUESTS:
        await desk.call("mark_person", p_id=person, p_record=stored.envelope.id, p_marks=list(marks.of(known)))


def _opened(keys: PersonKeys, stored: Stored, row: Any) -> Opened:  # noqa: ANN401 - a row of the statements above
    wrapped = WrappedKey(Kek(row.kek_id, bytes(row.kek_sealed)), bytes(row.wrapped))
    key = keys.unwrap(sealing.Place(row.id, stored.envelope.id), wrapped)
    content = key.open(bytes(row.sealed), row.version)
    return Opened(row.id, row.agency, row.version, row.created_at, row.updated_at, content, key)


def _json(person: PersonIn) -> bytes:
    return person.model_dump_json().encode()
