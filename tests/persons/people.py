"""Invented persons, and the records that they are entered with."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx

from app.core.crypto import MasterKey
from app.models.vocabularies import RecordKind
from app.settings import Settings
from tests.conftest import PUBLIC_URL, Cluster, Hub, Partner, hub_on
from tests.routers import incidents

KIND = RecordKind.INCIDENT_REPORTS
PATH = f"/v1/{KIND}"
TITLE = incidents.REPORT["title"]
"""Stands in the record, and so in a dump."""
ROLES = ("analyst", "liaison_officer", "auditor")
PURPOSE = {"Access-Purpose": "case 2026-1187"}

KIM: dict[str, Any] = {
    "names": [
        {"name": "김가나", "family_name": "김", "given_names": "가나", "language": "ko"},
        {"name": "KIM Gana", "type": "transliteration"},
        {"name": "គឹម ហ្គាណា", "language": "km"},
    ],
    "birth_date": "1998-04-17",
    "sex": "male",
    "nationalities": ["KR"],
    "travel_documents": [{"type": "passport", "number": "M70689098", "issuing_state": "KOR"}],
    "contacts": [{"type": "phone", "value": "+82 (0)10 0000-4711"}],
    "next_of_kin": [
        {
            "names": [{"name": "이다라"}],
            "relationship": "mother",
            "contacts": [{"type": "phone", "value": "010-0000-4712", "e164": "+821000004712"}],
        }
    ],
    "medical_needs": [{"need": "Insulin, twice a day.", "urgent": True}],
    "roles": [{"role": "victim", "since": "2026-11"}],
    "note": "Found near the gate.",
}


def served(cluster: Cluster, database: str, master_key: MasterKey) -> AbstractAsyncContextManager[Hub]:
    """A hub on a database that is there already."""
    return hub_on(cluster, database, Settings(_env_file=None, public_url=PUBLIC_URL), master_key)  # type: ignore[call-arg]


async def record_of(partner: Partner, *share: str, **handling: Any) -> str:
    """The path of a record of the partner's, shared with these agencies."""
    said = {"tlp": "AMBER", "audience": {"agencies": list(share)}, **handling}
    return await incidents.path_of(partner, handling=said)


async def enter(partner: Partner, record: str, **fields: Any) -> httpx.Response:
    """Enter a person, Kim unless other fields are given, into the record at this path."""
    answer = await partner.post(f"{record}/persons", {**KIM, **fields}, headers=PURPOSE)
    assert answer.status_code == 201, answer.text
    return answer


async def read(partner: Partner, path: str, **options: Any) -> httpx.Response:
    return await partner.get(path, headers={**PURPOSE, **options.pop("headers", {})}, **options)
