"""Profiles over HTTP: created, read, listed, searched, changed, and not there for those who must not know."""

import asyncio

from tests.conftest import Hub

PATH = "/v1/criminal-organizations"


async def test_a_profile_reaches_exactly_whom_it_names(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    created = await korea.profile("Bokor Group", handling={"tlp": "RED", "audience": {"agencies": ["KH-CNP"]}})
    path = f"{PATH}/{created['id']}"

    own, shared, hidden = await korea.get(path), await cambodia.get(path), await thailand.get(path)

    assert own.json() == created
    assert shared.status_code == 200
    assert set(shared.json()["handling"]) == {"tlp", "codes", "caveat", "review_on"}
    assert hidden.status_code == 404
    assert (await thailand.get(PATH)).json() == {"items": [], "next_cursor": None}
    assert (await thailand.get(PATH, params={"q": "Bokor"})).json() == {"items": [], "next_cursor": None}
    assert [item["id"] for item in (await cambodia.get(PATH, params={"q": "bokor"})).json()["items"]] == [created["id"]]


async def test_an_update_based_on_an_old_version_is_refused(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    created = await korea.profile()
    path = f"{PATH}/{created['id']}"

    first = await korea.patch(path, {"status": "active"}, etag='"1"')
    second = await korea.patch(path, {"status": "dormant"}, etag='"1"')
    blind = await korea.patch(path, {"status": "dormant"})

    assert (first.status_code, first.headers["ETag"], first.json()["status"]) == (200, '"2"', "active")
    assert second.status_code == 412
    assert blind.status_code == 428
    assert (await korea.get(path)).json()["status"] == "active"


async def test_the_originator_numbers_its_record_anew(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    first = await korea.profile("First", external_id="case 1", share=["KH-CNP"])
    second = await korea.profile("Second", external_id="case 2", share=["KH-CNP"])
    await cambodia.profile("Theirs", external_id="case 3")
    path, other = f"{PATH}/{first['id']}", f"{PATH}/{second['id']}"

    taken = await korea.patch(other, {"external_id": "case 1", "status": "active"}, etag='"1"')
    changed = await korea.patch(path, {"external_id": "case 3"}, etag='"1"')
    freed = await korea.patch(other, {"external_id": "case 1"}, etag='"1"')
    same = await korea.patch(other, {"external_id": "case 1"}, etag='"2"')
    cleared = await korea.patch(path, {"external_id": None}, etag='"2"')

    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/external-id-taken")
    assert taken.headers["Location"] == taken.json()["existing"] == path
    assert [flaw["pointer"] for flaw in taken.json()["errors"]] == ["/external_id"]
    answers = [answer.json()["external_id"] for answer in (changed, freed, same, cleared)]
    assert answers == ["case 3", "case 1", "case 1", None]
    assert (same.headers["ETag"], (await cambodia.get(path)).json()["external_id"]) == ('"2"', None)
    versions = (await cambodia.get(f"{path}/versions")).json()["items"]
    assert [version["changed"] for version in versions] == [["external_id"], ["external_id"], []]
    found = (await korea.get(PATH, params={"external_id": "case 1"})).json()["items"]
    assert [item["id"] for item in found] == [second["id"]]
    assert (await korea.post(PATH, {"name": "Third", "external_id": "case 1"})).status_code == 409
    assert (await korea.post(PATH, {"name": "Third", "external_id": "case 3"})).status_code == 201
    assert (await cambodia.patch(path, {"external_id": "x"}, etag='"3"')).status_code == 403


async def test_one_of_many_gets_a_number(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    paths = [f"{PATH}/{(await korea.profile(f'Number {n}'))['id']}" for n in range(6)]

    numbered = [korea.patch(path, {"external_id": "the same"}, etag='"1"') for path in paths]
    created = [korea.post(PATH, {"name": f"More {n}", "external_id": "the same"}) for n in range(4)]
    answers = await asyncio.gather(*numbered, *created)

    assert sorted(answer.status_code for answer in answers)[1:] == [409] * 9
    assert hub.look("SELECT count(*) FROM records WHERE external_id = 'the same'") == [(1,)]
