"""Headers that calls take and answer, and what the placeholders of paths stand for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.web.callers import OFFICER_MAX, PURPOSE_MAX
from app.web.idempotency import KEY_MAX
from app.web.openapi.notes import Note
from app.web.openapi.security import SCHEME

_TEXT: Final[Mapping[str, Any]] = {"type": "string"}
_UUID: Final[Mapping[str, Any]] = {"type": "string", "format": "uuid"}
_CODE: Final[Mapping[str, Any]] = {
    "type": "string",
    "pattern": "^[A-Z0-9]{2,12}(-[A-Z0-9]{1,12}){0,2}$",
    "maxLength": 38,
}
_TAG: Final = '"3"'
_TAGS_MAX: Final = 200
_TAGS: Final = r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'
_PRINTED: Final = r"^[^\x00-\x1f\x7f]*$"


@dataclass(frozen=True, slots=True)
class Header:
    """A header of answers; `always`: every answer has it."""

    description: str
    example: str | int
    schema: Mapping[str, Any] = field(default_factory=lambda: _TEXT)
    always: bool = False

    def document(self) -> dict[str, Any]:
        """The header as it stands in the description."""
        return {"description": self.description, "schema": dict(self.schema), "example": self.example}


HEADERS: Final[Mapping[str, Header]] = {
    "Accept-Patch": Header("The media types that PATCH takes; in answers to PATCH.", "application/merge-patch+json"),
    "Content-Disposition": Header(
        "Always `attachment`, with the file's name: never to be shown in place.",
        "attachment; filename*=UTF-8''autopsy%20consent.pdf",
    ),
    "ETag": Header("The version, for `If-Match` and `If-None-Match`.", _TAG),
    "Idempotency-Replayed": Header("`true`: this answers a repeat; nothing was done this time.", "true"),
    "Link": Header('The next page, `rel="next"` (RFC 8288); not there at the end.', '<https://…>; rel="next"'),
    "Location": Header("Path of what was created.", "/v1/criminal-organizations/0193…"),
    "RateLimit": Header(
        "Calls left (`r`) and seconds until the allowance is whole (`t`).", '"default";r=5999;t=60', always=True
    ),
    "RateLimit-Policy": Header(
        "Calls allowed (`q`) in a window of seconds (`w`).", '"default";q=6000;w=60', always=True
    ),
    "Repr-Digest": Header("SHA-256 of the file (RFC 9530).", "sha-256=:LCa0a2j/xo/5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564=:"),
    "Retry-After": Header("Seconds to wait.", 5, {"type": "integer", "minimum": 1}),
    "WWW-Authenticate": Header("How to sign in, and where to read about it (RFC 9728).", 'Bearer realm="interdesk"'),
    "X-Request-Id": Header("Names the call in logs and audit: yours, if you sent one.", "case-42-7", always=True),
}


def header_refs(*names: str) -> dict[str, Any]:
    """References to headers of answers: those named, and those that every answer has."""
    always = (name for name, header in HEADERS.items() if header.always)
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, *always)}


PLACEHOLDERS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "record_id": ("The record's id.", _UUID),
    "relation_id": ("The relation's id.", _UUID),
    "amendment_id": ("The amendment's id.", _UUID),
    "sighting_id": ("The sighting's id.", _UUID),
    "approval_id": ("The decision's id.", _UUID),
    "resource_id": ("The resource's id.", _UUID),
    "task_id": ("The task's id.", _UUID),
    "conflict_id": ("The conflict's id; both sides know it by the same.", _UUID),
    "hold_id": ("The legal hold's id.", _UUID),
    "disclosure_id": ("The disclosure's id.", _UUID),
    "request_id": ("The onward request's id.", _UUID),
    "recall_id": ("The recall's id.", _UUID),
    "attachment_id": ("The attachment's id.", _UUID),
    "person_id": ("The person's id.", _UUID),
    "link_id": ("The link's id.", _UUID),
    "figure_id": ("The figure's id.", _UUID),
    "group_id": ("The group's id.", _UUID),
    "agreement_id": ("The agreement's id.", _UUID),
    "meeting_id": ("The meeting's id.", _UUID),
    "transport_id": ("The transport's id.", _UUID),
    "manifest_entry_id": ("The id of the entry on the manifest.", _UUID),
    "separation_id": ("The separation's id.", _UUID),
    "action_id": ("The action item's id.", _UUID),
    "address": (
        "The secret part of the address, as it was answered once.",
        {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$", "maxLength": 64},
    ),
    "entry_id": ("The audit entry's id.", _UUID),
    "message_id": ("The message's id.", _UUID),
    "item": (
        "The item's code.",
        {"type": "string", "pattern": "^[a-z][a-z0-9_]{1,59}$", "maxLength": 60},
    ),
    "log_entry_id": ("The log entry's id.", _UUID),
    "recovery_id": ("The recovery's id.", _UUID),
    "number": ("The version's number.", {"type": "string", "pattern": "^[1-9][0-9]{0,8}$", "maxLength": 9}),
    "code": ("The agency's code.", _CODE),
    "agency": ("The agency's code.", _CODE),
    "client_id": ("The credential's client id.", {"type": "string", "maxLength": 64}),
    "slug": (
        "The last part of the problem's `type`.",
        {"type": "string", "pattern": "^[a-z-]{1,64}$", "maxLength": 64},
    ),
}


def _taken(
    name: str, description: str, longest: int | None, pattern: str | None, *, required: bool = False
) -> dict[str, Any]:
    # Without an example: the page at /docs would send it wherever nobody writes something else.
    bounds = {"maxLength": longest, "pattern": pattern}
    schema = {"type": "string"} | {word: bound for word, bound in bounds.items() if bound is not None}
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


def _headers_taken(spec: Mapping[str, Any], note: Note | None, method: str) -> list[dict[str, Any]]:
    found = []
    if note and note.match:
        description = (
            "ETag of the version that the change is based on, in its quotes: 428 without it, 412 if it is not the "
            "present one. `*` is whatever version there is."
        )
        found.append(_taken("If-Match", description, _TAGS_MAX, _TAGS, required=True))
    if note and note.once:
        description = "A key of your own: the same call with the same key within 24 hours is not done twice."
        found.append(_taken("Idempotency-Key", description, KEY_MAX, "^[ -~]+$"))
    if note and method == "get" and note.etag and note.answers[note.status] is not None:
        description = "ETag of the version you have: 304 without a body if it is still the present one."
        # RFC 9110 lets anything stand there: what is no tag matches nothing.
        found.append(_taken("If-None-Match", description, None, None))
    if any(SCHEME in need for need in spec["security"]):
        officer = "The officer or case worker on whose behalf your system calls, for the audit."
        found.append(_taken("On-Behalf-Of", officer, OFFICER_MAX, _PRINTED))
        needed = bool(note and note.purpose)
        purpose = f"Case number or reason, for the audit{': 400 without it' if needed else ''}."
        found.append(_taken("Access-Purpose", purpose, PURPOSE_MAX, _PRINTED, required=needed))
    return found


def _without_null(parameter: dict[str, Any]) -> None:
    """A parameter in an address is there or not; null is nothing that could stand there."""
    schema = parameter["schema"]
    choices = [choice for choice in schema.pop("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        schema |= choices[0]
    elif choices:
        schema["anyOf"] = choices
    # Said once, beside the schema.
    schema.pop("title", None)
    schema.pop("description", None)


def complete_parameters(spec: dict[str, Any], note: Note | None, method: str) -> None:
    """Add the headers a call takes, and say what the placeholders of its path stand for."""
    parameters = [*spec.get("parameters", []), *_headers_taken(spec, note, method)]
    for parameter in parameters:
        if parameter["in"] == "query":
            _without_null(parameter)
        if parameter["in"] == "path" and parameter["name"] in PLACEHOLDERS:
            description, schema = PLACEHOLDERS[parameter["name"]]
            parameter["description"] = parameter.get("description", description)
            parameter["schema"] = dict(schema)
    if parameters:
        spec["parameters"] = parameters
