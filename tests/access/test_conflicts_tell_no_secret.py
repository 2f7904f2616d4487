"""A conflict tells its two leads that they collide, and nothing else tells anybody that there is another operation."""

from typing import Any

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from tests.access.statements import heard, listen
from tests.conftest import Hub, Partner
from tests.events.following import Follower, place
from tests.routers.deconflicting import CAMBODIA, VIETNAM, conflicts, leads, only_conflict, proposed, resolve
from tests.routers.operating import PATH, approve, draft, move, moved, officer

WINDOW = {"starts_at": "2095-11-22T08:00:00Z", "ends_at": "2095-11-22T18:00:00Z"}


async def _asked(lead: Partner) -> tuple[list[str], list[Any]]:
    """All that an agency can ask of a plan of its own: what it sent to the database, and what it was answered."""
    path = await draft(lead, VIETNAM, window=WINDOW)
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/conflicts", {}),
        ("GET", "/conflicts", {}),
        ("POST", "/propose", {"headers": {"If-Match": "*"}}),
        ("GET", "", {}),
        ("GET", "/conflicts", {"params": {"severity": "serious", "limit": 1}}),
        ("POST", "/conflicts", {}),
        ("GET", "/versions", {}),
        ("GET", "/access", {}),
        ("POST", "/cancel", {"headers": {"If-Match": "*"}, "json": {"reason": "No more."}}),
    ]
    statements, answers = [], []
    for method, below, options in steps:
        with heard() as sent:
            answer = await lead.call(method, f"{path}{below}", **options)
        statements.append("\n".join(sent))
        answers.append((method, below, answer.status_code, sorted(answer.headers), answer.text))
    return statements, answers


async def test_asking_takes_the_same_statements_whatever_is_hidden(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    korea, cambodia, _ = leads(hub)
    listen(monkeypatch)
    alone, told_alone = await _asked(korea)
    await proposed(cambodia, window=WINDOW, targets=[])
    beside, told_beside = await _asked(korea)
    assert beside == alone
    for before, after in zip(told_alone, told_beside, strict=True):
        assert after[:3] == before[:3]
        # The conflict pointer is the one thing that differs.
        if "conflicts" not in after[1]:
            assert (after[3], len(after[4])) == (before[3], len(before[4]))
            assert CAMBODIA not in after[4]


async def test_what_is_hidden_and_does_not_collide_changes_no_answer(hub: Hub) -> None:
    korea, cambodia, _ = leads(hub)
    _, alone = await _asked(korea)
    far = {"center": {"latitude": -33.0, "longitude": 151.0}, "radius_m": 50_000}
    await proposed(cambodia, window=WINDOW, area=far, targets=[{"type": "email", "value": "x@example.org"}])
    _, beside = await _asked(korea)
    assert [it[:4] for it in beside] == [it[:4] for it in alone]
    assert [len(it[4]) for it in beside] == [len(it[4]) for it in alone]


async def _seen(partner: Partner, path: str) -> list[Any]:
    """All that a participant, or anybody, can read around an operation."""
    place(partner.hub)
    follower = Follower(partner)
    await follower.follow()
    answers = [
        await partner.get(below, headers={"X-Request-Id": "the-same"})
        for below in (path, f"{path}/versions", f"{path}/links", f"{path}/approvals", f"{path}/conflicts", PATH)
    ]
    return [*((answer.status_code, answer.text) for answer in answers), follower.events]


async def test_nobody_but_the_two_leads_can_tell(hub: Hub) -> None:
    korea, cambodia, vietnam = leads(hub)
    stranger = officer(hub, "TH-RTP")
    path = await proposed(korea)
    await approve(korea, vietnam, path=path)
    others = (vietnam, stranger)
    before = [await _seen(partner, path) for partner in others]
    secret = await proposed(cambodia, "TH-RTP", targets=[])
    told = hub.look(
        "SELECT count(*) FROM events WHERE type LIKE 'conflict.%%' AND NOT audience <@ ARRAY['KR-KNPA', 'KH-CNP']"
    )
    assert told == [(0,)]
    assert await _seen(vietnam, path) == before[0]
    assert (await move(korea, path, "activate")).status_code == 409
    await resolve(korea, path)
    await resolve(cambodia, secret)
    assert await _seen(vietnam, path) == before[0]
    await moved(cambodia, secret, "cancel", {"reason": "No more."})
    assert (await only_conflict(korea, path))["state"] == "cleared"
    assert await _seen(vietnam, path) == before[0]
    for agency in (VIETNAM, "TH-RTP"):
        assert hub.look("SELECT * FROM audit_entries WHERE agency = %s AND action LIKE 'conflict.%%'", agency) == []


async def test_a_conflict_is_cleared_without_a_word_to_whoever_caused_it(hub: Hub) -> None:
    """A participant's rejection returns the plan to a draft, and ends a conflict of which it knows nothing."""
    korea, cambodia, vietnam = leads(hub)
    await proposed(cambodia, targets=[])
    path = await proposed(korea)
    digest = (await vietnam.get(path)).json()["plan_hash"]
    rejected = {"decision": "reject", "plan_hash": digest, "reason": "Too early."}
    assert (await vietnam.post(f"{path}/approvals", rejected)).status_code == 201
    assert [it["state"] for it in await conflicts(korea, path)] == ["cleared"]
    assert hub.look("SELECT * FROM audit_entries WHERE agency = %s AND action LIKE 'conflict.%%'", VIETNAM) == []
    place(hub)
    follower = Follower(vietnam)
    await follower.follow()
    assert not [event for event in follower.events if "conflict" in event["type"]]


@pytest.mark.parametrize(
    "table", ["operation_claims", "operation_conflicts", "operation_conflict_versions", "deconfliction_runs"]
)
@pytest.mark.parametrize("role", [DatabaseRole.API, DatabaseRole.WORKER, DatabaseRole.OWNER])
def test_the_engine_alone_reads_what_is_compared(hub: Hub, table: str, role: DatabaseRole) -> None:
    with psycopg.connect(hub.conninfo(role)) as connection:
        if role is DatabaseRole.OWNER:
            assert connection.execute(f"SELECT * FROM {table}").fetchall() == []  # noqa: S608 - names of this file's own
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"INSERT INTO {table} DEFAULT VALUES")
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - as above


@pytest.mark.parametrize(
    "call",
    [
        "collisions(NULL)",
        "release_claim(NULL)",
        "settle_conflicts(NULL, true, true)",
        "tell_conflict(NULL, '', '')",
        "standing_conflicts(NULL)",
        "forget_conflicts(NULL)",
        "end_claim()",
    ],
)
def test_what_compares_is_called_by_the_engine_alone(hub: Hub, call: str) -> None:
    for role in (DatabaseRole.API, DatabaseRole.WORKER):
        with (
            psycopg.connect(hub.conninfo(role)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(f"SELECT {call}")
