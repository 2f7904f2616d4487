"""Rate limits of one process (RateLimit header fields, draft 11): a sliding window of a minute per client.

A client is known by a token that was verified before, so that fetching more tokens brings it no more. Calls with any
other token share an allowance of their source network, and so do calls without one: guessing is slow, and each refusal
costs an entry in the audit. The windows are kept in memory: with several processes each of them allows as much.
"""

import ipaddress
import time
from dataclasses import dataclass

WINDOW = 60
_MOST_KEYS = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """What is left of an allowance."""

    policy: str
    quota: int
    remaining: int
    reset: int
    exceeded: bool

    @property
    def state(self) -> str:
        """The `RateLimit` header field."""
        return f'"default";r={self.remaining};t={self.reset}'


def rate_key(token: str | None, client_id: str | None, peer: str | None) -> tuple[str, bool]:
    """Whose allowance a call is taken from, and whether it brings a token, which is known to be `client_id`'s."""
    if client_id is not None:
        return f"client {client_id}", True
    return (f"token {source_network(peer)}", True) if token else (source_network(peer), False)


def source_network(peer: str | None) -> str:
    """The network an address counts as: itself for IPv4, its /64 for IPv6, where one subscriber has them all."""
    if peer is None:
        return "unknown"
    address = ipaddress.ip_address(peer)
    if address.version == 6:  # noqa: PLR2004 - the version
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class Rates:
    """Counts calls: this window's, and the part of the last window's that still reaches into the past minute."""

    def __init__(self, quota: int, quota_without_token: int) -> None:
        self._quotas = {True: quota, False: quota_without_token}
        self._policies = {kind: f'"default";q={quota};w={WINDOW}' for kind, quota in self._quotas.items()}
        self._window = 0
        self._now: dict[str, int] = {}
        self._before: dict[str, int] = {}

    def take(self, key: tuple[str, bool], moment: float | None = None) -> Rate:
        """Count one call; `moment` in seconds for tests."""
        name, with_token = key
        at = time.monotonic() if moment is None else moment
        window, passed = int(at // WINDOW), at % WINDOW
        if window != self._window:
            self._before = self._now if window == self._window + 1 else {}
            self._now = {}
            self._window = window
        quota = self._quotas[with_token]
        used = self._now.get(name, 0) + self._before.get(name, 0) * (1 - passed / WINDOW)
        exceeded = used >= quota
        if not exceeded and (name in self._now or len(self._now) < _MOST_KEYS):
            self._now[name] = self._now.get(name, 0) + 1
            used += 1
        reset = max(1, int(WINDOW - passed) + 1)
        return Rate(self._policies[with_token], quota, max(0, int(quota - used)), reset, exceeded)
