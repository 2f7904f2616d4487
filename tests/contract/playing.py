"""Playing an example: its request goes to a hub, and what comes back is compared with what is documented."""

import json
import re
from typing import Any

import httpx

from app.web.openapi.notes import BYTES
from tests.contract.description import Call
from tests.contract.world import World

FORM = "application/x-www-form-urlencoded"

# What the hub draws or reads off its clock, and so differs from run to run; `review_on` is counted from today.
_DRAWN = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[0-9:.]+Z"), "<moment>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "<date>"),
    (re.compile(r"\b\d{8}T\d{6}Z"), "<moment>"),
    (re.compile(r"-(CO|IR|JO|RR|BU|AG|ME|TR)-\d{4}-\d{6}"), "-<reference>"),
    (re.compile(r"\beyJ[A-Za-z0-9_.…-]+"), "<token>"),
    (re.compile(r"\bidc_[a-z2-7]{26}"), "<client>"),
    (re.compile(r"\bid[fs]_[A-Za-z0-9_-]{43}"), "<secret>"),
    (re.compile(r'("(?:x|y|kid|next_cursor)":) "[^"]*"'), r'\1 "<drawn>"'),
    (re.compile(r'("(?:exp|iat|leaf_index|tree_size)":) \d+'), r"\1 0"),
    (re.compile(r'("(?:inclusion|consistency)_path":) \[[^]]*\]'), r'\1 "<path>"'),
    (re.compile(r"\b[0-9a-f]{32,128}\b"), "<hash>"),
    (re.compile(r"(?<=interdesk-audit-checkpoint,)\d+"), "0"),
    # A table puts an apostrophe before what a spreadsheet would take for a formula.
    (re.compile(r"(?<=,)'?[A-Za-z0-9_-]{43}(?=,)"), "<drawn>"),
)

# What stands for it in the files.
_FIXED = (
    (re.compile(r"(?<=\")\d{4}-\d\d-\d\dT[0-9:.]+Z"), "2026-11-22T08:15:30.123456Z"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"), "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIs…"),
    (re.compile(r"\bidc_[a-z2-7]{26}"), f"idc_anothersystem{'a' * 13}"),
    (re.compile(r"\bids_[A-Za-z0-9_-]{43}"), f"ids_{'0' * 43}"),
    (re.compile(r"\bidf_[A-Za-z0-9_-]{43}"), f"idf_{'0' * 43}"),
    (re.compile(r'(?<="next_cursor": )"[^"]+"'), '"dGhlIG5leHQgcGFnZQ"'),
)


def settled(value: Any) -> str:
    """A body without what differs from run to run."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    for pattern, name in _DRAWN:
        text = pattern.sub(name, text)
    return text


def body_of(answer: httpx.Response) -> Any:
    """What an answer says, as an example writes it: JSON, or text; None where there is no body."""
    if not answer.content:
        return None
    return answer.json() if "json" in answer.headers["content-type"] else answer.text


async def play(world: World, call: Call, exchange: dict[str, Any], method: str | None = None) -> httpx.Response:
    """Send an example's request, with the actual names of what it names; by another method where one is given."""
    request = json.loads(world.actual(json.dumps(exchange["request"], ensure_ascii=False)))
    path = call.path
    for name, value in request.get("path", {}).items():
        path = path.replace(f"{{{name}}}", value)
    headers, body = dict(request.get("headers", {})), request.get("body")
    options: dict[str, Any] = {"params": request.get("query")}
    if body is not None:
        kind = headers.get("Content-Type", next(iter(call.spec["requestBody"]["content"])))
        if kind == BYTES:
            options["content"] = body.encode()
        else:
            options |= {"data": body} if kind == FORM else {"content": json.dumps(body)}
        headers["Content-Type"] = kind
    return await world.call(exchange.get("as"), method or call.method.upper(), path, headers=headers, **options)


def documented(world: World, answer: httpx.Response) -> Any:
    """An answer's body under documented names, for an example to be written down."""
    value = body_of(answer)
    if value is None:
        return None
    text = world.documented(json.dumps(value, ensure_ascii=False))
    for pattern, fixed in _FIXED:
        text = pattern.sub(lambda found, fixed=fixed: found[0] if found[0] in world.names else fixed, text)
    return json.loads(text)
