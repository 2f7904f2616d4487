"""Reports of the same matter: found across desks among what the originator sees, merged, and parted again."""

import asyncio
from typing import Any

import pytest

from tests.access.statements import heard, listen
from tests.conftest import Hub, Partner
from tests.events.following import Follower, follower, only, place
from tests.routers.incidents import HELD, PATH, path_of, report, step

MISSING = {**HELD, "condition": "missing"}

ELSEWHERE: dict[str, Any] = {
    "title": "Foreigner held above the old road",
    "reported_by": "ngo",
    "reported_on": "2025-08-05",
    "occurred_from": "2025-07-29",
    "place": "Bokor mountain, above the old road",
    "coordinates": {"latitude": 10.64, "longitude": 104.04},
    "narrative": None,
    "demand": {"amount": "31000", "currency": "USD"},
    "victims": [MISSING],
}
"""The same man as in the other report, as another desk was told of him."""


async def candidates(partner: Partner, path: str) -> list[tuple[str, list[str]]]:
    answer = await partner.get(f"{path}/possible-duplicates")
    assert answer.status_code == 200, answer.text
    return [(item["id"], item["reasons"]) for item in answer.json()["items"]]


async def found(reader: Follower) -> list[str]:
    place(reader.partner.hub)
    return only(await reader.follow(), "incident.likeness_found")


async def test_the_same_matter_is_found_across_desks(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    readers = [await follower(partner) for partner in (korea, cambodia)]
    theirs = await report(korea, "KH-CNP")
    ours = await report(cambodia, **ELSEWHERE)

    path = f"{PATH}/{ours['id']}"
    answer = await cambodia.get(f"{path}/possible-duplicates")
    assert answer.json() == {
        "items": [
            {
                "id": theirs["id"],
                "reference": theirs["reference"],
                "originator": "KR-KNPA",
                "title": "Translator held near Bokor",
                "score": 0.85,
                "reasons": ["same_place", "same_time", "shared_nationality", "shared_recruitment", "similar_demand"],
            }
        ],
        "next_cursor": None,
    }
    # Cambodia's report is hidden from Korea: nothing is found there, and nothing told.
    assert await candidates(korea, f"{PATH}/{theirs['id']}") == []
    assert [await found(reader) for reader in readers] == [[], [ours["reference"]]]

    # Opened to Korea, it is offered there too.
    opened = {"agencies": ["KR-KNPA"], "purpose": "It may be the same man."}
    assert (await cambodia.post(f"{path}/disclosures", opened)).status_code == 201
    assert [id_ for id_, _ in await candidates(korea, f"{PATH}/{theirs['id']}")] == [ours["id"]]
    assert [await found(reader) for reader in readers] == [[theirs["reference"]], []]
    # Readers are offered nothing, and nothing is told twice.
    assert (await korea.get(f"{path}/possible-duplicates")).status_code == 403
    assert (await cambodia.patch(path, {"title": "Held above the old road"}, etag='"1"')).status_code == 200
    assert [await found(reader) for reader in readers] == [[], []]


@pytest.mark.parametrize(
    ("changed", "is_found"),
    [
        ({}, True),
        ({"country": "LA", "subdivision": None}, False),
        ({"place": "Poipet", "coordinates": {"latitude": 13.65, "longitude": 102.56}}, False),
        ({"coordinates": None}, True),
        ({"place": None, "coordinates": None}, True),
        ({"place": None, "coordinates": None, "demand": None, "victims": [{"nationality": "KR"}]}, False),
        ({"demand": None, "victims": [{"nationality": "KR"}]}, True),
        ({"place": "ភ្នំបូកគោ"}, True),
        ({"occurred_from": "2024-01", "occurred_to": "2024-02"}, False),
        ({"occurred_from": "2025"}, True),
        # The place and the days alone are no sign: many are held there.
        ({"victims": [{"nationality": "CN"}], "demand": None}, False),
        ({"victims": [{"nationality": "CN"}], "demand": {"amount": "90000", "currency": "USD"}}, False),
        ({"demand": None}, True),
    ],
)
async def test_what_is_like_another(hub: Hub, changed: dict[str, Any], *, is_found: bool) -> None:
    korea = hub.partner("KR-KNPA")
    first = await report(korea, occurred_from="2025-07-28", occurred_to="2025-08-02")
    second = await report(korea, **{**ELSEWHERE, **changed})
    found_ids = [id_ for id_, _ in await candidates(korea, f"{PATH}/{second['id']}")]
    assert found_ids == ([first["id"]] if is_found else [])


async def test_nothing_hidden_shines_through(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer, its statements and the events are the same whether others report the same or nobody does."""
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    listen(monkeypatch)

    async def seen() -> tuple[Any, ...]:
        reader = await follower(cambodia)
        with heard() as statements:
            created = await cambodia.post(PATH, {**(await _body()), "title": "The same for both"})
            path = created.headers["Location"]
            answer = await cambodia.get(f"{path}/possible-duplicates")
        place(hub)
        events = [type_ for type_, _ in await reader.follow()]
        await step(cambodia, path, "retract")
        return created.status_code, answer.json(), statements, events

    async def _body() -> dict[str, Any]:
        handling = {"tlp": "AMBER", "audience": {"agencies": ["KR-KNPA"]}}
        return {**(await _report()), "handling": handling}

    async def _report() -> dict[str, Any]:
        return {
            "types": ["kidnapping"],
            "country": "KH",
            "subdivision": "KH-7",
            **{name: value for name, value in ELSEWHERE.items() if name != "narrative"},
        }

    before = await seen()
    await report(thailand)
    covered = {"tlp": "AMBER", "codes": ["H3"], "caveat": "Ask.", "audience": {"agencies": ["KH-CNP"]}}
    await report(korea, handling=covered)
    assert await seen() == before
    assert before[1] == {"items": [], "next_cursor": None}


async def test_a_caveat_keeps_a_report_from_being_offered(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    handling = {"tlp": "AMBER", "codes": ["H3"], "caveat": "Ask first.", "audience": {"agencies": ["KH-CNP"]}}
    covered = await report(korea, handling=handling)
    path = await path_of(cambodia, **ELSEWHERE)
    assert await candidates(cambodia, path) == []
    await cambodia.post(f"{PATH}/{covered['id']}/handling/acknowledge", {"caveat": "Ask first."})
    assert [id_ for id_, _ in await candidates(cambodia, path)] == [covered["id"]]
    assert (await korea.post(f"{PATH}/{covered['id']}/retract", etag='"1"')).status_code == 200
    assert await candidates(cambodia, path) == []


class Case:
    """Two reports of the same matter, each seen by both originators; a third agency sees Cambodia's alone."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.korea, self.cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
        self.thailand = hub.partner("TH-RTP")
        self.theirs = self.ours = ""

    async def tell(self) -> "Case":
        self.theirs = await path_of(self.korea, "KH-CNP")
        self.ours = await path_of(self.cambodia, "KR-KNPA", "TH-RTP", **ELSEWHERE)
        return self

    @property
    def target(self) -> dict[str, str]:
        return {"duplicate_of": self.theirs.rpartition("/")[2]}


@pytest.fixture
async def case(hub: Hub) -> Case:
    return await Case(hub).tell()


async def test_reports_are_merged_and_parted_again(case: Case) -> None:
    korea, cambodia, thailand = case.korea, case.cambodia, case.thailand
    readers = [await follower(partner) for partner in (korea, cambodia, thailand)]
    body = {**case.target, "note": "The same passport."}

    merged = await cambodia.post(f"{case.ours}/merge", body, headers={"Idempotency-Key": "k"})
    again = await cambodia.post(f"{case.ours}/merge", body, headers={"Idempotency-Key": "k"})

    assert merged.status_code == 201, merged.text
    link = merged.json()
    assert (link["type"], link["id"], link["outgoing"]) == ("duplicate_of", case.theirs.rpartition("/")[2], True)
    assert (await cambodia.get(merged.headers["Location"])).json() == link
    assert (again.status_code, again.json()) == (201, link)
    assert await candidates(cambodia, case.ours) == await candidates(korea, case.theirs) == []
    incoming = (await korea.get(f"{case.theirs}/links")).json()["items"]
    assert [(item["type"], item["outgoing"]) for item in incoming] == [("duplicate_of", False)]
    # Who does not see both sees no link, and the reports stay what they are.
    assert (await thailand.get(f"{case.ours}/links")).json()["items"] == []
    assert (await thailand.get(case.ours)).headers["ETag"] == '"1"'
    place(case.hub)
    told = [[type_ for type_, _ in await reader.follow()] for reader in readers]
    assert told == [["incident.merged"], ["incident.merged"], []]

    parted = await cambodia.post(f"{case.ours}/unmerge")
    assert (parted.status_code, parted.content) == (204, b"")
    assert (await korea.get(f"{case.theirs}/links")).json()["items"] == []
    assert len(await candidates(cambodia, case.ours)) == 1
    assert (await cambodia.post(f"{case.ours}/unmerge")).status_code == 409
    place(case.hub)
    told = [[type_ for type_, _ in await reader.follow()] for reader in readers]
    assert told == [["incident.unmerged"], ["incident.unmerged"], []]
    kept = case.hub.look(
        "SELECT agency, action, detail ->> 'duplicate_of' FROM audit_entries"
        " WHERE action LIKE 'incident.%%merge' ORDER BY id"
    )
    assert kept == [
        ("KH-CNP", action, case.target["duplicate_of"]) for action in ("incident.merge", "incident.unmerge")
    ]


async def test_only_the_originator_merges_and_only_into_what_it_sees(case: Case) -> None:
    hidden = (await report(case.thailand))["id"]
    own = case.ours.rpartition("/")[2]
    profile = (await case.cambodia.profile())["id"]

    assert (await case.korea.post(f"{case.ours}/merge", case.target)).status_code == 403
    assert (await case.thailand.post(f"{case.theirs}/merge", case.target)).status_code == 404
    assert (await case.korea.post(f"{case.ours}/unmerge")).status_code == 403
    refused = [
        await case.cambodia.post(f"{case.ours}/merge", {"duplicate_of": target})
        for target in (hidden, own, profile, "01920000-0000-7000-8000-000000000000")
    ]
    assert {answer.status_code for answer in refused} == {422}
    assert len({str(answer.json()["errors"]) for answer in refused}) == 1
    assert (await case.cambodia.post(f"{case.ours}/merge", {})).status_code == 422
    large = {**case.target, "note": "x" * case.hub.settings.body_limit * 2}
    assert (await case.cambodia.post(f"{case.ours}/merge", large)).status_code == 413
    assert (await case.cambodia.post(f"{case.ours}/retract", etag='"1"')).status_code == 200
    for call, body in (("merge", case.target), ("unmerge", None)):
        gone = await case.cambodia.post(f"{case.ours}/{call}", body)
        assert (gone.status_code, gone.json()["type"]) == (409, "/problems/retracted")


async def test_no_chains_and_no_circles(case: Case) -> None:
    third = (await report(case.cambodia, "KR-KNPA"))["id"]
    assert (await case.cambodia.post(f"{case.ours}/merge", case.target)).status_code == 201

    twice = await case.cambodia.post(f"{case.ours}/merge", {"duplicate_of": third})
    back = await case.korea.post(f"{case.theirs}/merge", {"duplicate_of": case.ours.rpartition("/")[2]})
    chained = await case.cambodia.post(f"{PATH}/{third}/merge", {"duplicate_of": case.ours.rpartition("/")[2]})

    assert [(answer.status_code, answer.json()["type"]) for answer in (twice, back, chained)] == [
        (409, "/problems/conflict")
    ] * 3
    assert (await case.cambodia.post(f"{PATH}/{third}/merge", case.target)).status_code == 201


async def test_of_two_that_are_merged_into_each_other_at_once_one_stays(case: Case) -> None:
    into_theirs = case.cambodia.post(f"{case.ours}/merge", case.target)
    into_ours = case.korea.post(f"{case.theirs}/merge", {"duplicate_of": case.ours.rpartition("/")[2]})
    answers = await asyncio.gather(into_theirs, into_ours)
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_a_merge_ends_with_the_sight_of_the_other_report(case: Case) -> None:
    assert (await case.cambodia.post(f"{case.ours}/merge", case.target)).status_code == 201
    recalled = {"agencies": ["KH-CNP"], "reason": "It was a mistake."}
    assert (await case.korea.post(f"{case.theirs}/recalls", recalled)).status_code == 201

    assert (await case.cambodia.get(f"{case.ours}/links")).json()["items"] == []
    assert (await case.cambodia.post(f"{case.ours}/unmerge")).status_code == 409
    another = (await report(case.cambodia))["id"]
    assert (await case.cambodia.post(f"{case.ours}/merge", {"duplicate_of": another})).status_code == 201


async def test_two_reports_that_change_at_once_wait_for_nobody(case: Case) -> None:
    changes = [
        (case.cambodia if path == case.ours else case.korea).patch(path, {"title": f"Title {number}"}, etag="*")
        for number in range(4)
        for path in (case.ours, case.theirs)
    ]
    answers = await asyncio.gather(*changes)
    assert {answer.status_code for answer in answers} <= {200, 412}
