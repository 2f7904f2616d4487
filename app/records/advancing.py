"""Moving a record along its own course, by its originator or an agency that it is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.access.envelope import render
from app.access.handling import principals
from app.core.problems import NO_LEGAL_BASIS, PRECONDITION_FAILED, Flaw, Problem
from app.records.legal_basis import describe_flaw
from app.records.shelf import Body, Stored, fetch, next_version, require_current


@dataclass(frozen=True, slots=True)
class Step:
    """What happened, as the audit and the feed tell it."""

    action: str
    event: str
    changed: Sequence[str]
    """Fields that differ from the version before."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Shown to everybody who sees the record: nothing may stand here that one of them must not know."""


@dataclass(frozen=True, slots=True)
class Parties:
    """The agencies that a record is to be about from now on, and where a body names them."""

    agencies: Sequence[str]
    pointers: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    """What those are told who lose sight by it."""


async def hold(desk: Desk, stored: Stored, *, same_version: bool = True) -> Stored:
    """The record as it stands now, kept from all other changes until the end of the transaction.

    412 if it has another version than the caller knows of, unless what is done is bound to something else.
    """
    await desk.call("hold_as_party", p_id=stored.envelope.id)
    held = await fetch(desk, stored.kind, stored.envelope.id)
    require_current(held)
    if same_version and held.envelope.version != stored.envelope.version:
        raise Problem(PRECONDITION_FAILED)
    return held


async def advance(desk: Desk, stored: Stored, body: Body, step: Step, parties: Parties | None = None) -> Stored:
    """Put the next version of a held record in place: `body.life` says how far its course has come by it.

    422 for a party whom no legal basis covers; 412 if somebody else was faster.
    """
    envelope = next_version(stored.envelope, life=body.life)
    rendered = render(envelope, body.content)
    arguments: dict[str, object] = {}
    if parties is not None:
        handling = envelope.handling
        arguments["p_parties"] = [agency for agency in parties.agencies if agency != envelope.originator]
        arguments["p_audience"] = principals(handling.audience, envelope.originator).audience
        arguments["p_reason"] = parties.reason
    row = await desk.call_one(
        "advance_record",
        p_id=envelope.id,
        p_expected=stored.envelope.version,
        p_expected_audience=stored.audience_version,
        p_at=envelope.updated_at,
        p_life=body.life,
        p_facets=list(body.facets),
        p_names=list(body.names),
        p_changed=list(step.changed),
        p_document=rendered.document,
        p_shared_document=rendered.shared_document,
        p_event=step.event,
        p_action=step.action,
        p_detail=Jsonb(dict(step.detail)),
        **arguments,
    )
    if row.outcome == "no-legal-basis":
        raise _not_covered(row.flaws, parties or Parties(()))
    if row.outcome != "advanced":
        raise Problem(PRECONDITION_FAILED)
    return replace(
        stored,
        envelope=envelope,
        rendered=rendered,
        audience_version=row.audience_version,
        parties=stored.parties if parties is None else parties.agencies,
    )


def _not_covered(flaws: Sequence[Mapping[str, Any]], parties: Parties) -> Problem:
    found = {
        Flaw(
            parties.pointers.get(flaw["principal"] or "", "/handling/legal_basis"),
            flaw["code"],
            describe_flaw(flaw["code"]),
        )
        for flaw in flaws
    }
    return Problem(NO_LEGAL_BASIS, errors=sorted(found, key=lambda flaw: (flaw.pointer, flaw.code)))
