"""Taking a record back over HTTP: sight ends at once, copies are answered for, and nobody learns who else had one."""

from typing import Any

from tests.conftest import Hub, Partner
from tests.routers.entrance import below_policies

PATH = "/v1/criminal-organizations"
RECALLS = "/v1/recalls"
REASON = "The source took back its consent."


def _body(*agencies: str, **fields: Any) -> dict[str, Any]:
    return {"agencies": list(agencies), "reason": REASON, **fields}


def _parts(recall: dict[str, Any]) -> list[tuple[str, str]]:
    return [(part["agency"], part["state"]) for part in recall["recipients"]]


async def _events(partner: Partner) -> list[tuple[str, dict[str, Any] | None]]:
    partner.hub.operator("SELECT sequence_events()")
    items = (await partner.get("/v1/events", params={"limit": 500})).json()["items"]
    return [(item["type"].removeprefix("interdesk."), item["data"]["detail"]) for item in items]


async def _shared(korea: Partner, *agencies: str) -> str:
    return f"{PATH}/{(await korea.profile(share=agencies))['id']}"


async def _recalled(korea: Partner, *agencies: str, **fields: Any) -> dict[str, Any]:
    path = await _shared(korea, *agencies)
    answer = await korea.post(f"{path}/recalls", _body(*agencies, **fields))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def _let_pass(hub: Hub, recall: dict[str, Any], days: float) -> None:
    """Make a recall as old as if it had been made that much earlier."""
    for table, key in (("recalls", "id"), ("recall_recipients", "recall_id")):
        notices = ", next_notice_at = next_notice_at - %(past)s" if table == "recall_recipients" else ""
        statement = f"UPDATE {table} SET at = at - %(past)s, due_at = due_at - %(past)s{notices} WHERE {key} = %(id)s"  # noqa: S608 - own names
        statement = statement.replace("%(past)s", f"interval '{days} days'").replace("%(id)s", "%s")
        below_policies(hub, statement, recall["id"])


async def test_recipients_lose_sight_at_once_and_answer_for_their_copies(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    path = await _shared(korea, "KH-CNP", "TH-RTP")

    tried = await korea.post(f"{path}/recalls?dry_run=true", _body("KH-CNP"))
    assert (tried.status_code, tried.json()) == (
        200,
        {"agencies": ["KR-KNPA", "TH-RTP"], "gained": [], "lost": ["KH-CNP"]},
    )
    assert (await cambodia.get(path)).status_code == 200
    made = await korea.post(f"{path}/recalls", _body("KH-CNP"))

    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    assert made.headers["Location"] == f"{path}/recalls/{made.json()['id']}"
    assert (made.json()["cause"], made.json()["reason"], _parts(made.json())) == (
        "recall",
        REASON,
        [("KH-CNP", "open")],
    )
    assert (await cambodia.get(path)).status_code == 404
    assert (await thailand.get(path)).headers["ETag"] == '"1"'
    told = await _events(cambodia)
    assert told[-2:] == [("record.lost", None), ("recall.requested", {"recall": made.json()["id"]})]

    place = f"{RECALLS}/{made.json()['id']}"
    assert (await cambodia.get(place)).json() == made.json()
    done = await cambodia.post(f"{place}/acknowledge", {"outcome": "deleted"}, headers={"Idempotency-Key": "a"})
    again = await cambodia.post(f"{place}/acknowledge", {"outcome": "deleted"}, headers={"Idempotency-Key": "a"})
    second = await cambodia.post(f"{place}/acknowledge", {"outcome": "retained_with_reason", "reason": "A duty."})

    assert (done.status_code, done.headers["ETag"], _parts(done.json())) == (200, '"2"', [("KH-CNP", "acknowledged")])
    assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (200, done.json(), "true")
    assert second.status_code == 409
    seen = await korea.get(made.headers["Location"])
    assert (seen.json()["recipients"], seen.headers["ETag"]) == (done.json()["recipients"], '"2"')
    assert (await _events(korea))[-1] == ("recall.acknowledged", {"recall": made.json()["id"], "agency": "KH-CNP"})
