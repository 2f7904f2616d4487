"""A request that was cleared is not cleared for ever: another destination, and an agreement that ended."""

from tests.conftest import Hub
from tests.routers import repatriating
from tests.routers.agreeing import conclude
from tests.routers.agreements_below import put_in_force
from tests.routers.checking import checklist
from tests.routers.transporting import HOST, ORGANIZER, added, cleared, moved, officer, planned, state_of


async def test_another_destination_asks_again_what_depends_on_it(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    request, _ = await cleared(korea, cambodia)
    path = f"{repatriating.PATH}/{request}"
    assert (await korea.patch(path, {"to_country": "CN"}, etag="*")).json()["state"] == "submitted"
    items = (await checklist(cambodia, path))["items"]
    settled = {one["code"] for one in items if one["state"] == "completed"}
    assert settled == {"identity_verified", "trafficking_screening"}
    await repatriating.stepped(cambodia, path, "acknowledge", "accept")
    assert (await repatriating.step(cambodia, path, "clear")).json()["type"] == "/problems/checklist-open"


async def test_nobody_leaves_whom_the_asked_side_could_not_keep_back(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    agreement = await conclude(korea, cambodia, persons_data=True, record_kinds=["repatriation-requests"])
    basis = agreement.rpartition("/")[2]
    request, persons = await cleared(korea, cambodia, handling={"tlp": "AMBER", "legal_basis": basis})
    path = await planned(korea, HOST)
    await added(korea, path, request, persons)
    put_in_force(hub, basis, in_force=False)
    assert (await cambodia.get(f"{repatriating.PATH}/{request}")).status_code == 404
    refused = await korea.post(f"{path}/freeze", etag="*")
    assert (refused.status_code, [flaw["code"] for flaw in refused.json()["errors"]]) == (409, ["request-not-cleared"])
    put_in_force(hub, basis, in_force=True)
    await moved(korea, path, "freeze")
    assert await state_of(korea, request) == "scheduled"
