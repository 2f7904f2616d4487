"""Agreements over HTTP: drafted, changed, listed, and not there for those who are no parties."""

import asyncio
import hashlib
import json
from typing import Any

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from tests.conftest import Hub, Partner
from tests.routers.agreeing import PATH, commander, conclude, content, draft, move, moved, open_to, sign, state

ANY_ID = "01920000-0000-7000-8000-000000000000"

CONTENT = (
    "kind",
    "title",
    "parties",
    "record_kinds",
    "crime_types",
    "purposes",
    "persons_data",
    "territory",
    "valid_from",
    "valid_until",
    "documents",
)


async def test_a_draft_is_its_originators_alone(hub: Hub) -> None:
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    path = await draft(
        korea,
        "KH-CNP",
        crime_types=["phone_scam", "kidnapping", "kidnapping"],
        purposes=["Search for missing persons"],
        territory=["KR", "KH"],
        valid_until="2999-12-31",
        documents=[{"title": "English text", "url": "https://police.example/mou.pdf"}],
    )

    read = await korea.get(path)

    told = read.json()
    assert told | {"id": "", "reference": "", "content_hash": "", "created_at": "", "updated_at": ""} == {
        "kind": "mou",
        "title": "Memorandum on scam compounds",
        "parties": ["KH-CNP", "KR-KNPA"],
        "record_kinds": ["criminal-organizations"],
        "crime_types": ["kidnapping", "phone_scam"],
        "purposes": ["Search for missing persons"],
        "persons_data": False,
        "territory": ["KH", "KR"],
        "valid_from": "2020-01-01",
        "valid_until": "2999-12-31",
        "documents": [{"title": "English text", "sha256": None, "url": "https://police.example/mou.pdf", "note": None}],
        "id": "",
        "reference": "",
        "originator": "KR-KNPA",
        "state": "draft",
        "content_hash": "",
        "proposed_at": None,
        "in_force_since": None,
        "suspensions": [],
        "termination": None,
        "version": 1,
        "created_at": "",
        "updated_at": "",
        "ended_at": None,
    }
    assert told["reference"].startswith("KR-KNPA-AG-20")
    assert read.headers["ETag"] == '"1"'
    assert (await korea.get(path, headers={"If-None-Match": '"1"'})).status_code == 304
    assert (await cambodia.get(path)).status_code == 404
    assert (await cambodia.get(PATH)).json()["items"] == []
    assert (await moved(korea, path, "negotiate"))["proposed_at"] is not None
    assert (await cambodia.get(path)).json()["state"] == "in_negotiation"
    assert len((await cambodia.get(PATH)).json()["items"]) == 1


async def test_the_hash_can_be_computed_by_anybody(hub: Hub) -> None:
    """With nothing of the hub's own: for such members sorting and the shortest form is all that RFC 8785 asks for."""
    korea = commander(hub, "KR-KNPA")
    hub.register("KH-CNP")
    path = await draft(korea, "KH-CNP", title="양해각서", documents=[{"title": "អត្ថបទ"}], purposes=["a", "b"])
    told = (await korea.get(path)).json()

    said = {name: told[name] for name in CONTENT}
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    assert hashlib.sha256(text.encode()).hexdigest() == told["content_hash"]


async def test_the_order_of_a_list_of_codes_makes_no_other_agreement(hub: Hub) -> None:
    korea = commander(hub, "KR-KNPA")
    for code in ("KH-CNP", "TH-RTP"):
        hub.register(code)
    path = await draft(korea, "TH-RTP", "KH-CNP", crime_types=["kidnapping", "corruption"])

    same = await korea.patch(
        path,
        {"parties": ["KH-CNP", "TH-RTP", "KR-KNPA"], "crime_types": ["corruption", "kidnapping", "corruption"]},
        etag='"1"',
    )

    assert (same.status_code, same.headers["ETag"]) == (200, '"1"')


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"parties": ["KR-KNPA", "XX-NONE"]}, "unknown-reference", "/parties/1"),
        ({"parties": ["HUB", "KR-KNPA"]}, "unknown-reference", "/parties/0"),
        ({"parties": ["KH-CNP", "TH-RTP"]}, "originator-missing", "/parties"),
        ({"parties": ["KR-KNPA", "KR-KNPA"]}, "parties-too-few", "/parties"),
        ({"parties": ["KR-KNPA"]}, "too-short", "/parties"),
        ({"record_kinds": []}, "too-short", "/record_kinds"),
        ({"record_kinds": ["persons"]}, "enum", "/record_kinds/0"),
        ({"territory": ["XX"]}, "country-unknown", "/territory/0"),
        ({"valid_until": "2019-12-31"}, "dates-out-of-order", "/valid_until"),
        ({"valid_from": None}, "date-invalid", "/valid_from"),
        ({"documents": [{"title": "T", "sha256": "ABC"}]}, "sha256-invalid", "/documents/0/sha256"),
        ({"documents": [{"title": "T", "url": "javascript:alert(1)"}]}, "url-invalid", "/documents/0/url"),
        ({"state": "in_force"}, "extra-forbidden", "/state"),
        ({"kind": "pact"}, "enum", "/kind"),
    ],
)
async def test_what_no_agreement_can_say_is_refused(hub: Hub, fields: dict[str, Any], code: str, pointer: str) -> None:
    korea = commander(hub, "KR-KNPA")
    for other in ("KH-CNP", "TH-RTP"):
        hub.register(other)

    answer = await korea.post(PATH, content("KR-KNPA", "KH-CNP", **fields))

    assert answer.status_code == 422
    assert [(flaw["code"], flaw["pointer"]) for flaw in answer.json()["errors"]] == [(code, pointer)]
    assert (await korea.get(PATH)).json()["items"] == []


async def test_a_body_of_twice_the_limit_is_refused(hub: Hub) -> None:
    korea = commander(hub, "KR-KNPA")
    path = await open_to(korea, hub.register("KH-CNP"))
    long = {"reason": "x" * (2 * hub.settings.body_limit)}

    answers = [
        await korea.post(PATH, long),
        await move(korea, path, "sign", long),
        await move(korea, path, "terminate", long),
    ]

    assert [answer.status_code for answer in answers] == [413] * 3


async def test_an_agreement_is_changed_from_the_version_that_was_read(hub: Hub) -> None:
    korea = commander(hub, "KR-KNPA")
    hub.register("KH-CNP")
    path = await draft(korea, "KH-CNP", valid_until="2999-01-01", persons_data=True)

    changed = await korea.patch(path, {"title": "Another", "valid_until": None}, etag='"1"')
    same = await korea.patch(path, {"title": "Another"}, etag='"2"')
    stale = await korea.patch(path, {"title": "Other"}, etag='"1"')
    blind = await korea.patch(path, {"title": "Other"})
    wrong = [
        await korea.patch(path, body, etag='"2"')
        for body in (
            {"title": None},
            {"parties": ["KR-KNPA", "XX-NONE"]},
            {"originator": "KH-CNP"},
            {"record_kinds": []},
        )
    ]

    assert (changed.status_code, changed.headers["ETag"], changed.json()["title"]) == (200, '"2"', "Another")
    assert (changed.json()["valid_until"], changed.json()["persons_data"]) == (None, True)
    assert (same.status_code, same.headers["ETag"]) == (200, '"2"')
    assert (stale.status_code, blind.status_code) == (412, 428)
    assert [answer.status_code for answer in wrong] == [422] * 4


async def test_lists_are_filtered_by_what_is_true_now(hub: Hub) -> None:
    korea, cambodia, thailand = (commander(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    mou = await conclude(korea, cambodia)
    charter = await open_to(korea, "KH-CNP", "TH-RTP", kind="charter")
    hidden = await draft(thailand, "KR-KNPA")

    async def found(partner: Partner, **parameters: Any) -> list[str]:
        items = (await partner.get(PATH, params=parameters)).json()["items"]
        return [f"{PATH}/{item['id']}" for item in items]

    assert await found(korea) == [charter, mou]
    assert await found(thailand) == [hidden, charter]
    assert await found(korea, kind="mou") == [mou]
    assert await found(korea, state="in_negotiation") == [charter]
    assert await found(korea, party="TH-RTP") == [charter]
    assert await found(korea, party="KH-CNP", state="in_force") == [mou]
    assert await found(korea, party="XX-NONE") == []
    first = (await korea.get(PATH, params={"limit": 1})).json()
    rest = (await korea.get(PATH, params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert [f"{PATH}/{page['items'][0]['id']}" for page in (first, rest)] == [charter, mou]
    assert rest["next_cursor"] is None
    table = await korea.get(PATH, headers={"Accept": "text/csv"})
    assert (table.headers["Content-Type"].partition(";")[0], table.text.count("KR-KNPA-AG-")) == ("text/csv", 2)
    assert (await korea.get(PATH, params={"state": "dead"})).status_code == 400


async def test_a_hidden_agreement_answers_like_none(hub: Hub) -> None:
    korea, cambodia, thailand = (commander(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    drafted, opened = await draft(korea, "KH-CNP"), await open_to(korea, "KH-CNP")
    given_up = await draft(korea, "KH-CNP")
    await moved(korea, given_up, "terminate", {"reason": "Not needed."})
    reason = {"json": {"reason": "None of mine."}}
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "", {}),
        ("PATCH", "", {"json": {"title": "X"}}),
        ("GET", "/signatures", {}),
        ("POST", "/negotiate", {}),
        ("POST", "/sign", {"json": {"content_hash": "0" * 64}}),
        ("POST", "/suspend", reason),
        ("POST", "/reinstate", {}),
        ("POST", "/terminate", reason),
    ]

    for partner, hidden in ((cambodia, drafted), (cambodia, given_up), (thailand, drafted), (thailand, opened)):
        for method, rest, options in calls:
            paths = (hidden, f"{PATH}/{ANY_ID}", f"{PATH}/x")
            answers = [await partner.call(method, where + rest, **options) for where in paths]
            assert [answer.status_code for answer in answers] == [404] * 3
            bodies = [answer.json() | {"instance": "", "request_id": ""} for answer in answers]
            assert bodies[0] == bodies[1] == bodies[2]


async def test_who_may_do_what(hub: Hub) -> None:
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    path = await open_to(korea, "KH-CNP")
    analyst = hub.caller("KR-KNPA", "analyst")
    admin = hub.caller("HUB", "platform_admin")
    revoked = hub.caller("KR-KNPA", "commander")
    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", revoked.client_id
    )
    signature = {"content_hash": (await korea.get(path)).json()["content_hash"]}
    steps: list[tuple[str, Any]] = [
        ("negotiate", None),
        ("sign", signature),
        ("suspend", {"reason": "R"}),
        ("reinstate", None),
        ("terminate", {"reason": "R"}),
    ]

    assert (await analyst.get(path)).status_code == 200
    assert (await analyst.get(f"{path}/signatures")).status_code == 200
    assert (await analyst.post(PATH, content("KR-KNPA", "KH-CNP"))).status_code == 403
    for partner, status in ((analyst, 403), (admin, 403), (revoked, 401)):
        for step, body in steps:
            assert (await move(partner, path, step, body)).status_code == status
    assert [(await admin.get(path)).status_code, (await revoked.get(path)).status_code] == [403, 401]
    # What is the originator's to do.
    refused = [await cambodia.patch(path, {"title": "Ours"}, etag="*"), await move(cambodia, path, "negotiate")]
    assert [answer.status_code for answer in refused] == [403, 403]
    assert (await korea.get(path)).headers["ETag"] == '"2"'


async def test_who_is_left_out_again_is_told_so_and_sees_nothing(hub: Hub) -> None:
    korea, cambodia, thailand, vietnam = (commander(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP", "VN-MPS"))
    path = await open_to(korea, "KH-CNP", "TH-RTP")
    await sign(thailand, path)

    changed = await korea.patch(path, {"parties": ["KR-KNPA", "KH-CNP", "VN-MPS"]}, etag="*")

    assert changed.json()["parties"] == ["KH-CNP", "KR-KNPA", "VN-MPS"]
    assert [(await partner.get(path)).status_code for partner in (cambodia, thailand, vietnam)] == [200, 404, 200]
    back = await korea.patch(path, {"parties": ["KR-KNPA", "TH-RTP"]}, etag="*")
    assert back.status_code == 200
    # A signature does not come back with its party.
    assert (await thailand.get(f"{path}/signatures")).json()["items"] == []


async def test_repeated_calls_move_nothing_twice(hub: Hub) -> None:
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    body = content("KR-KNPA", "KH-CNP")
    first = await korea.post(PATH, body, headers={"Idempotency-Key": "a"})
    path = first.headers["Location"]
    await korea.patch(path, {"title": "Renamed"}, etag='"1"')

    async def step(partner: Partner, name: str, sent: Any) -> Any:
        return await partner.post(f"{path}/{name}", sent, etag="*", headers={"Idempotency-Key": name})

    opened = await step(korea, "negotiate", None)
    signature = {"content_hash": opened.json()["content_hash"]}
    steps: list[tuple[Partner, str, Any]] = [
        (korea, "negotiate", None),
        (korea, "sign", signature),
        (cambodia, "sign", signature),
        (cambodia, "suspend", {"reason": "A"}),
        (cambodia, "reinstate", None),
        (korea, "terminate", {"reason": "B"}),
    ]
    made = [opened, *[await step(*one) for one in steps[1:]]]

    assert [answer.status_code for answer in made] == [200] * 6
    again = await korea.post(PATH, body, headers={"Idempotency-Key": "a"})
    assert (again.status_code, again.json(), again.headers["Location"]) == (201, first.json(), path)
    for one, answer in zip(steps, made, strict=True):
        repeat = await step(*one)
        assert repeat.headers["Idempotency-Replayed"] == "true"
        assert (repeat.status_code, repeat.json(), repeat.headers["ETag"]) == (
            200,
            answer.json(),
            answer.headers["ETag"],
        )
    assert (await step(korea, "terminate", {"reason": "C"})).status_code == 422
    assert await state(korea, path) == "terminated"


async def test_who_left_finds_nothing_by_an_old_key(hub: Hub) -> None:
    korea, thailand = commander(hub, "KR-KNPA"), commander(hub, "TH-RTP")
    hub.register("KH-CNP")
    path = await open_to(korea, "KH-CNP", "TH-RTP")
    signature = {"content_hash": (await korea.get(path)).json()["content_hash"]}
    key = {"Idempotency-Key": "k"}
    assert (await thailand.post(f"{path}/sign", signature, etag="*", headers=key)).status_code == 200
    await korea.patch(path, {"parties": ["KR-KNPA", "KH-CNP"]}, etag="*")

    assert (await thailand.post(f"{path}/sign", signature, etag="*", headers=key)).status_code == 404


async def test_every_change_and_every_read_stands_in_the_audit(hub: Hub) -> None:
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    path = await draft(korea, "KH-CNP")
    await korea.patch(path, {"title": "Renamed"}, etag='"1"')
    await moved(korea, path, "negotiate")
    await cambodia.get(PATH)
    await cambodia.get(f"{path}/signatures")
    for partner in (korea, cambodia):
        await sign(partner, path)
    await moved(cambodia, path, "suspend", {"reason": "A"})
    await moved(cambodia, path, "reinstate")
    await moved(korea, path, "terminate", {"reason": "B"})
    await korea.get(f"{PATH}/{ANY_ID}")

    entries = hub.look(
        "SELECT agency, action, outcome, record_ids::text[], originators FROM audit_entries"
        " WHERE kind = 'agreements' AND action <> 'agreement.read' ORDER BY at"
    )

    agreement = path.rpartition("/")[2]
    assert [entry[:3] for entry in entries] == [
        ("KR-KNPA", "agreement.create", "done"),
        ("KR-KNPA", "agreement.update", "done"),
        ("KR-KNPA", "agreement.negotiate", "done"),
        ("KH-CNP", "agreement.list", "done"),
        ("KH-CNP", "agreement.list_signatures", "done"),
        ("KR-KNPA", "agreement.sign", "done"),
        ("KH-CNP", "agreement.sign", "done"),
        ("KH-CNP", "agreement.suspend", "done"),
        ("KH-CNP", "agreement.reinstate", "done"),
        ("KR-KNPA", "agreement.terminate", "done"),
        ("KR-KNPA", "GET /v1/agreements/{agreement_id}", "not-found"),
    ]
    assert [entry[3:] for entry in entries[:-1]] == [([agreement], [])] * 10


async def test_a_patch_races_another(hub: Hub) -> None:
    korea = commander(hub, "KR-KNPA")
    path = await draft(korea, hub.register("KH-CNP"))

    answers = await asyncio.gather(*(korea.patch(path, {"title": f"Title {n}"}, etag='"1"') for n in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5
    assert (await korea.get(path)).headers["ETag"] == '"2"'


async def test_the_tables_take_nothing_past_the_functions(hub: Hub) -> None:
    """A server whose statements somebody could change still makes no agreement but by the rules."""
    with psycopg.connect(hub.conninfo(DatabaseRole.API), autocommit=True) as connection:
        for statement in (
            "INSERT INTO agreements (id) VALUES (gen_random_uuid())",
            "UPDATE agreements SET state = 'in_force'",
            "UPDATE agreement_parties SET signed_at = now()",
            "DELETE FROM agreement_versions",
            "SELECT officer FROM agreement_parties",
            "SELECT signed_by FROM agreement_parties",
            "SELECT set_agreement_force(NULL, true)",
            "SELECT move_due_agreement()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        for table in ("agreements", "agreement_versions"):
            assert connection.execute(f"SELECT FROM {table}").fetchall() == []
        assert connection.execute("SELECT agency FROM agreement_parties").fetchall() == []


async def test_the_hub_is_no_party_even_past_the_checks(hub: Hub) -> None:
    korea = commander(hub, "KR-KNPA")
    with psycopg.connect(hub.conninfo(DatabaseRole.API), autocommit=True) as connection, connection.transaction():
        connection.execute("SELECT enter(%s, NULL, now(), '127.0.0.1', NULL, NULL, NULL)", (korea.client_id,))
        for parties in (["KR-KNPA", "HUB"], ["KR-KNPA"], []):
            said = {**content(*parties), "crime_types": [], "purposes": [], "territory": [], "documents": []}
            with pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
                connection.execute(
                    "SELECT create_agreement(gen_random_uuid(), 'KR-KNPA-AG-2026-000000', %s, 'x')",
                    (json.dumps({**said, "persons_data": False}),),
                )
