"""How long failures make a client wait, and what sign-in answers when the database or the audit is away."""

from typing import Any

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from app.core.database_roles import DatabaseRole
from app.routers import oauth
from tests.conftest import Hub
from tests.routers.entrance import Key, below_policies, issue


@pytest.fixture
def key(hub: Hub) -> Key:
    return issue(hub, hub.register("KR-KNPA"), "auditor")


def waits(hub: Hub, times: int) -> list[int]:
    """Seconds to wait after each of so many failures."""
    found = []
    with psycopg.connect(hub.conninfo(DatabaseRole.API)) as connection:
        for _ in range(times):
            connection.execute("SELECT sign_in_failed('subject', NULL, NULL, 'token.issue', 'test', NULL, NULL)")
            row = connection.execute("SELECT wait FROM begin_sign_in('subject', '', NULL)").fetchone()
            assert row is not None
            found.append(round(row[0]))
    return found


async def test_each_failure_after_the_fifth_doubles_the_wait_up_to_five_minutes(hub: Hub) -> None:
    assert waits(hub, 17) == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    below_policies(hub, "UPDATE sign_in_failures SET last_at = last_at - interval '61 minutes'")
    assert waits(hub, 1) == [0], "an hour without a failure is forgotten"


async def test_every_failure_and_every_attempt_while_waiting_is_in_the_audit(hub: Hub, key: Key) -> None:
    wrong = Key(hub, "", key.client_id, "ids_wrong")
    for _ in range(8):
        await wrong.ask()
    rows = hub.look(
        "SELECT outcome, host(peer) FROM audit_entries WHERE action = 'token.issue' AND agency = 'KR-KNPA' ORDER BY at"
    )
    assert rows == [("invalid_client", "127.0.0.1")] * 6 + [("slow_down", "127.0.0.1")] * 2


@pytest.mark.parametrize("error", [psycopg.OperationalError("away"), PoolTimeout("busy")])
async def test_what_cannot_be_looked_up_or_recorded_is_not_answered(
    key: Key, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fails(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(oauth, "record_refusal", fails)
    unrecorded = await key.ask(scope="profiles:write")
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(psycopg.AsyncCursor, "execute", fails)
        away = await key.ask()
    for answer in (unrecorded, away):
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
async def test_what_the_router_refuses_has_the_same_shape(hub: Hub, path: str) -> None:
    wrong_method, nowhere = await hub.client.put(path), await hub.client.post(f"{path}/x")
    assert (wrong_method.status_code, wrong_method.headers["Allow"], nowhere.status_code) == (405, "POST", 404)
    for answer in (wrong_method, nowhere):
        assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == ("application/json", "no-store")
        assert answer.json().keys() == {"error", "error_description"}
        assert answer.json()["error"] == "invalid_request"
        assert not set(answer.json()["error_description"]) & set('"\\')


async def test_a_token_is_not_answered_when_its_entry_cannot_be_written(hub: Hub, key: Key) -> None:
    with psycopg.connect(hub.conninfo(DatabaseRole.OWNER), autocommit=True) as connection:
        connection.execute(
            "ALTER TABLE audit_entries ADD CONSTRAINT full_disk CHECK (action <> 'token.issue') NOT VALID"
        )
    answer = await key.ask()
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert "access_token" not in answer.text
