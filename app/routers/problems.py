"""`/problems`: what each problem type means and what can be done about it, for programs and for people."""

from html import escape

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.core.problems import PROBLEM_TYPES, ProblemType, not_found
from app.core.shapes import Shape
from app.web import answers
from app.web.openapi import list_of, operation
from app.web.pages import HTML, page

router = APIRouter(prefix="/problems", tags=["Documentation"])


class ProblemExplanation(Shape):
    """A problem type, and what can be done about it."""

    type: str = Field(description="As it stands in `type` of a problem document.", examples=["/problems/not-found"])
    status: int = Field(description="The HTTP status it comes with.", examples=[404])
    title: str = Field(description="The problem type in a few words.", examples=["Not found"])
    explanation: str = Field(description="What it means, and what can be done about it.")


_LIST = list_of(ProblemExplanation)


def _explained(kind: ProblemType) -> ProblemExplanation:
    return ProblemExplanation(
        type=f"/problems/{kind.slug}", status=kind.status, title=kind.title, explanation=kind.explanation
    )


def _marked_up(text: str) -> str:
    """Text with its `code` as HTML; the pieces between the marks are code in turn."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))


def _json(body: str) -> Response:
    return Response(body, headers={"Vary": "Accept, Accept-Encoding"}, media_type=answers.JSON)


@router.get(
    "",
    summary="List problem types",
    operation_id="list_problem_types",
    **operation(_LIST, html=True, etag=False),
)
async def list_problem_types(request: Request) -> Response:
    """List every way a call can be refused: a closed list. As HTML where that is asked for. The list has no pages."""
    kinds = sorted(PROBLEM_TYPES.values(), key=lambda kind: (kind.status, kind.slug))
    if answers.accepts(request, answers.JSON, HTML) == HTML:
        entries = "\n".join(
            f'<dt><a href="/problems/{kind.slug}">{escape(kind.title)}</a> ({kind.status})</dt>'
            f"<dd>{_marked_up(kind.explanation)}</dd>"
            for kind in kinds
        )
        return page("Problem types", f"<h1>Problem types</h1>\n<dl>\n{entries}\n</dl>")
    return _json(_LIST(items=[_explained(kind) for kind in kinds], next_cursor=None).model_dump_json())


@router.get(
    "/{slug}",
    summary="Explain a problem type",
    operation_id="read_problem_type",
    **operation(ProblemExplanation, html=True, etag=False),
)
async def read_problem_type(request: Request, slug: str) -> Response:
    """Explain one problem type, and what can be done about it. As HTML where that is asked for."""
    kind = PROBLEM_TYPES.get(slug)
    if kind is None:
        raise not_found()
    if answers.accepts(request, answers.JSON, HTML) == HTML:
        body = (
            f"<h1>{escape(kind.title)}</h1>\n<p><code>/problems/{kind.slug}</code>, HTTP status {kind.status}</p>\n"
            f'<p>{_marked_up(kind.explanation)}</p>\n<p><a href="/problems">All problem types</a></p>'
        )
        return page(kind.title, body)
    return _json(_explained(kind).model_dump_json())
