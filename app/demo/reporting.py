"""Telling what was reported, through the functions that every other caller uses."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core.validation import validated
from app.demo.reported import FIGURES, Reported
from app.domain.incident_reports import alarms, duplicates, reports
from app.domain.incident_reports.shapes import IncidentMergeIn, IncidentReportCreate, IncidentStepIn, VerificationIn
from app.domain.statistics import figures
from app.domain.statistics.figures import FigureIn, FigureSelection
from app.models.incident_vocabularies import AlarmCallState
from app.models.vocabularies import RecordKind
from app.records import links, shelf

_FIND: Final = sql.SQL(
    "SELECT id FROM records WHERE originator = %(agency)s AND kind = %(kind)s AND external_id = %(number)s"
)
_ONE, _MANY = 1, 100


async def told(desk: Desk, reported: Reported, handling: dict[str, Any], profiles: Mapping[str, UUID]) -> UUID:
    """Create a report with the steps it has come, all at once; the id of what stands there already otherwise."""
    rows = await desk.rows(_FIND, agency=reported.agency, kind=reports.KIND.value, number=reported.external_id)
    if rows:
        found: UUID = rows[0].id
        return found
    body = {**reported.body, "external_id": reported.external_id, "handling": handling}
    if reported.committed_by is not None:
        organization = {"kind": RecordKind.CRIMINAL_ORGANIZATIONS, "id": str(profiles[reported.committed_by])}
        body["links"] = [{"type": "committed_by", **organization}]
    stored = await reports.create(desk, validated(IncidentReportCreate, body))
    for action, note in reported.steps:
        stored = await reports.move(desk, stored, action, validated(IncidentStepIn, {"note": note}))
    if reported.verification is not None:
        stored = await reports.verify(desk, stored, validated(VerificationIn, reported.verification))
    return stored.envelope.id


async def acknowledge(desk: Desk, report: UUID, note: str) -> None:
    """Acknowledge an urgent report for the agency at the desk, unless it has."""
    stored = await shelf.fetch(desk, reports.KIND, report)
    calls = await alarms.listed(desk, stored, None, _ONE)
    if calls and calls[0].state in (AlarmCallState.WAITING, AlarmCallState.OVERDUE):
        await alarms.acknowledge(desk, stored, note)


async def merge(desk: Desk, report: UUID, into: UUID) -> None:
    """Merge a report of the agency at the desk into another, unless it is merged."""
    stored = await shelf.fetch(desk, reports.KIND, report)
    if not await links.listed(desk, report, duplicates.TYPES, None, _ONE):
        await duplicates.merge(desk, stored, validated(IncidentMergeIn, {"duplicate_of": str(into)}))


async def declare(desk: Desk) -> None:
    """Declare the official figures for the agency at the desk, unless it has."""
    standing = await figures.listed(desk, FigureSelection(agency=desk.caller.agency), None, _MANY)
    periods = {(figure.series, figure.period_from) for figure in standing}
    for figure in FIGURES:
        if (figure["series"], figure["period_from"]) not in periods:
            await figures.declare(desk, validated(FigureIn, figure))
