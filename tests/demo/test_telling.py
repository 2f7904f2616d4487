"""The story: told once however often it is told, and known to exactly those it is told to."""

from typing import Any

import pytest

from app.demo import asking, homecoming, story, telling
from app.demo.agreed import AGREEMENTS
from app.demo.convened import MEETINGS
from app.demo.counted import COUNTED
from app.demo.homecoming import People
from app.demo.reported import REPORTS
from app.demo.telling import OpenDesk
from tests.conftest import Hub, Partner
from tests.routers.entrance import below_policies

PATH = "/v1/criminal-organizations"
TABLES = (
    "agencies",
    "groups",
    "memberships",
    "agreements",
    "agreement_parties",
    "agreement_versions",
    "records",
    "record_versions",
    "record_links",
    "sightings",
    "amendments",
    "disclosures",
    "onward_requests",
    "recalls",
    "caveat_acknowledgements",
    "meetings",
    "meeting_versions",
    "meeting_links",
    "meeting_actions",
    "incident_alarms",
    "incident_calls",
    "declared_figures",
    "statistics_publications",
    "published_statistics",
    "persons",
    "checklists",
    "checklist_steps",
    "events",
)


def counts(hub: Hub) -> dict[str, int]:
    return {table: len(hub.look(f"TABLE {table}")) for table in TABLES}


@pytest.fixture
async def told(hub: Hub, open_desk: OpenDesk, people: People) -> Hub:
    await telling.tell(open_desk, people)
    return hub


async def seen_by(partner: Partner) -> dict[str, dict[str, Any]]:
    return {profile.get("name", "a cover"): profile for profile in (await partner.get(PATH)).json()["items"]}


async def test_a_second_telling_changes_nothing(told: Hub, open_desk: OpenDesk, people: People) -> None:
    before = counts(told)

    await telling.tell(open_desk, people)

    assert counts(told) == before
    assert before["agencies"] == len(story.AGENCIES) + 1
    assert before["records"] == len(telling.PROFILES) + len(REPORTS) + len(COUNTED) + 2  # and operation and request
    assert before["agreements"] == len(AGREEMENTS)
    assert before["record_links"] == len(story.RELATIONS) + 3 + 1 + 1
    assert (before["incident_alarms"], before["incident_calls"]) == (2, 2)
    assert (before["sightings"], before["amendments"], before["disclosures"]) == (3, 2, 1)
    assert (before["meetings"], before["meeting_links"], before["meeting_actions"]) == (len(MEETINGS), 1, 2)
    assert before["onward_requests"] == len(asking.ONWARD_REQUESTS)


@pytest.mark.parametrize("step", [1, 3, 8, 13, 22])
async def test_a_telling_that_was_cut_off_is_taken_up_again(
    hub: Hub, open_desk: OpenDesk, people: People, step: int
) -> None:
    opened = 0

    def failing(agency: str | None) -> Any:
        nonlocal opened
        opened += 1
        if opened > 2 * step:
            raise ConnectionError
        return open_desk(agency)

    with pytest.raises(ConnectionError):
        await telling.tell(failing, people)
    await telling.tell(open_desk, people)

    found = counts(hub)
    assert (found["records"], found["groups"], found["sightings"], found["amendments"]) == (
        len(telling.PROFILES) + len(REPORTS) + len(COUNTED) + 2,
        1,
        3,
        2,
    )


async def test_each_agency_knows_what_it_was_told(told: Hub) -> None:
    known = {agency["code"]: set(await seen_by(told.caller(agency["code"]))) for agency in story.AGENCIES}

    community = {"Orchid Road Crew", "Tideline Papers"}
    council = {"Moonrise Bay Group", "Pepper Coast Syndicate", *community}
    assert known == {
        # Paper Boat Brokers was taken back from those who knew of it.
        "KR-KNPA": {"Seaglass Ring", "Lantern Circle", "Paper Boat Brokers", *council},
        "KH-CNP": {"Seaglass Ring", "Lantern Circle", *council},
        "INTERPOL": {"Seaglass Ring", "a cover", *council},  # It has yet to acknowledge the caveat of Lantern Circle.
        "TH-RTP": council,
        "ASEANAPOL": {"Moonrise Bay Group", *community},
    }


async def test_what_was_agreed_is_in_force(told: Hub) -> None:
    known = {}
    for agency in story.AGENCIES:
        items = (await told.caller(agency["code"]).get("/v1/agreements")).json()["items"]
        known[agency["code"]] = sorted(item["kind"] for item in items)
        assert {item["state"] for item in items} == {"in_force"}

    assert known == {
        "KR-KNPA": ["charter", "mou"],
        "KH-CNP": ["charter", "mou"],
        "TH-RTP": ["charter"],
        "INTERPOL": ["charter"],
        "ASEANAPOL": ["charter"],
    }


async def test_relations_and_contributions_are_part_of_it(told: Hub) -> None:
    korea, thailand = told.caller("KR-KNPA"), told.caller("TH-RTP")
    moonrise = (await seen_by(korea))["Moonrise Bay Group"]
    path = f"{PATH}/{moonrise['id']}"

    assert moonrise["estimated_members"] == 180
    assert len((await korea.get(f"{path}/relations")).json()["items"]) == 4
    assert len((await thailand.get(f"{path}/relations")).json()["items"]) == 1
    assert len((await korea.get(f"{path}/sightings")).json()["items"]) == 2


async def test_a_recall_is_answered_by_one_and_awaited_of_another(told: Hub) -> None:
    ((recall),) = (await told.caller("KR-KNPA").get("/v1/recalls")).json()["items"]

    assert {part["agency"]: part["state"] for part in recall["recipients"]} == {
        "KH-CNP": "acknowledged",
        "TH-RTP": "open",
    }
    below_policies(told, "UPDATE recall_recipients SET due_at = clock_timestamp()")
    overdue = (await told.caller("TH-RTP").get("/v1/recalls", params={"state": "overdue"})).json()["items"]
    assert [item["id"] for item in overdue] == [recall["id"]]


async def test_who_took_part_sees_the_meetings_and_what_is_to_be_done(told: Hub) -> None:
    officers = {agency["code"]: told.caller(agency["code"], "liaison_officer") for agency in story.AGENCIES}
    known = {}
    for agency, officer in officers.items():
        items = (await officer.get("/v1/meetings")).json()["items"]
        known[agency] = {item["kind"]: item["state"] for item in items}

    urgent = {"urgent_video": "called"}
    both = {**urgent, "bilateral": "held"}
    assert known == {"KR-KNPA": both, "KH-CNP": both, "TH-RTP": urgent, "INTERPOL": urgent, "ASEANAPOL": urgent}
    todo = await officers["KH-CNP"].get("/v1/meetings/actions", params={"owner": "KH-CNP", "state": "open"})
    assert len(todo.json()["items"]) == 1
    calendar = (await officers["ASEANAPOL"].get("/v1/meetings/calendar")).text
    assert "Urgent video meeting of police consuls" in calendar


async def test_reports_are_worked_on_and_one_waits_for_an_acknowledgement(told: Hub) -> None:
    korea, cambodia = told.caller("KR-KNPA"), told.caller("KH-CNP")
    seen = {report["title"]: report for report in (await cambodia.get("/v1/incident-reports")).json()["items"]}

    assert len(seen) == len(REPORTS)
    assert {title: report["state"] for title, report in seen.items() if report["state"] != "closed"} == {
        "Translator held near Bokor": "investigating",
        "Foreigner held above the old road": "open",
        "Worker sold on between sites in Sihanoukville": "open",
        "Student found dead beside the road to the plateau": "located",
    }
    paths = {title: f"/v1/incident-reports/{report['id']}" for title, report in seen.items()}
    calls = {
        title: (await korea.get(f"{paths[title]}/acknowledgements")).json()["items"][0]["state"]
        for title in ("Translator held near Bokor", "Worker sold on between sites in Sihanoukville")
    }
    assert list(calls.values()) == ["acknowledged", "waiting"]
    merged = (await korea.get(f"{paths['Translator held near Bokor']}/links")).json()["items"]
    assert {(link["type"], link["outgoing"]) for link in merged} == {("committed_by", True), ("duplicate_of", False)}
    of_thailand = (await told.caller("TH-RTP").get("/v1/incident-reports", params={"limit": "100"})).json()["items"]
    assert len(of_thailand) == len(COUNTED)
    asked = {"country": "KH", "nationality": "KR"}
    numbers = (await cambodia.get("/v1/statistics/incident-reports", params=asked)).json()
    # Few were told to the story's hub, many were counted officially; for 2024 nobody said anything.
    assert [(row["key"], row["reports"]) for row in numbers["items"]] == [("2023", 1), ("2025", 3)]
    assert [row["value"] for row in numbers["declared"]] == [4, 1, 17, None, 330]
    # Everybody is told of those that one agency alone sees, in fives.
    published = (await cambodia.get("/v1/statistics/incident-reports", params={"scope": "community"})).json()["items"]
    counted = {row["key"]: row["reports"] for row in published}
    assert (counted["2024"] in (10, 15), counted["2025"] in (20, 25, 30)) == (True, True)


def test_the_places_are_real_and_the_rest_is_invented() -> None:
    subdivisions = {
        place["subdivision"]
        for profile in story.PROFILES
        for place in profile.body.get("locations", [])
        if "subdivision" in place
    }
    origins = {move["from"] for profile in story.PROFILES for move in profile.body.get("relocations", [])}

    assert subdivisions == {"KH-7", "KH-18"}
    assert origins == {"PH", "TH"}
    assert any(profile.body["handling"]["audience"].get("excluded") for profile in story.PROFILES)


async def test_a_body_is_to_be_brought_home_and_the_autopsy_is_agreed_on(told: Hub) -> None:
    korea, cambodia = (told.caller(agency, "liaison_officer") for agency in ("KR-KNPA", "KH-CNP"))
    thailand = told.caller("TH-RTP", "liaison_officer")
    (request,) = (await cambodia.get("/v1/repatriation-requests")).json()["items"]
    assert (request["state"], request["category"]) == ("accepted", "remains")
    path = f"/v1/repatriation-requests/{request['id']}/checklist"
    checklist = (await korea.get(path)).json()
    assert (await cambodia.get(path)).json() == checklist
    done = {item["code"] for item in checklist["items"] if item["state"] == "completed"}
    assert done == {code for items in homecoming.DONE.values() for code in items}
    assert "autopsy_performed" not in done
    assert (await thailand.get(path)).status_code == 404
