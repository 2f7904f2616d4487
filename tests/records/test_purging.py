"""The purge: nothing of the content is left in any table, and whatever else happens then, no record is half purged."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from app.core import clock
from app.core.database_roles import DatabaseRole
from app.records import purging
from tests.conftest import Hub, Partner
from tests.events.following import place, until
from tests.records.retaining import in_days, night, purge, review_on, worker
from tests.routers.entrance import below_policies

PATH = "/v1/criminal-organizations"
MARK = "zanzibarovski"
"""Stands in every text of the record that is purged."""

TABLES = (
    "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1"
)
KEPT = {
    "attachments": "deleted by forget_attachments()",
    "audit_entries": "who did what to which record is not content, and stays as it is sealed",
    "deconfliction_runs": "deleted by forget_conflicts()",
    "events": "that something happened, by ids",
    "idempotency_keys": "hash of a body, for a day",
    "manifest_entries": "which seats were taken, by ids; whoever still waited is taken off by a trigger",
    "operation_claims": "deleted by the trigger that ends them",
    "recalls": "who was asked for copies, and by when; why is put out",
    "recall_recipients": "what recipients said of their own copies",
    "record_grants": "who saw the record at its end",
    "record_search": "deleted by the trigger on records",
    "record_sight": "deleted by the trigger on records",
    "record_versions": "the tombstone",
    "sight_settled": "ids, until the worker has told a change of sight",
}
"""Tables with a record's id that a purge leaves rows of, or does not clear by itself, and why."""


def _found(hub: Hub, text: str) -> dict[str, int]:
    """In how many rows of which tables a text stands, in any column, in capitals or not."""
    counts = {}
    for (table,) in hub.look(TABLES):
        ((count,),) = hub.look(f"SELECT count(*) FROM {table} t WHERE t::text ILIKE %s", f"%{text}%")  # noqa: S608 - a name of the catalog
        if count:
            counts[table] = count
    return counts


async def _made(answer: Awaitable[httpx.Response]) -> dict[str, Any]:
    found = await answer
    assert found.status_code in (200, 201), found.text
    body: dict[str, Any] = found.json()
    return body


async def _marked(korea: Partner, cambodia: Partner) -> dict[str, Any]:
    """A record with everything that can hang on it, its mark in every text."""
    audience = {"agencies": ["KH-CNP"], "excluded": ["TH-RTP"]}
    handling = {
        "tlp": "AMBER",
        "codes": ["H3"],
        "caveat": f"{MARK} caveat",
        "audience": audience,
        "review_on": in_days(40),
    }
    fields = {
        "summary": f"{MARK} summary",
        "aliases": [{"name": f"{MARK}ov alias", "note": f"{MARK} note"}],
        "members": [{"name": f"{MARK} member"}],
        "external_id": f"{MARK}-1",
        "handling": handling,
    }
    record = await korea.profile(f"{MARK.title()} Group", **fields)
    other = await korea.profile("Other", handling={"tlp": "AMBER", "audience": {"agencies": ["KH-CNP"]}})
    path, towards = f"{PATH}/{record['id']}", {"kind": "criminal-organizations", "type": "related_to"}
    await _made(korea.post(f"{path}/links", {**towards, "id": other["id"], "note": f"{MARK} link"}))
    await _made(korea.post(f"{PATH}/{other['id']}/links", {**towards, "id": record["id"], "note": f"{MARK} back"}))
    await _made(korea.post(f"{path}/relations", {"type": "funds", "target": other["id"], "note": f"{MARK} relation"}))
    await _made(korea.post(f"{path}/disclosures", {"agencies": ["INTERPOL"], "purpose": f"{MARK} purpose"}))
    commander = korea.hub.caller("KR-KNPA", "commander")
    urgent = {"agencies": ["VN-MPS"], "purpose": f"{MARK} need", "emergency": True, "reason": f"{MARK} danger"}
    emergency = await _made(commander.post(f"{path}/disclosures", urgent))
    await _made(commander.post(f"{path}/disclosures/{emergency['id']}/confirm", {"reason": MARK}, '"1"'))
    await _made(cambodia.post(f"{path}/handling/acknowledge", {"caveat": f"{MARK} caveat"}))
    for word in ("accept", "reject"):
        sent = {"patch": {"modus_operandi": f"{MARK} {word}"}, "note": f"{MARK} proposal"}
        amendment = await _made(cambodia.post(f"{path}/amendments", sent))
        decision = {"note": f"{MARK} decision"}
        await _made(korea.post(f"{path}/amendments/{amendment['id']}/{word}", decision, '"1"'))
    passed = {"agencies": ["INTERPOL"], "reason": f"{MARK} passing", "respond_by": "2027-11-01T00:00:00Z"}
    onward = await _made(cambodia.post(f"{path}/onward-requests", passed))
    await _made(korea.post(f"{path}/onward-requests/{onward['id']}/refuse", {"reason": f"{MARK} refusal"}, '"1"'))
    await _made(korea.post(f"{path}/recalls", {"agencies": ["INTERPOL"], "reason": f"{MARK} recall"}))
    await _made(cambodia.post(f"{path}/sightings", {"assessment": "corroborates", "note": f"{MARK} sighting"}))
    await _made(korea.patch(path, {"name": f"{MARK.title()}ich Group"}, '"2"'))
    await _made(korea.post(f"{path}/renew", {"reason": f"{MARK} renewal"}, '"3"'))
    held = {"reason": f"{MARK} hold", "authority": f"{MARK} court"}
    hold = await _made(korea.post(f"{path}/legal-holds", held))
    await _made(korea.post(f"{path}/legal-holds/{hold['id']}/release", {"reason": f"{MARK} end"}, '"1"'))
    # What is refused must not leave it in the audit either, nor what is looked for.
    assert (await korea.patch(path, {"status": f"{MARK}"}, '"4"')).status_code == 422
    assert (await korea.post(f"{path}/renew", {"reason": 1, MARK: f"{MARK}"}, '"4"')).status_code == 422
    assert (await korea.post(PATH, {"name": "x", "external_id": f"{MARK}-1"})).status_code == 409
    await _made(cambodia.get(PATH, params={"q": f"{MARK}"}))
    return record


async def test_nothing_of_a_purged_record_is_left_in_any_table(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    for agency in ("TH-RTP", "INTERPOL", "VN-MPS"):
        hub.register(agency)
    record = await _marked(korea, cambodia)
    before = _found(hub, MARK)
    assert {"records", "record_versions", "record_search", "name_words", "record_links", "disclosures"} < set(before)
    assert {"amendments", "sightings", "renewals", "legal_holds", "onward_requests", "recalls"} < set(before)
    assert "caveat_acknowledgements" in before

    await purge(hub, record["id"])

    assert _found(hub, MARK) == {}
    assert (await cambodia.get(PATH, params={"q": "Other"})).json()["items"][0]["name"] == "Other"


async def test_every_table_with_a_records_id_is_cleared_or_named(hub: Hub) -> None:
    """Whoever adds a table that hangs on records says here, or in clear_record(), what becomes of it."""
    tables = hub.look(
        "SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped"
        " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace"
        " AND (a.attname IN ('record_id', 'record_ids', 'resource_id') OR EXISTS (SELECT FROM pg_constraint f"
        " WHERE f.conrelid = c.oid AND f.confrelid = 'records'::regclass))"
    )
    ((cleared,),) = hub.look("SELECT prosrc FROM pg_proc WHERE proname = 'clear_record'")
    unnamed = {table for (table,) in tables} - set(re.findall(r"DELETE FROM (\w+)", cleared)) - set(KEPT)
    assert unnamed == set()


async def test_every_table_to_which_content_is_added_is_guarded(hub: Hub) -> None:
    """A row that the API itself may insert could otherwise slip in behind a purge."""
    unguarded = hub.look(
        "SELECT c.relname FROM pg_class c JOIN pg_constraint f ON f.conrelid = c.oid"
        " WHERE f.confrelid = 'records'::regclass AND has_any_column_privilege('interdesk_api', c.oid, 'INSERT')"
        " AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgfoid = 'refuse_purged'::regproc)"
    )
    assert unguarded == []


async def test_only_words_that_no_other_name_has_are_forgotten(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    gone = await korea.profile("Bokor Zanzibar")
    await korea.profile("Bokor Mountain")
    words = "SELECT word FROM name_words ORDER BY 1"
    assert {word for (word,) in hub.look(words)} == {"bokor", "mountain", "zanzibar"}

    await purge(hub, gone["id"])

    assert {word for (word,) in hub.look(words)} == {"bokor", "mountain"}
    assert len((await korea.get(PATH, params={"q": "bokkor"})).json()["items"]) == 1


async def test_what_is_forgotten_and_brought_again_at_the_same_moment_stays(hub: Hub) -> None:
    """A writer that has not committed yet holds its words; one that comes while they are deleted brings them again."""
    korea = hub.partner("KR-KNPA")
    await korea.profile("Bokor Mountain")
    bring = "INSERT INTO name_words (word) VALUES ('zanzibar')"
    below_policies(hub, bring)
    with psycopg.connect(hub.conninfo(DatabaseRole.OWNER)) as writer:
        writer.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended('interdesk.name_words', 0))")
        async with worker(hub) as connection:
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await connection.execute("SELECT forget_names('', 1000)")
            writer.rollback()
            await connection.execute("SELECT forget_names('', 1000)")
    assert hub.look("SELECT count(*) FROM name_words WHERE word = 'zanzibar'") == [(0,)]


async def test_the_audit_and_the_report_name_what_was_done(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    records = [(await korea.profile(f"K{n}"))["id"] for n in range(2)] + [(await cambodia.profile("C"))["id"]]
    for record in records:
        review_on(hub, record, in_days(-1))
    soon = (await korea.profile(handling={"review_on": in_days(90)}))["id"]

    report = await night(hub)

    assert {str(one.id) for one in report.purged} == set(records)
    # A record whose warning never went out is warned of in the same run, so that the feed says both.
    assert {str(one.id) for one in report.warned} == {*records, soon}
    entries = hub.look(
        "SELECT agency, client_id, officer, purpose, action, kind, record_ids::text[], originators FROM audit_entries"
        " WHERE action IN ('record.warn', 'record.purge') ORDER BY at"
    )
    assert [entry[:6] for entry in entries] == [
        ("HUB", "operator", "retention job", "Review dates", action, "criminal-organizations")
        for action in ("record.warn", "record.purge")
    ]
    assert set(entries[1][6]) == set(records)
    assert sorted(entries[1][7]) == ["KH-CNP", "KR-KNPA", "KR-KNPA"]
    auditor = hub.caller("KR-KNPA", "auditor")
    told = (await auditor.get("/v1/audit-entries", params={"of": "records", "action": "record.purge"})).json()["items"]
    assert [set(entry["record_ids"]) for entry in told] == [set(records[:2])]


async def test_nothing_is_purged_before_its_day_has_passed(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    today, tomorrow = (await korea.profile("A"))["id"], (await korea.profile("B"))["id"]
    review_on(hub, today, in_days(0))
    review_on(hub, tomorrow, in_days(1))
    assert (await night(hub)).purged == []


async def test_a_record_with_thousands_of_versions_is_purged(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    records = [(await korea.profile(f"Group {n}"))["id"] for n in range(3)]
    for record in records:
        below_policies(
            hub,
            "INSERT INTO record_versions (record_id, version, at, changed, document, shared_document)"
            " SELECT r.id, n, r.created_at, '{}', r.document, r.shared_document"
            " FROM records r, generate_series(2, 12000) AS n WHERE r.id = %s",
            record,
        )
        below_policies(hub, "UPDATE records SET version = 12000 WHERE id = %s", record)
        review_on(hub, record, in_days(-1))

    async with worker(hub) as connection:
        rows = await (await connection.execute("SELECT id FROM purge_due_records(500)")).fetchall()
        # As many as make a transaction of bearable length, and always one.
        assert len(rows) == 1
        report = await purging.run(connection)

    assert len(report.purged) == 2
    assert hub.look("SELECT version, state FROM records") == [(12001, "purged")] * 3
    assert hub.look("SELECT count(*) FROM record_versions") == [(3,)]


async def test_two_jobs_at_once_purge_each_record_once(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    korea = hub.partner("KR-KNPA")
    records = [(await korea.profile(f"Group {n}"))["id"] for n in range(12)]
    for record in records:
        review_on(hub, record, in_days(-1))
    monkeypatch.setattr(purging, "BATCH", 2)

    async def job() -> purging.Run:
        async with worker(hub) as connection:
            return await purging.run(connection)

    reports = await asyncio.gather(job(), job(), job())

    assert sorted(str(one.id) for report in reports for one in report.purged) == sorted(records)
    assert sorted(str(one.id) for report in reports for one in report.warned) == sorted(records)
    assert [report.busy for report in reports] == [[], [], []]
    for kind in ("record.purged", "record.review_due"):
        assert hub.look("SELECT count(*) FROM events WHERE type = %s", kind) == [(len(records),)]
    assert hub.look(
        "SELECT count(DISTINCT u) FROM audit_entries, unnest(record_ids) u WHERE action = 'record.purge'"
    ) == [(len(records),)]


async def test_a_job_that_dies_leaves_each_record_whole_or_purged(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    korea = hub.partner("KR-KNPA")
    records = [(await korea.profile(f"Group {n}"))["id"] for n in range(4)]
    for record in records:
        review_on(hub, record, in_days(-1))
    monkeypatch.setattr(purging, "BATCH", 2)

    def die(done: int) -> None:
        if done:
            raise ConnectionAbortedError

    async with worker(hub) as connection:
        with pytest.raises(ConnectionAbortedError):
            await purging.run(connection, done=die)
        # In the middle of a batch, its transaction is lost with the server process.
        await connection.execute("BEGIN")
        await connection.execute("SELECT purge_due_records(1)")
        await connection.cancel_safe()
        await connection.close()

    states = hub.look(
        "SELECT r.state, count(*), count(*) FILTER (WHERE (r.state = 'purged') = (r.document LIKE '%%Group%%')),"
        " sum((SELECT count(*) FROM record_versions v WHERE v.record_id = r.id)),"
        " sum((SELECT count(*) FROM events e WHERE e.record_id = r.id AND e.type = 'record.purged'))"
        " FROM records r GROUP BY r.state ORDER BY 1"
    )
    assert states == [("current", 2, 0, 2, 0), ("purged", 2, 0, 2, 2)]
    assert len((await night(hub)).purged) == 2


Act = Callable[[Partner, str], Awaitable[httpx.Response]]
ACTS: dict[str, Act] = {
    "renew": lambda korea, path: korea.post(f"{path}/renew", {"reason": MARK}, '"1"'),
    "hold": lambda korea, path: korea.post(f"{path}/legal-holds", {"reason": MARK}),
    "patch": lambda korea, path: korea.patch(path, {"summary": MARK}, '"1"'),
    "retract": lambda korea, path: korea.post(f"{path}/retract", etag='"1"'),
    "disclose": lambda korea, path: korea.post(f"{path}/disclosures", {"agencies": ["KH-CNP"], "purpose": MARK}),
    "amend": lambda korea, path: korea.post(f"{path}/amendments", {"patch": {"status": "dormant"}, "note": MARK}),
    "sight": lambda korea, path: korea.post(f"{path}/sightings", {"assessment": "corroborates", "note": MARK}),
}
KEEPS = ("renew", "hold")
"""What keeps a record whose review date has passed; after everything else it is purged all the same."""


@pytest.mark.parametrize("act", ACTS)
async def test_whoever_acts_at_the_moment_of_the_purge_comes_first_or_not_at_all(hub: Hub, act: str) -> None:
    korea = hub.partner("KR-KNPA")
    hub.register("KH-CNP")
    records = [(await korea.profile(f"Group {n}"))["id"] for n in range(8)]
    for record in records:
        review_on(hub, record, in_days(-1))

    async def job() -> None:
        async with worker(hub) as connection:
            for _ in records:
                await connection.execute("SELECT purge_due_records(1)")

    answers, _ = await asyncio.gather(
        asyncio.gather(*(ACTS[act](korea, f"{PATH}/{record}") for record in reversed(records))), job()
    )
    place(hub)

    assert {answer.status_code for answer in answers} <= {200, 201, 404, 409, 412}, [a.text for a in answers]
    done = {record for record, answer in zip(reversed(records), answers, strict=True) if answer.is_success}
    purged = {str(record) for (record,) in hub.look("SELECT id FROM records WHERE state = 'purged'")}
    if act in KEEPS:
        assert not done & purged
        assert done | purged == set(records)
    await night(hub)
    left = _found(hub, MARK)
    assert set(left) <= ({"renewals", "legal_holds"} if act in KEEPS else set()), left
    assert len(hub.look("SELECT FROM records WHERE state = 'purged'")) == len(records) - (
        len(done) if act in KEEPS else 0
    )


LOCKED: dict[str, str] = {
    "a hold that is being placed": "SELECT place_legal_hold(uuid7(), %s, 'reason', NULL, NULL, clock_timestamp())",
    "a change under way": "UPDATE records SET version = version + 1 WHERE id = %s",
    "an amendment under way": "INSERT INTO amendments"
    " (id, record_id, agency, patch, base_version, created_at, updated_at)"
    " VALUES (uuid7(), %s, 'KR-KNPA', '{}', 1, clock_timestamp(), clock_timestamp())",
}


@pytest.mark.parametrize("why", LOCKED)
async def test_the_purge_waits_for_nobody_and_comes_back(hub: Hub, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    korea = hub.partner("KR-KNPA")
    record, other = (await korea.profile("A"))["id"], (await korea.profile("B"))["id"]
    for one in (record, other):
        review_on(hub, one, in_days(-1))
    monkeypatch.setattr(purging, "_PAUSE_SECONDS", 0)
    with psycopg.connect(hub.conninfo(DatabaseRole.OWNER)) as somebody:
        somebody.execute("SET ROLE interdesk_engine")
        somebody.execute("SELECT enter_operator('KR-KNPA', 'r', 'o', 'p')")
        somebody.execute(LOCKED[why], (record,))  # type: ignore[arg-type]
        report = await night(hub)
        assert [str(one.id) for one in report.purged] == [other]
        assert [str(one.id) for one in report.busy] == [record]
        somebody.commit()

    report = await night(hub)

    if "hold" in why:
        assert (report.purged, [str(one.id) for one in report.held]) == ([], [record])
    else:
        assert [str(one.id) for one in report.purged] == [record]


async def _waiting(hub: Hub, sessions: int) -> bool:
    waiting = hub.look(
        "SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE NOT l.granted AND a.datname = current_database()"
    )
    return waiting == [(sessions,)]


async def test_an_addition_waits_for_the_purge_and_is_refused(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    record = (await korea.profile(share=["KH-CNP"]))["id"]
    own = (await cambodia.profile("Own"))["id"]
    review_on(hub, record, in_days(-1))
    link = {"type": "related_to", "kind": "criminal-organizations", "id": record, "note": MARK}
    async with worker(hub) as connection:
        await connection.execute("BEGIN")
        await connection.execute("SELECT purge_due_records(1)")
        additions = asyncio.gather(
            korea.post(f"{PATH}/{record}/legal-holds", {"reason": MARK}),
            cambodia.post(f"{PATH}/{record}/sightings", {"assessment": "corroborates", "note": MARK}),
            cambodia.post(f"{PATH}/{own}/links", link),
        )
        await until(lambda: _waiting(hub, 3))
        await connection.execute("COMMIT")
        answers = await additions

    assert [answer.status_code for answer in answers] == [409, 404, 422]
    assert answers[0].json()["type"] == "/problems/purged"
    assert _found(hub, MARK) == {}


async def test_the_clock_of_review_dates_is_that_of_greenwich(hub: Hub) -> None:
    """A session's time zone moves no review date."""
    korea = hub.partner("KR-KNPA")
    record = (await korea.profile())["id"]
    review_on(hub, record, clock.now().date().isoformat())
    async with worker(hub) as connection:
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
            await connection.execute(f"SET TimeZone = '{zone}'")
            await connection.execute("SET DateStyle = 'German'")
            assert (await purging.run(connection)).purged == []
        review_on(hub, record, (clock.now().date() - timedelta(days=1)).isoformat())
        assert len((await purging.run(connection)).purged) == 1
