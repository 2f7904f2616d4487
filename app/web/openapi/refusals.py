"""What a call answers when it refuses: which problem types, in which shape, with which headers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from app.core.problems import PROBLEM_TYPES
from app.core.shapes import Shape
from app.web.openapi.notes import BYTES, Note
from app.web.openapi.parameters import header_refs
from app.web.openapi.security import SCHEME

PROBLEM_TYPE: Final = "application/problem+json"
_REQUEST_ID: Final = "01932b9c-8e4f-7d20-b5a1-7c3f0e9d2a61"


class FlawDocument(Shape):
    """One thing that is wrong with a body or a parameter."""

    pointer: str = Field(
        description="Where: a JSON pointer (RFC 6901) into the body, `/query/…` or `/header/…`; empty for the whole.",
        examples=["/handling/caveat"],
    )
    code: str = Field(description="A stable word for programs to react to.", examples=["caveat-required"])
    detail: str = Field(description="A sentence for people.", examples=["Say in caveat what H3 restricts."])


class ProblemDocument(BaseModel):
    """Why a call was refused (RFC 9457). A problem type may add members of its own: its examples show them."""

    model_config = ConfigDict(extra="allow", json_schema_serialization_defaults_required=True)

    type: str = Field(description="The problem type; this path answers with its explanation.")
    title: str = Field(description="The problem type in a few words.")
    status: int = Field(ge=400, le=599, description="The HTTP status.")
    detail: str = Field(description="What it is about this time, or what can be done.")
    instance: str = Field(description="The path that was called.")
    request_id: str = Field(description="The call's `X-Request-Id`, to be told to the operator.")
    errors: list[FlawDocument] = Field(description="Everything wrong with a body or with parameters; else empty.")


def problems_of(spec: Mapping[str, Any], note: Note | None, path: str, method: str) -> list[str]:
    """The slugs of every problem type that a call can answer."""
    slugs = ["rate-limited", "internal"]
    scopes = next((need[SCHEME] for need in spec["security"] if SCHEME in need), None)
    if scopes is not None:
        slugs += ["invalid-parameter", "unauthorized", "unavailable"]
        slugs += ["forbidden"] if scopes else []
        slugs += ["conflict"] if method != "get" else []
    if "{" in path:
        slugs.append("not-found")
    if note is None:
        return slugs
    if note.purpose:
        slugs.append("purpose-required")
    if note.texts:
        slugs.append("not-acceptable")
    if note.match:
        slugs.append("precondition-required")
    if note.match:
        slugs.append("precondition-failed")
    if note.body:
        slugs += ["body-too-large", "invalid-body"]
        slugs += [] if note.types == (BYTES,) else ["unsupported-media-type"]
    if note.once:
        slugs += ["body-too-large", "idempotency-key-running", "idempotency-key-mismatch"]
    # What takes nothing more when it is retracted takes nothing more when it is purged.
    also = ["purged"] if "retracted" in note.problems else []
    return list(dict.fromkeys([*slugs, *note.problems, *also]))


_MEMBERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "conflict-open": {"conflicts": [_REQUEST_ID]},
    "acknowledgement-required": {"caveat": "Do not act on this without asking first."},
    "external-id-taken": {"existing": f"/v1/criminal-organizations/{_REQUEST_ID}"},
    "handling-forbids": {"references": ["KR-KNPA-CO-2026-481902"]},
}
"""What a problem type says beside what all of them say."""


def problem_examples() -> dict[str, Any]:
    """A problem document of every type, as the hub writes it."""
    return {
        slug: {
            "summary": kind.title,
            "value": {
                "type": f"/problems/{slug}",
                "title": kind.title,
                "status": kind.status,
                "detail": kind.explanation,
                "instance": "/v1/criminal-organizations",
                "request_id": _REQUEST_ID,
                "errors": [],
                **_MEMBERS.get(slug, {}),
            },
        }
        for slug, kind in sorted(PROBLEM_TYPES.items())
    }


_HEADERS: Final[Mapping[str, str]] = {
    "deconfliction-limit": "Retry-After",
    "external-id-taken": "Location",
    "idempotency-key-running": "Retry-After",
    "rate-limited": "Retry-After",
    "unauthorized": "WWW-Authenticate",
    "unavailable": "Retry-After",
    "unsupported-media-type": "Accept-Patch",
}
"""The header that a problem type comes with."""


def _headers(slugs: Iterable[str]) -> dict[str, Any]:
    return header_refs(*dict.fromkeys(_HEADERS[slug] for slug in slugs if slug in _HEADERS))


def _of_status(status: int) -> list[str]:
    return [slug for slug, kind in PROBLEM_TYPES.items() if kind.status == status]


def _response(slugs: Sequence[str], beside: Mapping[str, Any]) -> dict[str, Any]:
    """A refusal with any of these problem types; `beside`: what the route documents for this status by itself."""
    said = [f"{PROBLEM_TYPES[slug].title} (`{slug}`)." for slug in slugs]
    problem = {
        "schema": {"$ref": "#/components/schemas/ProblemDocument"},
        "examples": {slug: {"$ref": f"#/components/examples/{slug}"} for slug in slugs},
    }
    return {
        "description": " ".join([*([beside["description"]] if beside else []), *said]),
        "headers": _headers(slugs),
        "content": {**beside.get("content", {}), PROBLEM_TYPE: problem},
    }


class Refusals:
    """The refusals of all calls; each that several calls have in common is described once."""

    def __init__(self) -> None:
        self.shared: dict[str, Any] = {}

    def add(self, responses: dict[str, Any], slugs: Sequence[str]) -> None:
        """Document a call's refusals; what its route documents by itself is kept beside them."""
        for documented, response in responses.items():
            response["headers"] = {**_headers(_of_status(int(documented))), **response.get("headers", {})}
        for status in sorted({PROBLEM_TYPES[slug].status for slug in slugs}):
            chosen = [slug for slug in slugs if PROBLEM_TYPES[slug].status == status]
            own = responses.get(str(status))
            if own is not None:
                responses[str(status)] = _response(chosen, own)
                continue
            name = "-or-".join(chosen)
            self.shared.setdefault(name, _response(chosen, {}))
            responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
