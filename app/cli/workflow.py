"""`interdesk workflow`: the course of a kind of record as a page of the docs, made from the table the hub obeys."""

import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer


class Form(StrEnum):
    """What is printed."""

    PAGE = "page"
    PICTURE = "picture"


class Course(StrEnum):
    """Whose course."""

    JOINT_OPERATIONS = "joint-operations"
    REPATRIATION_REQUESTS = "repatriation-requests"
    TRANSPORTS = "transports"


def workflow(
    course: Annotated[Course, typer.Argument(help="The kind of record.")],
    form: Annotated[Form, typer.Option(help="The page in Markdown, or the picture on it as SVG.")] = Form.PAGE,
) -> None:
    """Print the course of a kind of record, for the docs."""
    sys.stdout.write(picture(course) if form is Form.PICTURE else page(course))


def page(course: Course) -> str:
    """The page about a course, with the picture beside it."""
    told = _told(course)
    return _PAGE.format(
        title=told.title,
        picture=f"{course}-workflow.svg",
        states="\n".join(_states(told.workflow)),
        transitions="\n".join(_transitions(told.workflow)),
        guide=told.guide,
    )


def picture(course: Course) -> str:
    """The picture on that page."""
    from app.cli.workflow_drawing import draw

    told = _told(course)
    return draw(told.workflow, told.title)


@dataclass(frozen=True)
class _Told:
    title: str
    workflow: Any
    """A Workflow, which loads more than this command's help needs."""
    guide: str
    """Where to read on."""


def _told(course: Course) -> _Told:
    from app.domain.joint_operations import workflow as operations
    from app.domain.repatriation_requests import workflow as repatriations
    from app.domain.transports import workflow as transports

    if course is Course.JOINT_OPERATIONS:
        guide = "How an operation is run from draft to debrief: [Running an operation](running-an-operation.md)."
        return _Told("The course of a joint operation", operations.WORKFLOW, guide)
    if course is Course.TRANSPORTS:
        guide = "How people travel on it: [Transports](transports.md)."
        return _Told("The course of a transport", transports.WORKFLOW, guide)
    guide = "How people are brought home by it: [Repatriation requests](repatriation-requests.md)."
    return _Told("The course of a repatriation request", repatriations.WORKFLOW, guide)


_PAGE = """# {title}

Made by `make docs` from the table that the hub obeys: what does not stand here does not happen. A step that is not
possible is refused with 409, and the refusal names those that are.

![States and the steps between them; the table below says the same.]({picture})

Each line is a step: it starts at a dot and leads to the arrow. A dashed line follows from another call, and a ring
alone leaves the state as it is, or leads back to the one that was left.

## States

| state | meaning |
|---|---|
{states}

## Steps

| step | from | to | by | event | meaning |
|---|---|---|---|---|---|
{transitions}

{guide}
"""


def _states(workflow: Any) -> list[str]:  # noqa: ANN401 - a Workflow
    return [f"| `{state.value}` | {state.description} |" for state in type(workflow.initial)]


def _transitions(workflow: Any) -> list[str]:  # noqa: ANN401 - a Workflow
    return [
        f"| {row.action if row.automatic else f'`{row.action}`'} | {', '.join(f'`{state}`' for state in row.sources)} |"
        f" {f'`{row.target}`' if row.target else row.destination} | {row.by} | `interdesk.{row.event}` |"
        f" {row.sentence} |"
        for row in workflow.transitions
    ]
