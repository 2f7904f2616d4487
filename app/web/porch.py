"""The middleware every request passes: request id, peer, rate limits, security headers, access log.

One ASGI layer, because each layer costs every call; what it adds is the same on every answer, found or not.
"""

import ipaddress
import re
import time
from collections.abc import Iterable

import structlog
from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.ids import uuid7
from app.core.problems import RATE_LIMITED, Problem
from app.settings import Network, Settings
from app.web.metrics import observe
from app.web.problems import answer_unexpected, respond
from app.web.rates import Rates, rate_key
from app.web.state import bearer_token

_LARGE = 2048
_AS_IT_IS = re.compile(r"/v1/attachments/[^/]+/content")
"""Files: their length and hash are told, and most are compressed in themselves."""

log = structlog.get_logger("interdesk.access")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_UNLESS_SET = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept-Encoding"),
]
_HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address without the name of the interface it was met on (RFC 4007), which PostgreSQL does not take."""
    return ipaddress.ip_address(text.partition("%")[0])


def peer_of(scope: Scope, headers: Headers, trusted: Iterable[Network]) -> str | None:
    """The address of whoever calls: the peer, or behind trusted proxies the last one that is not theirs."""
    client = scope.get("client")
    try:
        peer = _address(client[0]) if client else None
    except ValueError:
        peer = None
    if peer is None:
        return None
    networks = tuple(trusted)
    if not networks:
        return str(getattr(peer, "ipv4_mapped", None) or peer)
    hops = [part.strip() for value in headers.getlist("x-forwarded-for") for part in value.split(",")]
    while hops and any(peer in network for network in networks):
        try:
            peer = _address(hops.pop())
        except ValueError:
            break
    mapped = getattr(peer, "ipv4_mapped", None)
    return str(mapped or peer)


class Porch:
    """See the module. `zipped` is the same application with its large answers compressed, for those who ask for it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._zipped = GZipMiddleware(app, minimum_size=_LARGE, compresslevel=5)
        self._settings = settings
        self._rates = Rates(settings.rate_limit, settings.sign_in_rate_limit)
        self._headers = [*_ALWAYS, _HSTS] if settings.public_url.startswith("https://") else _ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, and its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        state = scope.setdefault("state", {})
        sent = headers.get("x-request-id", "")
        state["request_id"] = request_id = sent if _REQUEST_ID.fullmatch(sent) else str(uuid7())
        state["peer"] = peer_of(scope, headers, self._settings.trusted_proxies)
        token = bearer_token(headers.get("authorization", ""))
        client_id = scope["app"].state.house.tokens.client_of(token) if token else None
        # Whoever watches the process must not use up what partners of the same network sign in with.
        watched = scope["path"].startswith("/health/")
        rate = self._rates.take(("health", True) if watched else rate_key(token, client_id, state["peer"]))
        status = 500

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answer: list[tuple[bytes, bytes]] = message["headers"]
                names = {name for name, _ in answer}
                answer += self._headers
                answer += [header for header in _UNLESS_SET if header[0] not in names]
                answer.append((b"x-request-id", request_id.encode()))
                answer.append((b"ratelimit-policy", rate.policy.encode()))
                answer.append((b"ratelimit", rate.state.encode()))
            await send(message)

        method = scope["method"]
        if method == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        try:
            if rate.exceeded:
                problem = Problem(RATE_LIMITED, headers={"Retry-After": str(rate.reset)})
                await respond(problem, Request(scope, receive))(scope, receive, send_on)
            else:
                zipped = "gzip" in headers.get("accept-encoding", "") and not _AS_IT_IS.fullmatch(scope["path"])
                app = self._zipped if zipped else self._app
                await app(scope, receive, send_on)
        except Exception as error:  # noqa: BLE001 - the last one to catch a defect, so that its answer is like all others
            await (await answer_unexpected(Request(scope, receive), error))(scope, receive, send_on)
        finally:
            _report(scope, method, status, started)


def _without_body(send: Send) -> Send:
    """Answer a HEAD as the GET that it stands for, which is done and recorded all the same (RFC 9110, section 9.3.2).

    The answer ends with its head: whoever makes a body without end learns from the server that nobody listens.
    """
    ended = False

    async def send_head(message: Message) -> None:
        nonlocal ended
        if ended:
            return
        if message["type"] == "http.response.body":
            ended, message = True, {"type": "http.response.body", "body": b""}
        await send(message)

    return send_head


def _report(scope: Scope, method: str, status: int, started: float) -> None:
    route = scope.get("route")
    path = getattr(route, "path", "unknown")
    elapsed = time.perf_counter() - started
    observe(method, path, status, elapsed)
    visit = scope["state"].get("visit")
    log.info(
        "request",
        method=method,
        route=path,
        status=status,
        ms=round(elapsed * 1000, 1),
        request_id=scope["state"]["request_id"],
        client_id=visit.claims.client_id if visit else None,
    )
