"""Nothing of a person stands anywhere but in the answers to those who may read it: a dump of the whole database, the
process's log and what it refuses are searched for everything that was entered."""

import base64
import logging
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from app.core import logs
from app.core.database_roles import DatabaseRole
from app.core.programs import find_programs
from app.persons.sealing import PersonKeys
from app.web import porch
from tests.conftest import Hub, Partner
from tests.persons.people import PATH, PURPOSE, ROLES, TITLE, read, record_of

NAMES = [
    ("김나비", "ko"),
    ("KIM Nabi", "ko"),
    ("陈样例", "zh-Hans"),
    ("陳樣例", "zh-Hant"),
    ("សុខ ឧទាហរណ៍", "km"),
    ("สมมุติ ตัวอย่าง", "th"),
    ("ສົມມຸດ ຕົວຢ່າງ", "lo"),
    ("ဥပမာ မောင်", "my"),
    ("Nguyễn Văn Thí Dụ", "vi"),
    ("Примеров Пример", "ru"),
]
SECRETS = [
    *(name for name, _ in NAMES),
    *("1998-04-17", "19980417", "2026-11-03", "Mokpo-si"),
    *("M70689098", "L898902C3", "ERIKSSON<<ANNA<MARIA", "ZE184226B"),
    *("010-4711-0815", "+821047110815", "821047110815", "nabi@mail.example", "nabi_0417"),
    *("이가상", "+821047110816", "Insulin", "near the second gate", "Screened by hand"),
    *("changed afterwards", "never taken"),
]
PERSON: dict[str, Any] = {
    "names": [{"name": name, "language": language} for name, language in NAMES],
    "birth_date": "1998-04-17",
    "birth_place": "Mokpo-si",
    "sex": "female",
    "nationalities": ["KR"],
    "travel_documents": [
        {"type": "passport", "number": "M70689098", "issuing_state": "KOR"},
        {
            "type": "passport",
            "machine_readable_zone": [
                "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
                "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
            ],
        },
    ],
    "contacts": [
        {"type": "phone", "value": "010-4711-0815", "e164": "+821047110815"},
        {"type": "email", "value": "nabi@mail.example"},
        {"type": "messenger", "value": "nabi_0417"},
    ],
    "next_of_kin": [
        {
            "names": [{"name": "이가상"}],
            "relationship": "mother",
            "contacts": [{"type": "phone", "value": "+821047110816"}],
        }
    ],
    "medical_needs": [{"need": "Insulin", "urgent": True}],
    "roles": [{"role": "victim", "since": "2026-11-03", "note": "Screened by hand"}],
    "note": "near the second gate",
}


def forms(secret: str) -> Iterator[bytes]:
    """How a text could stand in a dump: as it is, as bytes in hex or base64, escaped in JSON, in capitals or not."""
    for text in {secret, secret.lower(), secret.upper()}:
        data = text.encode()
        yield data
        yield data.hex().encode()
        yield base64.b64encode(data)[: len(data) * 4 // 3 - 3]
        yield text.encode("unicode_escape")
        yield text.encode("utf-16-le")


def found_in(haystack: bytes) -> set[str]:
    folded = haystack.lower()
    return {secret for secret in SECRETS for form in forms(secret) if form in haystack or form.lower() in folded}


def dump(hub: Hub, *options: str) -> bytes:
    """Everything in the database, as SQL, read by the role that makes backups."""
    programs = find_programs(15, newest=True)
    command = [programs.folder / "pg_dump", *options, hub.conninfo(DatabaseRole.BACKUP)]
    return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - our own


async def _work(korea: Partner, cambodia: Partner) -> str:
    """Everything that can be done with a person, and much that is refused."""
    record = await record_of(korea, "KH-CNP")
    persons = f"{record}/persons"
    keyed = {**PURPOSE, "Idempotency-Key": "one"}
    made = await korea.post(persons, PERSON, headers=keyed)
    assert made.status_code == 201, made.text
    place = made.headers["Location"]
    assert (await korea.post(persons, PERSON, headers=keyed)).status_code == 201
    changed = await korea.patch(place, {"note": "changed afterwards"}, '"1"', headers=PURPOSE)
    assert changed.status_code == 200
    for partner in (korea, cambodia):
        assert (await read(partner, place)).status_code == 200
        assert (await read(partner, persons)).status_code == 200
    name = NAMES[0][0]
    broken = [
        {**PERSON, "names": name},
        {**PERSON, "sex": name},
        {**PERSON, "birth_date": "1998-04-17T"},
        {**PERSON, "unknown": name, name: 1},
        {**PERSON, "roles": [{"role": name, "since": "1998-04-17"}]},
        {**PERSON, "travel_documents": [{**PERSON["travel_documents"][0], "check_digit": "0"}]},
        {**PERSON, "contacts": [{"type": "phone", "value": "010-4711-0815", "e164": "+821"}]},
        {**PERSON, "note": "never taken" * 1000},
    ]
    for body in broken:
        refused = await korea.post(persons, body, headers=PURPOSE)
        assert refused.status_code == 422
        assert found_in(refused.content.replace(f"/{name}".encode(), b"")) == set(), refused.text
        assert (await korea.patch(place, body, '"2"', headers=PURPOSE)).status_code == 422
    for method, headers in (("PATCH", {"If-Match": '"9"'}), ("POST", {})):
        for caller in (korea, cambodia):
            await caller.call(method, persons if method == "POST" else place, json=PERSON, headers=headers)
    assert (await korea.post(persons, {**PERSON, "note": "never taken"}, headers=keyed)).status_code == 422
    return persons


async def test_a_dump_of_the_database_holds_nothing_of_a_person(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA", *ROLES), hub.partner("KH-CNP", *ROLES)
    persons = await _work(korea, cambodia)
    whole = dump(hub)
    # The search would find it: this stands in the record, and so in the dump.
    assert TITLE.encode() in whole
    assert b"COPY public.persons " in whole
    assert hub.look("SELECT count(*) FROM persons") == [(1,)]
    assert hub.look("SELECT count(*) FROM person_versions") == [(1,)]
    assert found_in(whole) == set()
    assert found_in(dump(hub, "--inserts")) == set()
    # Nor does the planner know any of it.
    with_statistics = hub.look("SELECT attname, most_common_vals::text FROM pg_stats WHERE tablename LIKE 'person%%'")
    assert found_in(str(with_statistics).encode()) == set()
    # It is there for whoever may read it.
    assert found_in((await read(cambodia, persons)).content) >= {name for name, _ in NAMES} | {"M70689098", "Insulin"}


async def test_nothing_of_a_person_stands_elsewhere_in_the_api(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA", *ROLES), hub.partner("KH-CNP", *ROLES)
    persons = await _work(korea, cambodia)
    record = persons.removesuffix("/persons")
    hub.operator("SELECT sequence_events()")
    for caller in (korea, cambodia):
        for path, headers in (
            (record, {}),
            (f"{record}/versions", {}),
            (f"{record}/versions/1", {}),
            (PATH, {}),
            (PATH, {"Accept": "text/csv"}),
            ("/v1/events", {}),
            ("/v1/audit-entries", {}),
            ("/v1/audit-entries", {"Accept": "text/csv"}),
        ):
            answer = await caller.get(path, headers=headers)
            assert answer.status_code == 200, answer.text
            assert found_in(answer.content) == set(), path


@pytest.fixture
def _logging() -> Iterator[None]:
    """Undoes what a test sets up: the porch keeps the logger that it first used."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    yield
    vars(porch.log).pop("bind", None)
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, former in levels.items():
        logging.getLogger(name).setLevel(former)
    logging.captureWarnings(capture=False)


@pytest.mark.usefixtures("_logging")
async def test_the_log_holds_nothing_of_a_person(
    hub: Hub, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    korea, cambodia = hub.partner("KR-KNPA", *ROLES), hub.partner("KH-CNP", *ROLES)
    logs.configure("debug", human=False)
    persons = await _work(korea, cambodia)
    # A defect, at the moment when everything is at hand.
    monkeypatch.setattr(PersonKeys, "draw", _fail)
    assert (await korea.post(persons, PERSON, headers=PURPOSE)).status_code == 500
    monkeypatch.setattr(PersonKeys, "unwrap", _fail)
    assert (await read(korea, persons)).status_code == 500
    out, err = capfd.readouterr()
    assert f"{PATH}/{{record_id}}/persons" in err
    assert "unexpected failure" in err
    assert found_in((out + err).encode()) == set()


def _fail(*arguments: Any) -> Any:
    message = f"it holds {PERSON} and {arguments}"
    raise RuntimeError(message)
