"""Who stands at the door: the token of a request, and the transaction opened for its caller."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlows
from fastapi.params import Security
from fastapi.security import OAuth2, SecurityScopes

from app.access.desk import Desk, open_desk, refuse_permission
from app.core import clock
from app.core.problems import INVALID_PARAMETER, UNAUTHORIZED, Flaw, Problem
from app.identity.callers import Visit
from app.identity.roles import Permission
from app.identity.tokens import Claims, InvalidToken, read_header
from app.web.bodies import take_in
from app.web.state import House, bearer_token, house

OFFICER_MAX = 200
PURPOSE_MAX = 500
LISTS = frozenset({"types"})
"""The parameters of addresses that hold several values, and so may be repeated."""

oauth2 = OAuth2(
    flows=OAuthFlows(
        clientCredentials=OAuthFlowClientCredentials(
            tokenUrl="/oauth/token", scopes={permission.value: permission.description for permission in Permission}
        )
    ),
    scheme_name="client_credentials",
    description="A token from /oauth/token, by the credential an agency's administrator issued.",
    auto_error=False,
)


@dataclass(frozen=True, slots=True)
class Door:
    """A verified token at the door of one call, and the permission the call needs."""

    house: House
    visit: Visit
    permission: Permission


def header_text(request: Request, name: str, longest: int) -> str | None:
    """A header of free text, in UTF-8 or Latin-1, without control characters; 400 if it is too long."""
    raw = request.headers.get(name)
    if raw is None:
        return None
    try:
        text = raw.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        text = raw
    text = text.strip()
    if len(text) > longest or any(ord(character) < 32 or ord(character) == 127 for character in text):  # noqa: PLR2004 - ASCII
        flaw = Flaw(
            f"/header/{name}", "text-too-long", f"At most {longest} characters, none of them control characters."
        )
        raise Problem(INVALID_PARAMETER, errors=[flaw])
    return text or None


def check_parameters(request: Request) -> None:
    """400 for a parameter of the address that stands there more than once and is no list: one would silently win."""
    if b"&" not in request.scope["query_string"]:
        return
    counted = Counter(name for name, _ in request.query_params.multi_items() if name not in LISTS)
    flaws = [
        Flaw(f"/query/{name}", "parameter-repeated", "Send this parameter once.")
        for name, count in counted.items()
        if count > 1
    ]
    if flaws:
        raise Problem(INVALID_PARAMETER, errors=flaws)


async def _verified(home: House, token: str) -> Claims:
    """What a token says; one signed by a key that this process has not met yet makes it look for added keys first."""
    try:
        return home.tokens.verify(token, home.keys, clock.now())
    except InvalidToken:
        if not await home.key_keeper.learns(read_header(token).get("kid", "")):
            raise
        return home.tokens.verify(token, home.keys, clock.now())


async def visit_of(request: Request) -> Visit:
    """Verify the bearer token of a request; whether its credential still holds is for the database to say."""
    token = bearer_token(request.headers.get("authorization", ""))
    if token is None:
        raise Problem(UNAUTHORIZED, reason="no bearer token")
    home = house(request)
    try:
        claims = await _verified(home, token)
    except InvalidToken as error:
        raise Problem(UNAUTHORIZED, reason=str(error)) from None
    visit = Visit(
        claims,
        request.state.request_id,
        request.state.peer,
        header_text(request, "on-behalf-of", OFFICER_MAX),
        header_text(request, "access-purpose", PURPOSE_MAX),
    )
    request.state.visit = visit
    check_parameters(request)
    return visit


async def door(request: Request, needs: SecurityScopes) -> Door:
    """The door of a read that is answered in one call to the database."""
    return Door(house(request), await visit_of(request), Permission(needs.scopes[0]))


async def visitor(request: Request) -> Visit:
    """The visit of a call that opens a desk when it needs one, and takes its body in as it comes."""
    return await visit_of(request)


async def desk(request: Request, needs: SecurityScopes) -> AsyncIterator[Desk]:
    """A transaction for the caller, committed before the answer leaves and rolled back by any refusal."""
    visit = await visit_of(request)
    if request.method != "GET":
        await take_in(request, house(request).settings.body_limit)
    async with _desk(request, visit, needs.scopes) as opened:
        yield opened


@asynccontextmanager
async def _desk(request: Request, visit: Visit, needed: Sequence[str]) -> AsyncIterator[Desk]:
    async with open_desk(house(request).database, visit) as opened:
        request.state.caller = opened.caller
        for scope in needed:
            if scope not in opened.caller.permissions:
                raise refuse_permission(Permission(scope))
        yield opened


def desk_behind(request: Request, entered: Door) -> AbstractAsyncContextManager[Desk]:
    """The transaction of a call that came through a door and turns out to need one."""
    return _desk(request, entered.visit, [entered.permission.value])


def desk_for(request: Request, visit: Visit) -> AbstractAsyncContextManager[Desk]:
    """A transaction of a visitor's, who has yet to show the permissions that the call turns out to need."""
    return _desk(request, visit, ())


def through_door(permission: Permission) -> Any:  # noqa: ANN401 - metadata of an Annotated
    """The marker of a read that needs `permission`, answered in one call to the database."""
    return Security(dependency=door, scopes=[permission.value])


def at_desk(*permissions: Permission) -> Any:  # noqa: ANN401 - metadata of an Annotated
    """The marker of a call that needs `permissions` and works in a transaction."""
    return Security(dependency=desk, scopes=[permission.value for permission in permissions], scope="function")


AnyVisitor = Annotated[Visit, Security(dependency=visitor, scopes=[])]
AnyCaller = Annotated[Desk, Security(dependency=desk, scopes=[], scope="function")]
Home = Annotated[House, Depends(house)]
