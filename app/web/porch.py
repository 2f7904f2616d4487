"""The middleware every request passes: request id, peer, rate limits, security headers, access log.

One ASGI layer, because each layer costs every call; what it adds is the same on every answer, found or not.
"""

import ipaddress
import re
import time
from collections.abc import Iterable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.ids import uuid7
from app.core.problems import RATE_LIMITED, Problem
from app.settings import Network, Settings
from app.web.metrics import observe
from app.web.problems import respond, route_path
from app.web.rates import Rates, rate_key

log = structlog.get_logger("interdesk.access")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=()",
}
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_HSTS = "max-age=63072000; includeSubDomains"


def peer_of(scope: Scope, headers: Headers, trusted: Iterable[Network]) -> str | None:
    """The address of whoever calls: the peer, or behind trusted proxies the last one that is not theirs."""
    client = scope.get("client")
    try:
        peer = ipaddress.ip_address(client[0]) if client else None
    except ValueError:
        peer = None
    if peer is None:
        return None
    networks = tuple(trusted)
    hops = [part.strip() for value in headers.getlist("x-forwarded-for") for part in value.split(",")]
    while hops and any(peer in network for network in networks):
        try:
            peer = ipaddress.ip_address(hops.pop())
        except ValueError:
            break
    mapped = getattr(peer, "ipv4_mapped", None)
    return str(mapped or peer)


class Porch:
    """See the module."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._rates = Rates(settings.rate_limit, settings.sign_in_rate_limit)
        self._secure = settings.public_url.startswith("https://")

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
        rate = self._rates.take(rate_key(headers.get("authorization"), state["peer"]))
        status = 500

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answer = MutableHeaders(scope=message)
                answer["X-Request-Id"] = request_id
                answer["RateLimit-Policy"] = rate.policy
                answer["RateLimit"] = rate.state
                for name, value in SECURITY_HEADERS.items():
                    answer[name] = value
                answer.setdefault("Content-Security-Policy", API_POLICY)
                answer.setdefault("Cache-Control", "no-store")
                if self._secure:
                    answer["Strict-Transport-Security"] = _HSTS
            await send(message)

        try:
            if rate.exceeded:
                request = Request(scope, receive)
                problem = Problem(RATE_LIMITED, headers={"Retry-After": str(rate.reset)})
                await respond(problem, request)(scope, receive, send_on)
            else:
                await self._app(scope, receive, send_on)
        finally:
            self._log(scope, status, started, request_id)

    @staticmethod
    def _log(scope: Scope, status: int, started: float, request_id: str) -> None:
        path = route_path(Request(scope))
        elapsed = time.perf_counter() - started
        observe(scope["method"], path, status, elapsed)
        visit = scope["state"].get("visit")
        log.info(
            "request",
            method=scope["method"],
            route=path,
            status=status,
            ms=round(elapsed * 1000, 1),
            request_id=request_id,
            client_id=visit.claims.client_id if visit else None,
        )
