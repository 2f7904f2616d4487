"""Files on records: attached by whoever takes part, read by whoever sees the record, gone when they are to be gone."""

import base64
import hashlib
from typing import Any

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from app.core.ids import uuid7
from tests.conftest import Hub, Partner
from tests.events.following import follower
from tests.events.following import place as place_events
from tests.routers import incidents, operating, repatriating
from tests.routers.attaching import (
    JPEG,
    PATH,
    PDF,
    TEXT,
    attach,
    attached,
    download,
    empty_trash,
    remove,
    stored,
)

PROFILE = "/v1/criminal-organizations"


@pytest.fixture
def korea(hub: Hub) -> Partner:
    return hub.partner("KR-KNPA", "analyst")


async def test_a_file_is_attached_read_and_downloaded(hub: Hub, korea: Partner) -> None:
    cambodia = hub.partner("KH-CNP")
    profile = await korea.profile(share=["KH-CNP"])

    answer = await attach(korea, profile["id"], PDF, filename="동의서 consent.pdf")

    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["Location"] == f"{PATH}/{made['id']}"
    assert answer.headers["ETag"] == '"1"'
    digest = hashlib.sha256(PDF)
    assert made == {
        "id": made["id"],
        "kind": "criminal-organizations",
        "record_id": profile["id"],
        "agency": "KR-KNPA",
        "version": 1,
        "state": "attached",
        "filename": "동의서 consent.pdf",
        "media_type": "application/pdf",
        "size": len(PDF),
        "sha256": digest.hexdigest(),
        "created_at": made["created_at"],
        "removed_at": None,
    }
    for partner in (korea, cambodia):
        read = await partner.get(f"{PATH}/{made['id']}")
        assert (read.status_code, read.json(), read.headers["ETag"]) == (200, made, '"1"')
        download = await partner.get(f"{PATH}/{made['id']}/content")
        assert (download.status_code, download.content) == (200, PDF)
        expected = {
            "content-type": "application/octet-stream",
            "content-length": str(len(PDF)),
            "content-disposition": 'attachment; filename="___ consent.pdf"; '
            "filename*=UTF-8''%EB%8F%99%EC%9D%98%EC%84%9C%20consent.pdf",
            "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
            "x-content-type-options": "nosniff",
            "cache-control": "no-store",
            "repr-digest": f"sha-256=:{base64.b64encode(digest.digest()).decode()}:",
        }
        assert {name: download.headers[name] for name in expected} == expected
        assert "content-encoding" not in download.headers
        for params in ({}, {"kind": "criminal-organizations", "record": profile["id"]}):
            listed = await partner.get(PATH, params=params)
            assert (listed.status_code, listed.json()) == (200, {"items": [made], "next_cursor": None})
    (file,) = stored(hub)
    assert file.name == made["id"]
    assert file.stat().st_mode & 0o777 == 0o600
    content = file.read_bytes()
    assert len(content) == len(PDF) + 16
    assert b"PDF" not in content
    # The record itself did not change.
    assert (await korea.get(f"/v1/criminal-organizations/{profile['id']}")).json()["version"] == 1


async def statuses(partner: Partner, path: str) -> list[int]:
    """What reading, downloading and removing it are answered."""
    return [
        (await partner.get(path)).status_code,
        (await download(partner, path)).status_code,
        (await remove(partner, path, '"9"')).status_code,
    ]


async def ids(partner: Partner, **params: str) -> list[str]:
    answer = await partner.get(PATH, params=params)
    assert answer.status_code == 200, answer.text
    return [f"{PATH}/{one['id']}" for one in answer.json()["items"]]


async def test_every_kind_of_record_takes_attachments_from_whoever_takes_part(hub: Hub) -> None:
    roles = ("analyst", "operations_officer", "liaison_officer", "commander")
    korea, cambodia, thailand = (hub.partner(code, *roles) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    profile = f"{PROFILE}/{(await korea.profile(share=['KH-CNP', 'TH-RTP']))['id']}"
    report = await incidents.path_of(korea, "KH-CNP", "TH-RTP")
    operation = await operating.draft(korea, "KH-CNP", "TH-RTP")
    await operating.moved(korea, operation, "propose")
    request = await repatriating.submitted(korea, transit_agencies=["TH-RTP"])
    may = {profile: [201, 403, 403], report: [201, 403, 403], operation: [201, 201, 201], request: [201, 201, 403]}
    for path, expected in may.items():
        kind = path.split("/")[2]
        answers = [await attach(partner, path, kind=kind) for partner in (korea, cambodia, thailand)]
        assert [answer.status_code for answer in answers] == expected, kind
        made = [answer.headers["Location"] for answer in answers if answer.status_code == 201]
        for partner in (korea, cambodia, thailand):
            assert await ids(partner, kind=kind, record=path.rpartition("/")[2]) == made[::-1]
            assert {(await download(partner, one)).status_code for one in made} == {200}
    assert len(await ids(cambodia)) == 7


async def test_a_participant_removes_its_own_and_the_originator_everything(hub: Hub) -> None:
    korea, cambodia, thailand = (operating.officer(hub, code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    operation = await operating.draft(korea, "KH-CNP", "TH-RTP")
    await operating.moved(korea, operation, "propose")
    made = [await attached(partner, operation, kind="joint-operations") for partner in (korea, cambodia, cambodia)]

    assert [(await remove(thailand, path)).status_code for path in made] == [403, 403, 403]
    assert [(await remove(cambodia, path)).status_code for path in made] == [403, 204, 204]
    assert (await remove(korea, made[0])).status_code == 204
    again = await attached(cambodia, operation, kind="joint-operations")
    assert (await operating.move(cambodia, operation, "leave", {"reason": "Needed at home."})).status_code == 204
    assert await statuses(cambodia, again) == [404, 404, 404]
    assert (await remove(korea, again)).status_code == 204


async def test_what_is_removed_leaves_its_hash_and_nothing_else(hub: Hub, korea: Partner) -> None:
    cambodia = hub.partner("KH-CNP")
    profile = await korea.profile(share=["KH-CNP"])
    path = await attached(korea, profile["id"], TEXT, filename="김나비.txt")
    made = (await korea.get(path)).json()
    assert [(await remove(korea, path, etag)).status_code for etag in (None, '"2"')] == [428, 412]
    assert len(stored(hub)) == 1

    assert (await remove(korea, path)).status_code == 204

    for partner in (korea, cambodia):
        gone = await partner.get(path)
        assert (gone.status_code, gone.headers["ETag"]) == (200, '"2"')
        assert gone.json() == {
            **made,
            "version": 2,
            "state": "removed",
            "filename": None,
            "removed_at": gone.json()["removed_at"],
        }
        assert gone.json()["removed_at"] >= made["created_at"]
        assert (await download(partner, path)).status_code == 404
        assert await ids(partner) == []
    assert (await remove(korea, path, '"2"')).status_code == 404
    assert hub.look("SELECT count(*) FROM attachment_keys") == [(0,)]
    assert await empty_trash(hub) == 1
    assert stored(hub) == []
    assert hub.look("SELECT count(*) FROM attachment_trash") == [(0,)]


async def test_only_whoever_sees_the_record_knows_of_it(hub: Hub, korea: Partner) -> None:
    cambodia, thailand = hub.partner("KH-CNP"), hub.partner("TH-RTP")
    handling = {"tlp": "AMBER", "audience": {"agencies": ["KH-CNP"]}}
    profile = await korea.profile(handling=handling)
    path = await attached(korea, profile["id"])
    nothing = f"{PATH}/{uuid7()}"

    for stranger, place in ((thailand, path), (thailand, nothing), (korea, nothing), (korea, f"{PATH}/no-id")):
        assert await statuses(stranger, place) == [404, 404, 404]
    hidden, unknown = await thailand.get(path), await thailand.get(nothing)
    ignored = ("instance", "request_id")
    assert {k: v for k, v in hidden.json().items() if k not in ignored} == {
        k: v for k, v in unknown.json().items() if k not in ignored
    }
    none = str(uuid7())
    for calls in (
        [await attach(thailand, one) for one in (profile["id"], none)],
        [
            await thailand.get(PATH, params={"kind": "criminal-organizations", "record": one})
            for one in (profile["id"], none)
        ],
    ):
        told = [{k: v for k, v in answer.json().items() if k not in ignored} for answer in calls]
        assert ([answer.status_code for answer in calls], told[0]) == ([404, 404], told[1])
    assert (await attach(korea, str(uuid7()))).status_code == 404
    assert await ids(thailand) == []
    assert (await thailand.get(PATH, params={"record": profile["id"]})).status_code == 400

    # Sight that is taken takes the attachment with it; so does an exclusion.
    assert await statuses(cambodia, path) == [200, 200, 403]
    recall = {"agencies": ["KH-CNP"], "reason": "The source took back its consent."}
    assert (await korea.post(f"{PROFILE}/{profile['id']}/recalls", recall)).status_code == 201
    assert await statuses(cambodia, path) == [404, 404, 404]
    assert await ids(cambodia) == []
    handling = await korea.get(f"{PROFILE}/{profile['id']}/handling")
    everybody = {**handling.json(), "tlp": "GREEN", "audience": {"community": True, "excluded": ["KH-CNP"]}}
    answer = await korea.put(f"{PROFILE}/{profile['id']}/handling", everybody, handling.headers["ETag"])
    assert answer.status_code == 200, answer.text
    assert await statuses(cambodia, path) == [404, 404, 404]
    assert await statuses(thailand, path) == [200, 200, 403]


async def test_the_caveat_comes_first(hub: Hub, korea: Partner) -> None:
    cambodia = hub.partner("KH-CNP")
    caveat = "Ask before acting on this."
    handling = {"tlp": "AMBER", "codes": ["H3"], "caveat": caveat, "audience": {"agencies": ["KH-CNP"]}}
    profile = await korea.profile(handling=handling)
    path = await attached(korea, profile["id"])

    of_the_record = {"kind": "criminal-organizations", "record": profile["id"]}
    assert await statuses(cambodia, path) == [409, 409, 409]
    refused = await cambodia.get(path)
    assert (refused.json()["type"], refused.json()["caveat"]) == ("/problems/acknowledgement-required", caveat)
    assert (await cambodia.get(PATH, params=of_the_record)).status_code == 409
    assert (await attach(cambodia, profile["id"])).status_code == 409
    assert await ids(cambodia) == []

    acknowledged = await cambodia.post(f"{PROFILE}/{profile['id']}/handling/acknowledge", {"caveat": caveat})
    assert acknowledged.status_code == 200, acknowledged.text
    assert await statuses(cambodia, path) == [200, 200, 403]
    assert await ids(cambodia, **of_the_record) == await ids(cambodia) == [path]


async def test_a_retracted_record_takes_its_attachments_from_its_readers(hub: Hub, korea: Partner) -> None:
    cambodia = hub.partner("KH-CNP")
    profile = await korea.profile(share=["KH-CNP"])
    path = await attached(korea, profile["id"])
    retracted = await korea.post(f"{PROFILE}/{profile['id']}/retract", etag='"1"')
    assert retracted.status_code == 200, retracted.text

    assert await statuses(cambodia, path) == [404, 404, 404]
    assert await ids(cambodia) == []
    refused = await attach(korea, profile["id"])
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/retracted")
    assert (await download(korea, path)).status_code == 200
    assert (await remove(korea, path)).status_code == 204


async def test_the_permission_is_that_of_the_records_kind(hub: Hub) -> None:
    korea = hub.partner("KR-KNPA", "analyst", "liaison_officer")
    profile = await korea.profile()
    report = await incidents.path_of(korea)
    on_profile = await attached(korea, profile["id"])
    on_report = await attached(korea, report, kind="incident-reports")

    def with_scope(*scope: str) -> Partner:
        return Partner(hub, "KR-KNPA", korea.client_id, hub.token(korea.client_id, scope=list(scope)))

    reader = with_scope("profiles:read")
    assert await statuses(reader, on_profile) == [200, 200, 403]
    assert await statuses(reader, on_report) == [404, 404, 404]
    assert await ids(reader) == [on_profile]
    assert (await reader.get(PATH, params={"kind": "incident-reports"})).status_code == 403
    assert (await attach(reader, profile["id"])).status_code == 403
    writer = with_scope("profiles:write")
    assert await statuses(writer, on_profile) == [403, 403, 412]
    assert (await attach(writer, report, kind="incident-reports")).status_code == 403
    assert (await attach(writer, profile["id"])).status_code == 201
    none = with_scope("agencies:read")
    assert await statuses(none, on_profile) == [403, 403, 403]
    assert (await none.get(PATH)).status_code == 403
    hub.operator("UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", korea.client_id)
    assert await statuses(korea, on_profile) == [401, 401, 401]
    assert (await attach(korea, profile["id"])).status_code == 401
    assert len(stored(hub)) == 3


async def test_both_sides_find_a_download_in_the_audit(hub: Hub, korea: Partner) -> None:
    cambodia = hub.partner("KH-CNP")
    profile = await korea.profile(share=["KH-CNP"])
    path = await attached(korea, profile["id"], filename="김나비.pdf")
    headers = {"Access-Purpose": "case 2026-1187", "On-Behalf-Of": "Insp. Example"}
    assert (await cambodia.get(f"{path}/content", headers=headers)).status_code == 200
    assert (await cambodia.call("HEAD", f"{path}/content")).headers["Content-Length"] == str(len(PDF))
    await remove(korea, path)
    await download(hub.partner("TH-RTP"), path)

    entries = hub.look(
        "SELECT agency, action, outcome, kind, record_ids::text[], originators, officer, purpose, detail"
        " FROM audit_entries WHERE action ~ 'attach' ORDER BY at"
    )
    attachment = path.rpartition("/")[2]
    of = ("criminal-organizations", [profile["id"]])
    detail = {"attachment": attachment}
    assert entries == [
        ("KR-KNPA", "attachment.add", "done", *of, [], None, None, detail),
        ("KH-CNP", "attachment.download", "done", *of, ["KR-KNPA"], "Insp. Example", "case 2026-1187", detail),
        ("KH-CNP", "attachment.download", "done", *of, ["KR-KNPA"], None, None, detail),
        ("KR-KNPA", "attachment.remove", "done", *of, [], None, None, detail),
        (
            *("TH-RTP", "GET /v1/attachments/{attachment_id}/content", "not-found", "attachments", [attachment]),
            *([], None, None, None),
        ),
    ]
    auditor = hub.caller("KR-KNPA", "auditor")
    of_own = await auditor.get("/v1/audit-entries", params={"of": "records", "action": "attachment.download"})
    assert [(one["agency"], one["record_ids"]) for one in of_own.json()["items"]] == [("KH-CNP", [profile["id"]])] * 2


async def test_whoever_sees_the_record_is_told(hub: Hub, korea: Partner) -> None:
    cambodia, thailand = await follower(hub.partner("KH-CNP")), await follower(hub.partner("TH-RTP"))
    caveat = {"codes": ["H3"], "caveat": "Ask before acting on this."}
    audience = {"tlp": "AMBER", "audience": {"agencies": ["KH-CNP"]}}
    shared, covered = await korea.profile(handling=audience), await korea.profile(handling={**audience, **caveat})
    own = await follower(korea)
    for record in (shared, covered):
        await remove(korea, await attached(korea, record["id"]))
    place_events(hub)

    def of(events: list[Any]) -> list[tuple[str, str]]:
        return [event for event in events if event[0].startswith("attachment.")]

    both = [("attachment.added", shared["reference"]), ("attachment.removed", shared["reference"])]
    assert of(await cambodia.follow()) == both
    assert of(await thailand.follow()) == []
    also = [("attachment.added", covered["reference"]), ("attachment.removed", covered["reference"])]
    assert of(await own.follow()) == both + also


async def test_a_list_has_pages(korea: Partner) -> None:
    profile = await korea.profile()
    made = [await attached(korea, profile["id"], content) for content in (PDF, TEXT, JPEG)]
    for params in ({}, {"kind": "criminal-organizations", "record": profile["id"]}):
        first = await korea.get(PATH, params={**params, "limit": "2"})
        rest = await korea.get(PATH, params={**params, "limit": "2", "cursor": first.json()["next_cursor"]})
        found = [*first.json()["items"], *rest.json()["items"]]
        assert [f"{PATH}/{one['id']}" for one in found] == made[::-1]
        assert rest.json()["next_cursor"] is None
    table = await korea.get(PATH, headers={"Accept": "text/csv"})
    assert table.text.splitlines()[0].startswith("id,kind,record_id,agency,version,state,filename")
    assert len(table.text.splitlines()) == 4


async def test_bytes_that_are_gone_or_altered_are_not_served(hub: Hub, korea: Partner) -> None:
    profile = await korea.profile()
    path = await attached(korea, profile["id"])
    (file,) = stored(hub)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert (await download(korea, path)).status_code == 503
    file.unlink()
    assert (await download(korea, path)).status_code == 503
    file.write_bytes(whole)
    assert (await download(korea, path)).content == PDF


async def test_an_attachment_stands_for_those_who_name_it(hub: Hub, korea: Partner) -> None:
    profile, other = await korea.profile(), await korea.profile("Sihanouk Ring")
    path = await attached(korea, profile["id"])

    def stands(record: str) -> bool:
        with psycopg.connect(hub.conninfo(DatabaseRole.OWNER)) as connection:
            connection.execute("SET ROLE interdesk_engine")
            named = (record, path.rpartition("/")[2])
            return connection.execute("SELECT attachment_stands(%s, %s)", named).fetchone() == (True,)

    assert (stands(profile["id"]), stands(other["id"])) == (True, False)
    await remove(korea, path)
    assert not stands(profile["id"])
