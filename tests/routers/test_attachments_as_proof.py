"""Files that settle items of a checklist: they stay while the item stands on them."""

from tests.conftest import Hub
from tests.routers import repatriating
from tests.routers.attaching import attached, download, remove
from tests.routers.checking import REASON, SOMEBODY, act, completed


async def test_what_settles_an_item_stays_and_no_side_removes_the_others(hub: Hub) -> None:
    korea, cambodia = (repatriating.officer(hub, code) for code in (repatriating.REQUESTING, repatriating.REQUESTED))
    path = await repatriating.submitted(korea)
    await repatriating.add_person(korea, path, SOMEBODY)
    proof = await attached(cambodia, path, kind="repatriation-requests")
    await completed(cambodia, path, "fitness_to_fly", attachment=proof.rpartition("/")[2])

    assert (await remove(korea, proof)).status_code == 403
    refused = await remove(cambodia, proof)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")
    assert (await download(korea, proof)).status_code == 200
    await act(cambodia, path, "fitness_to_fly", "reopen", REASON)
    assert (await remove(cambodia, proof)).status_code == 204
    own = await attached(korea, path, kind="repatriation-requests")
    assert [(await remove(partner, own)).status_code for partner in (cambodia, korea)] == [403, 204]
