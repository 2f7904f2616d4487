"""Every way a call can fail, as a closed list with an explanation each (RFC 9457 problem types).

Rooms raise `Problem`; the porch renders it as `application/problem+json`, and `/problems/{slug}` answers with the
explanation kept here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ProblemType:
    """A problem type: its slug under `/problems/`, HTTP status, title, and what the caller can do about it."""

    slug: str
    status: int
    title: str
    explanation: str


@dataclass(frozen=True)
class Flaw:
    """One thing wrong with a body or parameter: an RFC 6901 pointer, a stable code, and a sentence."""

    pointer: str
    code: str
    detail: str

    def document(self) -> dict[str, str]:
        """The flaw as it stands in `errors`."""
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail}


UNAUTHORIZED = ProblemType(
    "unauthorized",
    401,
    "Sign in first",
    "The call carries no access token, or one that is expired, revoked or not from this hub. Fetch a token at "
    "/oauth/token and send it as `Authorization: Bearer …`. A credential or agency that was revoked or suspended "
    "stays outside: ask your agency's administrator.",
)
FORBIDDEN = ProblemType(
    "forbidden",
    403,
    "Not permitted",
    "The token is good, but its roles and scope do not include what this call needs, or the record is yours to read "
    "but not to change. `detail` names the permission.",
)
NOT_FOUND = ProblemType(
    "not-found",
    404,
    "Not found",
    "There is nothing here that you may know of. A record that exists but is not shared with you answers exactly "
    "the same.",
)
HANDLING_FORBIDS = ProblemType(
    "handling-forbids",
    403,
    "The handling forbids this use",
    "You may read these records, but their handling codes do not let you use them so: H1 keeps a record out of exports "
    "for the purpose `evidence`. `references` names the records that stand in the way. Ask their originators, or leave "
    "these records out.",
)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed", 405, "Method not allowed", "This path does not take this method; `Allow` lists what it takes."
)
NOT_ACCEPTABLE = ProblemType(
    "not-acceptable", 406, "Not acceptable", "The call answers in none of the media types that `Accept` names."
)
CONFLICT = ProblemType(
    "conflict",
    409,
    "Conflicts with the present state",
    "The call does not fit the state the resource is in; `detail` says why.",
)
NOT_YOUR_SIDE = ProblemType(
    "not-your-side",
    403,
    "Another side's step",
    "Each step of a repatriation request, and each item of its checklist, is one side's: the requesting or the "
    "requested one's. Transit agencies and other readers read it. `detail` says whose this one is.",
)
CHECKLIST_OPEN = ProblemType(
    "checklist-open",
    409,
    "The checklist is open",
    "The step waits for items of the request's checklist. `errors` lists all of them, each as `/checklist/{item}`, "
    "with the side it is for: `item-open`; `no-person-entered` where the request names nobody yet; "
    "`extradition-pending` where somebody is to be deported who stands on a live extradition request that your agency "
    "sees. Complete them, or waive those that may be.",
)
SCREENED_AS_VICTIM = ProblemType(
    "screened-as-victim",
    409,
    "A victim is not returned as a suspect",
    "A screening found persons of the request to be victims of trafficking; `errors` names them by id. It is told to "
    "whoever has `persons:read` and says what for in `Access-Purpose`; to others the screening is open. Change the "
    "request to `category: victim` with `legal_act: voluntary_repatriation`, which keeps what is done of its "
    "checklist, or remove them from this request and enter them with one for victims.",
)
NOT_APPROVED = ProblemType(
    "not-approved",
    409,
    "The plan is not approved",
    "An operation begins, and goes on, with as many approvals on its plan as the plan's rule asks for: on this plan, "
    "by its hash, not on an earlier one. Have it decided on first.",
)
TRANSPORT_NOT_READY = ProblemType(
    "transport-not-ready",
    409,
    "The transport is not ready",
    "A manifest is frozen once permits, escorts and clearances are complete, and a transport departs once everybody "
    "has boarded or is known not to come. `errors` lists everything that is missing, people in numbers by agency: each "
    "agency finds its own on the manifest.",
)
NO_SEATS_LEFT = ProblemType(
    "no-seats-left",
    409,
    "Not enough seats",
    "A transport and each of its sections never hold more people than seats, those of escorts with them. `detail` or "
    "`errors` says how many there are. Nothing was changed.",
)
ALREADY_ON_A_MANIFEST = ProblemType(
    "already-on-a-manifest",
    409,
    "On a manifest already",
    "Nobody stands on two manifests, nor on one twice. `errors` points at those who stand on one. Nothing was changed.",
)
KEEP_APART = ProblemType(
    "keep-apart",
    409,
    "They must not sit together",
    "Victims never share a section with suspects, nor do two people whom an agency wants kept apart. `errors` points "
    "at those who cannot sit there: choose another section or another transport. Nothing was changed.",
)
EXTERNAL_ID_TAKEN = ProblemType(
    "external-id-taken",
    409,
    "This external_id is taken",
    "Your agency already has a record of this kind with this `external_id`. `existing` is its path.",
)
ACKNOWLEDGEMENT_REQUIRED = ProblemType(
    "acknowledgement-required",
    409,
    "Acknowledge the caveat first",
    "The record carries the handling code H3, and your agency has not acknowledged its caveat as it reads now. "
    "`caveat` is its wording: show it to whoever is to read the record, and send it back to `POST "
    "…/handling/acknowledge`, once for the whole agency. A changed caveat is asked for again.",
)
CONFLICT_OPEN = ProblemType(
    "conflict-open",
    409,
    "Another operation is in the way",
    "The operation stands in a serious conflict with another one that is live. `conflicts` are its ids, below the "
    "operation's `/conflicts`: call the other agency, and resolve it with `POST …/conflicts/{id}/resolve`.",
)
RETRACTED = ProblemType(
    "retracted", 409, "The record is retracted", "A retracted record is a tombstone: it takes no further changes."
)
PURGED = ProblemType(
    "purged",
    409,
    "The record is purged",
    "The record's review date passed without a renewal, and its content was deleted for good. Only a tombstone is "
    "left, which takes no further changes.",
)
IDEMPOTENCY_RUNNING = ProblemType(
    "idempotency-key-running",
    409,
    "The first call with this key has not ended",
    "A call with the same Idempotency-Key is still being worked on. Wait a moment and repeat it.",
)
PRECONDITION_FAILED = ProblemType(
    "precondition-failed",
    412,
    "Somebody was faster",
    "The version named in If-Match is not the present one. Read the resource again, apply your change to what you "
    "then have, and send it with the ETag of that answer.",
)
BODY_TOO_LARGE = ProblemType(
    "body-too-large",
    413,
    "The body is too large",
    "The body has more bytes than this hub takes; `detail` says how many.",
)
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported-media-type",
    415,
    "Unsupported media type",
    "The body is of a type that this call does not take. POST and PUT take application/json; PATCH takes "
    "application/merge-patch+json or application/json.",
)
UNSUPPORTED_CONTENT = ProblemType(
    "unsupported-content",
    415,
    "This kind of file is not taken",
    "The hub looks at what a file is, whatever its name and `Content-Type` say, and takes documents, pictures, sound, "
    "video and plain text; no programs, scripts, web pages, archives, or documents with macros. `detail` says what was "
    "found. Nothing was kept.",
)
INVALID_BODY = ProblemType(
    "invalid-body",
    422,
    "The body is not right",
    "`errors` lists what is wrong, each with a JSON pointer into the body, a code and a sentence. Nothing was changed.",
)
UNKNOWN_REFERENCE = ProblemType(
    "unknown-reference",
    422,
    "The body names something unknown",
    "A record, agency, group or agreement named in the body does not exist or may not be known to you. `errors` "
    "points at each. Nothing was changed.",
)
NO_LEGAL_BASIS = ProblemType(
    "no-legal-basis",
    422,
    "Nothing makes this sharing lawful",
    "What is neither GREEN nor CLEAR may be shared on an agreement in force that covers the originator, every "
    "recipient and the kind of record; with a group, on its charter. `errors` says what is missing: name another "
    "agreement in `legal_basis`, share with other agencies, or use an emergency disclosure where life is in danger. "
    "Nothing was changed.",
)
IDEMPOTENCY_MISMATCH = ProblemType(
    "idempotency-key-mismatch",
    422,
    "This key belongs to another body",
    "The Idempotency-Key was used within 24 hours with a different body. Use a key of its own for every new call.",
)
PRECONDITION_REQUIRED = ProblemType(
    "precondition-required",
    428,
    "If-Match is required",
    "Changes need `If-Match` with the ETag of the version they are based on, so that no update is lost.",
)
INVALID_PARAMETER = ProblemType(
    "invalid-parameter",
    400,
    "A parameter is not right",
    "A query parameter or header cannot be understood; `errors` says which and why.",
)
PURPOSE_REQUIRED = ProblemType(
    "purpose-required",
    400,
    "Access-Purpose is required",
    "This call touches what is kept about persons. Say what for in the header `Access-Purpose`: a case number or a "
    "reason, which your agency's audit keeps. Write no name there.",
)
RATE_LIMITED = ProblemType(
    "rate-limited", 429, "Too many requests", "Wait as many seconds as `Retry-After` says, then go on."
)
DECONFLICTION_LIMIT = ProblemType(
    "deconfliction-limit",
    429,
    "Too many comparisons today",
    "Within 24 hours an agency can check its operations for conflicts 20 times, and propose operations or change the "
    "window, area and targets of live ones 60 times, so that nobody finds others' operations by trying. Nothing was "
    "changed. `Retry-After` says in how many seconds you can go on.",
)
INTERNAL = ProblemType(
    "internal",
    500,
    "The hub failed",
    "Nothing was changed. Repeat the call; if it fails again, tell the operator the request id.",
)
UNAVAILABLE = ProblemType(
    "unavailable",
    503,
    "Not available now",
    "The hub cannot reach its database or the store of attachments, or cannot record the call: what cannot be recorded "
    "is not answered.",
)

PROBLEM_TYPES: Mapping[str, ProblemType] = {
    value.slug: value for value in list(globals().values()) if isinstance(value, ProblemType)
}


@dataclass
class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """A refusal on its way to the caller."""

    type: ProblemType
    detail: str | None = None
    errors: Sequence[Flaw] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    """For the audit and the log alone: never sent."""
    recorded: bool = False
    """Whether the refusal stands in the audit already."""

    def __post_init__(self) -> None:
        """Give logs something readable."""
        super().__init__(f"{self.type.slug}: {self.reason or self.detail or self.type.title}")


def not_found() -> Problem:
    """The one answer to whatever is not there or may not be known."""
    return Problem(NOT_FOUND)


def invalid(*errors: Flaw) -> Problem:
    """A body that is not right, with every flaw found."""
    return Problem(INVALID_BODY, errors=errors)
