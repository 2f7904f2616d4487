"""Taking a record back: recipients lose sight at once, and each says what it did with its copies."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.access.handling import AGENCIES_MAX, Handling
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, FORBIDDEN, Flaw, Problem, invalid, not_found
from app.core.shapes import distinct
from app.models.vocabularies import RecordKind
from app.records import opening
from app.records.documents import rerender
from app.records.legal_basis import rest_of
from app.records.recall_shapes import AcknowledgementIn, Recall, RecallIn, RecallRecipient, RecallState
from app.records.shapes import Reach
from app.records.shelf import Stored, fetch, require_current, settled

# Which parts are shown, the policy of recall_recipients says; and one that is late is overdue by the clock.
_STATE: Final = "CASE WHEN p.state = 'open' AND p.due_at <= statement_timestamp() THEN 'overdue' ELSE p.state END"
_IN_STATE: Final = f"(%(state)s::text IS NULL OR {_STATE} = %(state)s)"
_SOME_IN_STATE: Final = f"EXISTS (SELECT FROM recall_recipients p WHERE p.recall_id = o.id AND {_IN_STATE})"
_SHOWN: Final = (
    "SELECT o.id, o.kind, o.record_id, o.reference, o.originator, o.cause, o.reason, o.at, o.due_at,"  # noqa: S608 - constants
    f" (SELECT jsonb_agg(jsonb_build_object('agency', p.agency, 'state', {_STATE}, 'outcome', p.outcome,"
    " 'reason', p.reason, 'closed_at', p.closed_at, 'notices', p.notices) ORDER BY p.agency)"
    " FROM recall_recipients p WHERE p.recall_id = o.id) AS parts"
)
_ONE: Final = sql.SQL(
    f"{_SHOWN} FROM recalls o WHERE o.id = %(id)s AND o.kind = ANY (%(kinds)s)"
    " AND (%(record)s::uuid IS NULL OR o.record_id = %(record)s)"
)
_OF_RECORD: Final = sql.SQL(
    f"{_SHOWN} FROM recalls o WHERE o.record_id = %(record)s AND (o.at, o.id) < (%(at)s, %(last)s) AND {_SOME_IN_STATE}"
    " ORDER BY o.at DESC, o.id DESC LIMIT %(limit)s"
)
# One branch for each role, so that each walks its own index and nobody else's recalls are looked at.
_MADE: Final = (
    "SELECT o.* FROM recalls o WHERE o.originator = caller_agency() AND %(role)s::text IS DISTINCT FROM 'recipient'"  # noqa: S608 - constants
    f" AND o.kind = ANY (%(kinds)s) AND (o.at, o.id) < (%(at)s, %(last)s) AND {_SOME_IN_STATE}"
    " ORDER BY o.at DESC, o.id DESC LIMIT %(limit)s"
)
_RECEIVED: Final = (
    "SELECT o.* FROM recall_recipients p JOIN recalls o ON o.id = p.recall_id"  # noqa: S608 - constants
    " WHERE p.agency = caller_agency() AND %(role)s::text IS DISTINCT FROM 'originator'"
    f" AND o.kind = ANY (%(kinds)s) AND (p.at, p.recall_id) < (%(at)s, %(last)s) AND {_IN_STATE}"
    " ORDER BY p.at DESC, p.recall_id DESC LIMIT %(limit)s"
)
_ALL: Final = sql.SQL(
    f"{_SHOWN} FROM (({_MADE}) UNION ALL ({_RECEIVED})) AS o ORDER BY o.at DESC, o.id DESC LIMIT %(limit)s"
)


async def reach(desk: Desk, stored: Stored, sent: RecallIn) -> Reach:
    """Who would see the record, and who would lose sight; refused as doing it would be, and nothing is changed."""
    handling = await taken_back(desk, stored, sent)
    audience = (
        await desk.call_one(
            "audience_without", p_audience=list(stored.audience), p_agencies=sent.agencies, p_groups=sent.groups
        )
    )[0]
    tried = await opening.reach_of(desk, stored, audience, handling.audience.excluded)
    if not tried.lost and _named(stored).isdisjoint(sent.agencies):
        raise _nobody()
    return tried


async def taken_back(desk: Desk, stored: Stored, sent: RecallIn) -> Handling:
    """The record's handling without these recipients; 422 for one that it is not shared with.

    Whoever stands in the audience by name is a recipient, also while an agreement that it rests on is suspended. While
    groups or the community see the record, whoever loses sight is excluded too, so that neither a membership it has nor
    one that somebody gives it later brings back what was taken.
    """
    audience = stored.envelope.handling.audience
    sees = (await opening.reach_of(desk, stored, stored.audience, audience.excluded)).agencies
    known = ({*sees} | _named(stored)) - {stored.envelope.originator}
    broken = [
        *_parties(sent.agencies, stored.parties),
        *_strangers("agencies", sent.agencies, known),
        *_strangers("groups", sent.groups, audience.groups),
    ]
    groups = [group for group in audience.groups if group not in sent.groups]
    update: dict[str, Any] = {
        "agencies": [agency for agency in audience.agencies if agency not in sent.agencies],
        "groups": groups,
        "observers_of": [group for group in audience.observers_of if group not in sent.groups],
    }
    if groups or audience.community:
        row = await desk.call_one(
            "audience_without", p_audience=list(stored.audience), p_agencies=sent.agencies, p_groups=sent.groups
        )
        lost = (await opening.reach_of(desk, stored, row[0], [*audience.excluded, *sent.agencies])).lost
        update["excluded"] = distinct([*audience.excluded, *sent.agencies, *lost])
        if len(update["excluded"]) > AGENCIES_MAX:
            detail = f"The audience would exclude more than {AGENCIES_MAX}: narrow it by the handling instead."
            broken.append(Flaw("/agencies", "audience-too-large", detail))
    if broken:
        raise invalid(*broken)
    return stored.envelope.handling.model_copy(update={"audience": audience.model_copy(update=update)})


def _named(stored: Stored) -> set[str]:
    """The agencies that stand in a record's audience by name, whatever that rests on."""
    return {rest_of(principal).who for principal in stored.audience if ":" not in principal}


def _strangers(field: str, named: Sequence[Any], known: Collection[Any]) -> Iterable[Flaw]:
    detail = "The record cannot be taken back from here: it is not shared there."
    return (
        Flaw(f"/{field}/{number}", "not-a-recipient", detail) for number, name in enumerate(named) if name not in known
    )


def _parties(named: Sequence[str], parties: Collection[str]) -> Iterable[Flaw]:
    detail = "The record is about this agency: it leaves by the call that ends its part."
    return (
        Flaw(f"/agencies/{number}", "party-recalled", detail) for number, name in enumerate(named) if name in parties
    )


def _nobody() -> Problem:
    detail = "Nobody would lose sight: whoever is in these groups sees the record in another way, too."
    return invalid(Flaw("", "nobody-loses-sight", detail))


async def recall(desk: Desk, kind: RecordKind, record_id: UUID, sent: RecallIn) -> Recall:
    """Take the caller's own record back from agencies and groups, from whoever sees it by then.

    409 if others keep changing the record's handling at the same moment.
    """

    async def act() -> Recall | None:
        stored = await fetch(desk, kind, record_id)
        require_current(stored)
        recall_id = await _recall(desk, stored, await taken_back(desk, stored, sent), sent)
        return None if recall_id is None else await one(desk, [kind], recall_id)

    return await settled(act)


async def _recall(desk: Desk, stored: Stored, handling: Handling, sent: RecallIn) -> UUID | None:
    rendered = rerender(stored.envelope.model_copy(update={"handling": handling}), stored.rendered.document)
    recall_id = uuid7()
    row = await desk.call_one(
        "recall_record",
        p_recall=recall_id,
        p_id=stored.envelope.id,
        p_expected=stored.audience_version,
        p_expected_version=stored.envelope.version,
        p_handling=Jsonb(handling.model_dump(mode="json")),
        p_excluded=handling.audience.excluded,
        p_document=rendered.document,
        p_shared_document=rendered.shared_document,
        p_agencies=sent.agencies,
        p_groups=sent.groups,
        p_reason=sent.reason,
        p_due_at=sent.due_at,
    )
    if row[0] == "nobody":
        raise _nobody()
    return recall_id if row[0] == "changed" else None


def require_recipient(desk: Desk, recalled: Recall) -> None:
    """403 for the originator, which sees the recall too."""
    if recalled.originator == desk.caller.agency:
        raise Problem(FORBIDDEN, detail="Recipients acknowledge a recall, not the agency that owns the record.")


async def acknowledge(desk: Desk, recalled: Recall, sent: AcknowledgementIn) -> Recall:
    """Say what the caller's agency did with its copies; 409 if nothing is asked of it any more."""
    row = await desk.call_one(
        "acknowledge_recall", p_recall=recalled.id, p_outcome=sent.outcome.value, p_reason=sent.reason
    )
    if row[0] == "closed":
        raise Problem(CONFLICT, detail="Your agency has acknowledged this recall, or sees the record again.")
    return await one(desk, [recalled.kind], recalled.id)


async def of_record(
    desk: Desk, stored: Stored, state: RecallState | None, after: Place | None, limit: int
) -> Sequence[Recall]:
    """Recalls of the caller's own record, newest first; with `state`, those with a recipient in it."""
    at, last = after or NEWEST
    narrowed = state.value if state else None
    rows = await desk.rows(_OF_RECORD, record=stored.envelope.id, state=narrowed, at=at, last=last, limit=limit)
    return [_recalled(row) for row in rows]


async def listed(
    desk: Desk,
    kinds: Collection[RecordKind],
    role: str | None,
    state: RecallState | None,
    after: Place | None,
    limit: int,
) -> Sequence[Recall]:
    """Recalls of records of these kinds that the caller's agency made or received, newest first.

    `role` (originator or recipient) and `state` narrow; None means all.
    """
    at, last = after or NEWEST
    narrowed = state.value if state else None
    rows = await desk.rows(_ALL, kinds=_words(kinds), role=role, state=narrowed, at=at, last=last, limit=limit)
    return [_recalled(row) for row in rows]


async def one(
    desk: Desk, kinds: Collection[RecordKind], recall_id: UUID | None, record_id: UUID | None = None
) -> Recall:
    """One recall, of one record if that is named; 404 unless the caller's agency made or received it."""
    rows = await desk.rows(_ONE, id=recall_id, kinds=_words(kinds), record=record_id)
    if not rows:
        raise not_found()
    return _recalled(rows[0])


def as_made(recalled: Recall) -> Recall:
    """The recall as it was answered to whoever made it."""
    untouched = {"state": RecallState.OPEN, "outcome": None, "reason": None, "closed_at": None, "escalations": 0}
    parts = [part.model_copy(update=untouched) for part in recalled.recipients]
    return recalled.model_copy(update={"recipients": parts, "version": 1})


def _words(kinds: Iterable[RecordKind]) -> list[str]:
    return [kind.value for kind in kinds]


def _recalled(row: Any) -> Recall:  # noqa: ANN401 - a row of _SHOWN
    parts = [_part(part) for part in row.parts]
    return Recall(
        id=row.id,
        kind=row.kind,
        record_id=row.record_id,
        reference=row.reference,
        originator=row.originator,
        cause=row.cause,
        reason=row.reason,
        at=row.at,
        due_at=row.due_at,
        recipients=parts,
        version=1 + sum(_steps(part, row.due_at) for part in parts),
    )


def _part(part: dict[str, Any]) -> RecallRecipient:
    notices = part.pop("notices")
    return RecallRecipient(**part, escalations=max(notices - 1, 0))


def _steps(part: RecallRecipient, due_at: Any) -> int:  # noqa: ANN401 - a moment
    """How often what is shown of a part has changed since the recall was made; it never goes back."""
    was_overdue = part.state is RecallState.OVERDUE or (part.closed_at is not None and part.closed_at >= due_at)
    return was_overdue + part.escalations + (part.closed_at is not None)
