"""An agency answers an oversight request by itself: what the audit holds of one of its officers, or of one record."""

from typing import Any

import pytest

from tests.access.statements import heard, listen
from tests.audit.conftest import seal_now
from tests.conftest import Hub, Partner
from tests.routers.test_audit_proofs import EXPORT, PATH, UNKNOWN, holds


async def exported(auditor: Partner, **filters: Any) -> list[dict[str, Any]]:
    """All parts of an export, walked through by twos."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        parameters = {**filters, "limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = await auditor.get(EXPORT, params=parameters)
        assert answer.status_code == 200, answer.text
        part = answer.json()
        assert all(holds(item, part["checkpoint"]) for item in part["items"])
        found += [item["leaf"]["entry"] for item in part["items"]]
        cursor = part["next_cursor"]
        if cursor is None:
            return found


async def scene(hub: Hub) -> tuple[Partner, Partner, dict[str, Any], dict[str, Any]]:
    """Korea's and Cambodia's auditors, a record of Korea's that both read, and one that Cambodia must not know of."""
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    shared, secret = await korea.profile(share=["KH-CNP"]), await korea.profile("Secret")
    for caller, officer in ((korea, "Insp. Han"), (korea, "Insp. Lee"), (cambodia, "Insp. Han")):
        for _ in range(3):
            await caller.get(f"{PATH}/{shared['id']}", headers={"On-Behalf-Of": officer})
    await cambodia.get(f"{PATH}/{secret['id']}", headers={"On-Behalf-Of": "Insp. Sok"})
    await seal_now(hub)
    return hub.caller("KR-KNPA", "auditor"), hub.caller("KH-CNP", "auditor"), shared, secret


async def test_one_officer_of_the_own_agency(hub: Hub) -> None:
    korea, cambodia, _, _ = await scene(hub)

    assert [(entry["agency"], entry["officer"]) for entry in await exported(korea, officer="Insp. Han")] == [
        ("KR-KNPA", "Insp. Han")
    ] * 3
    # Another agency's officer cannot be asked for, though its entries on the own record are there.
    assert await exported(korea, officer="Insp. Sok") == []
    assert {entry["agency"] for entry in await exported(cambodia, officer="Insp. Han")} == {"KH-CNP"}


async def test_one_record_with_what_others_did_to_it(hub: Hub) -> None:
    korea, _, shared, _ = await scene(hub)

    found = await exported(korea, record=shared["id"])

    assert [(entry["agency"], entry["action"]) for entry in found] == [
        ("KR-KNPA", "record.create"),
        *[("KR-KNPA", "record.read")] * 6,
        *[("KH-CNP", "record.read")] * 3,
    ]
    assert {entry["officer"] for entry in found if entry["agency"] == "KH-CNP"} == {None}
    assert await exported(korea, record=shared["id"], officer="Insp. Lee") == found[4:7]


async def test_a_hidden_record_and_one_that_never_was_are_the_same(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    listen(monkeypatch)
    _, cambodia, shared, secret = await scene(hub)
    unseen = await hub.caller("KR-KNPA").profile("Nobody tried this one")
    await seal_now(hub)

    (tried,) = await exported(cambodia, record=secret["id"])
    assert (tried["outcome"], tried["record_ids"]) == ("missing", [secret["id"]])
    with heard() as hidden:
        assert await exported(cambodia, record=unseen["id"]) == []
    with heard() as never:
        assert await exported(cambodia, record=UNKNOWN) == []
    assert hidden == never
    assert len(await exported(cambodia, record=shared["id"])) == 3


async def test_a_cursor_goes_with_its_choice(hub: Hub) -> None:
    korea, _, shared, _ = await scene(hub)
    first = (await korea.get(EXPORT, params={"record": shared["id"], "limit": 1})).json()

    other = await korea.get(EXPORT, params={"record": UNKNOWN, "limit": 1, "cursor": first["next_cursor"]})

    assert (other.status_code, other.json()["errors"][0]["code"]) == (400, "cursor-invalid")
