"""Sign-in behind a proxy: networks are the client's own, never what a stranger writes into a header."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.settings import Settings
from tests.conftest import PUBLIC_URL, Hub
from tests.routers.entrance import Key, called_from, issue


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data=tmp_path, public_url=PUBLIC_URL, trusted_proxies="127.0.0.0/8")  # type: ignore[call-arg]


async def ask(key: Key, forwarded: str) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_id": key.client_id, "client_secret": key.secret}
    return await key.hub.client.post("/oauth/token", data=form, headers={"X-Forwarded-For": forwarded})


async def test_the_address_that_a_trusted_proxy_names_is_the_clients(hub: Hub) -> None:
    key = issue(hub, hub.register("KR-KNPA"), "auditor", allowed_networks=["192.0.2.0/24"])
    assert (await ask(key, "192.0.2.9")).status_code == 200
    assert (await ask(key, "192.0.2.9, 198.51.100.1")).status_code == 401, "the last one is what the proxy saw"
    assert (await ask(key, "nonsense")).status_code == 401
    async with called_from(hub, "198.51.100.1") as stranger:
        assert (await ask(replace(key, hub=stranger), "192.0.2.9")).status_code == 401, "not a trusted proxy"


async def test_failures_are_counted_for_the_network_behind_the_proxy(hub: Hub) -> None:
    key = issue(hub, hub.register("KR-KNPA"), "auditor")
    wrong = replace(key, secret="ids_wrong")
    for _ in range(6):
        await ask(wrong, "198.51.100.1")
    assert (await ask(key, "198.51.100.1")).status_code == 429
    assert (await ask(key, "192.0.2.9")).status_code == 200
    for number in range(7):
        await ask(wrong, f"2001:db8:1:1::{number}")
    assert (await ask(key, "2001:db8:1:1::ffff")).status_code == 429, "one subscriber has a whole /64"
    assert (await ask(key, "2001:db8:1:2::1")).status_code == 200
