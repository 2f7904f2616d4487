"""What the feed tells: of what the caller sees, without a word of who else does; and nothing of the rest."""

from typing import Any

from tests.access.scene import EXCLUDED, LOST, PATH, READER, REMOVED, SEES_BY_GROUP, SUSPENDED, Scene, set_scene
from tests.conftest import Hub, Partner

FEED = "/v1/events"
SAW_IT_ONCE = ("lost sight", "removed from the group", "party to a suspended agreement", "emergency that lapsed")


async def _told(hub: Hub, partner: Partner, **parameters: Any) -> tuple[list[dict[str, Any]], str]:
    hub.operator("SELECT sequence_events()")
    answer = await partner.get(FEED, params={"limit": 500, **parameters})
    return (answer.json().get("items", []), answer.text) if answer.status_code == 200 else ([], "")


def _secrets(scene: Scene) -> list[str]:
    agreements = [path.rpartition("/")[2] for path in (scene.agreement, scene.draft)]
    parts = [value for name, value in scene.parts.items() if name != "number"]
    return [scene.record["id"], scene.record["reference"], str(scene.group), *agreements, *parts]


async def test_strangers_are_told_nothing(hub: Hub) -> None:
    scene = await set_scene(hub)
    etag = (await scene.originator.get(scene.path)).headers["ETag"]
    await scene.originator.patch(scene.path, {"status": "dormant"}, etag)
    for why, caller in scene.strangers.items():
        events, text = await _told(hub, caller)
        if why not in SAW_IT_ONCE:
            # A member of the group is told of the group, and of nothing that it does not see.
            for secret in _secrets(scene):
                assert secret not in text or secret == str(scene.group), (why, secret)
            assert all(event["data"]["kind"] != "criminal-organizations" for event in events), why
        else:
            of_record = [event for event in events if event["data"]["id"] == scene.record["id"]]
            told = {(event["type"], str(event["data"]["detail"])) for event in of_record}
            recall = ("interdesk.recall.requested", str({"recall": scene.parts["recall_id"]}))
            # Whose membership ended is asked for nothing: that is no recall.
            expected = {("interdesk.record.lost", "None"), *([recall] if why == "lost sight" else [])}
            assert told <= expected, why
            assert (recall in told) is (why == "lost sight")
            assert all(event["data"]["version"] is None for event in of_record)


async def test_readers_are_not_told_who_else_reads(hub: Hub) -> None:
    scene = await set_scene(hub)
    handling = await scene.originator.get(f"{scene.path}/handling")
    opened = {"agencies": [SEES_BY_GROUP], "purpose": "Search for a missing person."}
    await scene.originator.post(f"{scene.path}/disclosures", opened)
    await scene.originator.patch(scene.path, {"status": "dormant"}, '"1"')
    await scene.originator.post(f"{scene.path}/retract", None, headers={"If-Match": '"2"'})
    assert handling.status_code == 200

    readers = {agency: hub.caller(agency, "analyst") for agency in (READER, SEES_BY_GROUP)}
    for agency, reader in readers.items():
        events, text = await _told(hub, reader)
        types = [event["type"] for event in events if event["data"]["id"] == scene.record["id"]]
        # A reader learns nothing of handling, disclosures, links, and others' contributions.
        assert types[0] == "interdesk.record.shared"
        of_reader = {"record.shared", "record.updated", "record.retracted", "recall.requested"}
        assert {type_.removeprefix("interdesk.") for type_ in types} == of_reader
        for other in {READER, SEES_BY_GROUP, REMOVED, LOST, EXCLUDED, SUSPENDED} - {agency}:
            assert other not in text, (agency, other)
    own, _ = await _told(hub, scene.originator)
    told = {event["type"] for event in own if event["data"]["id"] == scene.record["id"]}
    assert told >= {"interdesk.handling.changed", "interdesk.amendment.proposed", "interdesk.sighting.added"}


async def test_kinds_and_sign_in_hold_for_the_feed_too(hub: Hub) -> None:
    scene = await set_scene(hub)
    blind = hub.credential(READER, "analyst")
    narrow = Partner(hub, READER, blind, hub.token(blind, scope=["events:read", "groups:read"]))
    events, _ = await _told(hub, narrow)
    assert [event for event in events if event["data"]["kind"] == "criminal-organizations"] == []
    for why in ("revoked credential", "suspended agency"):
        assert (await scene.strangers[why].get(FEED)).status_code == 401
    for why in ("role without the permission", "platform_admin"):
        assert (await scene.strangers[why].get(FEED)).status_code == 403


async def test_a_cursor_of_the_feed_is_its_agencys(hub: Hub) -> None:
    scene = await set_scene(hub)
    hub.operator("SELECT sequence_events()")
    cursor = (await scene.originator.get(FEED)).json()["next_cursor"]
    colleague = hub.caller(scene.originator.agency, "analyst")
    assert (await colleague.get(FEED, params={"cursor": cursor})).status_code == 200
    assert (await scene.strangers["stranger agency"].get(FEED, params={"cursor": cursor})).status_code == 400


async def test_who_regains_sight_is_not_told_what_it_missed(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = f"{PATH}/{(await korea.profile(share=['KH-CNP']))['id']}"
    shared = {"tlp": "AMBER", "audience": {"agencies": ["KH-CNP"]}}
    hidden: dict[str, Any] = {"tlp": "AMBER", "audience": {"excluded": ["KH-CNP"]}}
    await korea.put(f"{path}/handling", hidden, '"1"')
    await korea.patch(path, {"summary": "Said while hidden."}, '"1"')
    await korea.patch(path, {"summary": "Said again while hidden."}, '"2"')
    await korea.put(f"{path}/handling", shared, '"2"')
    await korea.patch(path, {"summary": "Said to all."}, '"3"')

    events, _ = await _told(hub, cambodia)
    told = [(event["type"].removeprefix("interdesk."), event["data"]["version"]) for event in events]
    # The first sharing and the loss of it are told of still; the two versions between are not.
    assert [one for one in told if not one[0].startswith("recall.")] == [
        ("record.shared", 1),
        ("record.lost", None),
        ("record.shared", 3),
        ("record.updated", 4),
    ]
    seen = (await cambodia.get(f"{path}/versions")).json()["items"]
    assert [version["version"] for version in seen] == [4, 3]
    for version in (1, 2):
        assert (await cambodia.get(f"{path}/versions/{version}")).status_code == 404
    # What changed before the first version that it sees is not told either.
    assert seen[-1]["changed"] == []
