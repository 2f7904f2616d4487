"""`/problems`: each type explains itself, to programs and to people."""

import re

import pytest

from app.core.problems import PROBLEM_TYPES
from tests.conftest import Hub


async def test_a_refusal_leads_to_its_explanation(hub: Hub) -> None:
    refused = await hub.client.get("/v1/me")

    answer = await hub.client.get(refused.json()["type"])

    kind = PROBLEM_TYPES["unauthorized"]
    assert answer.json() == {
        "type": "/problems/unauthorized",
        "status": 401,
        "title": kind.title,
        "explanation": kind.explanation,
    }
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"


async def test_every_type_is_listed(hub: Hub) -> None:
    listed = (await hub.client.get("/problems")).json()

    assert {item["type"] for item in listed["items"]} == {f"/problems/{slug}" for slug in PROBLEM_TYPES}
    assert listed["next_cursor"] is None


@pytest.mark.parametrize("path", ["/problems", "/problems/not-found"])
async def test_people_get_a_page(hub: Hub, path: str) -> None:
    page = await hub.client.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert addresses
    for address in addresses:
        assert (await hub.client.get(address)).status_code == 200


async def test_an_unknown_type_is_not_there(hub: Hub) -> None:
    answer = await hub.client.get("/problems/nothing")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


async def test_other_media_types_are_refused(hub: Hub) -> None:
    assert (await hub.client.get("/problems", headers={"Accept": "image/png"})).status_code == 406


async def test_a_path_says_every_method_it_takes(hub: Hub) -> None:
    record = "/v1/criminal-organizations/01920000-0000-7000-8000-000000000000"

    paths = {
        record: "GET, HEAD, PATCH",
        f"{record}/handling": "GET, HEAD, PUT",
        f"{record}/relations": "GET, HEAD, POST",
        f"{record}/retract": "POST",
        "/problems": "GET, HEAD",
        "/openapi.json": "GET, HEAD",
    }
    for path, methods in paths.items():
        answer = await hub.client.request("OPTIONS", path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, methods)
    # Nobody waits for a description that only those need who ask for it.
    assert hub.app.openapi_schema is None
    assert (await hub.client.head(f"{record}/retract")).status_code == 405
