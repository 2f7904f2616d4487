"""Records created in groups: the same records, refusals, audit and keys as at a desk of one's own."""

import asyncio

import pytest

from tests.conftest import Hub, Partner

PATH = "/v1/criminal-organizations"
CREATED = "SELECT count(*) FROM records"
SUSPENDED = (
    "UPDATE agencies SET status = 'suspended' WHERE code = (SELECT agency FROM credentials WHERE client_id = %s)"
)


def body(name: str, *agencies: str, **fields: object) -> dict[str, object]:
    return {"name": name, "handling": {"tlp": "AMBER", "audience": {"agencies": list(agencies)}}, **fields}


async def known(partner: Partner) -> Partner:
    """After its first record the server knows a client's agency, and later ones are created in groups."""
    await partner.profile("First")
    return partner


async def test_many_at_once_are_all_there_with_version_grants_events_and_audit(hub: Hub) -> None:
    korea, cambodia = await known(hub.partner("KR-KNPA")), await known(hub.partner("KH-CNP"))
    answers = await asyncio.gather(
        *(korea.post(PATH, body(f"Korean {number}", "KH-CNP")) for number in range(20)),
        *(cambodia.post(PATH, body(f"Cambodian {number}")) for number in range(20)),
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 40
    assert {answer.json()["originator"] for answer in answers[:20]} == {"KR-KNPA"}
    transactions, entries = hub.look(
        "SELECT count(DISTINCT r.xmin::text), count(*) FROM records r JOIN audit_entries a"
        " ON a.record_ids = ARRAY[r.id] AND a.action = 'record.create' AND a.agency = r.originator"
    )[0]
    assert entries == 42
    assert transactions < entries
    assert hub.look("SELECT count(*) FROM record_versions WHERE version = 1") == [(42,)]
    assert hub.look("SELECT count(*) FROM events WHERE type = 'record.created'") == [(42,)]
    seen = (await cambodia.get(f"{PATH}?limit=100")).json()["items"]
    assert len([item for item in seen if item["name"].startswith("Korean")]) == 20
    for answer in answers[:3]:
        assert (await korea.get(answer.headers["location"])).json() == answer.json()


async def test_each_of_a_group_is_refused_for_itself(hub: Hub) -> None:
    korea = await known(hub.partner("KR-KNPA"))
    taken = await korea.profile("Taken", external_id="7")
    answers = await asyncio.gather(
        korea.post(PATH, body("Good")),
        korea.post(PATH, body("To nobody there is", "XX-NONE")),
        korea.post(PATH, body("Again", external_id="7")),
        korea.post(PATH, {"name": ""}),
        korea.post(PATH, body("Out of itself") | {"handling": {"audience": {"excluded": ["KR-KNPA"]}}}),
        korea.post(PATH, body("Good too")),
    )
    assert [answer.status_code for answer in answers] == [201, 422, 409, 422, 422, 201]
    assert answers[2].headers["location"] == f"{PATH}/{taken['id']}"
    assert hub.look("SELECT count(*) FROM audit_entries WHERE outcome NOT IN ('done') AND agency = 'KR-KNPA'") == [(4,)]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("UPDATE credentials SET roles = '{auditor}' WHERE client_id = %s", 403),
        ("UPDATE credentials SET status = 'revoked' WHERE client_id = %s", 401),
        (SUSPENDED, 401),
    ],
)
async def test_what_ends_a_right_ends_it_at_the_next_record(hub: Hub, change: str, status: int) -> None:
    korea = await known(hub.partner("KR-KNPA"))
    hub.operator(change, korea.client_id)
    before = hub.look(CREATED)
    for sent in (body("Too late"), {"name": ""}):
        assert (await korea.post(PATH, sent)).status_code == status
    assert hub.look(CREATED) == before


async def test_a_key_makes_one_record_however_often_and_at_once_it_is_sent(hub: Hub) -> None:
    korea = await known(hub.partner("KR-KNPA"))
    before = hub.look(CREATED)[0][0]
    headers = {"Idempotency-Key": "k1"}
    answers = await asyncio.gather(*(korea.post(PATH, body("Once"), headers=headers) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = {answer.text for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    assert hub.look(CREATED)[0][0] == before + 1
    again = await korea.post(PATH, body("Once"), headers=headers)
    assert (again.status_code, again.headers["idempotency-replayed"], again.text) == (201, "true", made.pop())
    assert (await korea.post(PATH, body("Other"), headers=headers)).status_code == 422
    assert hub.look(CREATED)[0][0] == before + 1


async def test_a_body_without_an_announced_length_stays_too_large(hub: Hub) -> None:
    korea = await known(hub.partner("KR-KNPA"))

    async def parts() -> object:
        for _ in range(3):
            yield b" " * 600_000
        yield b"{}"

    answer = await korea.call("POST", PATH, content=parts(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
