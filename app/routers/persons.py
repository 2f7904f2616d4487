"""`/v1/{kind}/{id}/persons`, for kinds of records that are about people: who they are, apart from the record itself.

`person_routes(kind, tag)` makes the calls for one kind. All of them need the permission to read the kind and one of
persons' own, and say in `Access-Purpose` what for; none answers a table, and by no other call does anything of a person
leave.
"""

from http.client import NO_CONTENT
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from app.access.desk import Desk
from app.audit.trail import note
from app.core.ids import parse_uuid
from app.core.merge_patch import MEDIA_TYPE as MERGE_PATCH
from app.identity.roles import Permission
from app.models.vocabularies import RecordKind
from app.persons import persons
from app.persons.persons import Opened
from app.persons.shapes import Person, PersonIn, PersonPatch
from app.records.shelf import Stored
from app.routers.parts import COVERED
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import next_place, place_of
from app.web.state import house


def person_routes(kind: RecordKind, tag: str) -> APIRouter:
    """The calls on the persons of records of one kind, documented under `tag`."""
    router = APIRouter(prefix=f"/v1/{kind}/{{record_id}}/persons", tags=[tag])
    noun = kind.value.replace("-", "_").removesuffix("s")
    read, write = Permission.PERSONS_READ, Permission.PERSONS_WRITE
    parent = Permission(kind.read)
    _reading_routes(router, kind, noun, at_desk(parent, read))
    _entering_route(router, kind, noun, at_desk(parent, write))
    _changing_routes(router, kind, noun, at_desk(parent, read, write))
    return router


def _reading_routes(router: APIRouter, kind: RecordKind, noun: str, reading: Any) -> None:  # noqa: ANN401 - metadata of an Annotated
    @router.get(
        "",
        summary="List persons",
        operation_id=f"list_{noun}_persons",
        **operation(page_of(Person), purpose=True, etag=False, problems=("not-acceptable", *COVERED)),
    )
    async def list_persons(
        request: Request, desk: Annotated[Desk, reading], record_id: str, paging: Annotated[Paging, Query()]
    ) -> Response:
        """List the persons of a record that you may see, newest first.

        A reader whose agency sees the record by an agreement finds them only if that agreement covers data of persons
        (`persons_data`); otherwise the answer is 403. Whom a call showed stands in your agency's audit, by id.
        """
        stored = await _fetch(request, desk, kind, record_id)
        answers.accepts(request, answers.JSON)
        after = place_of(request, house(request).cursors, paging.cursor)
        found = await persons.listed(desk, house(request).person_keys, stored, after, paging.limit)
        await _note(desk, "person.list", stored, {"persons": [str(person.id) for person in found.persons]})
        cursor = None
        if found.more:
            last = found.persons[-1]
            cursor = next_place(request, house(request).cursors, last.created_at, last.id)
        return answers.listing(request, ",".join(person.text for person in found.persons), cursor)

    @router.get(
        "/{person_id}",
        summary="Read a person",
        operation_id=f"read_{noun}_person",
        **operation(Person, purpose=True, problems=COVERED),
    )
    async def read_person(request: Request, desk: Annotated[Desk, reading], record_id: str, person_id: str) -> Response:
        """Read one person of a record: names, documents, contacts, next of kin, medical needs, roles over time."""
        stored = await _fetch(request, desk, kind, record_id)
        found = await persons.one(desk, house(request).person_keys, stored, parse_uuid(person_id))
        await _note(desk, "person.read", stored, {"person": str(found.id)})
        return answers.document(request, found.text, found.version)


def _entering_route(router: APIRouter, kind: RecordKind, noun: str, writing: Any) -> None:  # noqa: ANN401 - as above
    @router.post(
        "",
        summary="Enter a person",
        operation_id=f"add_{noun}_person",
        **operation(
            Person, status=201, body=PersonIn, once=True, purpose=True, problems=("conflict", "retracted", *COVERED)
        ),
    )
    async def add_person(request: Request, desk: Annotated[Desk, writing], record_id: str) -> Response:
        """Enter a person whom your record is about. Who sees the record and may read persons sees the person at once.

        The record itself does not change: write no name into it, nor into `Access-Purpose`. A repeat with the same
        `Idempotency-Key` answers the person as first entered; who was removed meanwhile is not found.
        """
        stored = await _fetch_to_write(request, desk, kind, record_id)
        keys, marks = house(request).person_keys, house(request).person_marks

        async def replay(kept: calls.Kept) -> str:
            found = await persons.as_of(desk, keys, stored, parse_uuid(kept.resource_id), kept.version)
            await _note(desk, "person.read", stored, {"person": str(found.id)})
            return found.text

        async def act() -> calls.Made:
            made = await persons.add(desk, keys, marks, stored, await calls.read_body(request, PersonIn))
            return _made(made, 201, f"{request.url.path}/{made.id}")

        return await calls.once(request, desk, replay, act)


def _changing_routes(router: APIRouter, kind: RecordKind, noun: str, writing: Any) -> None:  # noqa: ANN401 - as above
    @router.patch(
        "/{person_id}",
        summary="Change a person",
        operation_id=f"change_{noun}_person",
        **operation(
            Person,
            body=PersonPatch,
            types=(MERGE_PATCH, answers.JSON),
            match=True,
            purpose=True,
            problems=("retracted", *COVERED),
        ),
    )
    async def change_person(
        request: Request, desk: Annotated[Desk, writing], record_id: str, person_id: str
    ) -> Response:
        """Change what is known of a person by a merge patch (RFC 7396), based on the version named in If-Match.

        A role that ends is given its `until`, and another is added beside it: what somebody was is not overwritten.
        What the person was before is not kept: the audit says that it was changed, by whom, and not from what.
        """
        stored = await _fetch_to_write(request, desk, kind, record_id)
        found = await persons.one(desk, house(request).person_keys, stored, parse_uuid(person_id))
        calls.require_match(request, found.version)
        sent = await calls.read_patch(request, PersonPatch)
        changed = await persons.change(desk, house(request).person_marks, stored, found, sent)
        if changed is found:  # shown all the same
            await _note(desk, "person.read", stored, {"person": str(found.id)})
        return answers.document(request, changed.text, changed.version)

    @router.delete(
        "/{person_id}",
        summary="Remove a person",
        operation_id=f"remove_{noun}_person",
        **operation(None, status=204, match=True, purpose=True, problems=COVERED),
    )
    async def remove_person(
        request: Request, desk: Annotated[Desk, writing], record_id: str, person_id: str
    ) -> Response:
        """Remove a person for good, with the key to what is kept of them; also from a record that you retracted.

        There is no way back: what backups of the hub hold of the person opens no more.
        """
        stored = await _fetch_to_write(request, desk, kind, record_id)
        found = await persons.one(desk, house(request).person_keys, stored, parse_uuid(person_id))
        calls.require_match(request, found.version)
        await persons.remove(desk, stored, found)
        return Response(status_code=NO_CONTENT)


async def _fetch(request: Request, desk: Desk, kind: RecordKind, record_id: str) -> Stored:
    """The record of a call that reads persons: 400 without a purpose, 404, 409 for a caveat, 403."""
    calls.require_purpose(request)
    stored = await calls.fetch(request, desk, kind, record_id)
    await persons.require_carried(desk, stored)
    return stored


async def _fetch_to_write(request: Request, desk: Desk, kind: RecordKind, record_id: str) -> Stored:
    """The record of a call that writes a person: as one that reads, and 403 for those who may only read."""
    stored = await _fetch(request, desk, kind, record_id)
    persons.require_writer(desk, stored)
    return stored


async def _note(desk: Desk, action: str, stored: Stored, detail: dict[str, Any]) -> None:
    """Record who was read. Which persons, stands in the acting agency's own trail alone."""
    await note(desk, action, stored.kind, [stored.envelope.id], [stored.envelope.originator], detail)


def _made(person: Opened, status: int, location: str) -> calls.Made:
    return calls.Made("persons", str(person.id), person.version, person.text, status, location)
