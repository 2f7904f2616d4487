"""`interdesk workflow`: the course of a kind of record as a page of the docs, made from the table the hub obeys."""

import sys
from enum import StrEnum
from typing import Annotated, Any

import typer


class Form(StrEnum):
    """What is printed."""

    PAGE = "page"
    PICTURE = "picture"


def workflow(
    form: Annotated[Form, typer.Option(help="The page in Markdown, or the picture on it as SVG.")] = Form.PAGE,
) -> None:
    """Print the course of joint operations, for the docs."""
    sys.stdout.write(picture() if form is Form.PICTURE else page())


def page() -> str:
    """The page about the course of joint operations, with the picture beside it."""
    from app.domain.joint_operations.workflow import WORKFLOW

    return _PAGE.format(states="\n".join(_states(WORKFLOW)), transitions="\n".join(_transitions(WORKFLOW)))


def picture() -> str:
    """The picture on that page."""
    from app.cli.workflow_drawing import draw
    from app.domain.joint_operations.workflow import WORKFLOW

    return draw(WORKFLOW, "The course of a joint operation")


_PAGE = """# The course of a joint operation

Made by `make docs` from the table that the hub obeys: what does not stand here does not happen. A step that is not
possible is refused with 409, and the refusal names those that are.

![States and the steps between them; the table below says the same.](joint-operations-workflow.svg)

Each line is a step: it starts at a dot and leads to the arrow. A dashed line follows from another call, and a ring
alone leaves the state as it is.

## States

| state | meaning |
|---|---|
{states}

## Steps

| step | from | to | by | event | meaning |
|---|---|---|---|---|---|
{transitions}

How an operation is run from draft to debrief: [Running an operation](running-an-operation.md).
"""


def _states(workflow: Any) -> list[str]:  # noqa: ANN401 - a Workflow, which loads more than this command's help needs
    return [f"| `{state.value}` | {state.description} |" for state in type(workflow.initial)]


def _transitions(workflow: Any) -> list[str]:  # noqa: ANN401 - as above
    return [
        f"| {row.action if row.automatic else f'`{row.action}`'} | {', '.join(f'`{state}`' for state in row.sources)} |"
        f" {f'`{row.target}`' if row.target else 'as it is'} | {row.by} | `interdesk.{row.event}` | {row.sentence} |"
        for row in workflow.transitions
    ]
