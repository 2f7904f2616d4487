"""The man found near Bokor: from the report of his family to the handing over of his body, with an autopsy that two
countries agreed on. All of it is invented."""

from typing import Any

import pytest

from app.settings import Settings
from tests.conftest import PUBLIC_URL, Hub, Partner
from tests.events.following import Follower, place
from tests.persons.test_nothing_in_clear import dump
from tests.routers import incidents
from tests.routers.agreeing import conclude
from tests.routers.attaching import attached
from tests.routers.checking import PURPOSE, act, checklist, completed, item
from tests.routers.repatriating import REMAINS, add_person, draft, state, step, stepped

KOREA, CAMBODIA, THAILAND, STRANGER = "KR-KNPA", "KH-CNP", "TH-RTP", "VN-MPS"
KINDS = ["incident-reports", "repatriation-requests"]
DECEASED: dict[str, Any] = {
    "names": [{"name": "한보기", "language": "ko"}, {"name": "HAN Bogi", "type": "transliteration"}],
    "birth_date": "2003-02-11",
    "nationalities": ["KR"],
    "travel_documents": [{"type": "passport", "number": "M71110022", "issuing_state": "KOR"}],
    "next_of_kin": [{"names": [{"name": "한아비"}], "relationship": "father"}],
    "roles": [{"role": "victim", "since": "2026-07"}, {"role": "deceased", "since": "2026-08-08"}],
}
SECRETS = ("한보기", "HAN Bogi", "M71110022", "2003-02-11", "한아비")


@pytest.fixture
def settings(tmp_path: Any) -> Settings:
    return Settings(_env_file=None, data=tmp_path, public_url=PUBLIC_URL, legal_basis="required")


class Case:
    """Who takes part, and the agreement that covers it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        roles = ("liaison_officer", "commander", "analyst", "auditor")
        self.korea, self.cambodia, self.thailand, self.stranger = (
            hub.partner(code, *roles) for code in (KOREA, CAMBODIA, THAILAND, STRANGER)
        )
        self.handling: dict[str, Any] = {}

    async def agree(self) -> None:
        parties = (self.korea, self.cambodia, self.thailand)
        path = await conclude(*parties, record_kinds=KINDS, persons_data=True)
        self.handling = {"tlp": "AMBER", "legal_basis": path.rpartition("/")[2]}

    async def reported(self) -> str:
        """His family reports him missing; he is found dead."""
        handling = {**self.handling, "audience": {"agencies": [CAMBODIA]}}
        report = await incidents.path_of(self.korea, handling=handling)
        for action in ("investigate", "locate"):
            assert (await incidents.step(self.korea, report, action, {})).status_code == 200
        dead = {"victims": [{**incidents.HELD, "condition": "deceased"}]}
        assert (await self.korea.patch(report, dead, etag="*")).status_code == 200
        return report

    async def done(self, partner: Partner, path: str, code: str, title: str) -> None:
        await completed(partner, path, code, document={"title": title, "issued_on": "2026-11-20"})


async def test_from_the_report_to_the_family(hub: Hub) -> None:
    case = Case(hub)
    await case.agree()
    korea, cambodia = case.korea, case.cambodia
    report = await case.reported()
    link = {"type": "incident", "kind": "incident-reports", "id": report.rpartition("/")[2]}
    fields = {**REMAINS, "transit_agencies": [THAILAND], "links": [link], "handling": case.handling}
    path = await draft(korea, **fields)
    person = await add_person(korea, path, DECEASED)
    await stepped(korea, path, "submit")
    await stepped(cambodia, path, "acknowledge", "accept")
    # Cambodia identifies him, Korea asks for an autopsy and his family consents; Cambodia agrees to it on its soil.
    await case.done(cambodia, path, "identification", "Fingerprint comparison")
    await case.done(korea, path, "next_of_kin_consent", "Consent signed at the embassy")
    await case.done(korea, path, "autopsy_requested", "Note verbale")
    early = await act(korea, path, "autopsy_agreed", "complete", {"document": {"title": "None of ours"}})
    assert (early.status_code, early.json()["type"]) == (403, "/problems/not-your-side")
    await case.done(cambodia, path, "autopsy_agreed", "Decision of the prosecutor")
    refused = await step(cambodia, path, "clear")
    assert [flaw["pointer"].rpartition("/")[2] for flaw in refused.json()["errors"]] == [
        "autopsy_performed",
        "release",
        "death_certificate",
        "embalming_or_cremation",
        "transit_permit",
        "sealed_coffin",
        "air_waybill",
    ]
    file = (await attached(cambodia, path, kind="repatriation-requests")).rpartition("/")[2]
    report_of = {"title": "Report of the joint forensic team", "issued_on": "2026-11-20"}
    await completed(cambodia, path, "autopsy_performed", document=report_of, attachment=file)
    for partner, code in (
        (cambodia, "release"),
        (cambodia, "death_certificate"),
        (cambodia, "embalming_or_cremation"),
        (korea, "transit_permit"),
        (cambodia, "sealed_coffin"),
        (korea, "air_waybill"),
    ):
        await case.done(partner, path, code, code)
    await stepped(cambodia, path, "clear")
    await stepped(korea, path, "schedule", "depart")
    await stepped(cambodia, path, "hand-over")
    waits = await step(korea, path, "close")
    assert [flaw["pointer"] for flaw in waits.json()["errors"]] == ["/checklist/handover_to_family"]
    await case.done(korea, path, "handover_to_family", "Receipt")
    await stepped(korea, path, "close")
    assert await state(cambodia, path) == "closed"
    assert (await incidents.step(korea, report, "close", {})).json()["state"] == "closed"
    done = await item(cambodia, path, "autopsy_performed")
    assert (done["settled_by"], done["document"]["title"]) == (CAMBODIA, "Report of the joint forensic team")
    assert (await korea.get(f"/v1/attachments/{done['attachment']}/content")).status_code == 200
    await _everybody_reads_what_is_theirs(case, path, person)


async def _everybody_reads_what_is_theirs(case: Case, path: str, person: str) -> None:
    """Both sides and transit read one checklist, a stranger none; his name stands in no table and no event."""
    texts = {(await partner.get(f"{path}/checklist")).text for partner in (case.korea, case.cambodia, case.thailand)}
    assert len(texts) == 1
    assert (await checklist(case.thailand, path))["open"] == 0
    shown = await case.cambodia.get(f"{path}/persons/{person}", headers=PURPOSE)
    assert shown.json()["names"][0]["name"] == "한보기"
    assert (await case.stranger.get(path)).status_code == 404
    assert (await case.stranger.get(f"{path}/checklist")).status_code == 404
    place(case.hub)
    follower = Follower(case.stranger)
    assert [told for told in await follower.follow() if told[0].startswith(("repatriation.", "incident."))] == []
    sides = Follower(case.cambodia)
    steps = [name for name, _ in await sides.follow() if name.startswith("repatriation.")]
    assert steps.count("repatriation.checklist_changed") == 12
    kept = dump(case.hub)
    assert not [secret for secret in SECRETS if secret.encode() in kept]
    assert case.hub.look("SELECT count(*) FROM checklist_steps") == [(12,)]
