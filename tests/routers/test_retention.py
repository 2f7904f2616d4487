"""Keeping records: the warning, renewals with a reason, legal holds, and the tombstone of what nobody kept."""

import asyncio
from typing import Any

import pytest

from app.access.envelope import Tombstone
from tests.conftest import Hub, Partner
from tests.events.following import follower, only
from tests.records.retaining import in_days, night, purge, review_on
from tests.routers.entrance import below_policies
from tests.routers.grouping import commander, found

PATH = "/v1/criminal-organizations"
REASON = {"reason": "Trial pending."}


async def _record(korea: Partner, days: int = 30, **fields: Any) -> str:
    """The path of a record, shared with Cambodia, whose review is in so many days."""
    handling = {"tlp": "AMBER", "audience": {"agencies": ["KH-CNP"]}, "review_on": in_days(days)}
    return f"{PATH}/{(await korea.profile(handling=handling, **fields))['id']}"


async def test_a_renewal_sets_a_later_date_and_keeps_why(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    reader = await follower(cambodia)
    path = await _record(korea)

    renewed = await korea.post(f"{path}/renew", REASON, '"1"', headers={"On-Behalf-Of": "Insp. Han"})

    assert (renewed.status_code, renewed.headers["ETag"], renewed.json()["version"]) == (200, '"2"', 2)
    later = renewed.json()["handling"]["review_on"]
    assert later > in_days(5 * 365 - 1)
    assert (await korea.get(f"{path}/handling")).json()["review_on"] == later
    assert (await cambodia.get(path)).json()["handling"]["review_on"] == later
    assert (await cambodia.get(f"{path}/versions")).json()["items"][0]["changed"] == ["handling"]
    hub.operator("SELECT sequence_events()")
    assert [event for event, _ in await reader.follow()] == ["record.shared", "record.updated"]
    kept = (await korea.get(f"{path}/retention")).json()
    (renewal,) = kept.pop("renewals")
    assert kept == {"review_on": later, "warned_at": None, "held": False, "legal_holds": []}
    assert {name: renewal[name] for name in ("reason", "former_review_on", "review_on", "officer")} == {
        "reason": "Trial pending.",
        "former_review_on": in_days(30),
        "review_on": later,
        "officer": "Insp. Han",
    }


async def test_only_a_renewal_sets_a_later_date(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    hub.partner("KH-CNP")
    path = await _record(korea)
    handling = (await korea.get(f"{path}/handling")).json()

    later = await korea.put(f"{path}/handling", {**handling, "review_on": in_days(31)}, '"1"')
    assert (later.status_code, later.json()["errors"][0]["code"]) == (422, "review-not-renewed")
    left_out = {name: value for name, value in handling.items() if name != "review_on"}
    kept = await korea.put(f"{path}/handling", left_out, '"1"')
    assert (kept.status_code, kept.json()["review_on"]) == (200, in_days(30))
    sooner = await korea.put(f"{path}/handling", {**handling, "review_on": in_days(2)}, '"2"')
    assert (sooner.status_code, sooner.json()["review_on"]) == (200, in_days(2))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "missing"),
        ({"reason": "x", "review_on": in_days(0)}, 422, "review-not-ahead"),
        ({"reason": "x", "review_on": in_days(6 * 365)}, 422, "review-too-late"),
        ({"reason": "x", "review_on": in_days(30)}, 409, None),
        ({"reason": "x", "until": in_days(40)}, 422, "extra-forbidden"),
        ({"reason": "x" * 4001}, 422, None),
    ],
)
async def test_a_renewal_that_is_none_is_refused(hub: Hub, body: dict[str, Any], status: int, code: str | None) -> None:
    korea = hub.partner("KR-KNPA")
    hub.partner("KH-CNP")
    path = await _record(korea)

    refused = await korea.post(f"{path}/renew", body, '"1"')

    assert refused.status_code == status, refused.text
    assert code is None or refused.json()["errors"][0]["code"].replace("_", "-") == code
    assert (await korea.get(path)).headers["ETag"] == '"1"'
    assert hub.look("SELECT count(*) FROM renewals") == [(0,)]


async def test_a_renewal_needs_the_version_it_is_based_on_and_happens_once(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    hub.partner("KH-CNP")
    path = await _record(korea)
    assert (await korea.post(f"{path}/renew", REASON)).status_code == 428
    assert (await korea.post(f"{path}/renew", REASON, '"7"')).status_code == 412

    key = {"Idempotency-Key": "once"}
    first = await korea.post(f"{path}/renew", REASON, '"1"', headers=key)
    again = await korea.post(f"{path}/renew", REASON, '"1"', headers=key)
    other = await korea.post(f"{path}/renew", {"reason": "y"}, '"1"', headers=key)

    assert (again.status_code, again.headers["Idempotency-Replayed"], again.json()) == (200, "true", first.json())
    assert other.status_code == 422
    assert hub.look("SELECT count(*) FROM renewals") == [(1,)]


async def test_of_renewals_at_the_same_moment_one_is_made(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    hub.partner("KH-CNP")
    path = await _record(korea)

    statuses = await asyncio.gather(*(korea.post(f"{path}/renew", REASON, '"1"') for _ in range(4)))

    assert sorted(answer.status_code for answer in statuses) == [200, 412, 412, 412]


async def test_a_disclosure_at_the_same_moment_is_no_reason_to_refuse_a_renewal(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    for code in ("KH-CNP", "TH-RTP", "LA-DOP"):
        hub.register(code)
    path = await _record(korea)

    answers = await asyncio.gather(
        korea.post(f"{path}/renew", REASON, '"1"'),
        *(korea.post(f"{path}/disclosures", {"agencies": [code], "purpose": "x"}) for code in ("TH-RTP", "LA-DOP")),
    )

    assert [answer.status_code for answer in answers] == [200, 201, 201]
    handling = (await korea.get(f"{path}/handling")).json()
    assert set(handling["audience"]["agencies"]) == {"KH-CNP", "TH-RTP", "LA-DOP"}
    assert handling["review_on"] > in_days(30)
    assert (await korea.get(path)).json()["handling"] == handling


async def test_the_originator_is_warned_once_for_each_date(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path, far = await _record(korea, 100), await _record(korea, 250)
    own, reader = await follower(korea), await follower(cambodia)

    report = await night(hub)
    assert [f"{PATH}/{one.id}" for one in report.warned] == [path]
    assert (await night(hub)).warned == []

    (event,) = [event for event in (await own.follow(), own.events)[1] if event["type"].endswith("review_due")]
    assert (event["data"]["href"].endswith(path), event["data"]["detail"]) == (True, {"review_on": in_days(100)})
    assert only(await reader.follow(), "record.review_due") == []
    assert (await korea.get(f"{path}/retention")).json()["warned_at"] is not None
    assert (await korea.get(f"{far}/retention")).json()["warned_at"] is None
    renewed = {**REASON, "review_on": in_days(120)}
    await korea.post(f"{path}/renew", renewed, '"1"')
    assert (await korea.get(f"{path}/retention")).json()["warned_at"] is None
    assert [one.review_on.isoformat() for one in (await night(hub)).warned] == [in_days(120)]


async def test_a_hold_keeps_a_record_until_it_is_released(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = await _record(korea)
    body = {"reason": "Evidence.", "authority": "Court, order 12", "until": None}
    key = {"Idempotency-Key": "once", "On-Behalf-Of": "Insp. Han"}
    placed = await korea.post(f"{path}/legal-holds", body, headers=key)
    again = await korea.post(f"{path}/legal-holds", body, headers=key)

    assert (placed.status_code, placed.headers["ETag"]) == (201, '"1"')
    assert {name: placed.json()[name] for name in body} == body
    assert (placed.json()["officer"], placed.json()["released_at"]) == ("Insp. Han", None)
    assert (again.headers["Idempotency-Replayed"], again.json()) == ("true", placed.json())
    place = placed.headers["Location"]
    assert (await korea.get(place)).json() == placed.json()
    assert (await korea.get(f"{path}/legal-holds")).json()["items"] == [placed.json()]
    for hidden in (place, f"{path}/legal-holds", f"{path}/retention"):
        assert (await cambodia.get(hidden)).status_code == 403
    # Nothing that readers see tells of it.
    assert (await cambodia.get(path)).headers["ETag"] == '"1"'

    review_on(hub, path.rpartition("/")[2], in_days(-1))
    report = await night(hub)
    assert (report.purged, [f"{PATH}/{one.id}" for one in report.held]) == ([], [path])
    assert (await korea.get(f"{path}/retention")).json()["held"] is True

    assert (await korea.post(f"{place}/release", REASON)).status_code == 428
    assert (await korea.post(f"{place}/release", REASON, '"3"')).status_code == 412
    assert (await cambodia.post(f"{place}/release", REASON, '"1"')).status_code == 403
    released = await korea.post(f"{place}/release", REASON, '"1"', headers={"Idempotency-Key": "r"})
    assert (released.status_code, released.json()["release_reason"], released.json()["version"]) == (
        200,
        "Trial pending.",
        2,
    )
    assert (await korea.post(f"{place}/release", REASON, '"2"')).status_code == 409
    repeated = await korea.post(f"{path}/legal-holds", body, headers=key)
    assert repeated.json() == placed.json()
    assert [f"{PATH}/{one.id}" for one in (await night(hub)).purged] == [path]


async def test_a_hold_with_a_last_day_ends_by_itself(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    hub.partner("KH-CNP")
    path = await _record(korea)
    assert (await korea.post(f"{path}/legal-holds", {**REASON, "until": in_days(-1)})).status_code == 422
    held = await korea.post(f"{path}/legal-holds", {**REASON, "until": in_days(0)})
    assert held.status_code == 201
    review_on(hub, path.rpartition("/")[2], in_days(-1))

    assert len((await night(hub)).held) == 1
    _let_a_day_pass(hub)
    assert (await korea.get(f"{path}/retention")).json()["held"] is False
    assert len((await night(hub)).purged) == 1


def _let_a_day_pass(hub: Hub) -> None:
    below_policies(hub, "UPDATE legal_holds SET until = until - 1")


async def test_who_may_not(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    path = await _record(korea)
    reader_of_all = hub.caller("KR-KNPA", "commander")
    revoked = hub.caller("KR-KNPA")
    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", revoked.client_id
    )
    for part, body in (("renew", REASON), ("legal-holds", REASON)):
        place = f"{path}/{part}"
        assert (await cambodia.post(place, body, '"1"')).status_code == 403
        assert (await thailand.post(place, body, '"1"')).status_code == 404
        assert (await reader_of_all.post(place, body, '"1"')).status_code == 403
        assert (await revoked.post(place, body, '"1"')).status_code == 401
        assert (await hub.client.post(place, json=body)).status_code == 401
    assert (await thailand.get(f"{path}/retention")).status_code == 404


async def test_a_purged_record_is_a_tombstone_for_those_who_saw_it(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    own, reader, stranger = await follower(korea), await follower(cambodia), await follower(thailand)
    path = await _record(korea, external_id="2026-1187")
    record_id = path.rpartition("/")[2]
    reference = (await korea.get(path)).json()["reference"]
    first = await korea.patch(path, {"summary": "second"}, '"1"')
    assert first.status_code == 200

    await purge(hub, record_id)

    seen = await cambodia.get(path)
    assert (seen.status_code, seen.headers["ETag"]) == (200, '"3"')
    tombstone = Tombstone.model_validate_json(seen.content)
    # Written by the database, in the very words of the shape.
    assert seen.text == tombstone.model_dump_json()
    assert (tombstone.state, tombstone.reference, tombstone.version) == ("purged", reference, 3)
    assert (await korea.get(path)).content == seen.content
    assert (await thailand.get(path)).status_code == 404
    assert only(await reader.follow(), "record.purged") == only(await own.follow(), "record.purged") == [reference]
    assert await stranger.follow() == []
    for partner in (korea, cambodia):
        versions = (await partner.get(f"{path}/versions")).json()["items"]
        assert [(one["version"], one["changed"]) for one in versions] == [(3, ["state"] if partner is korea else [])]
        assert (await partner.get(f"{path}/versions/3")).content == seen.content
        assert (await partner.get(f"{path}/versions/2")).status_code == 404
        for part in ("links", "relations", "amendments", "sightings"):
            assert (await partner.get(f"{path}/{part}")).json()["items"] == []
        # It is found by its id and its reference, and stands in no other list.
        assert (await partner.get(PATH, params={"reference": reference})).json()["items"] == [seen.json()]
        for filters in ({}, {"q": "Bokor"}, {"status": "suspected"}, {"originator": "KR-KNPA"}):
            assert (await partner.get(PATH, params=filters)).json()["items"] == [], filters
    assert (await thailand.get(PATH, params={"reference": reference})).json()["items"] == []
    access = (await korea.get(f"{path}/access")).json()["items"]
    assert {one["agency"] for one in access} == {"KR-KNPA", "KH-CNP"}
    handling = (await korea.get(f"{path}/handling")).json()
    assert (handling["caveat"], handling["codes"], handling["legal_basis"]) == (None, [], None)
    kept = (await korea.get(f"{path}/retention")).json()
    assert (kept["renewals"], kept["legal_holds"], kept["warned_at"], kept["held"]) == ([], [], None, False)
    # The originator's number is free again: the same case may begin anew.
    assert (await korea.profile(external_id="2026-1187"))["id"] != record_id


async def test_a_purged_record_takes_nothing_more(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path, other = await _record(korea), await _record(korea, name="Other")
    await purge(hub, path.rpartition("/")[2])
    handling = {"tlp": "RED", "audience": {}}
    link = {"type": "related_to", "kind": "criminal-organizations", "id": other.rpartition("/")[2]}
    asked = {"agencies": [hub.register("TH-RTP")], "reason": "x", "respond_by": f"{in_days(5)}T00:00:00Z"}

    refused = {
        "patch": await korea.patch(path, {"summary": "x"}, '"2"'),
        "handling": await korea.put(f"{path}/handling", handling, '"2"'),
        "disclosures": await korea.post(f"{path}/disclosures", {"agencies": ["KH-CNP"], "purpose": "x"}),
        "links": await korea.post(f"{path}/links", link),
        "relations": await korea.post(f"{path}/relations", {"type": "funds", "target": link["id"]}),
        "retract": await korea.post(f"{path}/retract", etag='"2"'),
        "renew": await korea.post(f"{path}/renew", REASON, '"2"'),
        "hold": await korea.post(f"{path}/legal-holds", REASON),
        "recalls": await korea.post(f"{path}/recalls", {"agencies": ["KH-CNP"], "reason": "x"}),
        "amendments": await cambodia.post(f"{path}/amendments", {"patch": {"status": "dormant"}}),
        "sightings": await cambodia.post(f"{path}/sightings", {"assessment": "corroborates"}),
        "onward": await cambodia.post(f"{path}/onward-requests", asked),
    }

    told = {name: (answer.status_code, answer.json()["type"]) for name, answer in refused.items()}
    assert told == dict.fromkeys(told, (409, "/problems/purged"))
    towards = await korea.post(f"{other}/links", {**link, "id": path.rpartition("/")[2]})
    assert (towards.status_code, towards.json()["type"]) == (422, "/problems/unknown-reference")


async def test_a_retracted_record_is_purged_too_and_can_be_held(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    hub.partner("KH-CNP")
    path, held = await _record(korea), await _record(korea)
    for record in (path, held):
        assert (await korea.post(f"{record}/retract", etag='"1"')).status_code == 200
    renewed = await korea.post(f"{path}/renew", REASON, '"2"')
    assert (renewed.status_code, renewed.json()["type"]) == (409, "/problems/retracted")
    assert (await korea.post(f"{held}/legal-holds", REASON)).status_code == 201
    review_on(hub, held.rpartition("/")[2], in_days(-1))

    await purge(hub, path.rpartition("/")[2])

    assert (await korea.get(path)).json()["state"] == "purged"
    assert (await korea.get(f"{path}/versions/1")).status_code == 404
    assert (await korea.get(held)).json()["state"] == "retracted"
    assert (await korea.get(f"{held}/versions/1")).json()["name"] == "Bokor Group"


async def test_nobody_comes_to_see_a_tombstone_later(hub: Hub) -> None:
    chair, member, late = (commander(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    group = await found(chair, member)
    review, named = {"review_on": in_days(30)}, {"groups": [group.rpartition("/")[2]]}
    shared = ({"tlp": "AMBER", "audience": named}, {"tlp": "GREEN", "audience": {"community": True}})
    paths = [f"{PATH}/{(await chair.profile(handling={**handling, **review}))['id']}" for handling in shared]
    assert (await late.get(paths[1])).status_code == 200
    await purge(hub, *(path.rpartition("/")[2] for path in paths))

    await chair.post(f"{group}/members", {"agency": "TH-RTP"})
    await late.accept(group)
    newcomer = hub.partner("VN-MPS")

    assert [(await member.get(path)).json()["state"] for path in paths] == ["purged", "purged"]
    assert [(await late.get(path)).status_code for path in paths] == [404, 200]
    assert [(await newcomer.get(path)).status_code for path in paths] == [404, 404]
    # Who leaves the group saw it all the same, and needs to know what became of it.
    await chair.expel(group, "KH-CNP")
    assert (await member.get(paths[0])).json()["state"] == "purged"
