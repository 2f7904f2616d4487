"""Who is in a group, over HTTP: roles, leaving, expulsion, what is remembered, and what everybody is told."""

from typing import Any

from tests.conftest import Hub
from tests.events.following import Follower, follower, only, place
from tests.routers.grouping import PATH, commander, found, members_of, share, status, trio, walk


async def test_the_chair_withdraws_an_invitation_and_expels_a_member(hub: Hub) -> None:
    korea, cambodia, thailand = trio(hub)
    path = await found(korea, cambodia, "TH-RTP")
    members = f"{path}/members"

    unfitting = [
        await thailand.call("DELETE", f"{members}/TH-RTP"),
        await korea.call("DELETE", f"{members}/KH-CNP"),
        await korea.post(f"{members}/TH-RTP/expel", {"reason": "x"}, etag='"1"'),
        await korea.post(f"{members}/KR-KNPA/expel", {"reason": "x"}, etag='"1"'),
    ]
    bodies = [
        (await korea.post(f"{members}/KH-CNP/expel", body, etag='"2"')).status_code
        for body in ({}, {"reason": ""}, {"reason": "x" * 4_001}, {"reason": "x", "more": 1})
    ]
    blind = await korea.post(f"{members}/KH-CNP/expel", {"reason": "x"})
    stale = await korea.post(f"{members}/KH-CNP/expel", {"reason": "x"}, etag='"1"')
    large = await korea.post(f"{members}/KH-CNP/expel", {"reason": "x" * 2_000_000}, etag='"2"')
    withdrawn = await korea.call("DELETE", f"{members}/TH-RTP")
    expelled = await korea.post(f"{members}/KH-CNP/expel", {"reason": "It told others."}, etag='"2"')

    assert [answer.status_code for answer in unfitting] == [409] * 4
    assert ["/decline" in unfitting[0].json()["detail"], "/expel" in unfitting[1].json()["detail"]] == [True, True]
    assert bodies == [422] * 4
    assert (blind.status_code, stale.status_code, large.status_code) == (428, 412, 413)
    assert (withdrawn.status_code, expelled.status_code, expelled.content) == (204, 204, b"")
    for partner in (cambodia, thailand):
        assert await status(partner, path, members, f"{members}/{partner.agency}") == [404] * 3
        assert (await partner.get(PATH)).json()["items"] == []
    assert await status(korea, f"{members}/KH-CNP", f"{members}/TH-RTP") == [404, 404]
    assert (await korea.call("DELETE", f"{members}/TH-RTP")).status_code == 404


async def test_whoever_is_out_loses_what_it_saw_at_once(hub: Hub) -> None:
    korea, cambodia, thailand = trio(hub)
    path = await found(korea, cambodia, thailand)
    record = await share(korea, path)
    before = [await status(partner, record) for partner in (cambodia, thailand)]

    left = await thailand.call("DELETE", f"{path}/members/TH-RTP")
    await korea.expel(path, "KH-CNP")

    assert before == [[200], [200]]
    assert left.status_code == 204
    assert [await status(partner, record, path) for partner in (cambodia, thailand)] == [[404, 404]] * 2


async def test_roles_change_and_an_invitation_offers_another(hub: Hub) -> None:
    korea, cambodia, thailand = trio(hub)
    path = await found(korea, cambodia, "TH-RTP")
    members = f"{path}/members"

    handing = await korea.patch(f"{members}/TH-RTP", {"role": "chair"}, etag='"1"')
    offered = await korea.patch(f"{members}/TH-RTP", {"role": "observer"}, etag='"1"')
    outdated = await thailand.post(f"{members}/TH-RTP/accept", etag='"1"')
    accepted = await thailand.accept(path)
    joined_at = (await korea.get(f"{members}/KH-CNP")).json()["joined_at"]
    observing = await korea.patch(f"{members}/KH-CNP", {"role": "observer"}, etag='"2"')
    same = await korea.patch(f"{members}/KH-CNP", {"role": "observer"}, etag='"3"')
    stale = await korea.patch(f"{members}/KH-CNP", {"role": "member"}, etag='"2"')

    assert handing.status_code == 409
    assert (offered.json()["role"], offered.json()["state"], offered.headers["ETag"]) == ("observer", "invited", '"2"')
    assert outdated.status_code == 412
    assert (accepted.json()["role"], accepted.headers["ETag"]) == ("observer", '"3"')
    assert (observing.json()["role"], observing.headers["ETag"]) == ("observer", '"3"')
    assert observing.json()["since"] > observing.json()["joined_at"] == joined_at
    assert observing.json()["invited_at"] is not None
    assert (same.status_code, same.headers["ETag"], stale.status_code) == (200, '"3"', 412)


async def test_members_are_remembered_by_those_who_were_there(hub: Hub) -> None:
    korea, cambodia, thailand = trio(hub)
    path = await found(korea, cambodia, thailand)
    await korea.patch(f"{path}/members/TH-RTP", {"role": "observer"}, etag='"2"')
    await thailand.call("DELETE", f"{path}/members/TH-RTP")
    late = commander(hub, "VN-MPS")
    await korea.post(f"{path}/members", {"agency": "VN-MPS"})
    invited = await members_of(late, path, state="former")
    await late.accept(path)
    await korea.post(f"{path}/members", {"agency": "TH-RTP"})
    await thailand.accept(path)
    await korea.post(f"{path}/members/TH-RTP/expel", {"reason": "It told others."}, etag='"5"')

    def told(items: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        return [(item["agency"], item["role"], item["reason"], item["version"]) for item in items]

    remembered = {
        partner.agency: await members_of(partner, path, state="former") for partner in (korea, cambodia, late)
    }

    assert invited == []
    assert told(remembered["KR-KNPA"]) == [("TH-RTP", "observer", None, 3), ("TH-RTP", "member", "It told others.", 5)]
    assert told(remembered["KH-CNP"]) == [("TH-RTP", "observer", None, 3), ("TH-RTP", "member", None, 5)]
    assert told(remembered["VN-MPS"]) == [("TH-RTP", "member", None, 5)]
    first, second = remembered["KR-KNPA"]
    assert first["state"] == second["state"] == "former"
    assert first["joined_at"] < first["since"] < first["until"] < second["invited_at"] < second["joined_at"]
    assert await walk(korea, f"{path}/members", limit=1, state="former") == remembered["KR-KNPA"]
    assert await status(thailand, f"{path}/members?state=former") == [404]
    assert await status(korea, f"{path}/members/TH-RTP") == [404]


async def test_who_comes_back_remembers_nothing_of_the_time_between(hub: Hub) -> None:
    korea, cambodia, thailand = trio(hub)
    path = await found(korea, cambodia, thailand)
    await cambodia.call("DELETE", f"{path}/members/KH-CNP")
    await thailand.call("DELETE", f"{path}/members/TH-RTP")
    await korea.post(f"{path}/members", {"agency": "KH-CNP"})
    await cambodia.accept(path)

    assert await members_of(cambodia, path, state="former") == []
    assert {item["agency"] for item in await members_of(korea, path, state="former")} == {"KH-CNP", "TH-RTP"}


async def test_the_chair_of_an_ended_group_remembers_everybody(hub: Hub) -> None:
    korea, cambodia, thailand = trio(hub)
    path = await found(korea, cambodia, "TH-RTP")
    reader = await follower(thailand)
    ended = await korea.post(f"{path}/end", etag='"1"')
    place(hub)

    former = await members_of(korea, path, state="former")

    assert ended.status_code == 200
    assert [(item["agency"], item["role"]) for item in former] == [("KH-CNP", "member"), ("KR-KNPA", "chair")]
    assert all(item["until"] >= ended.json()["ended_at"] for item in former)
    assert await members_of(korea, path) == []
    # With the group its open invitations end.
    assert [type_ for type_, _ in await reader.follow()] == ["group.invitation_ended"]
    assert await status(thailand, path) == [404]
    assert (await thailand.post(f"{path}/members/TH-RTP/accept", etag='"1"')).status_code == 404
    assert (await korea.call("DELETE", f"{path}/members/TH-RTP")).status_code == 404


async def test_repeated_calls_answer_what_the_first_ones_made(hub: Hub) -> None:
    korea, cambodia, _ = trio(hub)
    path = await found(korea)
    own = f"{path}/members/KH-CNP"
    keys: list[dict[str, Any]] = [{"headers": {"Idempotency-Key": letter}} for letter in "abc"]
    invited = await korea.post(f"{path}/members", {"agency": "KH-CNP"}, **keys[0])
    accepted = await cambodia.post(f"{own}/accept", None, '"1"', **keys[1])
    await korea.patch(own, {"role": "observer"}, etag='"2"')

    repeats = [
        await korea.post(f"{path}/members", {"agency": "KH-CNP"}, **keys[0]),
        await cambodia.post(f"{own}/accept", None, '"1"', **keys[1]),
    ]
    expelled = [await korea.post(f"{own}/expel", {"reason": "x"}, '"3"', **keys[2]) for _ in range(2)]
    other = await korea.post(f"{own}/expel", {"reason": "y"}, '"3"', **keys[2])
    late = await cambodia.post(f"{own}/accept", None, '"1"', **keys[1])

    for made, repeat in zip((invited, accepted), repeats, strict=True):
        assert repeat.headers["Idempotency-Replayed"] == "true"
        assert (repeat.status_code, repeat.json()) == (made.status_code, made.json())
        assert repeat.headers["ETag"] == made.headers["ETag"]
    assert [answer.status_code for answer in (*expelled, other, late)] == [204, 204, 422, 404]
    assert ["Idempotency-Replayed" in answer.headers for answer in expelled] == [False, True]


async def test_everybody_is_told_what_concerns_it(hub: Hub) -> None:
    korea, cambodia, thailand = trio(hub)
    path = await found(korea, cambodia)
    readers = [await follower(partner) for partner in (korea, cambodia, thailand)]

    async def told() -> list[list[str]]:
        place(hub)
        return [[type_ for type_, _ in await reader.follow()] for reader in readers]

    members = f"{path}/members"
    await korea.post(members, {"agency": "TH-RTP"})
    invited = await told()
    await korea.patch(path, {"name": "Renamed"}, etag='"1"')
    renamed = await told()
    await thailand.accept(path)
    accepted = await told()
    await korea.expel(path, "TH-RTP")
    expelled = await told()
    await korea.post(members, {"agency": "TH-RTP"})
    await korea.call("DELETE", f"{members}/TH-RTP")
    withdrawn = await told()
    await korea.post(members, {"agency": "TH-RTP"})
    await thailand.post(f"{members}/TH-RTP/decline", etag='"4"')
    declined = await told()
    await korea.post(f"{path}/end", etag='"2"')
    ended = await told()

    assert invited == [["members.changed"], ["members.changed"], ["group.invited"]]
    assert renamed == [["group.updated"]] * 3
    assert accepted == [["members.changed"], ["members.changed"], ["group.joined"]]
    assert expelled == [["members.changed"], ["members.changed"], ["group.left"]]
    # Who is invited no more finds no invitation in its feed, as it finds no group.
    assert withdrawn == declined == [["members.changed"] * 2, ["members.changed"] * 2, ["group.invitation_ended"]]
    assert ended == [["group.ended"], ["group.ended"], []]
    assert only(await Follower(thailand).follow(), "group.joined") == []
    text = str([reader.events for reader in readers])
    assert "It told others" not in text
    for event in readers[2].events:
        assert event["subject"] == event["data"]["id"] == path.rpartition("/")[2]


async def test_every_change_and_every_read_stands_in_the_audit(hub: Hub) -> None:
    korea, cambodia, _ = trio(hub)
    path = await found(korea)
    members = f"{path}/members"
    await korea.post(members, {"agency": "KH-CNP"})
    await korea.get(members)
    await korea.get(f"{members}/KH-CNP")
    await korea.patch(f"{members}/KH-CNP", {"role": "observer"}, etag='"1"')
    await korea.call("DELETE", f"{members}/KH-CNP")
    await korea.post(members, {"agency": "KH-CNP"})
    await cambodia.post(f"{members}/KH-CNP/decline", etag='"3"')
    await korea.post(members, {"agency": "KH-CNP"})
    await cambodia.post(f"{members}/KH-CNP/accept", etag='"4"')
    await korea.patch(f"{members}/KH-CNP", {"role": "observer"}, etag='"5"')
    await korea.post(f"{members}/KH-CNP/expel", {"reason": "It told others."}, etag='"6"')
    await korea.post(members, {"agency": "KH-CNP"})
    await cambodia.post(f"{members}/KH-CNP/accept", etag='"7"')
    await cambodia.call("DELETE", f"{members}/KH-CNP")

    entries = hub.look(
        "SELECT split_part(action, '.', 2), agency, record_ids::text[], detail ->> 'reason' FROM audit_entries"
        " WHERE kind = 'groups' AND outcome = 'done' ORDER BY at"
    )

    assert {tuple(ids) for _, _, ids, _ in entries} == {(path.rpartition("/")[2],)}
    assert [(word, agency) for word, agency, _, _ in entries if agency == "KH-CNP"] == [
        (word, "KH-CNP") for word in ("decline", "accept", "accept", "leave")
    ]
    assert [word for word, agency, _, _ in entries if agency == "KR-KNPA"] == [
        *("create", "invite", "list", "read", "change", "withdraw", "invite", "invite", "change", "expel", "invite")
    ]
    assert [(word, agency) for word, agency, _, reason in entries if reason is not None] == [("expel", "KR-KNPA")]
