"""Agreements in tests: drafted, opened, signed, and moved in time."""

from typing import Any

import httpx

from tests.conftest import Hub, Partner
from tests.routers.entrance import below_policies

PATH = "/v1/agreements"


def commander(hub: Hub, agency: str) -> Partner:
    return hub.partner(agency, "commander", "analyst")


def content(*parties: str, **fields: Any) -> dict[str, Any]:
    """What an agreement that holds since long ago says."""
    said = {
        "kind": "mou",
        "title": "Memorandum on scam compounds",
        "parties": list(parties),
        "record_kinds": ["criminal-organizations"],
        "valid_from": "2020-01-01",
    }
    return {**said, **fields}


async def draft(originator: Partner, *others: str, **fields: Any) -> str:
    """Draft an agreement between the originator and others; its path."""
    answer = await originator.post(PATH, content(originator.agency, *others, **fields))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


async def move(partner: Partner, path: str, step: str, body: Any = None, etag: str = "*") -> httpx.Response:
    return await partner.post(f"{path}/{step}", body, etag=etag)


async def moved(partner: Partner, path: str, step: str, body: Any = None) -> dict[str, Any]:
    """Take a step that must succeed; the agreement after it."""
    answer = await move(partner, path, step, body)
    assert answer.status_code == 200, answer.text
    after: dict[str, Any] = answer.json()
    return after


async def sign(partner: Partner, path: str) -> dict[str, Any]:
    """Sign what the agreement says now."""
    agreement = (await partner.get(path)).json()
    return await moved(partner, path, "sign", {"content_hash": agreement["content_hash"]})


async def open_to(originator: Partner, *others: str, **fields: Any) -> str:
    """Draft an agreement and open it to its parties; its path."""
    path = await draft(originator, *others, **fields)
    await moved(originator, path, "negotiate")
    return path


async def conclude(*parties: Partner, **fields: Any) -> str:
    """An agreement that all these have signed, drafted by the first; its path."""
    path = await open_to(parties[0], *(party.agency for party in parties[1:]), **fields)
    for party in parties:
        await sign(party, path)
    return path


async def state(partner: Partner, path: str) -> str:
    return str((await partner.get(path)).json()["state"])


def move_days(hub: Hub, path: str, **days: str) -> None:
    """Set the first or last day of an agreement below all rules, as if that time had come."""
    for column, day in days.items():
        assert column in ("valid_from", "valid_until")
        statement = f"UPDATE agreements SET {column} = %s WHERE id = %s"  # noqa: S608 - one of two columns
        below_policies(hub, statement, day, path.rpartition("/")[2])


def keep_days(hub: Hub) -> int:
    """Let the worker do what the days bring; how many agreements it moved."""
    count = 0
    while hub.operator("SELECT move_due_agreement()")[0][0]:
        count += 1
    return count
