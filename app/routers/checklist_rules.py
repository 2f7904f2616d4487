"""`/v1/checklist-rules`: what has to be done before people go home, by category, legal act and countries."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.audit.trail import note
from app.domain.repatriation_requests import checklist_rules
from app.domain.repatriation_requests.checklist_shapes import ChecklistRule, ItemCode
from app.identity.roles import Permission
from app.routers.parts import page
from app.routers.repatriation_requests import TAG
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

router = APIRouter(prefix="/v1/checklist-rules", tags=[TAG])

Reading = Annotated[Desk, at_desk(Permission.REPATRIATIONS_READ)]


class ChecklistRuleFilters(Paging):
    """What a list of rules can be narrowed by."""

    code: ItemCode | None = Field(None, description="Rules for the item of this code.")


@router.get(
    "",
    summary="List the rules of checklists",
    operation_id="list_checklist_rules",
    **operation(page_of(ChecklistRule), csv=True, etag=False),
)
async def list_rules(request: Request, desk: Reading, filters: Annotated[ChecklistRuleFilters, Query()]) -> Response:
    """List the rules that this hub makes checklists of, those set last first.

    Of several rules with one code the one holds for a request that names most of its category, legal act and
    countries; with `asked: false` it takes the item away. The hub's operator changes them on its command line.
    """
    after = place_of(request, house(request).cursors, filters.cursor)
    found = await checklist_rules.listed(desk, filters.code, after, filters.limit + 1)
    await note(desk, "checklist_rules.list")
    return page(request, found, filters.limit, "changed_at")
