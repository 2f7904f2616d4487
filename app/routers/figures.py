"""`/v1/statistics/figures`: official figures, with their source."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access.desk import Desk
from app.audit.trail import note
from app.core.ids import parse_uuid
from app.domain.statistics import figures
from app.domain.statistics.figures import DeclaredFigure, FigureIn, FigureSelection
from app.identity.roles import Permission
from app.routers.parts import page
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

PATH = "/v1/statistics/figures"
router = APIRouter(prefix=PATH, tags=["Statistics"])

Reading = Annotated[Desk, at_desk(Permission.STATISTICS_READ)]
Writing = Annotated[Desk, at_desk(Permission.STATISTICS_WRITE)]


class FigureFilters(FigureSelection, Paging):
    """What a list of figures can be narrowed by."""


@router.get(
    "",
    summary="List official figures",
    operation_id="list_figures",
    **operation(page_of(DeclaredFigure), csv=True, etag=False),
)
async def list_figures(request: Request, desk: Reading, filters: Annotated[FigureFilters, Query()]) -> Response:
    """List what agencies declared officially, the latest declared first. They are open to every agency."""
    after = place_of(request, house(request).cursors, filters.cursor)
    selection = FigureSelection(**{name: getattr(filters, name) for name in FigureSelection.model_fields})
    found = await figures.listed(desk, selection, after, filters.limit + 1)
    await note(desk, "figures.list")
    return page(request, found, filters.limit, "declared_at")


@router.post(
    "",
    summary="Declare an official figure",
    operation_id="declare_figure",
    **operation(DeclaredFigure, status=201, body=FigureIn, once=True, problems=("conflict",)),
)
async def declare_figure(request: Request, desk: Writing) -> Response:
    """Declare an official figure of your agency, with its source; every agency can read it.

    A `value` of null says that none was given for the period, which is something else than zero and than silence. A
    figure is not changed: withdraw it and declare another.
    """

    async def replay(kept: calls.Kept) -> str:
        found = await figures.one(desk, parse_uuid(kept.resource_id))
        return found.model_copy(update={"withdrawn_at": None}).model_dump_json()

    async def act() -> calls.Made:
        made = await figures.declare(desk, await calls.read_body(request, FigureIn))
        return calls.Made("figures", str(made.id), 1, made.model_dump_json(), 201, f"{PATH}/{made.id}")

    return await calls.once(request, desk, replay, act)


@router.get("/{figure_id}", summary="Read an official figure", operation_id="read_figure", **operation(DeclaredFigure))
async def read_figure(request: Request, desk: Reading, figure_id: str) -> Response:
    """Read one figure, also one that was withdrawn."""
    found = await figures.one(desk, parse_uuid(figure_id))
    await note(desk, "figures.read", detail={"figure": figure_id})
    return answers.model(request, found, 1 if found.withdrawn_at is None else 2)


@router.post(
    "/{figure_id}/withdraw",
    summary="Withdraw an official figure",
    operation_id="withdraw_figure",
    **operation(status=204, once=True, problems=("conflict",)),
)
async def withdraw_figure(request: Request, desk: Writing, figure_id: str) -> Response:
    """Withdraw a figure of your agency. It stays readable by its id, and stands beside nothing any more."""
    found = await figures.one(desk, parse_uuid(figure_id))

    async def act() -> calls.Made:
        await figures.withdraw(desk, found)
        return calls.Made("figures", figure_id, 2, "", 204)

    return await calls.once(request, desk, None, act)
