"""Profiles over HTTP: created, read, listed, searched, changed, and not there for those who must not know."""

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
