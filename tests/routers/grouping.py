"""Groups as tests need them: founded, with members that have accepted, and looked at."""

from typing import Any

from tests.conftest import Hub, Partner

PATH = "/v1/groups"


def commander(hub: Hub, agency: str) -> Partner:
    return hub.partner(agency, "commander", "analyst")


async def found(chair: Partner, *members: Partner | str, **fields: Any) -> str:
    """Found a group and invite others, of which partners accept; its path."""
    invited = [{"agency": member if isinstance(member, str) else member.agency} for member in members]
    body = {"kind": "council", "name": "Bokor response council", "members": invited}
    answer = await chair.post(PATH, {**body, **fields})
    assert answer.status_code == 201, answer.text
    path = str(answer.headers["Location"])
    for member in members:
        if isinstance(member, Partner):
            await member.accept(path)
    return path


async def roles(partner: Partner, path: str) -> dict[str, str]:
    return {item["agency"]: item["role"] for item in (await partner.get(f"{path}/members")).json()["items"]}


async def walk(partner: Partner, path: str, **parameters: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    while True:
        page = (await partner.get(path, params=parameters)).json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        parameters["cursor"] = page["next_cursor"]


async def members_of(partner: Partner, path: str, **parameters: Any) -> list[dict[str, Any]]:
    """Who is in a group as a partner sees it."""
    answer = await partner.get(f"{path}/members", params=parameters)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def trio(hub: Hub) -> tuple[Partner, Partner, Partner]:
    """Commanders of the agencies of Korea, Cambodia and Thailand."""
    korea, cambodia, thailand = (commander(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    return korea, cambodia, thailand


async def share(partner: Partner, path: str, **audience: Any) -> str:
    """A profile shared with a group; its path."""
    groups = {"groups": [path.rpartition("/")[2]], **audience}
    record = await partner.profile(handling={"tlp": "AMBER", "audience": groups})
    return f"/v1/criminal-organizations/{record['id']}"


async def status(partner: Partner, *paths: str) -> list[int]:
    """What a partner is answered to reading each of the paths."""
    return [(await partner.get(path)).status_code for path in paths]
