"""Examples of calls and their answers, from `openapi/examples/<operation id>.json`; the tests play each of them.

A file holds named exchanges: `{name: {"summary", "as", "request": {"path", "query", "headers", "body"}, "response":
{"status", "headers", "body"}}}`. The first is the one to start from; a body that is text stands for itself.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import app

FOLDER: Final = Path(app.__file__).parents[1] / "openapi" / "examples"
"""Beside the package in the repository and in an installed wheel alike."""


def exchanges(operation_id: str) -> dict[str, Any]:
    """The exchanges of one operation, in their order; none if it has no file."""
    file = FOLDER / f"{operation_id}.json"
    found: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return found


def _media_type(content: Mapping[str, Any], sent: str | None, body: Any) -> str:  # noqa: ANN401 - any JSON value
    if sent is not None:
        return sent.partition(";")[0]
    textual = [kind for kind in content if kind.startswith("text/")]
    return textual[0] if isinstance(body, str) and textual else next(iter(content))


def _place(content: dict[str, Any], name: str, summary: str, sent: str | None, body: Any) -> None:  # noqa: ANN401 - as above
    media_type = _media_type(content, sent, body)
    if media_type in content:
        content[media_type].setdefault("examples", {})[name] = {"summary": summary, "value": body}


def add_examples(spec: dict[str, Any]) -> None:
    """Show an operation's exchanges beside its body, its answers and the placeholders of its path."""
    found = exchanges(spec["operationId"])
    for number, (name, exchange) in enumerate(found.items()):
        request, response = exchange["request"], exchange["response"]
        if number == 0:
            for parameter in spec.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in request.get("path", {}):
                    parameter["example"] = request["path"][parameter["name"]]
        if "body" in request and "requestBody" in spec:
            sent = request.get("headers", {}).get("Content-Type")
            for media_type in [sent] if sent else spec["requestBody"]["content"]:
                _place(spec["requestBody"]["content"], name, exchange["summary"], media_type, request["body"])
        answer = spec["responses"].get(str(response["status"]), {})
        if "body" in response and "content" in answer:
            sent = response.get("headers", {}).get("Content-Type")
            _place(answer["content"], name, exchange["summary"], sent, response["body"])
