"""What the trail answers about others' records: nothing, however it is asked."""

from tests.access.scene import PATH, unknown_id
from tests.conftest import Hub

TRAIL = "/v1/audit-entries"


async def test_nobody_learns_by_filters_what_others_read_beside_its_records(hub: Hub) -> None:
    """An entry names all that was read at once. Its reader sees the own ids of it, and can ask for no other."""
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    own = (await korea.profile("Own", share=["KH-CNP"]))["id"]
    secret = (await thailand.profile("Secret", share=["KH-CNP"]))["id"]
    assert len((await cambodia.get(PATH)).json()["items"]) == 2
    auditor = hub.caller("KR-KNPA", "auditor")

    async def asked(**filters: str) -> list[list[str]]:
        answer = await auditor.get(TRAIL, params={"of": "records", **filters})
        return [entry["record_ids"] for entry in answer.json()["items"]]

    assert await asked() == [[own]]
    assert await asked(record=own) == [[own]]
    assert await asked(record=secret) == await asked(record=unknown_id()) == []


async def test_the_trail_of_others_names_neither_officers_nor_reasons(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    path = f"{PATH}/{(await korea.profile(share=['KH-CNP']))['id']}"
    headers = {"On-Behalf-Of": "Lt. Sok", "Access-Purpose": "case 9", "X-Request-Id": "of-cambodia"}
    await cambodia.get(path, headers=headers)
    await cambodia.get(PATH, headers=headers)
    await cambodia.post(f"{path}/sightings", {"assessment": "corroborates"}, headers=headers)
    # Tried in vain: the affair of the agency that tried, also where it sees the record.
    await cambodia.patch(path, {"name": "x"}, '"1"', headers=headers)
    for role in ("auditor", "agency_admin"):
        seen = await hub.caller("KR-KNPA", role).get(TRAIL, params={"of": "records"})
        assert [entry["action"] for entry in seen.json()["items"]] == ["sighting.add", "record.list", "record.read"]
        for word in ("Sok", "case 9", "of-cambodia", cambodia.client_id, "127.0.0.1"):
            assert word not in seen.text
    for role in ("analyst", "commander"):
        assert (await hub.caller("KR-KNPA", role).get(TRAIL)).status_code == 403


async def test_an_agency_has_no_way_into_the_trail_of_another(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    await korea.profile("One")
    await korea.profile("Two")
    await cambodia.get(f"{PATH}/{unknown_id()}")
    auditor = hub.partner("TH-RTP", "auditor")
    for filters in ({}, {"client_id": korea.client_id}, {"of": "records", "agency": "KH-CNP"}, {"of": "records"}):
        assert (await auditor.get(TRAIL, params=filters)).json()["items"] == []
    own = (await auditor.get(TRAIL)).json()["items"]
    assert {entry["action"] for entry in own} == {"audit.list"}
    # A place in another agency's trail is a moment and an id, and opens nothing.
    korean = hub.caller("KR-KNPA", "auditor")
    cursor = (await korean.get(TRAIL, params={"limit": 1})).json()["next_cursor"]
    assert cursor
    walked = await auditor.get(TRAIL, params={"limit": 1, "cursor": cursor})
    assert walked.status_code == 200
    assert {entry["agency"] for entry in walked.json()["items"]} <= {"TH-RTP"}
