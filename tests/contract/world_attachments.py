"""The files of the examples, on the urgent report: a text and a picture of nothing."""

from urllib.parse import quote

from tests.contract.world import World, documented_id

CONSENT = "The family agrees to an autopsy at the place where he died.\n가족은 현지 부검에 동의합니다.\n"
PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00"


async def build(world: World) -> None:
    """Attach both, and remove another."""
    korea = world.caller("KR-KNPA liaison_officer")
    params = {"kind": "incident-reports", "record": world.names[documented_id(303)]}
    for number, name, content in ((430, "consent.txt", CONSENT.encode()), (431, "동의서 scan.png", PICTURE)):
        named = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
        answer = await korea.call("POST", "/v1/attachments", params=params, content=content, headers=named)
        world.name(number, answer)
    gone = world.name(432, await korea.call("POST", "/v1/attachments", params=params, content=b"Sent by mistake.\n"))
    removed = await korea.call("DELETE", f"/v1/attachments/{gone}", headers={"If-Match": '"1"'})
    assert removed.status_code == 204, removed.text
