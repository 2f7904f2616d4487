"""Agencies lay side by side what each can read: every list of the hub, and everything in it by its id.

Whatever one finds and another does not, the other is answered like what never was; what both find is the same, but for
what is each one's own part of it.
"""

from itertools import permutations
from typing import Any

import pytest

from tests.conftest import Partner
from tests.contract.description import operations
from tests.contract.world import World

ROLES = "analyst operations_officer liaison_officer commander"
AGENCIES = ("KR-KNPA", "KH-CNP", "TH-RTP", "INTERPOL")
PURPOSE = {"Access-Purpose": "case 2026-2207"}
OF_EACH_ONE = {
    "/v1/agencies": "the directory is everybody's",
    "/v1/checklist-rules": "rules are everybody's",
    "/v1/events": "each feed is its reader's own",
    "/v1/recalls": "each recipient finds its own part of a recall",
    "/v1/audit-entries": "each trail is its agency's own",
    "/v1/audit/checkpoints": "the log's heads are everybody's",
    "/v1/meetings/calendar": "is drawn from the list of meetings",
}
PARTS = {
    "handling": "readers are not told of the audience",
    "participants": "a group is named to those who are in it",
    "manifest": "each agency finds its own people",
}
"""Fields that differ between two readers of one thing."""
COVERED = "acknowledgement_required"


def collections() -> list[str]:
    """Paths of lists of things that have an id and a path of their own."""
    paths = {call.path for call in operations() if call.method == "get"}
    lists = []
    for path in paths:
        singles = [one for one in paths if one.startswith(f"{path}/{{") and one.count("/") == path.count("/") + 1]
        if path.startswith("/v1/") and "{" not in path and singles and path not in OF_EACH_ONE:
            lists.append(path)
    return sorted(lists)


async def found(partner: Partner, path: str) -> dict[str, Any]:
    """Everything that a list shows, page by page, by its id."""
    items: dict[str, Any] = {}
    cursor = None
    while True:
        parameters = {"limit": 20, **({"cursor": cursor} if cursor else {})}
        answer = await partner.get(path, params=parameters, headers=PURPOSE)
        if answer.status_code == 403:
            return {}
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items |= {item["id"]: item for item in page["items"]}
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def test_there_are_lists_to_compare() -> None:
    names = {path.rpartition("/")[2] for path in collections()}
    assert names >= {
        *("criminal-organizations", "incident-reports", "joint-operations", "repatriation-requests"),
        *("transports", "attachments", "meetings", "agreements", "groups", "figures"),
    }
    paths = {call.path for call in operations()}
    assert OF_EACH_ONE.keys() <= paths


@pytest.mark.parametrize("path", collections())
async def test_what_one_reads_and_another_does_not_never_was(world: World, path: str) -> None:
    partners = {agency: world.caller(f"{agency} {ROLES}") for agency in AGENCIES}
    lists = {agency: await found(partner, path) for agency, partner in partners.items()}
    assert any(lists.values()), "nobody finds anything: the comparison would say nothing"
    nothing = {}
    for agency, partner in partners.items():
        unknown = await partner.get(f"{path}/019fffff-ffff-7fff-bfff-ffffffffffff", headers=PURPOSE)
        nothing[agency] = (unknown.status_code, unknown.json() | {"instance": "", "request_id": ""})
        assert unknown.status_code in (403, 404)
    for one, other in permutations(AGENCIES, 2):
        for thing in lists[one].keys() - lists[other].keys():
            answer = await partners[other].get(f"{path}/{thing}", headers=PURPOSE)
            told = (answer.status_code, answer.json() | {"instance": "", "request_id": ""})
            assert told == nothing[other], f"{other} on what {one} finds: {answer.text}"
        for thing in lists[one].keys() & lists[other].keys():
            mine, theirs = lists[one][thing], lists[other][thing]
            if COVERED in (mine.get("state"), theirs.get("state")):
                continue
            differing = {name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name)}
            assert differing <= PARTS.keys(), f"{one} and {other} on {mine.get('reference')}: {differing}"


@pytest.mark.parametrize("agency", AGENCIES)
async def test_what_an_agency_finds_in_a_list_it_reads_by_its_id(world: World, agency: str) -> None:
    partner = world.caller(f"{agency} {ROLES}")
    read = 0
    for path in collections():
        for thing, listed in (await found(partner, path)).items():
            answer = await partner.get(f"{path}/{thing}", headers=PURPOSE)
            if answer.status_code == 409:
                assert listed["state"] == COVERED
                continue
            assert (answer.status_code, answer.json()) == (200, listed), f"{path}/{thing}"
            read += 1
    assert read > 10
