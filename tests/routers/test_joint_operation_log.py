"""The log of an operation over HTTP: added to by those who take part, read by them alone, and never changed."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from psycopg import errors

from app.core import clock
from app.core.database_roles import DatabaseRole
from tests.conftest import Hub, Partner
from tests.events.following import Follower, place
from tests.routers.entrance import below_policies
from tests.routers.operating import ASSAULT, LEAD, OBSERVER, WATCH, active, draft, hours, move, moved, officer, read

ARREST = {"kind": "arrest", "entry": "Two people arrested at the northern gate."}


async def _run(hub: Hub) -> tuple[Partner, Partner, str]:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    return lead, other, await active(lead, other)


async def test_what_happened_is_written_down_and_read_by_those_who_take_part(hub: Hub) -> None:
    lead, other, path = await _run(hub)
    at = hours(-1)

    first = await other.post(f"{path}/log", {**ARREST, "at": at}, headers={"On-Behalf-Of": "Insp. Example"})
    second = await lead.post(f"{path}/log", {"kind": "decision", "entry": "북문으로 진입"})

    assert (first.status_code, second.status_code) == (201, 201)
    made = first.json()
    assert made | {"id": "", "created_at": ""} == {
        **ARREST,
        "id": "",
        "at": at,
        "agency": ASSAULT,
        "officer": "Insp. Example",
        "created_at": "",
    }
    assert second.json()["officer"] is None
    for partner in (lead, other):
        listed = await partner.get(f"{path}/log")
        assert listed.json() == {"items": [second.json(), made], "next_cursor": None}
        one = await partner.get(first.headers["Location"])
        assert (one.status_code, one.json(), one.headers["ETag"]) == (200, made, '"1"')


async def test_it_is_listed_by_when_it_happened_by_kind_and_by_agency(hub: Hub) -> None:
    lead, other, path = await _run(hub)
    for partner, kind, at in ((lead, "entry", -1), (other, "rescue", -3), (other, "arrest", -2)):
        answer = await partner.post(f"{path}/log", {"kind": kind, "entry": f"{kind} happened", "at": hours(at)})
        assert answer.status_code == 201, answer.text

    async def kinds(**params: str) -> list[str]:
        return [entry["kind"] for entry in (await lead.get(f"{path}/log", params=params)).json()["items"]]

    assert await kinds() == ["arrest", "rescue", "entry"]
    assert await kinds(order="at") == ["entry", "arrest", "rescue"]
    assert await kinds(kind="rescue") == ["rescue"]
    assert await kinds(agency=ASSAULT, order="at") == ["arrest", "rescue"]
    table = await other.get(f"{path}/log", params={"order": "at"}, headers={"Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert [row.split(",")[4] for row in table.text.splitlines()] == ["kind", "entry", "arrest", "rescue"]


@pytest.mark.parametrize("order", ["created_at", "at"])
async def test_pages_pass_over_nothing(hub: Hub, order: str) -> None:
    lead, _, path = await _run(hub)
    same = hours(-1)
    for number in range(7):
        await lead.post(f"{path}/log", {"kind": "other", "entry": f"{number}", "at": same})
    found: list[str] = []
    params = {"limit": "3", "order": order}
    while True:
        page = (await lead.get(f"{path}/log", params=params)).json()
        found += [entry["entry"] for entry in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert found == [f"{number}" for number in reversed(range(7))]
    broken = await lead.get(f"{path}/log", params={**params, "kind": "arrest"})
    assert broken.status_code == 400


async def test_whoever_only_reads_the_plan_learns_nothing_of_the_log(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    reader, stranger = officer(hub, WATCH), officer(hub, "VN-MPS")
    path = await active(lead, other, handling={"tlp": "AMBER", "audience": {"agencies": [WATCH]}})
    entry = (await other.post(f"{path}/log", ARREST)).headers["Location"]
    assert (await reader.get(path)).status_code == 200

    for partner, status in ((reader, 403), (stranger, 404)):
        assert (await partner.get(f"{path}/log")).status_code == status
        assert (await partner.get(entry)).status_code == status
        assert (await partner.post(f"{path}/log", ARREST)).status_code == status
    place(hub)
    told = [[name for name, _ in await Follower(partner).follow()] for partner in (lead, other, reader, stranger)]
    assert ["operation.logged" in names for names in told] == [True, True, False, False]
    assert hub.look("SELECT count(*) FROM operation_log") == [(1,)]


async def test_an_observer_reads_and_writes_too(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    observer = hub.caller(hub.register(OBSERVER), "operations_officer")
    taking_part = [
        {"agency": ASSAULT, "role": "assault"},
        {"agency": OBSERVER, "role": "observer", "approval_required": False},
    ]
    path = await active(lead, other, participants=taking_part)
    assert (await observer.post(f"{path}/log", {"kind": "sighting", "entry": "Lights went out."})).status_code == 201
    assert len((await observer.get(f"{path}/log")).json()["items"]) == 1


async def test_who_has_left_reads_and_writes_no_more(hub: Hub) -> None:
    lead, other, path = await _run(hub)
    made = await other.post(f"{path}/log", ARREST, headers={"Idempotency-Key": "k"})
    assert (await move(other, path, "leave", {"reason": "Needed at home."})).status_code == 204
    for answer in (
        await other.get(f"{path}/log"),
        await other.get(made.headers["Location"]),
        await other.post(f"{path}/log", ARREST, headers={"Idempotency-Key": "k"}),
    ):
        assert answer.status_code == 404
    assert (await lead.get(f"{path}/log")).json()["items"] == [made.json()]


async def test_permissions(hub: Hub) -> None:
    lead, _, path = await _run(hub)
    reading = hub.caller(LEAD, "commander")
    assert (await reading.get(f"{path}/log")).status_code == 200
    assert (await reading.post(f"{path}/log", ARREST)).status_code == 403
    analyst = hub.caller(LEAD, "analyst")
    assert (await analyst.get(f"{path}/log")).status_code == 403
    hub.operator("UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", lead.client_id)
    assert (await lead.post(f"{path}/log", ARREST)).status_code == 401


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"kind": "party", "entry": "x"}, "/kind", "enum"),
        ({"kind": "arrest"}, "/entry", "missing"),
        ({"kind": "arrest", "entry": "x", "officer": "me"}, "/officer", "extra-forbidden"),
        ({"kind": "arrest", "entry": "x", "at": "yesterday"}, "/at", "time-invalid"),
        ({"kind": "arrest", "entry": "x", "at": "2999-01-01T00:00:00Z"}, "/at", "moment-ahead"),
        ({"kind": "arrest", "entry": "x" * 4001}, "/entry", "string-too-long"),
    ],
)
async def test_what_is_no_entry_is_refused(hub: Hub, body: dict[str, str], pointer: str, code: str) -> None:
    lead, _, path = await _run(hub)
    answer = await lead.post(f"{path}/log", body)
    assert answer.status_code == 422
    assert [(flaw["pointer"], flaw["code"]) for flaw in answer.json()["errors"]] == [(pointer, code)]


async def test_bodies_that_are_too_long_or_of_another_kind(hub: Hub) -> None:
    lead, _, path = await _run(hub)
    long = b'{"kind": "other", "entry": "' + b"x" * (2 * hub.settings.body_limit) + b'"}'
    headers = {"Content-Type": "application/json"}
    assert (await lead.call("POST", f"{path}/log", content=long, headers=headers)).status_code == 413
    plain = await lead.call("POST", f"{path}/log", content=b"{}", headers={"Content-Type": "text/plain"})
    assert plain.status_code == 415


async def test_a_repeated_key_writes_once(hub: Hub) -> None:
    lead, _, path = await _run(hub)
    key = {"Idempotency-Key": "the radio failed"}
    first, again = [await lead.post(f"{path}/log", ARREST, headers=key) for _ in range(2)]
    other = await lead.post(f"{path}/log", {**ARREST, "entry": "Three people."}, headers=key)
    assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (201, first.json(), "true")
    assert other.status_code == 422
    assert len((await lead.get(f"{path}/log")).json()["items"]) == 1


async def test_when_the_log_takes_entries(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    planned = await draft(lead, ASSAULT)
    early = await lead.post(f"{planned}/log", ARREST)
    assert (early.status_code, early.json()["type"]) == (409, "/problems/conflict")
    await moved(lead, planned, "cancel", {"reason": "Fog."})
    assert (await lead.post(f"{planned}/log", ARREST)).status_code == 409
    assert (await lead.get(f"{planned}/log")).json()["items"] == []

    path = await active(lead, other)
    await moved(lead, path, "suspend", {"reason": "Fog."})
    assert (await other.post(f"{path}/log", ARREST)).status_code == 201
    await moved(lead, path, "resume")
    await moved(lead, path, "complete")
    assert (await other.post(f"{path}/log", ARREST)).status_code == 201
    # Its title may still be put right, which does not open the log again.
    for days in (6, 8):
        below_policies(
            hub,
            "UPDATE record_versions SET at = %s WHERE record_id = %s",
            clock.now() - timedelta(days=days),
            path.rpartition("/")[2],
        )
        late = await other.post(f"{path}/log", ARREST)
        assert late.status_code == (201 if days < 7 else 409)
    assert "7 days" in late.json()["detail"]
    assert len((await other.get(f"{path}/log")).json()["items"]) == 3


async def test_nobody_changes_or_deletes_an_entry(hub: Hub) -> None:
    lead, _, path = await _run(hub)
    await lead.post(f"{path}/log", ARREST)
    for role in (DatabaseRole.API, DatabaseRole.WORKER, DatabaseRole.OWNER, DatabaseRole.BACKUP):
        for statement in (
            "UPDATE operation_log SET entry = 'Nobody was there.'",
            "DELETE FROM operation_log",
            "INSERT INTO operation_log SELECT * FROM operation_log",
            "TRUNCATE operation_log",
        ):
            with psycopg.connect(hub.conninfo(role)) as connection:
                if role is DatabaseRole.OWNER and not statement.startswith("TRUNCATE"):
                    # It owns the table and is held by the policies: it finds no row.
                    assert connection.execute(statement).rowcount == 0
                elif role is not DatabaseRole.OWNER:
                    with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)):
                        connection.execute(statement)
                connection.rollback()
    with pytest.raises(errors.InsufficientPrivilege):
        below_policies(hub, "UPDATE operation_log SET entry = 'Nobody was there.'")
    assert (await lead.get(f"{path}/log")).json()["items"][0]["entry"] == ARREST["entry"]


async def test_entries_at_the_same_moment_stand_one_after_another(hub: Hub) -> None:
    lead, other, path = await _run(hub)
    writes = [
        partner.post(f"{path}/log", {"kind": "other", "entry": f"{number}"})
        for number in range(8)
        for partner in (lead, other)
    ]
    answers = await asyncio.gather(*writes, lead.patch(path, {"title": "Entry at night"}, etag="*"))
    assert {answer.status_code for answer in answers} <= {200, 201}
    listed = (await lead.get(f"{path}/log")).json()["items"]
    moments = [entry["created_at"] for entry in listed]
    assert len(listed) == 16
    assert moments == sorted(set(moments), reverse=True)


async def test_an_entry_and_the_end_of_the_operation_do_not_cross(hub: Hub) -> None:
    lead, other, path = await _run(hub)
    answers = await asyncio.gather(
        *(other.post(f"{path}/log", ARREST) for _ in range(4)), move(lead, path, "cancel", {"reason": "Fog."})
    )
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    written = sum(answer.status_code == 201 for answer in answers)
    assert len((await other.get(f"{path}/log")).json()["items"]) == written


async def test_what_is_left_when_the_operation_is_taken_back(hub: Hub) -> None:
    lead, other, path = await _run(hub)
    await other.post(f"{path}/log", ARREST)
    await moved(lead, path, "complete")
    assert (await lead.post(f"{path}/retract", etag="*")).status_code == 200
    assert (await other.get(f"{path}/log")).status_code == 403
    assert (await other.post(f"{path}/log", ARREST)).status_code == 403
    retracted = await lead.post(f"{path}/log", ARREST)
    assert (retracted.status_code, retracted.json()["type"]) == (409, "/problems/retracted")
    assert len((await lead.get(f"{path}/log")).json()["items"]) == 1


async def test_a_purge_takes_the_log_with_it(hub: Hub) -> None:
    lead, other, path = await _run(hub)
    await other.post(f"{path}/log", ARREST)
    below_policies(
        hub,
        'UPDATE records SET handling = handling || \'{"review_on": "2020-01-01"}\' WHERE id = %s',
        path.rpartition("/")[2],
    )
    hub.operator("SELECT * FROM purge_due_records(10)")
    assert hub.look("SELECT count(*) FROM operation_log") == [(0,)]
    assert (await read(lead, path))["state"] == "purged"
    assert (await lead.get(f"{path}/log")).json()["items"] == []
