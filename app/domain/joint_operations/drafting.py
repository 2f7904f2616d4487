"""Drafting an operation."""

from app.access.desk import Desk
from app.domain.joint_operations import teams
from app.domain.joint_operations.plans import KIND, body_of, plan_fields, settle
from app.domain.joint_operations.shapes import JointOperationContent, JointOperationCreate
from app.models.operation_vocabularies import JointOperationState
from app.records import links, shelf
from app.records.shelf import Stored


async def create(desk: Desk, sent: JointOperationCreate) -> Stored:
    """Draft an operation of the caller's agency under its handling, with its links; all of it or nothing.

    422 for agencies that are none, for teams that the caller is not in, and for work given to who takes no part.
    """
    settled = settle(None, sent, desk.caller.agency)
    await teams.check_plan(desk, settled)
    content = JointOperationContent(**plan_fields(settled))
    body = body_of(content, JointOperationState.DRAFT)
    stored = await shelf.create(desk, KIND, body, sent.handling, sent.external_id)
    await links.add_sent(desk, stored, sent.links, [f"/links/{number}" for number in range(len(sent.links))])
    return stored
