"""Not allowed to know = not there: every call on a hidden record, by everybody who must not know, reads like a call on
an id that never was — the same status, the same bytes, the same headers, through the same statements."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.core import clock
from app.identity.secrets import new_client_id
from tests.access.scene import (
    CAVEAT,
    INVITED_TOO,
    LOST,
    ORIGINATOR,
    PATH,
    POWERS,
    READER,
    REMOVED,
    SEES_BY_GROUP,
    STRANGER,
    Scene,
    set_scene,
    unknown_id,
)
from tests.access.statements import heard, listen
from tests.conftest import Hub, Partner
from tests.contract import description

RECORD, GROUP, AGENCY = f"{PATH}/{{record_id}}", "/v1/groups/{group_id}", "/v1/agencies/{code}"
CREDENTIAL, RECOVERY = f"{AGENCY}/credentials/{{client_id}}", f"{AGENCY}/recovery/{{recovery_id}}"
ENTRY = "/v1/audit-entries/{entry_id}"
AGREEMENT, RECALL = "/v1/agreements/{agreement_id}", "/v1/recalls/{recall_id}"
OPERATION, INCIDENT = "/v1/joint-operations/{record_id}", "/v1/incident-reports/{record_id}"
REPATRIATION = "/v1/repatriation-requests/{record_id}"
MEETING, ATTACHMENT = "/v1/meetings/{meeting_id}", "/v1/attachments/{attachment_id}"
TRANSPORT = "/v1/transports/{transport_id}"
HIDEABLE = (
    *(RECORD, OPERATION, INCIDENT, REPATRIATION),
    *(GROUP, AGENCY, ENTRY, AGREEMENT, RECALL, MEETING, ATTACHMENT, TRANSPORT),
)
NO_AGENCY = "ZZ-ZZZ"
NO_ID = "01920000-0000-7000-8000-000000000000"

COMMON: dict[str, dict[str, Any]] = {
    "replace_{noun}_handling": {"tlp": "RED", "audience": {"agencies": [READER]}},
    "disclose_{noun}": {"agencies": [READER], "purpose": "Search for a missing person."},
    "confirm_{noun}_disclosure": {"reason": "They are not found yet."},
    "recall_{noun}": {"agencies": [READER], "reason": "The source took back its consent."},
    "acknowledge_{noun}_caveat": {"caveat": CAVEAT},
    "add_{noun}_link": {
        "type": "related_to",
        "kind": "criminal-organizations",
        "id": "01920000-0000-7000-8000-000000000000",
    },
    "renew_{noun}": {"reason": "Trial pending."},
    "place_{noun}_legal_hold": {"reason": "Evidence."},
    "release_{noun}_legal_hold": {"reason": "The judgment is final."},
    "request_{noun}_onward_sharing": {
        "agencies": [STRANGER],
        "reason": "Search for a missing person.",
        "respond_by": clock.rfc3339(clock.now() + timedelta(days=7)),
    },
    "grant_{noun}_onward_request": {"note": "Taken over"},
    "refuse_{noun}_onward_request": {"reason": "Taken over"},
}
"""A body that would do, for every call that each kind of record has."""

NOUNS = ("criminal_organization", "joint_operation", "incident_report", "repatriation_request")
STEPS = ("submit", "acknowledge", "accept", "clear", "schedule", "depart", "hand_over", "close", "resume")
AMENDED = ("criminal_organization", "joint_operation")

BODIES: dict[str, dict[str, Any]] = {
    **{name.format(noun=noun): body for noun in NOUNS for name, body in COMMON.items()},
    **{f"accept_{noun}_amendment": {"note": "Thank you."} for noun in AMENDED},
    **{f"reject_{noun}_amendment": {"note": "No."} for noun in AMENDED},
    "change_criminal_organization": {"status": "active"},
    "acknowledge_recall": {"outcome": "deleted"},
    "record_criminal_organization_sighting": {"assessment": "corroborates"},
    "state_criminal_organization_relation": {"type": "funds", "target": "01920000-0000-7000-8000-000000000000"},
    "change_group": {"name": "Taken over"},
    "add_group_member": {"agency": STRANGER},
    "change_group_member": {"role": "observer"},
    "expel_group_member": {"reason": "It told others."},
    "change_agreement": {"title": "Taken over"},
    "sign_agreement": {"content_hash": "0" * 64},
    "suspend_agreement": {"reason": "None of mine."},
    "terminate_agreement": {"reason": "None of mine."},
    "change_meeting": {"title": "Taken over"},
    "hold_meeting": {"minutes": "Taken over"},
    "cancel_meeting": {"reason": "None of mine."},
    "add_meeting_link": {"kind": "agreements", "id": "01920000-0000-7000-8000-000000000000"},
    "add_meeting_action": {"text": "Taken over", "owner": STRANGER, "due_on": "2999-12-31"},
    "change_meeting_action": {"text": "Taken over"},
    "complete_meeting_action": {"note": "Taken over"},
    "drop_meeting_action": {"reason": "None of mine."},
    "reopen_meeting_action": {"reason": "None of mine."},
    "change_agency": {"name": "Taken over"},
    "issue_credential": {"label": "case system", "roles": ["analyst"]},
    "change_credential": {"label": "Taken over"},
    "rotate_credential": {"grace_seconds": 0},
    "request_recovery": {"label": "Taken over"},
    "propose_criminal_organization_amendment": {"patch": {"status": "dormant"}},
    "propose_joint_operation_amendment": {"patch": {"codename": "Lighthouse"}},
    "change_joint_operation": {"title": "Taken over"},
    "suspend_joint_operation": {"reason": "None of mine."},
    "cancel_joint_operation": {"reason": "None of mine."},
    "leave_joint_operation": {"reason": "None of mine."},
    "resolve_joint_operation_conflict": {"outcome": "joint", "note": "Taken over"},
    "decide_on_joint_operation": {"decision": "approve", "plan_hash": "0" * 64},
    "report_joint_operation_rescue": {},
    "request_joint_operation_arrests": {"nationality": "KR", "arrested_by": "KH-CNP"},
    "pledge_joint_operation_resource": {"kind": "drones", "quantity": 2},
    "change_joint_operation_resource": {"state": "deployed"},
    "change_joint_operation_task": {"done": True},
    "write_joint_operation_log": {"kind": "arrest", "entry": "None of mine."},
    "record_joint_operation_outcome": {"notes": "None of mine."},
    "record_joint_operation_debrief": {"summary": "None of mine."},
    "change_incident_report": {"title": "Taken over"},
    **{f"{step}_incident_report": {"note": "Taken over"} for step in ("investigate", "locate", "rescue", "close")},
    "reopen_incident_report": {"note": "Taken over"},
    "verify_incident_report": {"verification": "unfounded"},
    "acknowledge_incident_report": {"note": "On our way."},
    "add_incident_report_person": {"roles": [{"role": "victim", "since": "2025-07"}]},
    "change_incident_report_person": {"note": "Taken over"},
    "change_repatriation_request": {"priority": "routine"},
    **{f"{step}_repatriation_request": {"note": "Taken over"} for step in STEPS},
    **{f"{step}_repatriation_request": {"reason": "None of mine."} for step in ("decline", "hold", "withdraw")},
    "write_repatriation_request_message": {"text": "Taken over"},
    "complete_repatriation_checklist_item": {"note": "Taken over"},
    **{f"{step}_repatriation_checklist_item": {"reason": "None of mine."} for step in ("waive", "reopen")},
    "add_repatriation_request_person": {"roles": [{"role": "victim", "since": "2025-07"}]},
    "change_repatriation_request_person": {"note": "Taken over"},
    "merge_incident_report": {"duplicate_of": "01920000-0000-7000-8000-000000000000"},
    "change_transport": {"note": "Taken over"},
    "unfreeze_transport": {"reason": "None of mine."},
    "cancel_transport": {"reason": "None of mine."},
    "add_to_manifest": {"request": NO_ID, "persons": [NO_ID]},
    "board_people": {"entries": [NO_ID]},
    "note_no_show": {"reason": "None of mine."},
    "note_no_shows": {"entries": [NO_ID], "reason": "None of mine."},
    "hand_over_person": {"received_by": "Nobody's office", "at": "2026-11-22T08:15:30Z"},
    "hand_over_people": {"entries": [NO_ID], "received_by": "Nobody's office", "at": "2026-11-22T08:15:30Z"},
    "add_separation": {"persons": [NO_ID, "01920000-0000-7000-8000-000000000001"]},
}
"""A body that would do, for every call on something that can be hidden."""

ELSEWHERE: dict[str, str] = {
    "list_criminal_organizations": "test_lists_show_what_the_rule_says",
    "create_criminal_organization": "test_references_in_bodies",
    "list_joint_operations": "test_lists_show_what_the_rule_says: one function pages every kind",
    "create_joint_operation": "tests/routers/test_joint_operations.py",
    "list_repatriation_requests": "test_lists_show_what_the_rule_says: one function pages every kind",
    "list_checklist_rules": "open to every agency that reads requests",
    "create_repatriation_request": "tests/routers/test_repatriation_requests.py",
    "list_incident_reports": "test_lists_show_what_the_rule_says: one function pages every kind",
    "attach": "tests/routers/test_attachments.py",
    "list_attachments": "tests/routers/test_attachments.py",
    "create_incident_report": "test_references_in_bodies; what is like it: tests/routers/test_incident_duplicates.py",
    "count_incident_reports": "tests/routers/test_incident_statistics.py, test_statistics_as_of.py; published tables: "
    "tests/domain/statistics/test_rounding.py",
    "draw_incident_reports": "tests/routers/test_statistics_as_of.py",
    "count_repatriations": "tests/routers/test_repatriation_statistics.py",
    "list_figures": "open to every agency",
    "declare_figure": "names countries alone",
    "read_figure": "open to every agency",
    "withdraw_figure": "open to every agency",
    "read_approval_keys": "public",
    "count_joint_operations": "tests/routers/test_statistics.py",
    "list_groups": "test_lists_show_what_the_rule_says",
    "create_group": "test_references_in_bodies",
    "list_agreements": "tests/routers/test_agreements.py",
    "create_agreement": "names agencies of the directory alone",
    "list_meetings": "test_meetings_tell_no_secret",
    "create_meeting": "test_meetings_tell_no_secret",
    "list_transports": "test_transports_tell_no_secret",
    "plan_transport": "names agencies of the directory alone",
    "list_action_items": "test_meetings_tell_no_secret",
    "read_meeting_calendar": "test_meetings_tell_no_secret",
    "make_calendar_address": "about the caller alone",
    "end_calendar_address": "about the caller alone",
    "read_calendar_at_address": "test_meetings_tell_no_secret",
    "list_agencies": "the directory, open to every member",
    "create_agency": "the hub's own call",
    "list_problem_types": "public",
    "read_problem_type": "public",
    "list_events": "test_the_feed_tells_no_secret",
    "list_recalls": "test_recalls_tell_no_secret",
    "list_audit_entries": "test_the_trail_tells_no_secret",
    "export_audit_entries": "tests/routers/test_audit_proofs.py, test_audit_exports.py",
    "list_audit_checkpoints": "hashes of the whole log, which hold nothing of what it tells",
    "read_audit_keys": "public",
    "read_me": "about the caller alone",
    "create_token": "signing in",
    "introspect_token": "signing in",
    "revoke_token": "signing in",
    "read_jwks": "public",
    "read_authorization_server": "public",
    "read_protected_resource": "public",
    "health_live": "public",
    "health_ready": "public",
}
"""Calls on nothing in particular, and where it is shown that they tell no more than they may."""


@dataclass(frozen=True)
class Secret:
    """Something that some callers must not know of: the path of calls on it, and one that never was in its place."""

    path: str
    hidden: dict[str, str]
    unknown: dict[str, str]
    callers: dict[str, Partner]


def secrets_of(scene: Scene) -> dict[str, Secret]:
    """Everything that can be hidden, by its name."""
    hub, strangers = scene.hub, scene.strangers
    group = str(scene.group)
    outside = {
        why: caller
        for why, caller in strangers.items()
        if why not in ("excluded inside the group", "observer of the group", "invited to the group")
    }
    stranger = {"stranger agency": strangers["stranger agency"]}
    hubs = {"platform_admin": strangers["platform_admin"]}
    foreign = {"client_id": scene.originator.client_id, "recovery_id": str(scene.recovery)}
    administrator = {"stranger agency's administrator": hub.caller(STRANGER, "agency_admin")}
    own = f"{AGENCY}/"
    invited = strangers["invited to the group"]
    ((entry,),) = hub.look(
        "SELECT id FROM audit_entries WHERE action = 'record.create' AND %s = ANY (record_ids)", scene.record["id"]
    )
    nothing = {"client_id": new_client_id(), "recovery_id": unknown_id()}
    nothing["client_id"] = nothing["client_id"][: len(foreign["client_id"])].ljust(len(foreign["client_id"]), "0")
    return {
        "record": Secret(
            RECORD,
            {"record_id": scene.record["id"], **scene.parts},
            {"record_id": unknown_id(), **scene.parts},
            strangers,
        ),
        "joint operation": Secret(
            OPERATION,
            scene.operation,
            {**scene.operation, "record_id": unknown_id()},
            {**strangers, "stranger that left": scene.left},
        ),
        "incident report": Secret(INCIDENT, scene.incident, {**scene.incident, "record_id": unknown_id()}, strangers),
        "repatriation request": Secret(
            REPATRIATION,
            scene.repatriation,
            {**scene.repatriation, "record_id": unknown_id()},
            {**strangers, "stranger that was asked before": scene.left},
        ),
        "attachment": Secret(
            ATTACHMENT, {"attachment_id": scene.attachment}, {"attachment_id": unknown_id()}, strangers
        ),
        "another reader's onward request": Secret(
            f"{RECORD}/onward-requests/{{request_id}}",
            {"record_id": scene.record["id"], "request_id": scene.parts["request_id"]},
            {"record_id": scene.record["id"], "request_id": unknown_id()},
            {"stranger to the request": hub.caller(READER, *POWERS)},
        ),
        "group": Secret(
            GROUP,
            {"group_id": group, "agency": SEES_BY_GROUP},
            {"group_id": unknown_id(), "agency": SEES_BY_GROUP},
            outside,
        ),
        "agreement": Secret(
            AGREEMENT,
            {"agreement_id": scene.agreement.rpartition("/")[2]},
            {"agreement_id": unknown_id()},
            strangers,
        ),
        "draft of an agreement": Secret(
            AGREEMENT,
            {"agreement_id": scene.draft.rpartition("/")[2]},
            {"agreement_id": unknown_id()},
            {**stranger, "party to be": hub.caller(READER, *POWERS), "its analyst": scene.reader},
        ),
        # Who is in the group takes part, whatever it may see of the record.
        "meeting": Secret(
            MEETING,
            scene.meeting,
            {**scene.meeting, "meeting_id": unknown_id()},
            {why: caller for why, caller in strangers.items() if why != "excluded inside the group"}
            | {"stranger with powers over meetings": hub.caller(LOST, "operations_officer")},
        ),
        "transport": Secret(
            TRANSPORT,
            scene.transport,
            {**scene.transport, "transport_id": unknown_id()},
            strangers,
        ),
        "another's people on a manifest": Secret(
            f"{TRANSPORT}/manifest/{{manifest_entry_id}}",
            scene.transport,
            {**scene.transport, "manifest_entry_id": unknown_id()},
            {"stranger to the request": hub.caller(SEES_BY_GROUP, *POWERS)},
        ),
        "another's people kept apart": Secret(
            f"{TRANSPORT}/separations/{{separation_id}}",
            scene.transport,
            {**scene.transport, "separation_id": unknown_id()},
            {"stranger to the request": hub.caller(SEES_BY_GROUP, *POWERS)},
        ),
        "draft of a meeting": Secret(
            MEETING,
            {**scene.meeting, "meeting_id": scene.draft_meeting},
            {**scene.meeting, "meeting_id": unknown_id()},
            {**stranger, "stranger that is to take part": hub.caller(READER, "operations_officer")},
        ),
        "another's invitation": Secret(
            f"{GROUP}/members/{{agency}}",
            {"group_id": group, "agency": INVITED_TOO},
            {"group_id": group, "agency": NO_AGENCY},
            {"invited": invited},
        ),
        "former membership": Secret(
            f"{GROUP}/members/{{agency}}",
            {"group_id": group, "agency": REMOVED},
            {"group_id": group, "agency": NO_AGENCY},
            {"invited": invited, "member": hub.caller(SEES_BY_GROUP, *POWERS)},
        ),
        "credential": Secret(
            CREDENTIAL, {"code": ORIGINATOR, **foreign}, {"code": ORIGINATOR, **nothing}, {**hubs, **administrator}
        ),
        "credential by the own agency": Secret(
            CREDENTIAL, {"code": STRANGER, **foreign}, {"code": STRANGER, **nothing}, {**stranger, **administrator}
        ),
        "recovery": Secret(RECOVERY, {"code": ORIGINATOR, **foreign}, {"code": ORIGINATOR, **nothing}, administrator),
        "recovery by the own agency": Secret(
            RECOVERY, {"code": STRANGER, **foreign}, {"code": STRANGER, **nothing}, administrator
        ),
        "audit entry": Secret(
            ENTRY,
            {"entry_id": str(entry)},
            {"entry_id": unknown_id()},
            {**stranger, **administrator, **hubs, "its reader": hub.caller(READER, "auditor")},
        ),
        # Who lost sight is its recipient, and may know of it.
        "recall": Secret(
            RECALL,
            {"recall_id": scene.parts["recall_id"]},
            {"recall_id": unknown_id()},
            {why: caller for why, caller in strangers.items() if why != "lost sight"}
            | {"stranger that reads the record": scene.reader, "recipient without the permission": _blind(hub)},
        ),
        "the hub": Secret(
            AGENCY, {"code": "HUB", **foreign}, {"code": "ZQX", **foreign}, {**stranger, **administrator}
        ),
        "another agency's administration": Secret(
            own, {"code": ORIGINATOR, **foreign}, {"code": "ZQ-XYZW", **foreign}, {**stranger, **administrator}
        ),
    }


def _blind(hub: Hub) -> Partner:
    """A system of the recall's recipient that may read records of another kind."""
    client = hub.credential(LOST, "commander")
    return Partner(hub, LOST, client, hub.token(client, scope=["bulletins:read"]))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every call of the description: its method, its path, and what is said of it."""
    for call in description.operations():
        yield call.method.upper(), call.path, call.spec


def test_every_operation_has_its_place() -> None:
    """Whoever adds a call says here how it is shown to reveal nothing."""
    hideable = [spec for _, path, spec in operations() if path.startswith(HIDEABLE)]
    others = {spec["operationId"] for _, path, spec in operations() if not path.startswith(HIDEABLE)}
    assert others == set(ELSEWHERE)
    assert {spec["operationId"] for spec in hideable if "requestBody" in spec} == set(BODIES)


VARIANTS: dict[str, dict[str, Any]] = {
    "as it should be": {"headers": {"If-Match": '"1"'}},
    "probing": {
        "headers": {"If-None-Match": '"1"', "If-Match": "*", "Idempotency-Key": "k"},
        "params": {"dry_run": "true", "limit": "1"},
    },
    "nothing right": {"headers": {"Content-Type": "text/plain", "Idempotency-Key": "k"}, "content": b"{"},
    "broken parameters": {
        "headers": {"If-None-Match": "*", "If-Match": "x"},
        "params": {"dry_run": "maybe", "limit": "0", "cursor": "x"},
    },
}


def _told(answer: httpx.Response, names: dict[str, str]) -> tuple[Any, ...]:
    content = answer.content
    for name, value in names.items():
        content = content.replace(value.encode(), name.encode())
    headers = sorted((name, value) for name, value in answer.headers.items() if not name.startswith("ratelimit"))
    return answer.status_code, content, headers


async def _ask(
    caller: Partner, operation: tuple[str, str, dict[str, Any]], names: dict[str, str], variant: dict[str, Any]
) -> tuple[tuple[Any, ...], list[str]]:
    method, path, spec = operation
    body = BODIES.get(spec["operationId"])
    options: dict[str, Any] = {"json": body} if body is not None and "content" not in variant else {}
    # Said, because nothing of persons is looked up without it.
    headers = {**variant["headers"], "X-Request-Id": "the-same", "Access-Purpose": "case 2026-1187"}
    with heard() as statements:
        answer = await caller.call(method, path.format(**names), **{**options, **variant, "headers": headers})
    return _told(answer, names), statements


def _variants(why: str) -> int:
    """How many ways of asking are tried: all by a stranger, and by others as many as their answer could depend on."""
    if why.startswith("stranger"):
        return len(VARIANTS)
    return 1 if why in ("revoked credential", "suspended agency", "platform_admin") or "permission" in why else 2


@pytest.mark.parametrize(
    "name",
    [
        "record",
        "joint operation",
        "incident report",
        "repatriation request",
        "attachment",
        "another reader's onward request",
        "group",
        "another's invitation",
        "former membership",
        "agreement",
        "draft of an agreement",
        "meeting",
        "draft of a meeting",
        "transport",
        "another's people on a manifest",
        "another's people kept apart",
        "credential",
        "credential by the own agency",
        "recovery",
        "recovery by the own agency",
        "audit entry",
        "recall",
        "the hub",
        "another agency's administration",
    ],
)
async def test_what_is_hidden_answers_like_what_never_was(hub: Hub, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await set_scene(hub)
    await scene.acknowledge(scene.reader)
    listen(monkeypatch)
    secret = secrets_of(scene)[name]
    leaks, statuses = [], set()
    for operation in [operation for operation in operations() if operation[1].startswith(secret.path)]:
        for why, caller in secret.callers.items():
            for variant, parts in list(VARIANTS.items())[: _variants(why)]:
                none, its_statements = await _ask(caller, operation, secret.unknown, parts)
                hidden, statements = await _ask(caller, operation, secret.hidden, parts)
                where = f"{why}: {operation[0]} {operation[1]}, {variant}"
                statuses.add(hidden[0])
                if hidden != none:
                    leaks.append(f"{where}: {hidden} instead of {none}")
                if statements != its_statements:
                    leaks.append(f"{where}: {statements} instead of {its_statements}")
    assert not leaks, "\n".join(leaks)
    assert 404 in statuses
    assert statuses <= {400, 401, 403, 404}
    # None of them moved anything.
    seen = await scene.originator.get(scene.path)
    assert (seen.status_code, seen.json()["version"], seen.json()["status"]) == (200, 1, "active")


async def test_the_trail_of_a_hidden_id_reads_like_that_of_none(hub: Hub) -> None:
    scene = await set_scene(hub)
    below = [operation for operation in operations() if operation[1].startswith(RECORD)]
    trails = []
    for record_id in (unknown_id(), scene.record["id"]):
        names = {"record_id": record_id, **scene.parts}
        before = hub.look("SELECT coalesce(max(id::text), '') FROM audit_entries")[0][0]
        for caller in scene.strangers.values():
            for operation in below:
                await _ask(caller, operation, names, VARIANTS["as it should be"])
        entries = hub.look(
            "SELECT agency, client_id, officer, purpose, action, outcome, kind, record_ids::text, originators,"
            " request_id, host(peer), detail FROM audit_entries WHERE id::text > %s ORDER BY id",
            before,
        )
        trails.append([str(entry).replace(record_id, "ID") for entry in entries])
    assert trails[0] == trails[1]
    auditor = hub.caller(scene.originator.agency, "auditor")
    seen = await auditor.get("/v1/audit-entries", params={"of": "records", "record": scene.record["id"], "limit": 500})
    others = {(entry["agency"], entry["action"]) for entry in seen.json()["items"]}
    # What strangers were refused is their own agencies' affair; what they did while they saw the record is not.
    assert others == {
        (agency, action)
        for agency in ("MY-RMP", "VN-MPS")
        for action in ("handling.acknowledge", "amendment.propose", "onward_request.request", "sighting.add")
    }


async def test_what_hangs_on_a_hidden_record_is_not_reached_by_another(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sub-resources are found by record and id together: an own record is no way to another's amendments."""
    scene = await set_scene(hub)
    listen(monkeypatch)
    stranger = scene.strangers["stranger agency"]
    own = await stranger.profile("Own", share=[])
    below = [
        operation
        for operation in operations()
        if operation[1].startswith(RECORD) and operation[1].count("{") > 1 and "{number}" not in operation[1]
    ]
    assert len(below) > len(scene.parts)
    nothing = {name: unknown_id() for name in scene.parts}
    for operation in below:
        told = []
        for parts in (nothing, scene.parts):
            path = operation[1].format(record_id=own["id"], **parts)
            with heard() as statements:
                answer = await stranger.call(
                    operation[0],
                    path,
                    json=BODIES.get(operation[2]["operationId"]),
                    headers={"If-Match": '"1"', "X-Request-Id": "the-same"},
                )
            told.append((answer.status_code, answer.content.replace(path.encode(), b"PATH"), statements))
        assert told[0] == told[1], operation
        assert told[0][0] == 404
