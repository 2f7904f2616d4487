"""Figures for the operator's monitoring: counts and durations by route, never by record or agency."""

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
_REQUESTS = Counter("interdesk_requests_total", "Requests answered.", ["method", "route", "status"], registry=REGISTRY)
_SECONDS = Histogram(
    "interdesk_request_seconds",
    "Time to the end of the answer.",
    ["method", "route"],
    registry=REGISTRY,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
_FEED_WAITING = Gauge("interdesk_feed_waiting_events", "Events without a position in the feed yet.", registry=REGISTRY)
_FEED_LAG = Gauge("interdesk_feed_lag_seconds", "Age of the oldest event without a position.", registry=REGISTRY)
_AUDIT_WAITING = Gauge(
    "interdesk_audit_waiting_entries", "Audit entries that are not sealed yet, 10,000 at most.", registry=REGISTRY
)
_AUDIT_LAG = Gauge(
    "interdesk_audit_lag_seconds", "Age of the oldest audit entry that is not sealed.", registry=REGISTRY
)


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answer."""
    count, time = _meters(method, route, status)
    count.inc()
    time.observe(seconds)


@lru_cache(maxsize=4096)
def _meters(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return _REQUESTS.labels(method, route, str(status)), _SECONDS.labels(method, route)


def exposition(feed: tuple[int, float], audit: tuple[int, float]) -> bytes:
    """The figures in Prometheus's text format, with how many wait for feed and seal now, and for how many seconds."""
    _FEED_WAITING.set(feed[0])
    _FEED_LAG.set(feed[1])
    _AUDIT_WAITING.set(audit[0])
    _AUDIT_LAG.set(audit[1])
    return generate_latest(REGISTRY)
