"""What sharing rests on: agreements and charters open and close it, and their lack is refused or said."""

from typing import Any

import pytest

from app.settings import Settings
from tests.access.scene import found_group
from tests.conftest import PUBLIC_URL, Hub, Partner
from tests.events.following import follower, only, tell
from tests.routers.agreements_below import agree, charter, expire, put_in_force

PATH = "/v1/criminal-organizations"


@pytest.fixture
def settings(tmp_path: Any) -> Settings:
    """A hub that asks for a legal basis, as the operating guide has it."""
    return Settings(_env_file=None, data=tmp_path, public_url=PUBLIC_URL, legal_basis="required")


async def _answers(*partners: Partner, path: str) -> list[int]:
    return [(await partner.get(path)).status_code for partner in partners]


def _flaws(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"].endswith("/problems/no-legal-basis")
    return [(flaw["pointer"], flaw["code"]) for flaw in answer.json()["errors"]]


def _amber(*agencies: str, **fields: Any) -> dict[str, Any]:
    return {"tlp": "AMBER", **fields, "audience": {"agencies": list(agencies), **fields.pop("audience", {})}}


async def test_what_nothing_covers_is_refused_and_said_where(hub: Hub) -> None:
    korea, _, _ = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    group = str(found_group(hub, "KR-KNPA", {"TH-RTP": "member"}))
    both, other_kind = agree(hub, "KR-KNPA", "KH-CNP"), agree(hub, "KR-KNPA", "KH-CNP", kinds=("bulletins",))
    asleep = agree(hub, "KR-KNPA", "KH-CNP", in_force=False)
    tried = {
        (): {**_amber("KH-CNP")},
        ("kind",): _amber("KH-CNP", legal_basis=other_kind),
        ("force",): _amber("KH-CNP", legal_basis=asleep),
        ("party",): _amber("KH-CNP", "TH-RTP", legal_basis=both),
        ("group",): {"tlp": "AMBER", "audience": {"groups": [group], "observers_of": [group]}},
    }

    told = {why: _flaws(await korea.post(PATH, {"name": "x", "handling": handling})) for why, handling in tried.items()}

    where = "/handling/audience"
    assert told == {
        (): [(f"{where}/agencies/0", "basis-missing")],
        ("kind",): [("/handling/legal_basis", "kind-not-covered")],
        ("force",): [("/handling/legal_basis", "basis-not-in-force")],
        ("party",): [(f"{where}/agencies/1", "recipient-no-party")],
        ("group",): [(f"{where}/groups/0", "charter-missing"), (f"{where}/observers_of/0", "charter-missing")],
    }
    assert (await korea.get(PATH)).json()["items"] == []


async def test_green_and_the_originators_own_need_none(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    green = await korea.profile(handling={"tlp": "GREEN", "audience": {"agencies": ["KH-CNP"]}})
    everybody = await korea.profile(handling={"tlp": "CLEAR", "audience": {"community": True}})
    await korea.profile(handling={"tlp": "RED"})

    assert await _answers(cambodia, path=f"{PATH}/{green['id']}") == [200]
    assert await _answers(cambodia, path=f"{PATH}/{everybody['id']}") == [200]
    # Raised to AMBER it needs one for whoever stays in its audience.
    raised = await korea.put(f"{PATH}/{green['id']}/handling", _amber("KH-CNP"), '"1"')
    assert _flaws(raised) == [("/audience/agencies/0", "basis-missing")]


async def test_an_agreements_end_is_the_ends_of_what_rests_on_it(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    reader = await follower(cambodia)
    basis = agree(hub, "KR-KNPA", "KH-CNP")
    record = await korea.profile(handling=_amber("KH-CNP", legal_basis=basis))
    path = f"{PATH}/{record['id']}"
    before = hub.look("SELECT xmin::text, * FROM records")

    seen = await cambodia.get(path)
    put_in_force(hub, basis, in_force=False)
    ended = await _answers(cambodia, path=path), (await cambodia.get(PATH)).json()["items"]
    put_in_force(hub, basis, in_force=True)
    again = await cambodia.get(path)
    tell(hub)

    assert (seen.status_code, ended, again.status_code) == (200, ([404], []), 200)
    assert (again.headers["ETag"], again.content) == (seen.headers["ETag"], seen.content)
    assert hub.look("SELECT xmin::text, * FROM records") == before
    events = await reader.follow()
    assert only(events, "record.lost") == [record["reference"]]
    assert only(events, "record.shared") == [record["reference"], record["reference"]]


async def test_the_day_after_its_last_ends_an_agreement(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    basis = agree(hub, "KR-KNPA", "KH-CNP")
    record = await korea.profile(handling=_amber("KH-CNP", legal_basis=basis))
    reader = await follower(cambodia)

    expire(hub, basis)

    assert await _answers(korea, cambodia, path=f"{PATH}/{record['id']}") == [200, 404]
    # Whoever next touches the record tells of the loss; nobody has to wait for a job.
    narrowed = await korea.put(f"{PATH}/{record['id']}/handling", _amber(legal_basis=basis), '"1"')
    assert narrowed.status_code == 200, narrowed.text
    tell(hub)
    assert only(await reader.follow(), "record.lost") == [record["reference"]]


async def test_a_disclosure_rests_on_its_own_basis_or_the_handlings(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    all_three, with_thailand = agree(hub, "KR-KNPA", "KH-CNP", "TH-RTP"), agree(hub, "KR-KNPA", "TH-RTP")
    record = await korea.profile(handling=_amber(legal_basis=all_three))
    path = f"{PATH}/{record['id']}"

    tried = await korea.post(f"{path}/disclosures?dry_run=true", {"agencies": ["KH-CNP"], "purpose": "p"})
    first = await korea.post(f"{path}/disclosures", {"agencies": ["KH-CNP"], "purpose": "p"})
    own = {"agencies": ["TH-RTP"], "legal_basis": with_thailand, "purpose": "p"}
    second = await korea.post(f"{path}/disclosures", own)

    assert tried.json()["gained"] == ["KH-CNP"]
    assert [a.json()["legal_basis"] for a in (first, second)] == [all_three, with_thailand]
    assert [a.json()["without_basis"] for a in (first, second)] == [False, False]
    put_in_force(hub, all_three, in_force=False)
    assert await _answers(cambodia, thailand, path=path) == [404, 200]
    access = {row["agency"]: row for row in (await korea.get(f"{path}/access")).json()["items"]}
    assert {agency: row["legal_basis"] for agency, row in access.items()} == {"KR-KNPA": None, "TH-RTP": with_thailand}
    # A change of the rest of the handling leaves each where it stands, although the agreement sleeps.
    handling = await korea.get(f"{path}/handling")
    changed = {**handling.json(), "caveat": "Ask first."}
    assert (await korea.put(f"{path}/handling", changed, handling.headers["ETag"])).status_code == 200
    put_in_force(hub, all_three, in_force=True)
    assert await _answers(cambodia, thailand, path=path) == [200, 200]


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
async def test_a_disclosure_that_nothing_covers_is_refused(hub: Hub, query: str) -> None:
    korea, _, _ = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    basis = agree(hub, "KR-KNPA", "KH-CNP")
    path = f"{PATH}/{(await korea.profile(handling={'tlp': 'RED'}))['id']}/disclosures{query}"

    bare = await korea.post(path, {"agencies": ["KH-CNP"], "purpose": "p"})
    third = await korea.post(path, {"agencies": ["KH-CNP", "TH-RTP"], "legal_basis": basis, "purpose": "p"})

    assert _flaws(bare) == [("/agencies/0", "basis-missing")]
    assert _flaws(third) == [("/agencies/1", "recipient-no-party")]


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
async def test_an_agreement_of_others_is_as_unknown_as_none(hub: Hub, query: str) -> None:
    korea, _, _ = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    hidden = agree(hub, "KH-CNP", "TH-RTP")
    record = await korea.profile(handling={"tlp": "RED"})
    path = f"{PATH}/{record['id']}"
    never = "01920000-0000-7000-8000-000000000000"

    answers = [
        [
            await korea.post(PATH, {"name": "x", "handling": _amber("KH-CNP", legal_basis=basis)}),
            await korea.put(f"{path}/handling{query}", _amber("KH-CNP", legal_basis=basis), '"1"'),
            await korea.post(
                f"{path}/disclosures{query}", {"agencies": ["KH-CNP"], "legal_basis": basis, "purpose": "p"}
            ),
        ]
        for basis in (hidden, never)
    ]

    for one, other in zip(*answers, strict=True):
        assert one.status_code == 422
        assert one.json()["errors"] == other.json()["errors"]
        assert [flaw["code"] for flaw in one.json()["errors"]] == ["unknown-reference"]


async def test_a_group_is_reached_on_its_charter(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    group = found_group(hub, "KR-KNPA", {"KH-CNP": "member", "TH-RTP": "member"})
    founding = agree(hub, "KR-KNPA", "KH-CNP", kind="charter")
    charter(hub, group, founding)

    record = await korea.profile(handling={"tlp": "AMBER", "audience": {"groups": [str(group)]}})
    path = f"{PATH}/{record['id']}"

    # A member that is no party to the charter is not covered by it.
    assert await _answers(cambodia, thailand, path=path) == [200, 404]
    reasons = [row for row in (await korea.get(f"{path}/access")).json()["items"] if row["agency"] == "KH-CNP"]
    assert [(row["via"], row["group"], row["legal_basis"]) for row in reasons] == [("group", str(group), founding)]
    put_in_force(hub, founding, in_force=False)
    assert await _answers(cambodia, path=path) == [404]
    put_in_force(hub, founding, in_force=True)
    charter(hub, group, None)
    assert await _answers(cambodia, path=path) == [404]


class TestRecorded:
    """The default: sharing on nothing is allowed, and said wherever it is shown."""

    @pytest.fixture
    def settings(self, tmp_path: Any) -> Settings:
        return Settings(_env_file=None, data=tmp_path, public_url=PUBLIC_URL)

    async def test_sharing_on_nothing_is_flagged(self, hub: Hub) -> None:
        korea, cambodia, _ = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
        record = await korea.profile(handling=_amber("KH-CNP"))
        path = f"{PATH}/{record['id']}"
        disclosed = await korea.post(f"{path}/disclosures", {"agencies": ["TH-RTP"], "purpose": "p"})

        assert await _answers(cambodia, path=path) == [200]
        assert disclosed.json()["without_basis"] is True
        access = (await korea.get(f"{path}/access")).json()["items"]
        assert {row["agency"]: row["without_basis"] for row in access} == {
            "KR-KNPA": False,
            "KH-CNP": True,
            "TH-RTP": True,
        }
        (detail,) = hub.look("SELECT detail FROM audit_entries WHERE action = 'record.disclose'")[0]
        assert detail["without_basis"] is True

    async def test_a_basis_that_is_named_must_hold(self, hub: Hub) -> None:
        korea, _ = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
        asleep = agree(hub, "KR-KNPA", "KH-CNP", in_force=False)

        answer = await korea.post(PATH, {"name": "x", "handling": _amber("KH-CNP", legal_basis=asleep)})

        assert _flaws(answer) == [("/handling/legal_basis", "basis-not-in-force")]

    async def test_a_basis_named_later_takes_over(self, hub: Hub) -> None:
        korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
        record = await korea.profile(handling=_amber("KH-CNP"))
        path = f"{PATH}/{record['id']}"
        basis = agree(hub, "KR-KNPA", "KH-CNP")

        changed = await korea.put(f"{path}/handling", _amber("KH-CNP", legal_basis=basis), '"1"')
        put_in_force(hub, basis, in_force=False)

        assert changed.status_code == 200
        assert await _answers(cambodia, path=path) == [404]
