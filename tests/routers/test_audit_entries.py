"""The trail: everything of one's own, and of others what they did with one's records."""

from tests.conftest import Hub

PATH = "/v1/criminal-organizations"
TRAIL = "/v1/audit-entries"


async def test_the_own_trail_says_who_why_and_what_came_of_it(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA")
    auditor = hub.caller("KR-KNPA", "auditor")
    created = await korea.profile()
    await korea.get(
        f"{PATH}/{created['id']}",
        headers={"On-Behalf-Of": "Insp. Han", "Access-Purpose": "case 7", "X-Request-Id": "r-1"},
    )
    await korea.patch(f"{PATH}/{created['id']}", {"name": "x"}, '"9"')

    entries = (await auditor.get(TRAIL, params={"client_id": korea.client_id})).json()["items"]

    assert [(entry["action"], entry["outcome"]) for entry in entries] == [
        ("PATCH /v1/criminal-organizations/{record_id}", "precondition-failed"),
        ("record.read", "done"),
        ("record.create", "done"),
    ]
    read = entries[1]
    assert (read["officer"], read["purpose"], read["request_id"], read["peer"]) == (
        "Insp. Han",
        "case 7",
        "r-1",
        "127.0.0.1",
    )
    assert read["record_ids"] == [created["id"]]


async def test_others_reads_are_shown_without_officer_or_reason(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    auditor = hub.caller("KR-KNPA", "auditor")
    shared = await korea.profile("Shared", share=["KH-CNP"])
    own = await cambodia.profile("Cambodia's own")
    await cambodia.get(f"{PATH}/{shared['id']}", headers={"On-Behalf-Of": "Officer X", "Access-Purpose": "case 9"})
    await cambodia.get(PATH)

    entries = (await auditor.get(TRAIL, params={"of": "records"})).json()["items"]

    assert [(entry["agency"], entry["action"], entry["record_ids"]) for entry in entries] == [
        ("KH-CNP", "record.list", [shared["id"]]),
        ("KH-CNP", "record.read", [shared["id"]]),
    ]
    assert all(entry["officer"] is entry["purpose"] is entry["client_id"] is None for entry in entries)
    assert own["id"] not in str(entries)


async def test_a_refused_read_of_a_hidden_record_is_never_shown_to_its_originator(hub: Hub) -> None:
    korea, thailand = hub.partner("KR-KNPA"), hub.partner("TH-RTP")
    auditors = hub.caller("KR-KNPA", "auditor"), hub.caller("TH-RTP", "auditor")
    secret = await korea.profile("Secret")
    unknown = "01920000-0000-7000-8000-000000000000"
    for record_id in (secret["id"], unknown):
        await thailand.get(f"{PATH}/{record_id}")

    assert (await auditors[0].get(TRAIL, params={"of": "records"})).json()["items"] == []
    own = (await auditors[1].get(TRAIL, params={"client_id": thailand.client_id})).json()["items"]
    assert [entry["record_ids"] for entry in own] == [[unknown], [secret["id"]]]
    hidden, never = ({**entry, "id": "", "at": "", "record_ids": [], "request_id": ""} for entry in own)
    assert hidden == never


async def test_an_analyst_may_not_read_the_trail(hub: Hub) -> None:
    assert (await hub.partner("KR-KNPA").get(TRAIL)).status_code == 403
