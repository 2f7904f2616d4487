"""The OpenAPI description: what FastAPI derives from signatures, completed with what it cannot see.

Bodies are read late and answers are rendered bytes, so each route says by `operation(…)` what it takes, answers and
needs; here that becomes request bodies, responses, headers and every error the call can answer.
"""

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, create_model
from pydantic.json_schema import models_json_schema

from app.core.problems import PROBLEM_TYPES
from app.core.shapes import Shape
from app.web.callers import OFFICER_MAX, PURPOSE_MAX

_Mode = Literal["validation", "serialization"]
_NOTE = "x-interdesk"
_MODELS: dict[str, type[BaseModel]] = {}
_REF = "#/components/schemas/{model}"
_OK = {200: "Done.", 201: "Created.", 202: "Accepted.", 204: "Done; there is nothing to say."}


class FlawOut(Shape):
    """One thing that is wrong with a body or a parameter."""

    pointer: str
    code: str
    detail: str


class ProblemDocument(BaseModel):
    """Why a call was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[FlawOut]


def page_of(model: type[BaseModel]) -> type[BaseModel]:
    """The shape of a page of `model`."""
    name = f"{model.__name__}Page"
    if name not in _MODELS:
        page = create_model(
            name,
            __base__=Shape,
            __doc__="A page of a list.",
            items=(list[model], ...),  # type: ignore[valid-type]
            next_cursor=(str | None, ...),
        )
        _MODELS[name] = page
    return _MODELS[name]


def operation(  # noqa: PLR0913 - each says one thing about a call
    answer: type[BaseModel] | None = None,
    *,
    status: int = 200,
    body: type[BaseModel] | None = None,
    types: tuple[str, ...] = ("application/json",),
    media_type: str = "application/json",
    match: bool = False,
    once: bool = False,
    csv: bool = False,
    etag: bool = True,
    problems: tuple[str, ...] = (),
) -> dict[str, Any]:
    """What a route's decorator is told besides its summary.

    `answer` and `body` are shapes; `types` are the media types of the body; `match`: If-Match is required; `once`:
    Idempotency-Key is taken; `csv`: text/csv is offered; `etag`: the answer carries one; `problems`: slugs of problem
    types that only this call answers.
    """
    for model in (answer, body):
        if model is not None:
            _MODELS[model.__name__] = model
    note = {
        "answer": answer.__name__ if answer else None,
        "status": status,
        "body": body.__name__ if body else None,
        "types": list(types),
        "media_type": media_type,
        "match": match,
        "once": once,
        "csv": csv,
        "etag": etag,
        "problems": list(problems),
    }
    return {"status_code": status, "openapi_extra": {_NOTE: note}}


def _header(name: str, description: str, *, required: bool = False, longest: int | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"} | ({"maxLength": longest} if longest else {})
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


def _problems_of(spec: Mapping[str, Any], note: Mapping[str, Any], path: str) -> list[str]:
    slugs = ["invalid-parameter", "rate-limited", "unavailable"]
    if spec.get("security"):
        slugs += ["unauthorized", "forbidden"]
    if "{" in path:
        slugs.append("not-found")
    if note["csv"]:
        slugs.append("not-acceptable")
    if note["match"]:
        slugs += ["precondition-required", "precondition-failed"]
    if note["body"]:
        slugs += ["body-too-large", "unsupported-media-type", "invalid-body"]
    if note["once"]:
        slugs += ["idempotency-key-running", "idempotency-key-mismatch"]
    return [*slugs, *note["problems"]]


def _responses(spec: Mapping[str, Any], note: Mapping[str, Any], path: str, refs: Mapping[Any, Any]) -> dict[str, Any]:
    status = note["status"]
    done: dict[str, Any] = {
        "description": _OK[status],
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}},
    }
    if note["answer"]:
        done["content"] = {note["media_type"]: {"schema": refs[note["answer"], "serialization"]}}
        if note["csv"]:
            done["content"]["text/csv"] = {"schema": {"type": "string"}}
        if note["etag"]:
            done["headers"]["ETag"] = {"$ref": "#/components/headers/ETag"}
        if status == 201:  # noqa: PLR2004 - Created
            done["headers"]["Location"] = {"$ref": "#/components/headers/Location"}
    responses = {str(status): done}
    for slug in _problems_of(spec, note, path):
        kind = PROBLEM_TYPES[slug]
        found = responses.setdefault(
            str(kind.status),
            {
                "description": "",
                "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}},
                "content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="ProblemDocument")}}},
            },
        )
        found["description"] = f"{found['description']} {kind.title} (`{slug}`).".strip()
    return dict(sorted(responses.items()))


def _parameters(spec: dict[str, Any], note: Mapping[str, Any], method: str) -> None:
    extra = []
    if note["match"]:
        extra.append(_header("If-Match", "ETag of the version the change is based on.", required=True))
    if note["once"]:
        extra.append(
            _header("Idempotency-Key", "A key of your own: a repeat within 24 hours is not done twice.", longest=255)
        )
    if method == "get" and note["answer"] and note["etag"]:
        extra.append(_header("If-None-Match", "ETag of the version you have; 304 if it is the present one."))
    if spec.get("security"):
        extra.append(_header("On-Behalf-Of", "The officer or case worker, for the audit.", longest=OFFICER_MAX))
        extra.append(_header("Access-Purpose", "Case number or reason, for the audit.", longest=PURPOSE_MAX))
    if extra:
        spec["parameters"] = [*spec.get("parameters", []), *extra]


def _complete(spec: dict[str, Any], path: str, method: str, refs: Mapping[Any, Any]) -> None:
    note = spec.pop(_NOTE, None)
    if note is None:
        return
    _parameters(spec, note, method)
    if note["body"]:
        schema = refs[note["body"], "validation"]
        spec["requestBody"] = {"required": True, "content": {kind: {"schema": schema} for kind in note["types"]}}
    spec["responses"] = _responses(spec, note, path, refs)
    if method == "get" and note["answer"] and note["etag"]:
        spec["responses"]["304"] = {"description": "You have the present version."}


def build(app: FastAPI) -> dict[str, Any]:
    """The whole description, as OpenAPI 3.1."""
    document = get_openapi(
        title=app.title, version=app.version, routes=app.routes, description=app.description, tags=app.openapi_tags
    )
    _MODELS["ProblemDocument"] = ProblemDocument
    notes = [spec[_NOTE] for calls in document["paths"].values() for spec in calls.values() if _NOTE in spec]
    wanted: list[tuple[type[BaseModel], _Mode]] = [(ProblemDocument, "serialization")]
    for note in notes:
        if note["answer"]:
            wanted.append((_MODELS[note["answer"]], "serialization"))
        if note["body"]:
            wanted.append((_MODELS[note["body"]], "validation"))
    refs, definitions = models_json_schema(list(dict.fromkeys(wanted)), ref_template=_REF)
    by_name = {(model.__name__, mode): schema for (model, mode), schema in refs.items()}
    for path, calls in document["paths"].items():
        for method, spec in calls.items():
            _complete(spec, path, method, by_name)
    components = document.setdefault("components", {})
    kept = {
        name: schema
        for name, schema in components.get("schemas", {}).items()
        if name not in ("HTTPValidationError", "ValidationError")
    }
    components["schemas"] = dict(sorted({**kept, **definitions.get("$defs", {})}.items()))
    components["headers"] = {
        "ETag": {"description": "The version, for If-Match and If-None-Match.", "schema": {"type": "string"}},
        "Location": {"description": "Path of what was created.", "schema": {"type": "string"}},
        "X-Request-Id": {"description": "Names the call in logs and audit.", "schema": {"type": "string"}},
    }
    return document


def describe(app: FastAPI) -> None:
    """Make the application answer `app.openapi()` with this description, built once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
