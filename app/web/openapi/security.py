"""Who may call: the permissions that each call needs, read off its dependencies.

FastAPI documents security schemes that are dependencies themselves. Here they are none, because one more dependency
costs every call; so what the doors of `app.web.callers` ask for is looked up once, when the description is built.
"""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from app.web.callers import desk, door, oauth2, visitor
from app.web.openapi.notes import Note

SCHEME: Final = "client_credentials"
_DOORS: Final = (desk, door, visitor)


def _scopes(dependant: Dependant) -> Iterator[list[str]]:
    for needed in dependant.dependencies:
        if needed.call in _DOORS:
            yield list(needed.own_oauth_scopes or [])
        yield from _scopes(needed)


def permissions_needed(app: FastAPI) -> dict[str, list[str]]:
    """The permissions each signed-in call needs, by operation id; empty where any token will do."""
    found: dict[str, list[str]] = {}
    for context in iter_route_contexts(app.routes):
        route: Any = context
        if isinstance(context.original_route, APIRoute) and route.operation_id is not None:
            for scopes in _scopes(route.dependant):
                found[route.operation_id] = sorted({*found.get(route.operation_id, ()), *scopes})
    return found


def add_security(spec: dict[str, Any], note: Note | None, needed: dict[str, list[str]]) -> None:
    """Say that a call needs a token with its permissions, or with one of several, or none at all.

    A client's own proof at `/oauth/…` stays as it is, and may stand in the form as well as in the header.
    """
    permissions = needed.get(spec["operationId"])
    if permissions is None:
        spec["security"] = [*spec.get("security", ()), {}]
    elif note is not None and note.needs:
        spec["security"] = [{SCHEME: [permission]} for permission in note.needs]
    else:
        spec["security"] = [{SCHEME: permissions}]
        if permissions:
            held = " and ".join(f"`{permission}`" for permission in permissions)
            spec["description"] = f"{spec['description']}\n\nNeeds {held}."


def scheme() -> dict[str, Any]:
    """The security scheme of signed-in calls."""
    described: dict[str, Any] = oauth2.model.model_dump(mode="json", by_alias=True, exclude_none=True)
    tokens = "Tokens are JWTs (RFC 9068), made and checked as RFC8725 advises, and live for 15 minutes."
    return {**described, "description": f"{described['description']} {tokens}"}
