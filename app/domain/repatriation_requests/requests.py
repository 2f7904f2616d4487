"""Repatriation requests: drafted and changed by the requesting side, and which side an agency is on."""

from typing import Any, Final

from app.access.desk import Desk
from app.access.envelope import changed_fields
from app.core.problems import CONFLICT, NOT_YOUR_SIDE, Flaw, Problem, invalid
from app.core.validation import validated
from app.domain.repatriation_requests.content import (
    SUBSTANTIVE,
    RepatriationRequestContent,
    RepatriationRequestFields,
    facets,
)
from app.domain.repatriation_requests.shapes import (
    OwnRepatriationRequest,
    RepatriationRequestCreate,
    RepatriationRequestPatch,
)
from app.domain.repatriation_requests.travelling import require_no_contradiction
from app.domain.repatriation_requests.workflow import ANSWERED, LIVE, WORKFLOW
from app.models.repatriation_vocabularies import RepatriationSide, RepatriationState
from app.models.vocabularies import RecordKind
from app.records import links, shelf
from app.records.advancing import Parties, Step, advance, hold
from app.records.references import check_each
from app.records.shelf import Body, Stored

KIND: Final = RecordKind.REPATRIATION_REQUESTS

_MADE_HERE: Final = RepatriationRequestFields.model_fields.keys() - RepatriationRequestContent.model_fields.keys()
_LOST_SIGHT: Final = "Your agency has no part in the repatriation request any more."


def state_of(stored: Stored) -> RepatriationState:
    """How far the request has come."""
    return RepatriationState(stored.envelope.state)


def content_of(stored: Stored) -> RepatriationRequestFields:
    """The request as it stands."""
    return RepatriationRequestFields.model_validate(stored.fields)


def body_of(fields: RepatriationRequestFields, state: RepatriationState) -> Body:
    """What the shelf keeps of a request."""
    return Body(fields, facets(fields, state), [], state.value)


def side_of(desk: Desk, stored: Stored) -> RepatriationSide | None:
    """What the caller's agency is to the request; None for readers whom its handling names."""
    if stored.own:
        return RepatriationSide.REQUESTING
    if not stored.party:
        return None
    asked = desk.caller.agency == content_of(stored).requested_agency
    return RepatriationSide.REQUESTED if asked else RepatriationSide.TRANSIT


def require_side(desk: Desk, stored: Stored, *sides: RepatriationSide) -> RepatriationSide:
    """403 for a caller whose agency is on none of these sides; the side it is on."""
    side = side_of(desk, stored)
    if side is None or side not in sides:
        asked = " or the ".join(sorted(sides))
        raise Problem(NOT_YOUR_SIDE, detail=f"Only the {asked} side of the request may do this.")
    return side


def require_over(stored: Stored) -> None:
    """409 for a request that the other side counts on: it is withdrawn before it is taken back."""
    if stored.life in LIVE:
        raise Problem(CONFLICT, detail=f"The request is {stored.life}: withdraw it first.")


def parties_of(content: RepatriationRequestContent) -> Parties:
    """The agencies that the request is about, and where it names them."""
    pointers = {agency: f"/transit_agencies/{number}" for number, agency in enumerate(content.transit_agencies)}
    agencies = [content.requested_agency, *content.transit_agencies]
    return Parties(agencies, {content.requested_agency: "/requested_agency", **pointers}, _LOST_SIGHT)


async def create(desk: Desk, sent: RepatriationRequestCreate) -> Stored:
    """Draft a request of the caller's agency under its handling, with its links; all of it or nothing."""
    await _check_agencies(desk, sent)
    fields = _fields(sent, state_reason=None, held_from=None, held_by=None)
    stored = await shelf.create(desk, KIND, body_of(fields, WORKFLOW.initial), sent.handling, sent.external_id)
    await links.add_sent(desk, stored, sent.links, [f"/links/{number}" for number in range(len(sent.links))])
    return stored


async def patch(desk: Desk, stored: Stored, sent: RepatriationRequestPatch) -> Stored:
    """Apply the requesting side's merge patch; the request as it stands if nothing differs.

    A change of what the requested side answers to returns a submitted request to `submitted`, with the agencies it
    names by now. 409 for such a change of a request that is on hold, on its way or over, or of which people travelled.
    """
    stored = await hold(desk, stored)
    state, before = state_of(stored), content_of(stored)
    written = {name: value for name, value in stored.fields.items() if name not in _MADE_HERE}
    after = validated(OwnRepatriationRequest, sent.merged({"external_id": stored.envelope.external_id, **written}))
    kept = {name: getattr(before, name) for name in _MADE_HERE}
    fields = _fields(after, **kept)
    substantive = any(getattr(before, name) != getattr(fields, name) for name in SUBSTANTIVE)
    if substantive:
        await _check_agencies(desk, after)
        if state is not RepatriationState.DRAFT:
            return await _returned(desk, stored, fields, after.external_id)
    return await _written(desk, stored, fields, after.external_id)


def _fields(content: RepatriationRequestContent, **made_here: Any) -> RepatriationRequestFields:  # noqa: ANN401 - of three types
    """A request's fields around content that is validated already."""
    own = {name: getattr(content, name) for name in RepatriationRequestContent.model_fields}
    return RepatriationRequestFields.model_construct(**own, **made_here)


async def _written(desk: Desk, stored: Stored, fields: RepatriationRequestFields, external_id: str | None) -> Stored:
    before = {"external_id": stored.envelope.external_id, **stored.fields}
    changed = changed_fields(before, {"external_id": external_id, **fields.model_dump(mode="json")})
    if not changed:
        return stored
    return await shelf.change(desk, stored.numbered(external_id), body_of(fields, state_of(stored)), changed)


async def _returned(desk: Desk, stored: Stored, fields: RepatriationRequestFields, external_id: str | None) -> Stored:
    state = state_of(stored)
    if state not in ANSWERED:
        detail = f"It is {state}: category, legal act, countries and agencies stay as they are."
        raise Problem(CONFLICT, detail=f"{detail} Resume it first." if state is RepatriationState.ON_HOLD else detail)
    await require_no_contradiction(desk, stored, "return")
    if external_id != stored.envelope.external_id:  # whoever is a party by then is told of the number as it is
        stored = await _written(desk, stored, content_of(stored), external_id)
    after = fields.model_copy(update={"state_reason": None})
    changed = changed_fields(stored.fields, after.model_dump(mode="json"))
    if state is not RepatriationState.SUBMITTED:
        changed = [*changed, "state"]
    refuse_excluded(stored, after)
    step = Step("repatriation.return", WORKFLOW.row("return").event, changed)
    return await advance(desk, stored, body_of(after, RepatriationState.SUBMITTED), step, parties_of(after))


async def _check_agencies(desk: Desk, content: RepatriationRequestContent) -> None:
    """422 for agencies that are none, and for one that asks itself."""
    pointers = parties_of(content).pointers
    own = pointers.get(desk.caller.agency)
    if own is not None:
        raise invalid(Flaw(own, "own-agency", "Name another agency than your own."))
    await check_each(desk, {pointer: agency for agency, pointer in pointers.items()})


def refuse_excluded(stored: Stored, content: RepatriationRequestContent) -> None:
    """422 for a party that the handling excludes."""
    excluded = stored.envelope.handling.audience.excluded
    flaws = [
        Flaw(pointer, "agency-excluded", "The handling excludes this agency; change that first.")
        for agency, pointer in parties_of(content).pointers.items()
        if agency in excluded
    ]
    if flaws:
        raise invalid(*flaws)
