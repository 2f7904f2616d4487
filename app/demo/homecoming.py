"""The man who was found near Bokor: two agencies bring his body home, and have agreed on an autopsy. All invented."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core.crypto import MasterKey
from app.core.validation import validated
from app.domain.repatriation_requests import checklist, checklist_steps, moving, requests
from app.domain.repatriation_requests.checklist_shapes import ChecklistCompletionIn
from app.domain.repatriation_requests.shapes import RepatriationRequestCreate
from app.models.checklist_vocabularies import ChecklistItemState
from app.models.repatriation_vocabularies import RepatriationState
from app.persons import persons
from app.persons.marks import PersonMarks
from app.persons.sealing import PersonKeys
from app.persons.shapes import PersonIn
from app.records import shelf
from app.records.advancing import hold

NUMBER: Final = "DEMO-HOMECOMING"
REPORT: Final = "ROADSIDE"
"""The key of the report that it follows from."""
ASKS, ASKED = "KR-KNPA", "KH-CNP"
_FIND: Final = sql.SQL(
    "SELECT id FROM records WHERE originator = %(agency)s AND kind = %(kind)s AND external_id = %(number)s"
)

REQUEST: Final[dict[str, Any]] = {
    "category": "remains",
    "legal_act": "repatriation_of_remains",
    "requested_agency": ASKED,
    "from_country": "KH",
    "to_country": "KR",
    "priority": "urgent",
    "narrative": "Found on 8 August beside the road to the Bokor plateau. His family asks how he died.",
}
DECEASED: Final[dict[str, Any]] = {
    "names": [
        {"name": "한보기", "family_name": "한", "given_names": "보기", "language": "ko"},
        {"name": "HAN Bogi", "type": "transliteration"},
    ],
    "birth_date": "2003-02-11",
    "nationalities": ["KR"],
    "next_of_kin": [{"names": [{"name": "한아비", "language": "ko"}], "relationship": "father", "languages": ["ko"]}],
    "roles": [
        {"role": "victim", "since": "2025-07"},
        {"role": "deceased", "since": "2025-08-08", "note": "Identified by his fingerprints."},
    ],
}
DONE: Final[Mapping[str, Mapping[str, dict[str, Any]]]] = {
    ASKS: {
        "next_of_kin_consent": {"document": {"title": "Consent, signed at the embassy"}},
        "autopsy_requested": {"document": {"title": "Note verbale", "number": "2025-114"}},
    },
    ASKED: {
        "identification": {"document": {"title": "Fingerprint comparison", "issuer": "Kampot provincial police"}},
        "autopsy_agreed": {
            "document": {"title": "Decision of the prosecutor", "number": "KPT-118/25"},
            "note": "In the pagoda's mortuary, with three examiners from Korea.",
        },
    },
}
"""What each side has done of the checklist; the autopsy itself is still to come."""


@dataclass(frozen=True, slots=True)
class People:
    """What it takes to enter somebody: keys, and marks by which they are known again."""

    keys: PersonKeys
    marks: PersonMarks

    @classmethod
    def under(cls, master_key: MasterKey) -> "People":
        """The same under an installation's master key."""
        return cls(PersonKeys(master_key), PersonMarks(master_key))


async def bring_home(
    open_desk: Callable[[str | None], AbstractAsyncContextManager[Desk]],
    people: People,
    agreement: UUID,
    report: UUID,
) -> None:
    """Ask for him on an agreement, after a report, and do what both sides have done since; what is done stays."""
    async with open_desk(ASKS) as desk:
        request = await _asked(desk, people, agreement, report)
    async with open_desk(ASKED) as desk:
        stored = await shelf.fetch(desk, requests.KIND, request)
        if requests.state_of(stored) is RepatriationState.SUBMITTED:
            stored = await moving.move(desk, stored, "acknowledge", "The duty prosecutor has the file.")
            await moving.move(desk, stored, "accept", None)
    for agency, items in DONE.items():
        async with open_desk(agency) as desk:
            await _work_off(desk, request, items)


async def _asked(desk: Desk, people: People, agreement: UUID, report: UUID) -> UUID:
    rows = await desk.rows(_FIND, agency=ASKS, kind=requests.KIND.value, number=NUMBER)
    if rows:
        found: UUID = rows[0].id
        return found
    body = {
        **REQUEST,
        "external_id": NUMBER,
        "handling": {"tlp": "AMBER", "legal_basis": str(agreement)},
        "links": [{"type": "incident", "kind": "incident-reports", "id": str(report)}],
    }
    stored = await requests.create(desk, validated(RepatriationRequestCreate, body))
    await persons.add(desk, people.keys, people.marks, stored, validated(PersonIn, DECEASED))
    stored = await shelf.fetch(desk, requests.KIND, stored.envelope.id)
    await moving.submit(desk, stored, None)
    return stored.envelope.id


async def _work_off(desk: Desk, request: UUID, items: Mapping[str, dict[str, Any]]) -> None:
    stored = await hold(desk, await shelf.fetch(desk, requests.KIND, request))
    found = await checklist.read(desk, stored, results=False)
    version = found.version
    for item in found.items:
        if item.code in items and item.state is ChecklistItemState.OPEN:
            sent = validated(ChecklistCompletionIn, items[item.code])
            version = await checklist_steps.complete(desk, stored, item.code, version, sent)
