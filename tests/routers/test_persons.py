"""Persons over HTTP: who may, for what purpose, under which version, and what is told of it elsewhere."""

import asyncio
from typing import Any

import pytest

from app.persons import persons
from tests.conftest import Hub, Partner
from tests.events.following import follower
from tests.events.following import place as place_events
from tests.persons.people import KIM, KIND, PATH, PURPOSE, ROLES, enter, read, record_of
from tests.routers.agreeing import conclude, moved
from tests.routers.entrance import below_policies

PASSPORT = {"type": "passport", "number": "M70689098", "issuing_state": "KOR"}


class Case:
    """A record of Korea's that Cambodia reads; Thailand does not."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.korea, self.cambodia = hub.partner("KR-KNPA", *ROLES), hub.partner("KH-CNP", *ROLES)
        self.thailand = hub.partner("TH-RTP", *ROLES)
        self.path = ""

    async def share(self) -> "Case":
        self.path = await self.record()
        return self

    async def record(self, **handling: Any) -> str:
        return await record_of(self.korea, "KH-CNP", **handling)

    @property
    def persons(self) -> str:
        return f"{self.path}/persons"


@pytest.fixture
async def case(hub: Hub) -> Case:
    return await Case(hub).share()


async def test_a_person_is_entered_read_changed_and_removed(case: Case) -> None:
    made = await enter(case.korea, case.path)
    place = made.headers["Location"]
    person = made.json()
    assert made.headers["ETag"] == '"1"'
    assert place == f"{case.persons}/{person['id']}"
    assert (person["agency"], person["version"], person["birth_date"]) == ("KR-KNPA", 1, "1998-04-17")
    assert [name["script"] for name in person["names"]] == ["Hang", "Latn", "Khmr"]
    assert person["contacts"] == [
        {"type": "phone", "value": "+82 (0)10 0000-4711", "e164": "+821000004711", "note": None}
    ]
    assert person["created_at"] == person["updated_at"]

    for partner in (case.korea, case.cambodia):
        seen = await read(partner, place)
        assert (seen.status_code, seen.json(), seen.headers["ETag"]) == (200, person, '"1"')
        assert seen.headers["Cache-Control"] == "no-store"
        assert (await read(partner, case.persons)).json() == {"items": [person], "next_cursor": None}
    assert (await read(case.korea, place, headers={"If-None-Match": '"1"'})).status_code == 304

    roles = [*person["roles"], {"role": "suspect", "since": "2026-11-20", "until": None, "note": None}]
    changed = await case.korea.patch(place, {"roles": roles, "birth_date": "1998"}, '"1"', headers=PURPOSE)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert changed.json() == {
        **person,
        "roles": roles,
        "birth_date": "1998",
        "version": 2,
        "updated_at": changed.json()["updated_at"],
    }
    assert (await read(case.cambodia, place)).json() == changed.json()
    # Nothing of it is the record's: its version stays.
    assert (await case.korea.get(case.path)).headers["ETag"] == '"1"'

    removed = await case.korea.call("DELETE", place, headers={**PURPOSE, "If-Match": '"2"'})
    assert (removed.status_code, removed.content) == (204, b"")
    for partner in (case.korea, case.cambodia):
        assert (await read(partner, place)).status_code == 404
        assert (await read(partner, case.persons)).json()["items"] == []
    for table in ("persons", "person_keys", "person_versions"):
        assert case.hub.look(f"SELECT count(*) FROM {table}") == [(0,)]  # noqa: S608 - stands above


async def test_a_patch_that_changes_nothing_makes_no_version_and_is_a_read(case: Case) -> None:
    place = (await enter(case.korea, case.path)).headers["Location"]
    same = await case.korea.patch(place, {"sex": "male"}, '"1"', headers=PURPOSE)
    assert (same.status_code, same.headers["ETag"]) == (200, '"1"')
    actions = case.hub.look("SELECT action FROM audit_entries WHERE action LIKE 'person.%%' ORDER BY at")
    assert actions == [("person.add",), ("person.read",)]


async def test_without_a_purpose_nothing_is_done(case: Case) -> None:
    place = (await enter(case.korea, case.path)).headers["Location"]
    calls = [
        ("GET", case.persons, None),
        ("GET", place, None),
        ("POST", case.persons, KIM),
        ("PATCH", place, {"sex": None}),
        ("DELETE", place, None),
    ]
    for headers in ({}, {"Access-Purpose": "  "}):
        for method, path, body in calls:
            answer = await case.korea.call(method, path, json=body, headers={"If-Match": '"1"', **headers})
            assert (answer.status_code, answer.json()["type"]) == (400, "/problems/purpose-required"), method
            assert answer.json()["errors"][0]["pointer"] == "/header/Access-Purpose"
    # It is asked for before anything is looked up.
    unknown = await case.thailand.get(f"{PATH}/01a202b0-0001-7c52-9d3f-2a6b8e1f4c70/persons")
    assert unknown.status_code == 400


async def test_every_read_is_in_the_audit_with_its_purpose(case: Case) -> None:
    first, second = [(await enter(case.korea, case.path)).json()["id"] for _ in range(2)]
    await read(case.cambodia, f"{case.persons}/{first}", headers={"On-Behalf-Of": "Insp. Sok"})
    await read(case.cambodia, case.persons, headers={"Access-Purpose": "visit 7"})
    entries = case.hub.look(
        "SELECT agency, officer, purpose, action, outcome, kind, originators, detail FROM audit_entries"
        " WHERE action LIKE 'person.%%' ORDER BY at"
    )
    korea, cambodia = ("KR-KNPA", None), ("KH-CNP", "Insp. Sok")
    kind, purpose = KIND.value, PURPOSE["Access-Purpose"]
    assert entries == [
        (*korea, purpose, "person.add", "done", kind, [], {"person": first}),
        (*korea, purpose, "person.add", "done", kind, [], {"person": second}),
        (*cambodia, purpose, "person.read", "done", kind, ["KR-KNPA"], {"person": first}),
        ("KH-CNP", None, "visit 7", "person.list", "done", kind, ["KR-KNPA"], {"persons": [second, first]}),
    ]
    # The originator learns that another agency read, and neither why nor whom.
    told = (await case.korea.get("/v1/audit-entries", params={"of": "records", "action": "person.read"})).json()
    assert [(entry["agency"], entry["purpose"], entry["detail"]) for entry in told["items"]] == [("KH-CNP", None, None)]


async def test_who_may_not_may_not(case: Case) -> None:
    place = (await enter(case.korea, case.path)).headers["Location"]
    hub, if_one = case.hub, {**PURPOSE, "If-Match": '"1"'}
    calls = [
        ("GET", case.persons, None, "persons:read"),
        ("GET", place, None, "persons:read"),
        ("POST", case.persons, KIM, "persons:write"),
        ("PATCH", place, {"sex": None}, "persons:write"),
        ("DELETE", place, None, "persons:write"),
    ]
    client = hub.credential("KR-KNPA", *ROLES)
    for method, path, body, permission in calls:
        options = {"json": body, "headers": if_one}
        # A stranger to the record finds nothing, as with an id that never was.
        assert (await case.thailand.call(method, path, **options)).status_code == 404
        for missing in (permission, KIND.read):
            scope = [word for word in hub.stranger_permissions() if word != missing]
            narrow = Partner(hub, "KR-KNPA", client, hub.token(client, scope=scope))
            answer = await narrow.call(method, path, **options)
            assert (answer.status_code, missing in answer.json()["detail"]) == (403, True), (method, missing)
        if method != "GET":
            refused = await case.cambodia.call(method, path, **options)
            assert (refused.status_code, "owns" in refused.json()["detail"]) == (403, True)
    # Whoever may write and not read is shown nothing by a patch.
    write_only = hub.token(client, scope=[KIND.read, "persons:write"])
    blind = await Partner(hub, "KR-KNPA", client, write_only).call("PATCH", place, json={}, headers=if_one)
    assert blind.status_code == 403
    hub.operator("UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", client)
    revoked = Partner(hub, "KR-KNPA", client, hub.token(client, *ROLES))
    for method, path, body, _ in calls:
        assert (await revoked.call(method, path, json=body, headers=if_one)).status_code == 401
    assert (await read(case.korea, place)).headers["ETag"] == '"1"'


async def test_a_version_is_needed_and_must_be_the_present_one(case: Case) -> None:
    place = (await enter(case.korea, case.path)).headers["Location"]
    for method, body in (("PATCH", {"sex": None}), ("DELETE", None)):
        for headers, status in (({}, 428), ({"If-Match": '"2"'}, 412)):
            answer = await case.korea.call(method, place, json=body, headers={**PURPOSE, **headers})
            assert answer.status_code == status
    for _ in range(2):
        answers = await asyncio.gather(
            *(case.korea.patch(place, {"note": f"Version {number}"}, '"1"', headers=PURPOSE) for number in range(4)),
            return_exceptions=False,
        )
    assert sorted({answer.status_code for answer in answers}) == [412]
    assert (await read(case.korea, place)).headers["ETag"] == '"2"'


async def test_of_changes_at_once_one_is_made(case: Case) -> None:
    place = (await enter(case.korea, case.path)).headers["Location"]
    remove = case.korea.call("DELETE", place, headers={**PURPOSE, "If-Match": '"1"'})
    patches = [case.korea.patch(place, {"note": str(n)}, '"1"', headers=PURPOSE) for n in range(3)]
    statuses = sorted([answer.status_code for answer in await asyncio.gather(*patches, remove)])
    assert sum(status < 300 for status in statuses) == 1
    assert set(statuses) <= {200, 204, 404, 412}


async def test_a_repeat_answers_the_person_as_first_entered(case: Case) -> None:
    keyed = {**PURPOSE, "Idempotency-Key": "entry-1"}
    first = await case.korea.post(case.persons, KIM, headers=keyed)
    place = first.headers["Location"]
    await case.korea.patch(place, {"birth_date": "1999"}, '"1"', headers=PURPOSE)
    await case.korea.patch(place, {"sex": None}, '"2"', headers=PURPOSE)

    again = await case.korea.post(case.persons, KIM, headers=keyed)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert (again.json(), again.headers["ETag"], again.headers["Location"]) == (first.json(), '"1"', place)
    other = await case.korea.post(case.persons, {**KIM, "sex": None}, headers=keyed)
    assert other.status_code == 422
    unsaid = await case.korea.post(case.persons, KIM, headers={"Idempotency-Key": "entry-1"})
    assert unsaid.status_code == 400
    assert case.hub.look("SELECT count(*) FROM persons") == [(1,)]

    # After a day neither the key nor what the person was is there any more.
    below_policies(case.hub, "UPDATE person_versions SET made_at = made_at - interval '25 hours' WHERE version = 1")
    case.hub.operator("SELECT forget_expired()")
    assert case.hub.look("SELECT version FROM person_versions") == [(2,)]
    await case.korea.call("DELETE", place, headers={**PURPOSE, "If-Match": '"3"'})
    assert (await case.korea.post(case.persons, KIM, headers=keyed)).status_code == 404


async def test_a_version_older_than_a_day_is_not_kept(case: Case) -> None:
    place = (await enter(case.korea, case.path)).headers["Location"]
    below_policies(case.hub, "UPDATE persons SET updated_at = updated_at - interval '25 hours'")
    assert (await case.korea.patch(place, {"sex": None}, '"1"', headers=PURPOSE)).status_code == 200
    assert case.hub.look("SELECT count(*) FROM person_versions") == [(0,)]


async def test_what_is_refused_is_said_without_being_repeated(case: Case) -> None:
    place = (await enter(case.korea, case.path)).headers["Location"]
    secret = "Zanzibarovski"
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"roles": []}, "/roles", "too-short"),
        ({"names": [{"name": secret, "script": secret}]}, "/names/0/script", "string-pattern-mismatch"),
        ({"names": [{"name": f"{secret}\x07"}]}, "/names/0/name", "text-control-character"),
        ({"birth_date": secret}, "/birth_date", "date-invalid"),
        ({"birth_date": "2999"}, "/birth_date", "date-ahead"),
        ({"sex": secret}, "/sex", "enum"),
        ({"nationalities": [secret]}, "/nationalities/0", "country-unknown"),
        ({"stateless": True}, "/stateless", "nationality-given"),
        ({"roles": [{"role": secret, "since": "2026"}]}, "/roles/0/role", "enum"),
        ({"roles": [{"role": "victim", "since": "2026", "until": "2025"}]}, "/roles/0/until", "dates-reversed"),
        ({"contacts": [{"type": "phone", "value": "x", "e164": secret}]}, "/contacts/0/e164", "phone-invalid"),
        ({"contacts": [{"type": "email", "value": "x", "e164": "+821000004711"}]}, "/contacts/0/e164", "no-phone"),
        (
            {"contacts": [{"type": "phone", "value": "+821000004712", "e164": "+821000004711"}]},
            "/contacts/0/e164",
            "phone-differs",
        ),
        (
            {"travel_documents": [{**PASSPORT, "number": secret.upper(), "check_digit": "1"}]},
            "/travel_documents/0/check_digit",
            "check-digit-wrong",
        ),
        ({"travel_documents": [{"type": "passport"}]}, "/travel_documents/0/number", "number-missing"),
    ]
    for fields, pointer, code in wrong:
        for answer in (
            await case.korea.post(case.persons, {**KIM, **fields}, headers=PURPOSE),
            await case.korea.patch(place, fields, '"1"', headers=PURPOSE),
        ):
            assert answer.status_code == 422, fields
            assert (pointer, code) in [(flaw["pointer"], flaw["code"]) for flaw in answer.json()["errors"]], answer.text
            assert secret.lower() not in answer.text.lower()
    large = await case.korea.post(case.persons, {**KIM, "note": "x" * 2_000_000}, headers=PURPOSE)
    assert large.status_code == 413
    text = await case.korea.call(
        "PATCH", place, content=b"{}", headers={**PURPOSE, "If-Match": '"1"', "Content-Type": "text/plain"}
    )
    assert (text.status_code, "Accept-Patch" in text.headers) == (415, True)


async def test_persons_leave_in_no_table(case: Case) -> None:
    await enter(case.korea, case.path)
    table = await read(case.korea, case.persons, headers={"Accept": "text/csv"})
    assert (table.status_code, table.json()["type"]) == (406, "/problems/not-acceptable")


async def test_pages_end_by_number_and_by_size(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    entered = [(await enter(case.korea, case.path, note=str(number))).json()["id"] for number in range(5)]

    async def walk(**parameters: Any) -> list[list[str]]:
        pages, cursor = [], None
        while True:
            answer = await read(
                case.cambodia, case.persons, params={**parameters, **({"cursor": cursor} if cursor else {})}
            )
            assert answer.status_code == 200, answer.text
            pages.append([person["id"] for person in answer.json()["items"]])
            cursor = answer.json()["next_cursor"]
            if cursor is None:
                return pages

    newest = list(reversed(entered))
    assert await walk() == [newest]
    assert await walk(limit=2) == [newest[:2], newest[2:4], newest[4:]]
    monkeypatch.setattr(persons, "PAGE_BYTES", 1)
    assert await walk(limit=2) == [[one] for one in newest]
    assert (await read(case.cambodia, case.persons, params={"cursor": "x"})).status_code == 400


async def test_a_person_is_found_with_its_own_record_alone(case: Case) -> None:
    person = (await enter(case.korea, case.path)).json()["id"]
    other = await case.record()
    for place in (f"{other}/persons/{person}", f"{case.persons}/{other.rpartition('/')[2]}", f"{case.persons}/x"):
        assert (await read(case.korea, place)).status_code == 404
        answer = await case.korea.patch(place, {"sex": None}, '"1"', headers=PURPOSE)
        assert answer.status_code == 404


async def test_a_caveat_is_acknowledged_first(case: Case) -> None:
    path = await case.record(codes=["H3"], caveat="Ask first.")
    place = (await enter(case.korea, path)).headers["Location"]
    for covered in (place, f"{path}/persons"):
        answer = await read(case.cambodia, covered)
        assert (answer.status_code, answer.json()["caveat"]) == (409, "Ask first.")
    assert (await case.cambodia.post(f"{path}/handling/acknowledge", {"caveat": "Ask first."})).status_code == 200
    assert (await read(case.cambodia, place)).status_code == 200


async def test_after_a_retraction_the_originator_can_still_remove(case: Case) -> None:
    first, second = [(await enter(case.korea, case.path)).headers["Location"] for _ in range(2)]
    retracted = await case.korea.call("POST", f"{case.path}/retract", headers={"If-Match": '"1"'})
    assert retracted.status_code == 200
    assert (await read(case.cambodia, first)).status_code == 404
    assert (await read(case.cambodia, case.persons)).json()["items"] == []
    assert len((await read(case.korea, case.persons)).json()["items"]) == 2
    for answer in (
        await case.korea.patch(first, {"sex": None}, '"1"', headers=PURPOSE),
        await case.korea.post(case.persons, KIM, headers=PURPOSE),
    ):
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/retracted")
    removed = await case.korea.call("DELETE", first, headers={**PURPOSE, "If-Match": '"1"'})
    assert removed.status_code == 204
    assert (await read(case.korea, second)).status_code == 200


async def test_sight_that_ends_ends_for_persons_too(case: Case) -> None:
    place = (await enter(case.korea, case.path)).headers["Location"]
    assert (await read(case.cambodia, place)).status_code == 200
    recalled = await case.korea.post(f"{case.path}/recalls", {"agencies": ["KH-CNP"], "reason": "Consent ended."})
    assert recalled.status_code == 201
    assert (await read(case.cambodia, place)).status_code == 404


async def test_an_agreement_that_covers_no_persons_shows_none(case: Case) -> None:
    commander = case.hub.caller("KR-KNPA", "commander"), case.hub.caller("KH-CNP", "commander")
    for covered in (False, True):
        agreement = await conclude(*commander, persons_data=covered, record_kinds=[KIND.value])
        path = await case.record(legal_basis=agreement.rpartition("/")[2])
        place = (await enter(case.korea, path)).headers["Location"]
        assert (await case.cambodia.get(path)).status_code == 200
        for asked in (place, f"{path}/persons"):
            answer = await read(case.cambodia, asked)
            assert answer.status_code == (200 if covered else 403)
            assert covered or "does not cover data of persons" in answer.json()["detail"]
        assert (await read(case.korea, place)).status_code == 200
        audiences = case.hub.look("SELECT audience FROM events WHERE type = 'person.added' ORDER BY at DESC LIMIT 1")
        assert audiences == [(["KH-CNP", "KR-KNPA"] if covered else ["KR-KNPA"],)]
        await moved(commander[1], agreement, "suspend", {"reason": "x"})
        assert (await read(case.cambodia, place)).status_code == 404


async def test_events_name_the_person_by_id_and_reach_whoever_may_see(case: Case) -> None:
    cambodia, thailand = await follower(case.cambodia), await follower(case.thailand)
    made = await enter(case.korea, case.path)
    place, person = made.headers["Location"], made.json()["id"]
    await case.korea.patch(place, {"sex": None}, '"1"', headers=PURPOSE)
    await case.korea.call("DELETE", place, headers={**PURPOSE, "If-Match": '"2"'})
    place_events(case.hub)
    words = [kind for kind, _ in await cambodia.follow()]
    assert words == ["person.added", "person.changed", "person.removed"]
    assert [event["data"]["detail"] for event in cambodia.events] == [{"person": person}] * 3
    assert await thailand.follow() == []


async def test_readers_who_may_not_see_persons_are_not_told_of_them(case: Case) -> None:
    path = await case.record(codes=["H3"], caveat="Ask first.")
    person = (await enter(case.korea, path)).json()["id"]
    audiences = case.hub.look(
        "SELECT audience FROM events WHERE type = 'person.added' AND data ->> 'person' = %s", person
    )
    assert audiences == [(["KR-KNPA"],)]
