"""H3 over HTTP: nothing of the content before the caveat is acknowledged, by anything that a reader can call."""

import asyncio
import csv
import io
from typing import Any

import psycopg

from app.access.envelope import Cover
from app.core import clock
from app.core.database_roles import DatabaseRole
from app.core.ids import uuid7
from tests.conftest import Hub, Partner
from tests.routers.entrance import below_policies

PATH = "/v1/criminal-organizations"
CAVEAT = "Do not act on this without asking first: a source would be known by it."
CONTENT: dict[str, Any] = {
    "summary": "Warns compounds before they are searched.",
    "external_id": "2026-1187",
    "status": "active",
    "threat_level": "high",
    "kind": "gang",
    "aliases": [{"name": "등불회"}],
    "activities": [{"type": "corruption"}],
    "locations": [{"country": "TH"}],
}
SECRETS = ("Lantern", "등불회", "Warns compounds", "2026-1187", "corruption", "2026-10")


def _handling(caveat: str | None = CAVEAT, *agencies: str, codes: list[str] | None = None) -> dict[str, Any]:
    audience = {"agencies": list(agencies or ["KH-CNP", "TH-RTP"])}
    return {"tlp": "AMBER", "codes": ["H3"] if codes is None else codes, "caveat": caveat, "audience": audience}


async def _covered(hub: Hub) -> tuple[Partner, Partner, str]:
    """A record with H3, its originator, a reader who has yet to acknowledge the caveat, and the record's path."""
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    hub.register("TH-RTP")
    created = await korea.profile("Lantern Circle", handling=_handling(), **CONTENT)
    return korea, cambodia, f"{PATH}/{created['id']}"


async def _acknowledge(partner: Partner, path: str, caveat: str = CAVEAT, **options: Any) -> Any:
    return await partner.post(f"{path}/handling/acknowledge", {"caveat": caveat}, **options)


async def _reword(korea: Partner, path: str, handling: dict[str, Any]) -> None:
    etag = (await korea.get(f"{path}/handling")).headers["ETag"]
    answer = await korea.put(f"{path}/handling", handling, etag)
    assert answer.status_code == 200, answer.text


async def test_the_content_is_shown_once_the_caveat_is_acknowledged(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)

    refused = await cambodia.get(path, headers={"If-None-Match": '"1"'})
    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/acknowledgement-required"
    assert refused.json()["caveat"] == CAVEAT
    assert f"POST {path}/handling/acknowledge" in refused.json()["detail"]
    assert not any(secret in refused.text for secret in SECRETS)

    done = await _acknowledge(cambodia, path, headers={"On-Behalf-Of": "Lt. Sok"})
    assert done.status_code == 200, done.text
    told = done.json()
    assert (told["agency"], told["caveat"], told["record_version"], told["officer"]) == (
        *("KH-CNP", CAVEAT, 1),
        "Lt. Sok",
    )
    seen = await cambodia.get(path)
    assert (seen.status_code, seen.headers["ETag"], seen.json()["name"]) == (200, '"1"', "Lantern Circle")
    assert (await cambodia.get(path, headers={"If-None-Match": '"1"'})).status_code == 304
    # For the whole agency, and for no other.
    assert (await hub.caller("KH-CNP", "connector").get(path)).status_code == 200
    assert (await hub.caller("TH-RTP", "analyst").get(path)).status_code == 409
    assert (await korea.get(path)).status_code == 200


async def test_every_call_below_the_record_waits_for_the_acknowledgement(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)
    other = await korea.profile("Other", share=["KH-CNP"])
    relation = await korea.post(f"{path}/relations", {"type": "funds", "target": other["id"], "note": "Lantern pays."})
    link = {"type": "related_to", "kind": "criminal-organizations", "id": other["id"], "note": "Lantern again."}
    pointer = await korea.post(f"{path}/links", link)
    # What was added by a reader while the record had no caveat.
    await _reword(korea, path, _handling(None, codes=[]))
    sighting = await cambodia.post(f"{path}/sightings", {"assessment": "corroborates", "observed_on": "2026-10"})
    proposed = {"patch": {"status": "dormant"}}
    amendment = await cambodia.post(f"{path}/amendments", proposed, headers={"Idempotency-Key": "k"})
    assert {sighting.status_code, amendment.status_code} == {201}
    await _reword(korea, path, _handling())

    reads = [
        "",
        *(
            "/versions",
            "/versions/1",
            "/versions/2",
            "/versions/3",
            "/links",
            "/relations",
            "/amendments",
            "/sightings",
        ),
        f"/links/{pointer.json()['link_id']}",
        f"/relations/{relation.json()['id']}",
        f"/amendments/{amendment.json()['id']}",
        f"/sightings/{sighting.json()['id']}",
    ]
    for below in reads:
        for headers in ({}, {"If-None-Match": "*"}, {"Accept": "text/csv"}):
            answer = await cambodia.get(f"{path}{below}", headers=headers)
            assert (answer.status_code, answer.json()["caveat"]) == (409, CAVEAT), below
            assert not any(secret in answer.text for secret in SECRETS), below
    for below, body in (("/sightings", {"assessment": "corroborates"}), ("/amendments", proposed)):
        # Also where the same call was done before: its answer shows what hangs on the record.
        answer = await cambodia.post(f"{path}{below}", body, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/acknowledgement-required"), below
    # What a reader may not do anyway is refused for that.
    for answer in (
        await cambodia.patch(path, {"name": "x"}, '"1"'),
        await cambodia.get(f"{path}/handling"),
        await cambodia.get(f"{path}/handling/acknowledgements"),
        await cambodia.post(f"{path}/disclosures", {"agencies": ["KH-CNP"], "purpose": "x"}),
    ):
        assert answer.status_code == 403

    assert (await _acknowledge(cambodia, path)).status_code == 200
    for below in reads:
        assert (await cambodia.get(f"{path}{below}")).status_code == 200, below


async def test_the_database_holds_what_hangs_on_a_covered_record_by_itself(hub: Hub) -> None:
    """Behind the calls stand the policies: a query that forgot to ask finds nothing."""
    korea, cambodia, path = await _covered(hub)
    record = path.rpartition("/")[2]
    other = await korea.profile("Other", share=["KH-CNP"])
    await korea.post(f"{path}/relations", {"type": "funds", "target": other["id"]})
    await _reword(korea, path, _handling(None, codes=[]))
    await cambodia.post(f"{path}/sightings", {"assessment": "corroborates"})
    await cambodia.post(f"{path}/amendments", {"patch": {"status": "dormant"}})
    await _reword(korea, path, _handling())

    async def found() -> list[int]:
        with psycopg.connect(hub.conninfo(DatabaseRole.API)) as api:
            api.execute("SELECT enter(%s, %s, %s, NULL, 'r', NULL, NULL)", (cambodia.client_id, uuid7(), clock.now()))
            return [
                api.execute(f"SELECT count(*) FROM {table} WHERE record_id = %s", (record,)).fetchone()[0]  # type: ignore[index]  # noqa: S608 - names of this file's own
                for table in ("record_versions", "record_links", "amendments", "sightings")
            ]

    assert await found() == [0, 0, 0, 0]
    await _acknowledge(cambodia, path)
    assert await found() == [3, 1, 1, 1]


async def test_lists_show_a_cover(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)
    plain = await korea.profile("Plain", share=["KH-CNP"])

    page = (await cambodia.get(PATH)).json()["items"]
    cover = page[1]
    assert [item["id"] for item in page] == [plain["id"], path.rpartition("/")[2]]
    own = (await korea.get(path)).json()
    assert cover == {
        **{name: own[name] for name in ("id", "reference", "originator", "version", "created_at", "updated_at")},
        "state": "acknowledgement_required",
        "handling": {name: own["handling"][name] for name in ("tlp", "codes", "caveat", "review_on")},
    }
    assert Cover.model_validate(cover).model_dump(mode="json") == cover
    table = await cambodia.get(PATH, headers={"Accept": "text/csv"})
    (row,) = [row for row in csv.DictReader(io.StringIO(table.text)) if row["id"] == cover["id"]]
    assert {name for name, value in row.items() if value} == {
        *("id", "reference", "originator", "version", "state", "created_at", "updated_at"),
        *("handling.tlp", "handling.codes", "handling.caveat", "handling.review_on"),
    }
    # What it is found by says nothing of the content either.
    for query in ({"reference": cover["reference"]}, {"originator": "KR-KNPA"}, {"shared_with_me": "true"}):
        answer = await cambodia.get(PATH, params=query)
        assert cover in answer.json()["items"]
        assert not any(secret in answer.text for secret in SECRETS)
    assert [item["state"] for item in (await korea.get(PATH)).json()["items"]] == ["current", "current"]

    await _acknowledge(cambodia, path)
    shown = (await cambodia.get(PATH)).json()["items"][1]
    assert shown == (await cambodia.get(path)).json()
    assert shown["name"] == "Lantern Circle"


FINDS: list[dict[str, str]] = [
    {"q": "Lantern Circle"},
    {"q": "lantren circel"},
    {"q": "lan"},
    {"q": "등불"},
    {"q": "lantern", "status": "active"},
    {"q": "lantern", "external_id": "2026-1187"},
    {"external_id": "2026-1187"},
    {"status": "active"},
    {"country": "TH"},
    {"threat_level": "high"},
    {"activity": "corruption"},
    {"kind": "gang"},
    {"status": "active", "originator": "KR-KNPA"},
    {"activity": "corruption", "order": "created_at"},
]


async def test_nothing_that_it_says_finds_a_covered_record(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)
    record = path.rpartition("/")[2]
    by_reference = {"reference": (await korea.get(path)).json()["reference"], "status": "active"}
    for query in [*FINDS, by_reference]:
        assert (await cambodia.get(PATH, params=query)).json()["items"] == [], query
        assert [item["id"] for item in (await korea.get(PATH, params=query)).json()["items"]] == [record], query

    await _acknowledge(cambodia, path)
    for query in [*FINDS, by_reference]:
        assert [item["id"] for item in (await cambodia.get(PATH, params=query)).json()["items"]] == [record], query


_HIDDEN = (
    "INSERT INTO records (id, kind, reference, originator, created_at, updated_at, handling, audience, names, facets,"
    " document, shared_document) SELECT gen_random_uuid(), kind, n::text, 'TH-RTP', clock_timestamp(),"
    " clock_timestamp(), handling, ARRAY['TH-RTP'], names, facets, document, shared_document"
    " FROM generate_series(1, %s) AS n, records WHERE id = %s"
)


async def test_covered_records_are_not_felt_among_many(hub: Hub) -> None:
    """Enough records that both ways of making a filtered page are taken; pages stay full and whole."""
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    hub.register("TH-RTP")
    open_ones, covered = [], []
    for number in range(24):
        handling = _handling(CAVEAT, "KH-CNP") if number % 2 else _handling(None, "KH-CNP", codes=[])
        made = await korea.profile(f"Lantern {number}", handling=handling, status="active")
        (covered if number % 2 else open_ones).append(made["id"])

    async def walk(**query: Any) -> list[str]:
        found, parameters = [], {**query, "limit": 5}
        while True:
            page = (await cambodia.get(PATH, params=parameters)).json()
            found += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                return found
            assert len(page["items"]) == 5
            parameters["cursor"] = page["next_cursor"]

    assert await walk() == sorted([*open_ones, *covered], reverse=True)
    for others in (0, 1500):  # Newer ones, so many that the newest are walked no more and the indexes are asked.
        below_policies(hub, _HIDDEN, others, open_ones[0])
        for query in ({"status": "active"}, {"status": "active", "order": "created_at"}):
            assert await walk(**query) == sorted(open_ones, reverse=True)
        assert set(await walk(q="lantern")) == set(open_ones)


async def test_only_the_words_that_were_shown_can_be_acknowledged(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)
    for guess in ("Yes, yes.", CAVEAT.upper(), f"{CAVEAT} "[:-2]):
        answer = await _acknowledge(cambodia, path, guess)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/acknowledgement-required")
        assert answer.json()["caveat"] == CAVEAT
    for body in ({}, {"caveat": None}, {"caveat": ""}, {"caveat": "x" * 4001}, {"caveat": CAVEAT, "more": 1}):
        assert (await cambodia.post(f"{path}/handling/acknowledge", body)).status_code == 422
    assert (await cambodia.get(path)).status_code == 409

    # As every text is read: in its canonical form, without white space around it.
    assert (await _acknowledge(cambodia, path, f"  {CAVEAT}\r\n")).status_code == 200
    # Once is enough; again is no second one.
    again = await _acknowledge(hub.caller("KH-CNP", "analyst"), path)
    assert again.status_code == 200
    kept = (await korea.get(f"{path}/handling/acknowledgements")).json()["items"]
    assert [one["id"] for one in kept] == [again.json()["id"]]
    assert hub.look("SELECT count(*) FROM audit_entries WHERE action = 'handling.acknowledge'") == [(1,)]


async def test_a_changed_caveat_is_asked_for_again(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)
    await _acknowledge(cambodia, path)
    stricter = "Destroy after reading."
    await _reword(korea, path, _handling(stricter))

    refused = await cambodia.get(path)
    assert (refused.status_code, refused.json()["caveat"]) == (409, stricter)
    assert (await _acknowledge(cambodia, path)).json()["caveat"] == stricter
    assert (await _acknowledge(cambodia, path, stricter)).json()["record_version"] == 2
    assert (await cambodia.get(path)).status_code == 200
    # Another label is no other caveat; and words that were acknowledged once stay so.
    await _reword(korea, path, {**_handling(stricter), "tlp": "RED"})
    assert (await cambodia.get(path)).status_code == 200
    await _reword(korea, path, _handling())
    assert (await cambodia.get(path)).status_code == 200
    # A caveat without H3 is shown with the content.
    await _reword(korea, path, _handling("Handle with care.", codes=["H1"]))
    assert (await cambodia.get(path)).json()["handling"]["caveat"] == "Handle with care."

    told = (await korea.get(f"{path}/handling/acknowledgements")).json()["items"]
    assert [(one["agency"], one["caveat"], one["record_version"]) for one in told] == [
        ("KH-CNP", stricter, 2),
        ("KH-CNP", CAVEAT, 1),
    ]


async def test_the_originator_learns_who_acknowledged_and_never_which_officer(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)
    thailand = hub.caller("TH-RTP", "analyst")
    headers = {"On-Behalf-Of": "Lt. Sok", "Access-Purpose": "case 9"}
    for reader in (cambodia, thailand):
        assert (await _acknowledge(reader, path, headers=headers)).status_code == 200

    first = await korea.get(f"{path}/handling/acknowledgements", params={"limit": 1})
    rest = await korea.get(
        f"{path}/handling/acknowledgements", params={"limit": 1, "cursor": first.json()["next_cursor"]}
    )
    assert [page.json()["items"][0]["agency"] for page in (first, rest)] == ["TH-RTP", "KH-CNP"]
    assert rest.json()["next_cursor"] is None
    assert set(first.json()["items"][0]) == {"id", "agency", "caveat", "record_version", "at"}
    assert (await korea.get(f"{path}/handling/acknowledgements", headers={"Accept": "text/csv"})).text.count("\n") == 3
    for text in (first.text, rest.text):
        assert not any(word in text for word in ("Sok", "case 9", cambodia.client_id))
    trail = await hub.caller("KR-KNPA", "auditor").get("/v1/audit-entries", params={"of": "records"})
    assert [(entry["agency"], entry["action"]) for entry in trail.json()["items"]] == [
        ("TH-RTP", "handling.acknowledge"),
        ("KH-CNP", "handling.acknowledge"),
    ]


async def test_originator_and_agency_are_told(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)
    acknowledgement = (await _acknowledge(cambodia, path)).json()["id"]
    hub.operator("SELECT sequence_events()")

    async def told(partner: Partner) -> list[Any]:
        events = (await partner.get("/v1/events")).json()["items"]
        return [event["data"]["detail"] for event in events if event["type"] == "interdesk.handling.acknowledged"]

    expected = [{"agency": "KH-CNP", "acknowledgement": acknowledgement}]
    assert await told(korea) == expected
    assert await told(hub.caller("KH-CNP", "connector")) == expected
    assert await told(hub.caller("TH-RTP", "analyst")) == []


async def test_who_has_nothing_to_acknowledge(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)
    plain = f"{PATH}/{(await korea.profile('Plain', share=['KH-CNP']))['id']}"
    for answer in (await _acknowledge(korea, path), await _acknowledge(cambodia, plain)):
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
    stranger = hub.partner("VN-MPS")
    assert (await _acknowledge(stranger, path)).status_code == 404
    assert (await _acknowledge(hub.caller("KH-CNP", "auditor"), path)).status_code == 403
    revoked = hub.caller("KH-CNP", "analyst")
    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", revoked.client_id
    )
    assert (await _acknowledge(revoked, path)).status_code == 401


async def test_a_retracted_record_asks_for_nothing(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)
    retracted = await korea.post(f"{path}/retract", etag='"1"')
    assert retracted.status_code == 200
    assert (await cambodia.get(path)).json() == retracted.json()
    assert (await cambodia.get(PATH)).json()["items"] == [retracted.json()]
    assert [item["version"] for item in (await cambodia.get(f"{path}/versions")).json()["items"]] == [2]
    answer = await _acknowledge(cambodia, path)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/retracted")


async def test_a_lost_sight_takes_the_acknowledgement_along(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)
    first = await _acknowledge(cambodia, path, headers={"Idempotency-Key": "k"})
    await _reword(korea, path, _handling(CAVEAT, "TH-RTP"))
    again = await _acknowledge(cambodia, path, headers={"Idempotency-Key": "k"})
    assert again.status_code == 404
    await _reword(korea, path, _handling())
    again = await _acknowledge(cambodia, path, headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (200, first.json(), "true")
    other = await _acknowledge(cambodia, path, "Other words.", headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-mismatch")
    assert (await cambodia.get(path)).status_code == 200


async def test_a_body_twice_too_long_is_refused(hub: Hub) -> None:
    _, cambodia, path = await _covered(hub)
    body = b'{"caveat": "' + b"x" * (2 * hub.settings.body_limit) + b'"}'
    answer = await cambodia.call(
        "POST", f"{path}/handling/acknowledge", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


async def test_two_systems_acknowledge_at_once_and_it_is_one(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)
    systems = [cambodia, *(hub.caller("KH-CNP", "analyst") for _ in range(3))]
    answers = await asyncio.gather(*(_acknowledge(system, path) for system in systems))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await korea.get(f"{path}/handling/acknowledgements")).json()["items"]) == 1
    assert hub.look("SELECT count(*) FROM events WHERE type = 'handling.acknowledged'") == [(1,)]


async def test_a_caveat_changed_meanwhile_is_not_the_one_acknowledged(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)
    other = "Ask the liaison officer first."

    async def change() -> None:
        await _reword(korea, path, _handling(other))

    answer, _ = await asyncio.gather(_acknowledge(cambodia, path), change())
    assert answer.status_code in (200, 409)
    assert (await cambodia.get(path)).json()["caveat"] == other


async def test_links_of_others_lead_to_a_cover_and_its_own_are_covered(hub: Hub) -> None:
    korea, cambodia, path = await _covered(hub)
    record = path.rpartition("/")[2]
    other = f"{PATH}/{(await korea.profile('Other', share=['KH-CNP']))['id']}"
    pointer = {"type": "related_to", "kind": "criminal-organizations", "note": "Lantern pays."}
    await korea.post(f"{path}/links", {**pointer, "id": other.rpartition("/")[2]})
    assert (await cambodia.get(f"{other}/links")).json()["items"] == []
    await korea.post(f"{other}/links", {**pointer, "id": record, "note": None})
    shown = (await cambodia.get(f"{other}/links")).json()["items"]
    assert [(link["id"], link["outgoing"], link["note"]) for link in shown] == [(record, True, None)]
    # A reader may point at it too: that says nothing but its id.
    own = f"{PATH}/{(await cambodia.profile('Own'))['id']}"
    assert (await cambodia.post(f"{own}/links", {**pointer, "id": record})).status_code == 201

    await _acknowledge(cambodia, path)
    assert len((await cambodia.get(f"{other}/links")).json()["items"]) == 2


async def test_the_audit_tells_covers_from_content(hub: Hub) -> None:
    _, cambodia, path = await _covered(hub)
    record = path.rpartition("/")[2]
    await cambodia.get(PATH)
    await cambodia.get(path)
    await _acknowledge(cambodia, path)
    await cambodia.get(PATH)
    entries = hub.look(
        "SELECT action, outcome, detail FROM audit_entries"
        " WHERE agency = 'KH-CNP' AND action IN ('record.list', 'record.read') ORDER BY id"
    )
    assert entries == [
        ("record.list", "done", {"covered": [record]}),
        ("record.read", "acknowledgement-required", None),
        ("record.list", "done", None),
    ]
