"""The description is built: FastAPI's own, and what the notes, the refusals and the examples add to it."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.web.bodies import needs_nothing
from app.web.openapi import texts
from app.web.openapi.bounds import add_bounds
from app.web.openapi.examples import add_examples
from app.web.openapi.notes import EXTENSION, Note, note_of
from app.web.openapi.parameters import HEADERS, complete_parameters, header_refs
from app.web.openapi.refusals import Refusals, problem_examples, problems_of
from app.web.openapi.schemas import Schemas, drop_unused, open_answers
from app.web.openapi.security import SCHEME, add_security, permissions_needed, scheme

_OK = {200: "Done.", 201: "Created.", 202: "Accepted.", 204: "Done; there is nothing to say."}
_FASTAPI_OWN = ("HTTPValidationError", "ValidationError")


def _success(note: Note, status: int, schemas: Schemas) -> dict[str, Any]:
    done: dict[str, Any] = {"description": _OK[status]}
    names = [*note.headers, *(["Location"] if status == 201 else [])]  # noqa: PLR2004 - Created
    answer = note.answers[status]
    if answer is not None:
        done["content"] = {note.media_type: {"schema": schemas.answered(answer)}}
        done["content"] |= {kind: {"schema": {"type": "string"}} for kind in note.texts}
        if note.etag and status == note.status:
            names.append("ETag")
        if note.paged:
            names.append("Link")
    if note.once and status == note.status:
        names.append("Idempotency-Replayed")
    return {**done, "headers": header_refs(*names)}


def _complete(call: tuple[str, str, dict[str, Any]], note: Note | None, schemas: Schemas, refusals: Refusals) -> None:
    path, method, spec = call
    complete_parameters(spec, note, method)
    responses = spec["responses"]
    # FastAPI's answer to bad parameters is not this hub's, and an answer it knows no shape of has no body.
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    for response in responses.values():
        if response.get("content", {}).get("application/json") == {"schema": {}}:
            del response["content"]
    if note is not None:
        responses = {str(status): _success(note, status, schemas) for status in note.answers}
        if note.body is not None:
            schema = schemas.sent(note.body)
            spec["requestBody"] = {
                "required": not (method == "post" and isinstance(note.body, type) and needs_nothing(note.body)),
                "content": {kind: {"schema": schema} for kind in note.types},
            }
        if method == "get" and note.etag and note.answers[note.status] is not None:
            responses["304"] = {"description": "You have the present version.", "headers": header_refs("ETag")}
    refusals.add(responses, problems_of(spec, note, path, method))
    spec["responses"] = dict(sorted(responses.items()))


def build(app: FastAPI) -> dict[str, Any]:
    """The whole description, as OpenAPI 3.1; the same on every hub."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=texts.SUMMARY,
        description=texts.introduction(),
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        routes=app.routes,
        tags=texts.TAGS,
        servers=[{"url": "/", "description": "This hub."}],
    )
    calls = [(path, method, spec) for path, found in document["paths"].items() for method, spec in found.items()]
    notes = {spec["operationId"]: note_of(spec) for _, _, spec in calls if EXTENSION in spec}
    schemas = Schemas([note for note in notes.values() if note is not None])
    needed, refusals = permissions_needed(app), Refusals()
    for path, method, spec in calls:
        note = notes.get(spec["operationId"])
        add_security(spec, note, needed)
        _complete((path, method, spec), note, schemas, refusals)
        add_examples(spec)
    components = document.setdefault("components", {})
    own = {name: schema for name, schema in components.get("schemas", {}).items() if name not in _FASTAPI_OWN}
    components["schemas"] = dict(sorted({**own, **schemas.definitions}.items()))
    components["securitySchemes"] = {SCHEME: scheme(), **components.get("securitySchemes", {})}
    components["responses"] = dict(sorted(refusals.shared.items()))
    components["examples"] = problem_examples()
    components["headers"] = {name: header.document() for name, header in sorted(HEADERS.items())}
    drop_unused(components, document)
    open_answers(components["schemas"], document["paths"])
    add_bounds(document["paths"])
    add_bounds(components)
    return document


def describe(app: FastAPI) -> None:
    """Make the application answer `app.openapi()` with this description, built once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


__all__ = ["build", "describe"]
