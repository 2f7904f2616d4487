"""Invitations to groups, over HTTP: what they open, who answers them, and how they end."""

import asyncio

import pytest

from tests.conftest import Hub
from tests.routers.grouping import PATH, commander, found, members_of, roles, share, status, trio


async def test_an_invitation_opens_the_group_and_nothing_that_is_shared_with_it(hub: Hub) -> None:
    korea, cambodia, thailand = trio(hub)
    path = await found(korea, cambodia, "TH-RTP", purpose="Bring people home.")
    record = await share(korea, path, observers_of=[path.rpartition("/")[2]])
    own = f"{path}/members/TH-RTP"

    invited = await thailand.get(own)
    before = await status(thailand, path, record)
    me = (await thailand.get("/v1/me")).json()["groups"]
    naming = await thailand.post(
        "/v1/criminal-organizations",
        {"name": "X", "handling": {"tlp": "AMBER", "audience": {"groups": [path.rpartition("/")[2]]}}},
    )
    accepted = await thailand.post(f"{own}/accept", etag=invited.headers["ETag"])
    after = await status(thailand, path, record)

    assert invited.json() | {"invited_at": ""} == {
        "role": "member",
        "agency": "TH-RTP",
        "state": "invited",
        "invited_at": "",
        "joined_at": None,
        "since": None,
        "until": None,
        "reason": None,
        "version": 1,
    }
    assert (before, after) == ([200, 404], [200, 200])
    assert me == []
    assert naming.json()["type"] == "/problems/unknown-reference"
    assert (accepted.status_code, accepted.headers["ETag"]) == (200, '"2"')
    assert accepted.json()["state"] == "active"
    assert accepted.json()["invited_at"] == invited.json()["invited_at"]
    assert accepted.json()["since"] == accepted.json()["joined_at"] > invited.json()["invited_at"]
    assert [group["role"] for group in (await thailand.get("/v1/me")).json()["groups"]] == ["member"]


async def test_who_is_invited_sees_who_is_in_it_and_no_other_invitation(hub: Hub) -> None:
    korea, cambodia, thailand = trio(hub)
    hub.register("VN-MPS")
    path = await found(korea, cambodia, "TH-RTP", "VN-MPS")

    assert await roles(thailand, path) == {"KH-CNP": "member", "KR-KNPA": "chair", "TH-RTP": "member"}
    assert set(await roles(cambodia, path)) == {"KH-CNP", "KR-KNPA", "TH-RTP", "VN-MPS"}
    assert await status(thailand, f"{path}/members/VN-MPS", f"{path}/members/KH-CNP") == [404, 200]
    states = {
        state: [
            [item["agency"] for item in (await members_of(partner, path, state=state))] for partner in (korea, thailand)
        ]
        for state in ("active", "invited", "former")
    }
    assert states == {
        "active": [["KH-CNP", "KR-KNPA"], ["KH-CNP", "KR-KNPA"]],
        "invited": [["TH-RTP", "VN-MPS"], ["TH-RTP"]],
        "former": [[], []],
    }


async def test_invitations_are_found_in_the_list_of_groups(hub: Hub) -> None:
    korea, cambodia = commander(hub, "KR-KNPA"), commander(hub, "KH-CNP")
    inside, invited = await found(korea, cambodia), await found(korea, "KH-CNP")

    listed = {
        state: [
            f"{PATH}/{item['id']}"
            for item in (await cambodia.get(PATH, params=state and {"state": state})).json()["items"]
        ]
        for state in ("active", "invited", "")
    }

    assert listed == {"active": [inside], "invited": [invited], "": [invited, inside]}
    assert (await cambodia.get(PATH, params={"state": "former"})).status_code == 400


async def test_only_the_invited_agency_answers_and_only_with_permission(hub: Hub) -> None:
    korea, cambodia, thailand = trio(hub)
    path = await found(korea, cambodia, "TH-RTP")
    analyst, revoked = hub.caller("TH-RTP", "analyst"), hub.caller("TH-RTP", "commander")
    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", revoked.client_id
    )
    own = f"{path}/members/TH-RTP"

    for answer in ("accept", "decline"):
        refused = [await partner.post(f"{own}/{answer}", etag='"1"') for partner in (korea, cambodia, analyst, revoked)]
        assert [one.status_code for one in refused] == [403, 403, 403, 401]
        blind, stale = await thailand.post(f"{own}/{answer}"), await thailand.post(f"{own}/{answer}", etag='"7"')
        assert (blind.status_code, stale.status_code) == (428, 412)
    assert (await thailand.get(own)).json()["state"] == "invited"
    await thailand.accept(path)
    assert (await thailand.post(f"{own}/accept", etag='"1"')).status_code == 412
    assert [(await thailand.post(f"{own}/{answer}", etag='"2"')).status_code for answer in ("accept", "decline")] == [
        409
    ] * 2


async def test_who_declines_knows_of_the_group_no_more_and_can_be_invited_again(hub: Hub) -> None:
    korea, _, thailand = trio(hub)
    path = await found(korea, "TH-RTP")
    own = f"{path}/members/TH-RTP"
    key = {"Idempotency-Key": "d"}

    declined = await thailand.post(f"{own}/decline", etag='"1"', headers=key)
    gone = [
        await thailand.get(path),
        await thailand.get(own),
        await thailand.post(f"{own}/decline", etag='"1"', headers=key),
        await thailand.post(f"{own}/accept", etag='"1"'),
    ]
    again = await korea.post(f"{path}/members", {"agency": "TH-RTP"})

    assert (declined.status_code, declined.content) == (204, b"")
    assert [answer.status_code for answer in gone] == [404] * 4
    assert (again.status_code, again.headers["ETag"]) == (201, '"2"')
    assert (await thailand.accept(path)).headers["ETag"] == '"3"'
    # The answer of then to an invitation that was not this one.
    assert (await thailand.post(f"{own}/decline", etag='"1"', headers=key)).headers["Idempotency-Replayed"] == "true"
    assert (await roles(korea, path))["TH-RTP"] == "member"


async def test_who_cannot_be_invited(hub: Hub) -> None:
    korea, cambodia, _ = trio(hub)
    path = await found(korea, cambodia, "TH-RTP")

    answers = [
        await korea.post(f"{path}/members", {"agency": code})
        for code in ("KR-KNPA", "KH-CNP", "TH-RTP", "XX-NONE", "HUB")
    ]

    assert [answer.json()["type"].rpartition("/")[2] for answer in answers] == [
        *["conflict"] * 3,
        *["unknown-reference"] * 2,
    ]


async def test_an_agency_stands_in_so_many_groups_at_most(hub: Hub) -> None:
    """An invitation takes no place: an agency is in as many groups as it accepts, and nobody else fills them up."""
    korea, cambodia, _ = trio(hub)
    for _ in range(98):
        path = await found(korea)
    invited = await found(cambodia, "KR-KNPA")
    own = f"{invited}/members/KR-KNPA"

    refused = [
        await korea.post(PATH, {"kind": "council", "name": "One too many"}),
        await korea.post(f"{own}/accept", etag='"1"'),
    ]
    still = await korea.get(own)
    await korea.post(f"{path}/end", etag='"1"')

    assert [(answer.status_code, answer.json()["type"]) for answer in refused] == [(409, "/problems/conflict")] * 2
    assert still.json()["state"] == "invited"
    assert (await korea.post(f"{own}/accept", etag='"1"')).status_code == 200


async def test_two_who_change_the_members_at_once_do_not_hinder_each_other(hub: Hub) -> None:
    korea = commander(hub, "KR-KNPA")
    codes = [hub.register(f"AA-{number}") for number in range(8)]
    path = await found(korea)

    invited = await asyncio.gather(*(korea.post(f"{path}/members", {"agency": code}) for code in [*codes, *codes]))
    partners = [hub.caller(code, "commander") for code in codes]
    accepted = await asyncio.gather(
        *(partner.post(f"{path}/members/{partner.agency}/accept", etag='"1"') for partner in [*partners, *partners])
    )

    assert sorted(answer.status_code for answer in invited) == [201] * 8 + [409] * 8
    assert sorted(answer.status_code for answer in accepted) == [200] * 8 + [412] * 8
    assert sorted(await roles(korea, path)) == [*codes, "KR-KNPA"]
    assert {item["state"] for item in await members_of(korea, path)} == {"active"}


@pytest.mark.parametrize("ends", ["withdraw", "end", "decline"])
async def test_an_invitation_ends_in_one_way(hub: Hub, ends: str) -> None:
    """Accepted while it is withdrawn or declined, or the group is ended: one of the two has happened, and shows."""
    korea, cambodia, _ = trio(hub)
    for _ in range(8):
        path = await found(korea, "KH-CNP")
        record = await share(korea, path)
        own = f"{path}/members/KH-CNP"
        against = {
            "withdraw": lambda own=own: korea.call("DELETE", own),
            "end": lambda path=path: korea.post(f"{path}/end", etag='"1"'),
            "decline": lambda own=own: cambodia.post(f"{own}/decline", etag='"1"'),
        }[ends]
        accepted, other = await asyncio.gather(cambodia.post(f"{own}/accept", etag='"1"'), against())
        inside = (await cambodia.get(path)).status_code == 200

        assert accepted.status_code in (200, 404, 412)
        assert other.status_code in (200, 204, 404, 409, 412)
        assert await status(cambodia, record) == [200 if inside else 404]
        if ends == "end":
            assert not inside
        else:
            assert inside == (accepted.status_code == 200) == (other.status_code not in (200, 204))
