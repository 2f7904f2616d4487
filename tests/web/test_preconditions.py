"""ETags: unchanged bodies are not sent, stale changes are refused."""

from tests.conftest import Hub

PATH = "/v1/criminal-organizations"


async def test_an_unchanged_record_is_not_sent_again(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    path = f"{PATH}/{(await korea.profile())['id']}"

    for tags, status in (('"1"', 304), ('W/"1"', 304), ('"0", "1"', 304), ("*", 304), ('"2"', 200)):
        answer = await korea.get(path, headers={"If-None-Match": tags})
        assert (answer.status_code, answer.headers["ETag"]) == (status, '"1"'), tags
        assert bool(answer.content) == (status == 200)


async def test_a_change_needs_the_present_version(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    path = f"{PATH}/{(await korea.profile())['id']}"

    for tags, status in (('"2"', 412), ('W/"1"', 412), ("1", 400), ('"1', 400), ('"0", "1"', 200), ("*", 200)):
        answer = await korea.patch(path, {"summary": tags}, tags)
        assert answer.status_code == status, tags


async def test_a_patch_that_changes_nothing_makes_no_version(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    created = await korea.profile()
    path = f"{PATH}/{created['id']}"

    answer = await korea.patch(path, {"name": created["name"]}, '"1"')

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert len((await korea.get(f"{path}/versions")).json()["items"]) == 1
