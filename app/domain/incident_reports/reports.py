"""Incident reports: created by their originator, changed by merge patches, moved along their course, verified."""

from app.access.desk import Desk
from app.access.envelope import changed_fields
from app.core.problems import CONFLICT, Problem
from app.core.validation import validated
from app.domain.incident_reports.content import (
    IncidentReportContent,
    IncidentReportFields,
    facets,
    search_names,
    trafficking_indicated,
)
from app.domain.incident_reports.shapes import (
    IncidentReportCreate,
    IncidentReportPatch,
    IncidentStepIn,
    OwnIncidentReport,
    VerificationIn,
)
from app.domain.incident_reports.workflow import WORKFLOW
from app.models.incident_vocabularies import IncidentState, Verification
from app.models.vocabularies import RecordKind
from app.records import links, shelf
from app.records.advancing import Step, advance, hold
from app.records.shelf import Body, Stored

KIND = RecordKind.INCIDENT_REPORTS

_MADE_HERE = IncidentReportFields.model_fields.keys() - IncidentReportContent.model_fields.keys()


def state_of(stored: Stored) -> IncidentState:
    """How far the work on a report has come."""
    return IncidentState(stored.envelope.state)


def _body(fields: IncidentReportFields, state: IncidentState) -> Body:
    return Body(fields, facets(fields, state), search_names(fields), state.value)


def _fields(content: IncidentReportContent, verification: Verification, **notes: str | None) -> IncidentReportFields:
    """A report's fields around content that is validated already."""
    return IncidentReportFields.model_construct(
        **{name: getattr(content, name) for name in IncidentReportContent.model_fields},
        trafficking_indicated=trafficking_indicated(content),
        verification=verification,
        verification_note=notes.get("verification_note"),
        state_note=notes.get("state_note"),
    )


def _standing(stored: Stored) -> IncidentReportFields:
    """The fields as they stand."""
    return validated(IncidentReportFields, stored.fields)


async def create(desk: Desk, sent: IncidentReportCreate) -> Stored:
    """Create a report under its handling, with its links; all of it or nothing."""
    fields = _fields(sent.content(), Verification.REPORTED)
    body = _body(fields, WORKFLOW.initial)
    stored = await shelf.create(desk, KIND, body, sent.handling, sent.external_id)
    await links.add_sent(desk, stored, sent.links, [f"/links/{number}" for number in range(len(sent.links))])
    return stored


async def patch(desk: Desk, stored: Stored, sent: IncidentReportPatch) -> Stored:
    """Apply a merge patch; the report as it stands if nothing differs, 422 if the whole would not be right."""
    shelf.require_current(stored)
    before = {"external_id": stored.envelope.external_id, **stored.fields}
    written = {name: value for name, value in before.items() if name not in _MADE_HERE}
    after = validated(OwnIncidentReport, sent.merged(written))
    notes = {name: before[name] for name in ("verification_note", "state_note")}
    fields = _fields(after.content(), Verification(before["verification"]), **notes)
    now = {"external_id": after.external_id, **fields.model_dump(mode="json", by_alias=True)}
    changed = changed_fields(before, now)
    if not changed:
        return stored
    return await shelf.change(desk, stored.numbered(after.external_id), _body(fields, state_of(stored)), changed)


async def move(desk: Desk, stored: Stored, action: str, sent: IncidentStepIn) -> Stored:
    """Take a step of the report's course; 409 that says what is possible, where this one is not."""
    stored = await hold(desk, stored)
    state = state_of(stored)
    row = WORKFLOW.require(action, state)
    standing = _standing(stored)
    fields = standing.model_copy(update={"state_note": sent.note})
    changed = ["state", *changed_fields({"state_note": standing.state_note}, {"state_note": sent.note})]
    step = Step(f"incident.{action}", row.event, changed)
    return await advance(desk, stored, _body(fields, row.leads_to(state)), step)


async def verify(desk: Desk, stored: Stored, sent: VerificationIn) -> Stored:
    """Say whether the report is known to be true; 409 if that is said already in the same words."""
    stored = await hold(desk, stored)
    standing = _standing(stored)
    said = {"verification": sent.verification, "verification_note": sent.note}
    changed = changed_fields(standing.model_dump(include={*said}), said)
    if not changed:
        raise Problem(CONFLICT, detail=f"The report is {sent.verification} already, with the same note.")
    fields = standing.model_copy(update=said)
    step = Step("incident.verify", "incident.verified", changed)
    return await advance(desk, stored, _body(fields, state_of(stored)), step)
