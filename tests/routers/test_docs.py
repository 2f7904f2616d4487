"""Pages for people: they load nothing but the hub's own files, and run no script that is not one of them."""

import re

import pytest

from app.web.pages import ASSETS
from tests.conftest import Hub


def _policy(header: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (part.split() for part in header.split(";"))}


async def test_the_docs_page_loads_only_what_the_hub_serves(hub: Hub) -> None:
    page = await hub.client.get("/docs")

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    for address in loaded:
        assert address.startswith("/docs/assets/")
        assert (await hub.client.get(address)).status_code == 200
    assert "<script>" not in page.text
    assert " on" not in page.text.replace("on\n", "")
    policy = _policy(page.headers["content-security-policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["connect-src"] == policy["style-src"] == ["'self'"]
    assert policy["img-src"] == ["'self'", "data:"]


@pytest.mark.parametrize("name", [name for name in ASSETS if name.startswith(("docs.", "page."))])
def test_our_own_files_name_no_host(name: str) -> None:
    assert "//" not in re.sub(r"(?m)^\s*//.*$", "", ASSETS[name][0].read_text())


def test_the_style_of_swagger_ui_loads_nothing() -> None:
    style = ASSETS["swagger-ui.css"][0].read_text()
    assert set(re.findall(r"url\([\"']?(\w+:|[^)\"']*)", style)) == {"data:"}
    assert "@import" not in style


def test_nothing_of_the_page_outlives_it_or_leaves_it() -> None:
    script = ASSETS["docs.js"][0].read_text()
    assert "validatorUrl: null" in script
    assert "persistAuthorization: false" in script


async def test_files_are_answered_once(hub: Hub) -> None:
    first = await hub.client.get("/docs/assets/docs.js")
    again = await hub.client.get("/docs/assets/docs.js", headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["content-type"].startswith("text/javascript")
    assert (again.status_code, again.content) == (304, b"")
    for name in ("redoc.standalone.js", "..%2Fdocs.js", "nothing"):
        assert (await hub.client.get(f"/docs/assets/{name}")).status_code == 404


async def test_the_description_is_served(hub: Hub) -> None:
    answer = await hub.client.get("/openapi.json")

    assert answer.json() == hub.app.openapi()
    assert answer.json()["openapi"].startswith("3.1")
    again = await hub.client.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
