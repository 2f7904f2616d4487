"""What becomes of an agreement: signed, in force with its day, suspended, reinstated, ended; and who is told of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from app.domain.agreements import signing
from tests.conftest import Hub, Partner
from tests.events.following import Follower, place, tell
from tests.routers.agreeing import (
    PATH,
    commander,
    conclude,
    draft,
    keep_days,
    move,
    move_days,
    moved,
    open_to,
    sign,
    state,
)
from tests.routers.entrance import below_policies

FULL = 98


async def told(partner: Partner) -> list[tuple[str, Any]]:
    """Everything the feed tells of agreements: types without their noun, and what they are about in detail."""
    place(partner.hub)
    reader = Follower(partner)
    await reader.follow()
    events = [event for event in reader.events if event["data"]["kind"] == "agreements"]
    return [(event["type"].removeprefix("interdesk.agreement."), event["data"]["detail"]) for event in events]


async def types(partner: Partner) -> list[str]:
    return [type_ for type_, _ in await told(partner)]


def parties(hub: Hub, *codes: str) -> list[Partner]:
    return [commander(hub, code) for code in codes]


def today() -> str:
    return datetime.now(UTC).date().isoformat()


async def test_it_is_in_force_when_all_have_signed(hub: Hub) -> None:
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    path = await open_to(korea, "KH-CNP", valid_from=today())
    agreement = (await korea.get(path)).json()
    body = {"content_hash": agreement["content_hash"]}

    first = await korea.post(f"{path}/sign", body, etag='"2"', headers={"On-Behalf-Of": "Insp. Example"})
    twice = await move(korea, path, "sign", body)
    other = await move(cambodia, path, "sign", {"content_hash": "0" * 64})
    blind = await cambodia.post(f"{path}/sign", body)
    last = await cambodia.post(f"{path}/sign", body, etag='"2"')
    late = await move(cambodia, path, "sign", body)

    # A signature that is not the last changes nothing that the agreement says of itself.
    assert (first.status_code, first.json(), first.headers["ETag"]) == (200, agreement, '"2"')
    assert (last.status_code, last.json()["state"], last.headers["ETag"]) == (200, "in_force", '"3"')
    assert last.json()["in_force_since"] is not None
    assert [answer.status_code for answer in (twice, other, blind, late)] == [409, 409, 428, 409]
    assert hub.look("SELECT action FROM audit_entries WHERE action = 'agreement.in_force'") == []


async def test_signatures_show_no_officer_of_another_agency(hub: Hub) -> None:
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    path = await open_to(korea, "KH-CNP")
    body = {"content_hash": (await korea.get(path)).json()["content_hash"]}
    for partner, officer in ((korea, "Insp. Example"), (cambodia, "Maj. Sample")):
        headers = {"On-Behalf-Of": officer}
        assert (await partner.post(f"{path}/sign", body, etag="*", headers=headers)).status_code == 200

    shown = await korea.get(f"{path}/signatures")
    page = (await korea.get(f"{path}/signatures", params={"limit": 1})).json()
    rest = (await korea.get(f"{path}/signatures", params={"limit": 1, "cursor": page["next_cursor"]})).json()

    assert [signature | {"signed_at": ""} for signature in shown.json()["items"]] == [
        {"agency": "KH-CNP", "signed_at": "", **body, "client_id": None, "officer": None},
        {"agency": "KR-KNPA", "signed_at": "", **body, "client_id": korea.client_id, "officer": "Insp. Example"},
    ]
    assert [*page["items"], *rest["items"]] == shown.json()["items"]
    assert rest["next_cursor"] is None
    assert "Insp." not in (await cambodia.get(f"{path}/signatures")).text


async def test_a_change_voids_the_signatures_and_says_so(hub: Hub) -> None:
    korea, cambodia, thailand = parties(hub, "KR-KNPA", "KH-CNP", "TH-RTP")
    path = await open_to(korea, "KH-CNP", "TH-RTP")
    before = (await korea.get(path)).json()["content_hash"]
    await sign(cambodia, path)
    await sign(korea, path)

    changed = await korea.patch(path, {"territory": ["KH"]}, etag='"2"')

    after = changed.json()["content_hash"]
    assert (changed.status_code, changed.json()["state"], after == before) == (200, "in_negotiation", False)
    assert (await korea.get(f"{path}/signatures")).json()["items"] == []
    assert (await move(cambodia, path, "sign", {"content_hash": before})).status_code == 409
    detail = {"content_hash": after, "voided": ["KH-CNP", "KR-KNPA"]}
    assert (await told(thailand))[-1] == ("updated", detail)
    for partner in (korea, cambodia, thailand):
        await sign(partner, path)
    assert await state(korea, path) == "in_force"
    assert (await korea.patch(path, {"territory": []}, etag="*")).status_code == 409


async def test_it_comes_into_force_with_its_first_day(hub: Hub) -> None:
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    path = await conclude(korea, cambodia, valid_from=tomorrow)
    waiting = (await korea.get(path)).json()

    moved_before = keep_days(hub)
    move_days(hub, path, valid_from=today())
    moved_then = keep_days(hub)

    assert (waiting["state"], waiting["in_force_since"]) == ("signed", None)
    assert (moved_before, moved_then, keep_days(hub)) == (0, 1, 0)
    now = await cambodia.get(path)
    assert (now.json()["state"], now.headers["ETag"]) == ("in_force", f'"{waiting["version"] + 1}"')
    assert (await types(cambodia))[-2:] == ["signed", "in_force"]
    entries = hub.look(
        "SELECT agency, client_id FROM audit_entries WHERE action = 'agreement.in_force' ORDER BY agency"
    )
    assert entries == [("KH-CNP", None), ("KR-KNPA", None)]


@pytest.mark.parametrize("before", ["signed", "in_force", "suspended"])
async def test_it_has_expired_with_its_last_day(hub: Hub, before: str) -> None:
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    first = "2998-01-01" if before == "signed" else "2020-01-01"
    path = await conclude(korea, cambodia, valid_from=first, valid_until="2999-01-01")
    if before == "suspended":
        await moved(cambodia, path, "suspend", {"reason": "R"})
    version = (await korea.get(path)).json()["version"]
    last = await korea.get(path)
    move_days(hub, path, valid_from="2020-01-01", valid_until="2020-12-31")

    # True on the next request, whether or not anybody has written it down.
    read = await korea.get(path, headers={"If-None-Match": last.headers["ETag"]})
    steps = [
        await move(korea, path, "suspend", {"reason": "R"}),
        await move(cambodia, path, "reinstate"),
        await move(korea, path, "terminate", {"reason": "R"}),
        await korea.patch(path, {"title": "X"}, etag="*"),
    ]
    lists = [(await korea.get(PATH, params={"state": word})).json()["items"] for word in ("expired", before)]
    told_before = await types(korea)
    count = keep_days(hub)
    written = await korea.get(path)

    assert last.json()["state"] == before
    assert (read.status_code, read.json()["state"], read.json()["version"]) == (200, "expired", version + 1)
    assert (read.json()["in_force_since"], read.json()["suspensions"]) == (None, [])
    assert read.json()["ended_at"] == read.json()["updated_at"]
    assert [answer.status_code for answer in steps] == [409] * 4
    assert [len(found) for found in lists] == [1, 0]
    assert (count, keep_days(hub)) == (1, 0)
    # What is written down is what was read.
    assert (written.json(), written.headers["ETag"]) == (read.json(), read.headers["ETag"])
    assert (await types(korea)) == [*told_before, "expired"]
    assert hub.look("SELECT state, in_force_since FROM agreements") == [("expired", None)]
    assert len(hub.look("SELECT FROM audit_entries WHERE action = 'agreement.expired'")) == 2


async def test_it_ends_the_day_after_its_last(hub: Hub) -> None:
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    path = await conclude(korea, cambodia, valid_until="2999-01-01")
    below_policies(hub, "UPDATE agreements SET updated_at = '2020-02-02', created_at = '2020-02-02'")
    move_days(hub, path, valid_until=today())
    on_its_last = await state(korea, path)
    move_days(hub, path, valid_until="2020-12-31")

    assert on_its_last == "in_force"
    assert (await korea.get(path)).json()["ended_at"] == "2021-01-01T00:00:00.000000Z"


async def test_what_is_over_before_it_began_is_not_signed(hub: Hub) -> None:
    korea = commander(hub, "KR-KNPA")
    path = await open_to(korea, hub.register("KH-CNP"), valid_from="2020-01-01", valid_until="2020-12-31")
    body = {"content_hash": (await korea.get(path)).json()["content_hash"]}

    late = await move(korea, path, "sign", body)
    prolonged = await korea.patch(path, {"valid_until": "2999-12-31"}, etag="*")

    assert (late.status_code, (await korea.get(path)).json()["state"]) == (409, "in_negotiation")
    body = {"content_hash": prolonged.json()["content_hash"]}
    assert (await move(korea, path, "sign", body)).status_code == 200


async def test_each_party_lifts_its_own_suspension_alone(hub: Hub) -> None:
    korea, cambodia, thailand = parties(hub, "KR-KNPA", "KH-CNP", "TH-RTP")
    path = await conclude(korea, cambodia, thailand)

    first = await moved(cambodia, path, "suspend", {"reason": "No safeguards."})
    twice = await move(cambodia, path, "suspend", {"reason": "Still none."})
    by_originator = await move(korea, path, "reinstate")
    second = await moved(thailand, path, "suspend", {"reason": "Ours too."})
    lifted = await moved(cambodia, path, "reinstate")
    again = await move(cambodia, path, "reinstate")
    stands = await moved(thailand, path, "reinstate")
    nothing = await move(thailand, path, "reinstate")

    assert (first["state"], first["in_force_since"]) == ("suspended", None)
    assert [(stop["agency"], stop["reason"]) for stop in first["suspensions"]] == [("KH-CNP", "No safeguards.")]
    assert [stop["agency"] for stop in second["suspensions"]] == ["KH-CNP", "TH-RTP"]
    assert (lifted["state"], [stop["agency"] for stop in lifted["suspensions"]]) == ("suspended", ["TH-RTP"])
    assert (stands["state"], stands["suspensions"], stands["in_force_since"] is None) == ("in_force", [], False)
    assert [answer.status_code for answer in (twice, by_originator, again, nothing)] == [409, 403, 403, 409]
    # Only a version that is the present one counts, before anything else.
    assert (await move(korea, path, "suspend", {"reason": "R"}, '"1"')).status_code == 412
    steps = [(type_, detail["agency"]) for type_, detail in await told(korea) if type_ in ("suspended", "reinstated")]
    assert steps == [
        ("suspended", "KH-CNP"),
        ("suspended", "TH-RTP"),
        ("reinstated", "KH-CNP"),
        ("reinstated", "TH-RTP"),
    ]


async def test_who_reinstates_before_the_first_day_waits_for_it(hub: Hub) -> None:
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    path = await conclude(korea, cambodia, valid_from="2999-01-01")

    suspended = await moved(korea, path, "suspend", {"reason": "R"})
    move_days(hub, path, valid_from="2020-01-01")
    waiting = keep_days(hub)
    move_days(hub, path, valid_from="2999-01-01")
    signed = await moved(korea, path, "reinstate")
    await moved(korea, path, "suspend", {"reason": "R"})
    move_days(hub, path, valid_from="2020-01-01")

    assert (suspended["state"], waiting, signed["state"]) == ("suspended", 0, "signed")
    assert (await moved(korea, path, "reinstate"))["state"] == "in_force"


async def test_any_party_ends_it_for_all(hub: Hub) -> None:
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    path = await conclude(korea, cambodia)
    await moved(korea, path, "suspend", {"reason": "R"})

    ended = await moved(cambodia, path, "terminate", {"reason": "Not kept."})
    after = [
        await move(korea, path, "terminate", {"reason": "R"}),
        await move(korea, path, "suspend", {"reason": "R"}),
        await move(korea, path, "reinstate"),
        await move(korea, path, "negotiate"),
        await korea.patch(path, {"title": "X"}, etag="*"),
    ]

    assert (ended["state"], ended["suspensions"], ended["in_force_since"]) == ("terminated", [], None)
    assert (ended["termination"]["agency"], ended["termination"]["reason"]) == ("KH-CNP", "Not kept.")
    assert ended["termination"]["at"] == ended["ended_at"]
    assert [answer.status_code for answer in after] == [409] * 5
    assert await state(korea, path) == "terminated"
    move_days(hub, path, valid_until="2020-12-31")
    assert (await state(korea, path), keep_days(hub)) == ("terminated", 0)


async def test_a_negotiation_is_given_up(hub: Hub) -> None:
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    path = await open_to(korea, "KH-CNP")
    await sign(korea, path)

    early = [await move(cambodia, path, "suspend", {"reason": "R"}), await move(cambodia, path, "reinstate")]
    ended = await moved(cambodia, path, "terminate", {"reason": "No."})

    assert [answer.status_code for answer in early] == [409, 409]
    assert ended["state"] == "terminated"


async def test_everybody_concerned_is_told_and_nobody_else(hub: Hub) -> None:
    korea, cambodia, thailand, vietnam = parties(hub, "KR-KNPA", "KH-CNP", "TH-RTP", "VN-MPS")
    path = await draft(korea, "KH-CNP", "TH-RTP")
    await korea.patch(path, {"title": "Renamed"}, etag="*")
    before = [await types(partner) for partner in (korea, cambodia, thailand, vietnam)]
    await moved(korea, path, "negotiate")
    await korea.patch(path, {"parties": ["KR-KNPA", "KH-CNP", "VN-MPS"]}, etag="*")
    for partner in (korea, cambodia, vietnam):
        await sign(partner, path)
    await moved(vietnam, path, "suspend", {"reason": "A"})
    await moved(vietnam, path, "reinstate")
    await moved(cambodia, path, "terminate", {"reason": "B"})

    life = ["signed", "signed", "signed", "in_force", "suspended", "reinstated", "terminated"]
    assert before == [["created", "updated"], [], [], []]
    assert await types(korea) == ["created", "updated", "proposed", "updated", *life]
    assert await types(cambodia) == ["proposed", "updated", *life]
    # Who was left out no longer finds what it was told while it was in.
    assert await types(thailand) == ["left"]
    # Who came later is not told whose signature was void: that may be somebody of whom it never knew.
    assert await types(vietnam) == ["proposed", *life]
    reader = Follower(thailand)
    await reader.follow()
    left = reader.events[-1]["data"]
    assert (left["version"], left["detail"], left["href"]) == (None, None, f"http://hub.test{path}")
    narrow = Partner(hub, "KH-CNP", cambodia.client_id, hub.token(cambodia.client_id, scope=["events:read"]))
    assert await types(narrow) == []


async def test_last_signatures_at_once_make_one_agreement(hub: Hub) -> None:
    signers = parties(hub, *(f"AA-{number}" for number in range(6)))
    path = await open_to(signers[0], *(partner.agency for partner in signers[1:]))
    body = {"content_hash": (await signers[0].get(path)).json()["content_hash"]}

    answers = await asyncio.gather(*(partner.post(f"{path}/sign", body, etag='"2"') for partner in signers))

    assert [answer.status_code for answer in answers] == [200] * 6
    assert sorted(answer.json()["state"] for answer in answers) == ["in_force"] + ["in_negotiation"] * 5
    assert (await signers[0].get(path)).headers["ETag"] == '"3"'
    assert await types(signers[1]) == ["proposed", *["signed"] * 6, "in_force"]


async def test_two_systems_of_one_agency_sign_once(hub: Hub) -> None:
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    path = await open_to(korea, "KH-CNP")
    systems = [cambodia, *(hub.caller("KH-CNP", "commander") for _ in range(3))]
    body = {"content_hash": (await korea.get(path)).json()["content_hash"]}

    answers = await asyncio.gather(*(move(system, path, "sign", body) for system in systems))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert await state(korea, path) == "in_negotiation"


async def test_a_change_that_races_the_last_signature_never_mixes_with_it(hub: Hub) -> None:
    """Either all have signed what it said before, or nobody has signed what it says now."""
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    outcomes = set()
    for _ in range(8):
        path = await open_to(korea, "KH-CNP")
        await sign(korea, path)
        agreement = (await korea.get(path)).json()
        body = {"content_hash": agreement["content_hash"]}
        changing = korea.patch(path, {"title": "Changed"}, etag='"2"')
        signed, changed = await asyncio.gather(cambodia.post(f"{path}/sign", body, etag='"2"'), changing)
        after = (await korea.get(path)).json()
        signatures = (await korea.get(f"{path}/signatures")).json()["items"]
        assert {signature["content_hash"] for signature in signatures} <= {after["content_hash"]}
        outcomes.add((signed.status_code, changed.status_code, after["state"], after["title"], len(signatures)))

    title = agreement["title"]
    assert outcomes <= {
        (200, 412, "in_force", title, 2),
        (200, 409, "in_force", title, 2),
        (412, 200, "in_negotiation", "Changed", 0),
    }


async def test_steps_at_once_are_taken_one_by_one(hub: Hub) -> None:
    signers = parties(hub, "KR-KNPA", "KH-CNP", "TH-RTP")
    path = await conclude(*signers)

    stops = await asyncio.gather(
        *(move(partner, path, step, {"reason": "R"}, '"3"') for partner in signers for step in ("suspend", "terminate"))
    )

    assert sorted(answer.status_code for answer in stops) == [200] + [412] * 5


async def test_workers_at_once_move_each_agreement_once(hub: Hub) -> None:
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    paths = [await conclude(korea, cambodia, valid_from="2999-01-01") for _ in range(4)]
    for path in paths:
        move_days(hub, path, valid_from=today())

    async def work() -> None:
        conninfo = hub.conninfo(DatabaseRole.WORKER)
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
            await signing.keep_days(connection)

    await asyncio.gather(*(work() for _ in range(3)))

    assert [await state(korea, path) for path in paths] == ["in_force"] * 4
    assert (await types(korea)).count("in_force") == 4


def fill(hub: Hub, agency: str, count: int) -> None:
    """Agreements below all rules that an agency has signed, as if it had made so many."""
    below_policies(
        hub,
        "WITH made AS (INSERT INTO agreements (id, reference, kind, title, originator, record_kinds, crime_types,"
        " purposes, persons_data, territory, valid_from, documents, state, content_hash, created_at, updated_at)"
        " SELECT gen_random_uuid(), 'filled-' || n, 'mou', 'Filled', %s, '{bulletins}', '{}', '{}', false, '{}',"
        " '2020-01-01', '[]', 'in_negotiation', repeat('0', 64), now(), now() FROM generate_series(1, %s) AS n"
        " RETURNING *)"
        " INSERT INTO agreement_parties (agreement_id, agency, signed_at, signed_hash)"
        " SELECT id, originator, now(), content_hash FROM made",
        agency,
        count,
    )


async def test_an_agency_holds_so_many_places_and_no_more(hub: Hub) -> None:
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    group = {"kind": "council", "name": "C", "members": [{"agency": "KH-CNP"}]}
    await cambodia.accept((await korea.post("/v1/groups", group)).headers["Location"])
    paths = [await open_to(korea, "KH-CNP") for _ in range(2)]
    fill(hub, "KH-CNP", FULL - 2)

    await sign(cambodia, paths[0])
    body = {"content_hash": (await korea.get(paths[1])).json()["content_hash"]}
    full = await move(cambodia, paths[1], "sign", body)
    invited = (await korea.post("/v1/groups", group)).headers["Location"]
    no_member = await cambodia.post(f"{invited}/members/KH-CNP/accept", etag='"1"')
    # Its place is free again, with the end of an agreement as with a change that voids the signature.
    await moved(korea, paths[0], "terminate", {"reason": "R"})

    assert (full.status_code, full.json()["detail"]) == (
        409,
        "An agency stands in as many groups and agreements together as one can.",
    )
    assert no_member.status_code == 409
    assert (await move(cambodia, paths[1], "sign", body)).status_code == 200


async def test_signatures_at_once_do_not_pass_the_limit(hub: Hub) -> None:
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    paths = [await open_to(korea, "KH-CNP") for _ in range(4)]
    fill(hub, "KH-CNP", FULL - 1)
    bodies = [{"content_hash": (await korea.get(path)).json()["content_hash"]} for path in paths]

    answers = await asyncio.gather(
        *(move(cambodia, path, "sign", body) for path, body in zip(paths, bodies, strict=True))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_what_rests_on_it_comes_and_goes_with_it(hub: Hub) -> None:
    korea, cambodia = parties(hub, "KR-KNPA", "KH-CNP")
    path = await conclude(korea, cambodia, valid_until="2999-01-01")
    handling = {"tlp": "RED", "audience": {"agencies": ["KH-CNP"]}, "legal_basis": path.rpartition("/")[2]}
    record = f"/v1/criminal-organizations/{(await korea.profile(handling=handling))['id']}"
    seen = [(await cambodia.get(record)).status_code]
    for step, body in (("suspend", {"reason": "R"}), ("reinstate", None)):
        await moved(cambodia, path, step, body)
        seen.append((await cambodia.get(record)).status_code)
    move_days(hub, path, valid_until="2020-12-31")
    seen.append((await cambodia.get(record)).status_code)
    keep_days(hub)
    tell(hub)
    reader = Follower(cambodia)
    await reader.follow()

    assert seen == [200, 404, 200, 404]
    news = [event["type"].removeprefix("interdesk.record.") for event in reader.events if "record." in event["type"]]
    assert news[-1] == "lost"
    assert (await korea.get(record)).json()["version"] == 1
    others = {"tlp": "RED", "audience": {"agencies": ["KH-CNP"]}, "legal_basis": path.rpartition("/")[2]}
    late = await korea.post("/v1/criminal-organizations", {"name": "Late", "handling": others})
    assert late.json()["type"] == "/problems/no-legal-basis"
