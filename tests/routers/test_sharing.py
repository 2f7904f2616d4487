"""A record's life among agencies: handled, disclosed, explained, contributed to, linked, retracted."""

from typing import Any

from tests.conftest import Hub, Partner

PATH = "/v1/criminal-organizations"


async def test_replacing_the_handling_moves_sight_at_once(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    path = f"{PATH}/{(await korea.profile(share=['KH-CNP']))['id']}"
    handling = await korea.get(f"{path}/handling")
    changed = {**handling.json(), "audience": {"agencies": ["TH-RTP"], "excluded": ["KH-CNP"]}}

    tried = await korea.put(f"{path}/handling?dry_run=true", changed, handling.headers["ETag"])
    assert tried.json() == {"agencies": ["KR-KNPA", "TH-RTP"], "gained": ["TH-RTP"], "lost": ["KH-CNP"]}
    assert (await cambodia.get(path)).status_code == 200

    done = await korea.put(f"{path}/handling", changed, handling.headers["ETag"])
    assert (done.status_code, done.headers["ETag"]) == (200, '"2"')
    assert (await cambodia.get(path)).status_code == 404
    seen = await thailand.get(path)
    # Readers see no difference, so the record is still at its first version.
    assert (seen.status_code, seen.headers["ETag"]) == (200, '"1"')
    assert (await korea.put(f"{path}/handling", changed, handling.headers["ETag"])).status_code == 412


async def test_a_label_that_readers_see_makes_a_version(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = f"{PATH}/{(await korea.profile(share=['KH-CNP']))['id']}"
    handling = await korea.get(f"{path}/handling")

    await korea.put(f"{path}/handling", {**handling.json(), "tlp": "RED"}, handling.headers["ETag"])

    seen = await cambodia.get(path)
    assert (seen.headers["ETag"], seen.json()["handling"]["tlp"]) == ('"2"', "RED")
    versions = (await cambodia.get(f"{path}/versions")).json()["items"]
    assert [(item["version"], item["changed"], item["by"]) for item in versions] == [
        (2, ["handling"], "KR-KNPA"),
        (1, [], "KR-KNPA"),
    ]


async def test_a_handling_that_names_what_is_unknown_is_refused(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    handling = {
        "tlp": "AMBER",
        "audience": {
            "agencies": ["XX-NONE", "HUB"],
            "groups": ["01920000-0000-7000-8000-000000000000"],
            "excluded": ["YY-NONE"],
        },
    }

    answer = await korea.post(PATH, {"name": "x", "handling": handling})

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/unknown-reference")
    assert {flaw["pointer"] for flaw in answer.json()["errors"]} == {
        "/handling/audience/agencies/0",
        "/handling/audience/agencies/1",
        "/handling/audience/groups/0",
        "/handling/audience/excluded/0",
    }
    basis = await korea.post(PATH, {"name": "x", "handling": {"legal_basis": "01920000-0000-7000-8000-000000000001"}})
    assert [flaw["pointer"] for flaw in basis.json()["errors"]] == ["/handling/legal_basis"]
    assert hub.look("SELECT count(*) FROM records") == [(0,)]


async def test_a_disclosure_opens_a_record_and_is_kept(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = f"{PATH}/{(await korea.profile())['id']}"
    body = {"agencies": ["KH-CNP"], "purpose": "Search for a missing person."}

    tried = await korea.post(f"{path}/disclosures?dry_run=true", body)
    assert tried.json()["gained"] == ["KH-CNP"]
    assert (await cambodia.get(path)).status_code == 404

    first = await korea.post(
        f"{path}/disclosures", body, headers={"Idempotency-Key": "d1", "On-Behalf-Of": "Insp. Han"}
    )
    again = await korea.post(f"{path}/disclosures", body, headers={"Idempotency-Key": "d1"})
    other = await korea.post(f"{path}/disclosures", {**body, "purpose": "x"}, headers={"Idempotency-Key": "d1"})

    assert first.status_code == 201
    assert (again.status_code, again.headers["Idempotency-Replayed"], again.json()) == (201, "true", first.json())
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-mismatch")
    assert first.json()["officer"] == "Insp. Han"
    assert (await cambodia.get(path)).status_code == 200
    assert (await korea.get(f"{path}/disclosures")).json()["items"] == [first.json()]
    assert (await cambodia.get(f"{path}/disclosures")).status_code == 403
    access = (await korea.get(f"{path}/access")).json()["items"]
    assert {(row["agency"], row["via"], row["disclosure"]) for row in access} == {
        ("KR-KNPA", "originator", None),
        ("KH-CNP", "agency", first.json()["id"]),
    }


async def test_readers_see_versions_from_when_they_first_saw_the_record(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = f"{PATH}/{(await korea.profile(summary='first'))['id']}"
    await korea.patch(path, {"summary": "second"}, '"1"')
    await korea.post(f"{path}/disclosures", {"agencies": ["KH-CNP"], "purpose": "x"})
    await korea.patch(path, {"summary": "third"}, '"2"')

    seen = (await cambodia.get(f"{path}/versions")).json()["items"]
    own = (await korea.get(f"{path}/versions")).json()["items"]

    assert [item["version"] for item in seen] == [3, 2]
    assert [item["version"] for item in own] == [3, 2, 1]
    assert (await cambodia.get(f"{path}/versions/2")).json()["summary"] == "second"
    assert (await cambodia.get(f"{path}/versions/1")).status_code == 404
    assert (await korea.get(f"{path}/versions/1")).json()["summary"] == "first"


async def test_a_retracted_record_says_nothing_any_more(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    other = await korea.profile("Other", share=["KH-CNP"])
    created = await korea.profile("Secret name", share=["KH-CNP"])
    path = f"{PATH}/{created['id']}"
    await korea.post(f"{path}/relations", {"type": "allied_with", "target": other["id"]})
    await cambodia.post(f"{path}/sightings", {"assessment": "corroborates"})
    await cambodia.post(f"{path}/amendments", {"patch": {"status": "dormant"}})

    gone = await korea.call("POST", f"{path}/retract", headers={"If-Match": '"1"'})

    assert gone.status_code == 200
    tombstone = {"id", "reference", "state", "version", "updated_at"}
    assert set((await cambodia.get(path)).json()) == tombstone
    assert (await cambodia.get(PATH, params={"q": "Secret name"})).json()["items"] == []
    for part in ("relations", "sightings", "amendments", "links"):
        assert (await cambodia.get(f"{path}/{part}")).json()["items"] == [], part
    assert (await cambodia.get(f"{PATH}/{other['id']}/relations")).json()["items"] == []
    versions = (await cambodia.get(f"{path}/versions")).json()["items"]
    assert [item["version"] for item in versions] == [2]
    assert (await cambodia.get(f"{path}/versions/1")).status_code == 404
    assert (await korea.get(f"{path}/versions/1")).json()["name"] == "Secret name"
    assert (await korea.patch(path, {"name": "x"}, '"2"')).status_code == 409
    assert (await cambodia.post(f"{path}/sightings", {"assessment": "corroborates"})).status_code == 409


async def test_a_relation_shows_only_to_those_who_see_both_ends(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    one = await korea.profile("One", share=["KH-CNP", "TH-RTP"])
    two = await korea.profile("Two", share=["KH-CNP"])
    stated = await korea.post(f"{PATH}/{one['id']}/relations", {"type": "funds", "target": two["id"], "since": "2024"})

    assert stated.status_code == 201
    assert (await cambodia.get(f"{PATH}/{one['id']}/relations")).json()["items"] == [stated.json()]
    assert (await cambodia.get(f"{PATH}/{two['id']}/relations")).json()["items"] == [stated.json()]
    assert (await thailand.get(f"{PATH}/{one['id']}/relations")).json()["items"] == []
    hidden = await thailand.get(f"{PATH}/{one['id']}/relations/{stated.json()['id']}")
    assert hidden.status_code == 404
    # Nothing about the record itself tells of the relation.
    assert (await thailand.get(f"{PATH}/{one['id']}")).headers["ETag"] == '"1"'


async def test_a_hidden_target_and_none_are_refused_alike(hub: Hub) -> None:
    korea, thailand = hub.partner("KR-KNPA"), hub.partner("TH-RTP")
    secret = await korea.profile("Secret")
    own = await thailand.profile("Own")
    path = f"{PATH}/{own['id']}/relations"

    hidden = await thailand.post(path, {"type": "funds", "target": secret["id"]})
    unknown = await thailand.post(path, {"type": "funds", "target": "01920000-0000-7000-8000-000000000000"})

    assert hidden.status_code == unknown.status_code == 422
    assert {**hidden.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}


async def test_an_amendment_is_between_its_proposer_and_the_originator(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    path = f"{PATH}/{(await korea.profile(share=['KH-CNP', 'TH-RTP']))['id']}"
    proposed = await cambodia.post(f"{path}/amendments", {"patch": {"status": "relocated"}, "note": "Seen moving."})
    assert proposed.status_code == 201
    place = f"{path}/amendments/{proposed.json()['id']}"

    assert (await thailand.get(f"{path}/amendments")).json()["items"] == []
    assert (await thailand.get(place)).status_code == 404
    assert (await cambodia.post(f"{place}/accept", {}, headers={"If-Match": '"1"'})).status_code == 403
    assert (await korea.post(f"{place}/accept", {})).status_code == 428
    accepted = await korea.post(f"{place}/accept", {"note": "Thank you."}, headers={"If-Match": '"1"'})

    assert (accepted.status_code, accepted.json()["state"], accepted.json()["version"]) == (200, "accepted", 2)
    seen = await thailand.get(path)
    assert (seen.json()["status"], seen.json()["version"]) == ("relocated", 2)
    assert (await korea.post(f"{place}/reject", {}, headers={"If-Match": '"2"'})).status_code == 409
    assert (await cambodia.post(f"{path}/amendments", {"patch": {"status": "nonsense"}})).status_code == 422


async def test_an_amendment_never_undoes_a_newer_change_unseen(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = f"{PATH}/{(await korea.profile(share=['KH-CNP']))['id']}"
    proposed = (await cambodia.post(f"{path}/amendments", {"patch": {"summary": "theirs"}})).json()
    other = (await cambodia.post(f"{path}/amendments", {"patch": {"status": "dormant"}})).json()
    await korea.patch(path, {"summary": "newer"}, '"1"')

    refused = await korea.post(f"{path}/amendments/{proposed['id']}/accept", {}, headers={"If-Match": '"1"'})
    taken = await korea.post(f"{path}/amendments/{other['id']}/accept", {}, headers={"If-Match": '"1"'})

    assert (refused.status_code, "summary changed" in refused.json()["detail"]) == (409, True)
    assert taken.status_code == 200
    profile = (await korea.get(path)).json()
    assert (profile["summary"], profile["status"]) == ("newer", "dormant")


async def test_a_link_is_read_where_it_was_said_to_be(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    one, two = await korea.profile("One", share=["KH-CNP", "TH-RTP"]), await korea.profile("Two", share=["KH-CNP"])
    body = {"type": "related_to", "kind": "criminal-organizations", "id": two["id"]}
    added = await korea.post(f"{PATH}/{one['id']}/links", body)

    assert {name: added.json()[name] for name in body} == body
    place = added.headers["Location"]
    assert (await cambodia.get(place)).json() == added.json()
    assert (await thailand.get(place)).status_code == 404
    assert (await cambodia.get(f"{PATH}/{two['id']}/links")).json()["items"][0]["id"] == one["id"]
    assert (await cambodia.call("DELETE", place)).status_code == 403
    assert (await korea.call("DELETE", place)).status_code == 204
    assert (await cambodia.get(place)).status_code == 404


async def test_a_link_leads_where_its_type_can(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    one, two = await korea.profile("One"), await korea.profile("Two")
    link = {"type": "duplicate_of", "kind": "criminal-organizations", "id": two["id"]}
    odd = {"type": "committed_by", "kind": "criminal-organizations", "id": "01920000-0000-7000-8000-000000000000"}
    elsewhere = {**link, "kind": "incident-reports"}

    added = await korea.post(f"{PATH}/{one['id']}/links", link)
    refused = [await korea.post(f"{PATH}/{one['id']}/links", body) for body in (odd, {**odd, "id": two["id"]})]
    created = await korea.post(PATH, {"name": "Three", "links": [link, odd, elsewhere]})

    assert (added.status_code, created.status_code) == (201, 422)
    detail = "From here lead `duplicate_of` to `criminal-organizations`, `related_to` to any kind."
    for answer in refused:  # whether or not there is such a record
        assert answer.json()["errors"] == [{"pointer": "/type", "code": "link-type-unsuitable", "detail": detail}]
    assert [flaw["pointer"] for flaw in created.json()["errors"]] == ["/links/1/type", "/links/2/type"]
    assert hub.look("SELECT count(*) FROM records") == [(2,)]


async def test_a_sighting_is_between_its_observer_and_the_originator(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    path = f"{PATH}/{(await korea.profile(share=['KH-CNP', 'TH-RTP']))['id']}"
    grading = {"scheme": "admiralty", "source": "B", "information": "2"}
    recorded = await cambodia.post(
        f"{path}/sightings", {"assessment": "contradicts", "observed_on": "2026-10", "grading": grading}
    )

    assert (recorded.status_code, recorded.json()["agency"]) == (201, "KH-CNP")
    assert (await korea.get(f"{path}/sightings")).json()["items"] == [recorded.json()]
    assert (await cambodia.get(f"{path}/sightings")).json()["items"] == [recorded.json()]
    assert (await thailand.get(f"{path}/sightings")).json()["items"] == []


async def _walk(partner: Partner, path: str, **params: Any) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = (await partner.get(path, params={**params, **({"cursor": cursor} if cursor else {})})).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def test_a_walk_of_pages_gives_every_record_once(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    shared = [(await korea.profile(f"Group {n}", share=["KH-CNP"] if n % 2 else []))["id"] for n in range(7)][1::2]

    assert await _walk(cambodia, PATH, limit=1) == shared[::-1]
    assert await _walk(cambodia, PATH, limit=2, order="created_at") == shared[::-1]
    assert await _walk(cambodia, PATH, limit=3, status="suspected") == shared[::-1]
    assert sorted(await _walk(cambodia, PATH, limit=1, q="group")) == sorted(shared)
    first = (await cambodia.get(PATH, params={"limit": 1})).json()["next_cursor"]
    for wrong in (first[:-2] + "AA", "x", ""):
        assert (await cambodia.get(PATH, params={"limit": 1, "cursor": wrong})).status_code == 400
    assert (await cambodia.get(PATH, params={"limit": 1, "cursor": first, "status": "active"})).status_code == 400
