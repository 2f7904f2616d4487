"""The operation that the story's agencies plan together: it waits for their commanders. All invented."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.access.desk import Desk
from app.core import clock
from app.core.validation import validated
from app.domain.joint_operations import drafting, proposing
from app.domain.joint_operations.shapes import JointOperationCreate

LEAD: Final = "KR-KNPA"
NUMBER: Final = "2026-JO-7"
_BEGINS_IN: Final = timedelta(days=14)
_LASTS: Final = timedelta(hours=10)

PLAN: Final[dict[str, Any]] = {
    "title": "Entry into the site above Kampot",
    "codename": "Lamplighter",
    "objective": "Free the people who are held there, secure telephones and ledgers, and arrest who runs the place.",
    "crime_types": ["illegal_detention", "forced_criminality", "phone_scam"],
    "participants": [{"agency": "KH-CNP", "role": "assault"}],
    "area": {
        "country": "KH",
        "subdivision": "KH-7",
        "center": {"latitude": 10.6333, "longitude": 104.05},
        "radius_m": 1500,
    },
    "targets": [{"type": "place", "value": "Former hotel above Kampot"}],
    "resources": [
        {"agency": "KH-CNP", "kind": "officers", "quantity": 60},
        {"agency": "KR-KNPA", "kind": "forensic_team", "quantity": 1, "note": "Four examiners with their equipment."},
    ],
    "risk": [
        {
            "description": "People are moved to another site before the entry.",
            "likelihood": "medium",
            "impact": "high",
            "mitigation": "Drones watch both gates from dusk; the entry is brought forward if vans arrive.",
        }
    ],
    "medical_plan": "Two ambulances wait at the foot of the road; the provincial hospital keeps ten beds free.",
    "victim_support_plan": "Everybody is screened before anybody is questioned; shelter for 60 in Kampot.",
    "legal_grounds": "Warrant of the provincial court, number 2026-118.",
}


async def plan(desk: Desk, agreement: UUID, targets: dict[str, UUID]) -> None:
    """Draft and propose the operation as its lead, on an agreement, with links to profiles as its targets."""
    begin = (clock.now() + _BEGINS_IN).replace(minute=0, second=0, microsecond=0)
    entry = begin + timedelta(hours=2)
    body = {
        **PLAN,
        "external_id": NUMBER,
        "window": {"starts_at": clock.rfc3339(begin), "ends_at": clock.rfc3339(begin + _LASTS)},
        "phases": [
            {
                "name": "Watch",
                "starts_at": clock.rfc3339(begin),
                "ends_at": clock.rfc3339(entry),
                "tasks": [{"title": "Count who comes and goes", "agency": "KH-CNP"}],
            },
            {
                "name": "Entry",
                "starts_at": clock.rfc3339(entry),
                "ends_at": clock.rfc3339(begin + _LASTS),
                "tasks": [
                    {"title": "Open both gates at once", "agency": "KH-CNP"},
                    {"title": "Secure telephones and ledgers", "agency": "KR-KNPA"},
                ],
            },
        ],
        "handling": {"tlp": "AMBER", "legal_basis": str(agreement)},
        "links": [
            {"type": "target", "kind": "criminal-organizations", "id": str(target)} for target in targets.values()
        ],
    }
    stored = await drafting.create(desk, validated(JointOperationCreate, body))
    await proposing.propose(desk, stored)
