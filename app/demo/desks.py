"""Desks for those of the demo's steps that take the role which the server has: of persons, no other sees anything."""

from datetime import timedelta
from typing import Final
from uuid import uuid4

from app.core import clock
from app.core.ids import uuid7
from app.identity.callers import Visit
from app.identity.roles import Permission
from app.identity.tokens import Claims

_LONG_ENOUGH: Final = timedelta(minutes=15)


def visit(client_id: str) -> Visit:
    """A visit as a token of one of the demo's credentials would make it: what it may do is what its roles hold."""
    now = clock.now()
    claims = Claims(
        client_id=client_id,
        subject=client_id,
        jti=uuid4(),
        issued_at=now,
        expires_at=now + _LONG_ENOUGH,
        scope=frozenset(permission.value for permission in Permission),
        kid="demo",
    )
    return Visit(claims, str(uuid7()), officer="demo", purpose="The demo's flights.")
