"""A group's charter, over HTTP: what may be named as one, who reads it, and what its change does."""

import pytest

from tests.access.scene import unknown_id
from tests.access.statements import heard, listen
from tests.conftest import Hub
from tests.events.following import follower, tell
from tests.routers.agreements_below import agree
from tests.routers.grouping import PATH, found, share, status, trio


async def test_a_charter_is_named_kept_and_cleared(hub: Hub) -> None:
    korea, cambodia, thailand = trio(hub)
    charter = agree(hub, "KR-KNPA", "KH-CNP", kind="charter", in_force=False)
    path = await found(korea, cambodia, "TH-RTP", charter=charter)

    read = [(await partner.get(path)).json()["charter"] for partner in (korea, cambodia, thailand)]
    renamed = await korea.patch(path, {"name": "Renamed"}, etag='"1"')
    cleared = await korea.patch(path, {"charter": None}, etag='"2"')
    named = await korea.patch(path, {"charter": charter}, etag='"3"')

    assert read == [charter] * 3
    answers = [(answer.json()["charter"], answer.headers["ETag"]) for answer in (renamed, cleared, named)]
    assert answers == [(charter, '"2"'), (None, '"3"'), (charter, '"4"')]
    versions = hub.look("SELECT version, charter::text FROM group_versions ORDER BY version")
    assert versions == [(1, charter), (2, charter), (3, None), (4, charter)]


async def test_a_repeated_foundation_answers_the_charter_of_then(hub: Hub) -> None:
    korea, *_ = trio(hub)
    body = {"kind": "council", "name": "C", "charter": agree(hub, "KR-KNPA", "KH-CNP", kind="charter")}
    first = await korea.post(PATH, body, headers={"Idempotency-Key": "k"})
    await korea.patch(first.headers["Location"], {"charter": None}, etag='"1"')

    repeat = await korea.post(PATH, body, headers={"Idempotency-Key": "k"})

    assert repeat.json() == first.json()


async def test_what_is_no_charter_is_refused(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    korea, *_ = trio(hub)
    path = await found(korea)
    others, memorandum = agree(hub, "KH-CNP", "TH-RTP", kind="charter"), agree(hub, "KR-KNPA", "KH-CNP")
    listen(monkeypatch)

    told = []
    for charter in (others, unknown_id(), memorandum):
        with heard() as statements:
            answers = [
                await korea.post(PATH, {"kind": "council", "name": "C", "charter": charter}),
                await korea.patch(path, {"charter": charter}, etag='"1"'),
            ]
        for answer in answers:
            assert answer.status_code == 422
            assert [flaw["pointer"] for flaw in answer.json()["errors"]] == ["/charter"]
        errors = [[flaw["code"], flaw["detail"]] for answer in answers for flaw in answer.json()["errors"]]
        told.append((errors, [answer.json()["type"] for answer in answers], statements))

    assert told[0] == told[1]
    assert told[0][1] == ["/problems/unknown-reference"] * 2
    assert told[2][1] == ["/problems/invalid-body"] * 2
    assert {code for code, _ in told[2][0]} == {"not-a-charter"}
    assert (await korea.patch(path, {"charter": "x"}, etag='"1"')).status_code == 422
    assert (await korea.get(path)).headers["ETag"] == '"1"'


async def test_who_takes_the_chair_over_keeps_a_charter_that_it_may_not_know(hub: Hub) -> None:
    korea, cambodia, _ = trio(hub)
    charter = agree(hub, "KR-KNPA", "TH-RTP", kind="charter")
    path = await found(korea, cambodia, charter=charter)
    await korea.patch(f"{path}/members/KH-CNP", {"role": "chair"}, etag='"2"')

    renamed = await cambodia.patch(path, {"name": "Renamed", "charter": charter}, etag='"2"')
    cleared = await cambodia.patch(path, {"charter": None}, etag='"3"')
    again = await cambodia.patch(path, {"charter": charter}, etag='"4"')

    assert [answer.status_code for answer in (renamed, cleared, again)] == [200, 200, 422]


async def test_another_charter_ends_what_rests_on_the_one_before(hub: Hub) -> None:
    korea, cambodia, thailand = trio(hub)
    first, second = (agree(hub, "KR-KNPA", "KH-CNP", kind="charter") for _ in range(2))
    path = await found(korea, cambodia, thailand, charter=first)
    record = await share(korea, path)
    tell(hub)
    readers = [await follower(partner) for partner in (cambodia, thailand)]
    seen = [await status(partner, record) for partner in (korea, cambodia, thailand)]

    changed = await korea.patch(path, {"charter": second}, etag='"1"')
    now = await status(cambodia, record)
    tell(hub)
    lost = [await reader.follow() for reader in readers]
    await korea.patch(path, {"charter": first}, etag='"2"')
    back = await status(cambodia, record)
    tell(hub)
    gained = [type_ for type_, _ in await readers[0].follow()]

    # Thailand is in the group and no party to its charter.
    assert seen == [[200], [200], [404]]
    assert (changed.status_code, now, back) == (200, [404], [200])
    assert [[type_ for type_, _ in events] for events in lost] == [["group.updated", "record.lost"], ["group.updated"]]
    assert gained == ["group.updated", "record.shared"]
