"""What came of `/v1/joint-operations/{id}`: its outcome and debrief, each agency's own part, and its course drawn."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field
from typing_extensions import TypeAliasType

from app.access.desk import Desk
from app.core import svg
from app.domain.joint_operations import drawing, outcomes
from app.domain.joint_operations.outcome_shapes import DebriefIn, OutcomeIn
from app.domain.joint_operations.plans import KIND
from app.identity.roles import Permission
from app.records.shelf import Stored
from app.routers.joint_operations import TAG, JointOperationRead
from app.routers.parts import COVERED, note_read
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.openapi import operation
from app.web.pages import DRAWING_POLICY

router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}", tags=[TAG])

Reading = Annotated[Desk, at_desk(Permission.OPERATIONS_READ)]
Writing = Annotated[Desk, at_desk(Permission.OPERATIONS_WRITE)]

Timeline = TypeAliasType(
    "Timeline", Annotated[str, Field(description="An SVG document; it holds no script and loads nothing.")]
)


@router.put(
    "/outcome",
    summary="Record the outcome",
    operation_id="record_joint_operation_outcome",
    **operation(
        JointOperationRead, body=OutcomeIn, match=True, problems=("conflict", "retracted", "acknowledgement-required")
    ),
)
async def record_outcome(request: Request, desk: Writing, record_id: str) -> Response:
    """Say what came of the operation for your agency: whom it arrested and rescued, by nationality, and what it seized.

    It takes the place of what your agency said before, and leaves the other agencies' parts as they are; an empty body
    takes your part back. It is for those who act in an operation that is active, suspended or completed, not for its
    observers. Nobody counts for another: people whom two agencies arrested together stand in the part of one. Once the
    operation is completed, it counts in `/v1/statistics/operations`. The answer is the whole operation.
    """
    stored = await _acting(request, desk, record_id)
    calls.require_match(request, stored.envelope.version)
    made = await outcomes.record_outcome(desk, stored, await calls.read_body(request, OutcomeIn))
    return answers.document(request, made.text, made.envelope.version)


@router.put(
    "/debrief",
    summary="Record the debrief",
    operation_id="record_joint_operation_debrief",
    **operation(
        JointOperationRead, body=DebriefIn, match=True, problems=("conflict", "retracted", "acknowledgement-required")
    ),
)
async def record_debrief(request: Request, desk: Writing, record_id: str) -> Response:
    """Say what your agency learned from an operation that is completed: in short, what to do again, and what otherwise.

    It takes the place of what your agency said before. Observers are asked too: they saw it from outside. The answer is
    the whole operation.
    """
    stored = await calls.fetch_as_party(request, desk, KIND, record_id)
    calls.require_match(request, stored.envelope.version)
    made = await outcomes.record_debrief(desk, stored, await calls.read_body(request, DebriefIn))
    return answers.document(request, made.text, made.envelope.version)


@router.get(
    "/timeline.svg",
    summary="Draw the course",
    operation_id="draw_joint_operation_timeline",
    **operation(Timeline, media_type=svg.MEDIA_TYPE, etag=False, problems=(*COVERED, "retracted")),
)
async def draw_timeline(request: Request, desk: Reading, record_id: str) -> Response:
    """Draw the operation's course: its phases as bars over time, its tasks by when they are due, and where it is now.

    For those who take part, the newest hundred entries of the log stand in it too. All times are UTC.
    """
    stored = await calls.fetch(request, desk, KIND, record_id)
    drawn = await drawing.timeline_of(desk, stored)
    await note_read(desk, "timeline.read", stored)
    return Response(drawn, headers={"Content-Security-Policy": DRAWING_POLICY}, media_type=svg.MEDIA_TYPE)


async def _acting(request: Request, desk: Desk, record_id: str) -> Stored:
    stored = await calls.fetch_as_party(request, desk, KIND, record_id)
    outcomes.require_acting(desk, stored)
    return stored
