"""What a route says about itself beyond its signature, kept beside the route until the description is built."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, create_model
from typing_extensions import TypeAliasType

from app.core.shapes import Shape
from app.web.paging import LIMIT_MAX

EXTENSION = "x-interdesk"

BYTES = "application/octet-stream"
"""Of a body that is taken as it is, whatever it says it is."""

Described = type[BaseModel] | TypeAliasType
"""A shape, or a named choice of shapes."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a call takes, answers and needs."""

    answers: Mapping[int, Described | None]
    status: int
    body: Described | None = None
    types: tuple[str, ...] = ("application/json",)
    media_type: str = "application/json"
    match: bool = False
    once: bool = False
    purpose: bool = False
    texts: tuple[str, ...] = ()
    etag: bool = True
    paged: bool = False
    headers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


_NOTES: list[Note] = []
_PAGES: dict[tuple[str, bool], tuple[Described, type[BaseModel]]] = {}


def note_of(spec: dict[str, Any]) -> Note | None:
    """Take the note out of a call's description, if its route left one."""
    number = spec.pop(EXTENSION, None)
    return None if number is None else _NOTES[number]


def page_of(model: Described) -> type[BaseModel]:
    """The shape of a page of `model`."""
    return _collection(model, paged=True)


def list_of(model: Described) -> type[BaseModel]:
    """The shape of a list of `model` that has no pages: `next_cursor` is always null."""
    return _collection(model, paged=False)


def _collection(model: Described, *, paged: bool) -> type[BaseModel]:
    name = f"{model.__name__}{'Page' if paged else 'List'}"
    of, made = _PAGES.get((name, paged), (model, None))
    if of is not model:
        message = f"two shapes are called {model.__name__}"
        raise ValueError(message)
    if made is None:
        made = create_model(
            name,
            __base__=Shape,
            __doc__="A page of a list." if paged else "A whole list.",
            items=(list[model], Field(max_length=LIMIT_MAX if paged else None, description="What the list holds.")),  # type: ignore[valid-type]
            next_cursor=(
                (str | None, Field(max_length=2048, description="Where the next page starts; null at the end."))
                if paged
                else (None, Field(description="Always null: the list is whole."))
            ),
        )
        _PAGES[name, paged] = (model, made)
    return made


def operation(  # noqa: PLR0913 - each says one thing about a call
    answer: Described | None = None,
    *,
    status: int = 200,
    body: Described | None = None,
    types: tuple[str, ...] = ("application/json",),
    media_type: str = "application/json",
    match: bool = False,
    once: bool = False,
    purpose: bool = False,
    csv: bool = False,
    html: bool = False,
    etag: bool = True,
    also: Mapping[int, Described] | None = None,
    headers: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    problems: tuple[str, ...] = (),
) -> dict[str, Any]:
    """What a route's decorator is told besides its summary.

    `answer` and `body` are shapes; `types` are the media types of the body; `match`: If-Match is required; `once`:
    Idempotency-Key is taken; `purpose`: Access-Purpose is required; `csv`, `html`: text/csv or text/html is offered
    too; `etag`: the answer carries one; `also`: what the call answers with other statuses of success; `headers`: what
    else the answer carries; `needs`: permissions of which one is enough, where the signature cannot say it; `problems`:
    slugs of problem types that only this call answers.
    """
    paged = any(made is answer for (_, paged), (_, made) in _PAGES.items() if paged)
    note = Note(
        answers={status: answer, **(also or {})},
        status=status,
        body=body,
        types=types,
        media_type=media_type,
        match=match,
        once=once,
        purpose=purpose,
        texts=(("text/csv",) if csv else ()) + (("text/html",) if html else ()),
        etag=etag,
        paged=paged,
        headers=headers,
        needs=needs,
        problems=problems,
    )
    _NOTES.append(note)
    return {"status_code": status, "openapi_extra": {EXTENSION: len(_NOTES) - 1}}
