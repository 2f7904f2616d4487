"""The persons that the examples are about; nobody of them ever was."""

from typing import Any

from tests.contract.world import World, documented_id
from tests.contract.world_incidents import PATH

PURPOSE = {"Access-Purpose": "case 2025-0811"}

VICTIM: dict[str, Any] = {
    "names": [
        {"name": "김예시", "family_name": "김", "given_names": "예시", "language": "ko"},
        {"name": "KIM Yesi", "type": "transliteration"},
    ],
    "birth_date": "1998-04",
    "sex": "male",
    "nationalities": ["KR"],
    "travel_documents": [
        {
            "type": "passport",
            "machine_readable_zone": [
                "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
                "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
            ],
            "note": "The specimen of ICAO Doc 9303.",
        }
    ],
    "contacts": [{"type": "phone", "value": "010-0000-1234", "e164": "+821000001234"}],
    "languages": ["ko"],
    "next_of_kin": [{"names": [{"name": "이예시"}], "relationship": "mother", "languages": ["ko"]}],
    "medical_needs": [{"need": "Insulin, twice a day.", "urgent": True}],
    "roles": [{"role": "victim", "since": "2025-07"}],
}
WITNESS = {"names": [{"name": "សុខ ឧទាហរណ៍", "language": "km"}], "roles": [{"role": "witness", "since": "2025-08"}]}


async def build(world: World) -> None:
    """Enter a victim and a witness with the urgent report."""
    korea = world.caller("KR-KNPA liaison_officer")
    world.caller("KH-CNP liaison_officer")
    persons = f"{PATH}/{world.names[documented_id(303)]}/persons"
    world.name(330, await korea.post(persons, VICTIM, headers=PURPOSE))
    world.name(331, await korea.post(persons, WITNESS, headers=PURPOSE))
