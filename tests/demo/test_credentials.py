"""The demo's credentials: of each installation its own, kept for the next start, and good to sign in with."""

import json
from pathlib import Path

from app.demo import credentials, story, telling
from app.demo.homecoming import People
from app.demo.telling import OpenDesk
from tests.conftest import Hub


async def test_they_are_kept_and_given_again(hub: Hub, open_desk: OpenDesk, people: People, tmp_path: Path) -> None:
    await telling.tell(open_desk, people)

    first = await credentials.provide(open_desk, tmp_path)
    second = await credentials.provide(open_desk, tmp_path)

    file = tmp_path / "demo-credentials.json"
    assert first == second == json.loads(file.read_text(encoding="utf-8"))
    assert file.stat().st_mode & 0o777 == 0o600
    assert [(one["agency"], one["label"], one["roles"]) for one in first] == list(story.CREDENTIALS)
    assert hub.look("SELECT count(*) FROM credentials") == [(len(story.CREDENTIALS),)]


async def test_they_sign_in(hub: Hub, open_desk: OpenDesk, people: People, tmp_path: Path) -> None:
    await telling.tell(open_desk, people)
    (first, *_) = await credentials.provide(open_desk, tmp_path)

    answer = await hub.client.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(first["client_id"], first["client_secret"]),
    )

    assert answer.status_code == 200


async def test_lost_secrets_are_drawn_again(hub: Hub, open_desk: OpenDesk, people: People, tmp_path: Path) -> None:
    await telling.tell(open_desk, people)
    first = await credentials.provide(open_desk, tmp_path)
    (tmp_path / credentials.FILE).write_text("{", encoding="utf-8")

    second = await credentials.provide(open_desk, tmp_path)

    assert [one["client_id"] for one in second] == [one["client_id"] for one in first]
    assert not {one["client_secret"] for one in second} & {one["client_secret"] for one in first}
    assert hub.look("SELECT count(*) FROM credentials") == [(len(story.CREDENTIALS),)]
