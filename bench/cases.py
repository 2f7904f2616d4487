"""What is measured: which requests each case sends, by whom, and what must come back."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from bench import profiles
from bench.generator import raw_request
from bench.profiles import Caller

PATH = "/v1/criminal-organizations"
READS = 2_000
"""Different requests a reading case cycles through."""
WRITES_PER_SECOND = 6_000
"""More than any server here manages, so that a writing case never sends the same request twice."""


Shape = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns a profile's content into the body that creates it."""


@dataclass(frozen=True)
class Target:
    """What requests are made for: a server with `size` profiles, the shape it takes them in, tokens by caller."""

    size: int
    shape: Shape
    tokens: Mapping[str, str]

    def headers(self, caller: Caller) -> dict[str, str]:
        """The headers that every request of the caller carries."""
        token = self.tokens.get(caller.key)
        return {"Authorization": f"Bearer {token}"} if token else {}


Builder = Callable[[Target, Caller, int], bytes]
"""Makes request number `n` of a case; the numbers of a writing case go on from run to run."""


@dataclass(frozen=True)
class Case:
    """One row of the table. `compared_with` is the case that servers without access rules run in its place."""

    key: str
    title: str
    caller: Caller
    build: Builder
    status: int = 200
    writes: bool = False
    compared_with: str | None = None

    @property
    def plain_key(self) -> str:
        """The case to compare with where no server asks who calls."""
        return self.compared_with or self.key

    def requests(self, target: Target, first: int, seconds: float) -> Sequence[bytes]:
        """The requests of one run: the same ones each time for reads, `first` and those behind it for writes."""
        if not self.writes:
            return [self.build(target, self.caller, number) for number in range(READS)]
        return [
            self.build(target, self.caller, first + number) for number in range(int(WRITES_PER_SECOND * seconds) + 100)
        ]


@cache
def _targets(caller: Caller, size: int, *, own: bool) -> tuple[int, ...]:
    """Profiles to ask for, in no order: of those the caller may see, or of all if it sees none."""
    numbers = profiles.visible_to(caller, size) or list(range(size))
    numbers = [number for number in numbers if profiles.is_writable(number)] if own else numbers
    return tuple(random.Random(size).sample(numbers, min(READS, len(numbers))))  # noqa: S311 - no secret


def _get(target: Target, caller: Caller, number: int) -> bytes:
    targets = _targets(caller, target.size, own=False)
    return raw_request(
        "GET", f"{PATH}/{profiles.profile_id(targets[number % len(targets)])}", headers=target.headers(caller)
    )


def _page(target: Target, caller: Caller, _number: int) -> bytes:
    return raw_request("GET", f"{PATH}?limit=50", headers=target.headers(caller))


def _create(target: Target, caller: Caller, number: int) -> bytes:
    body = target.shape(profiles.content(target.size + number))
    headers = {"Content-Type": "application/json", "Idempotency-Key": f"bench-{number}", **target.headers(caller)}
    return raw_request("POST", PATH, headers=headers, body=orjson.dumps(body))


def _patch(target: Target, caller: Caller, number: int) -> bytes:
    """Requests go round the caller's own profiles, so the version that each must name follows from the number."""
    own = _targets(caller, target.size, own=True)
    turn, place = divmod(number, len(own))
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": f'"{1 + turn}"', **target.headers(caller)}
    body = orjson.dumps({"summary": f"Seen again, {1 + turn} times.", "threat_level": profiles.THREATS[turn % 4]})
    return raw_request("PATCH", f"{PATH}/{profiles.profile_id(own[place])}", headers=headers, body=body)


CASES = (
    Case("get", "GET by id", profiles.WIDE, _get),
    Case("get-missing", "GET by id, may not see it", profiles.STRANGER, _get, status=404, compared_with="get"),
    Case("page-wide", "page of 50, sees 90 %", profiles.WIDE, _page),
    Case("page-medium", "page of 50, sees 15 %", profiles.MEDIUM, _page, compared_with="page-wide"),
    Case("page-narrow", "page of 50, sees 150", profiles.NARROW, _page, compared_with="page-wide"),
    Case("page-stranger", "page of 50, sees none", profiles.STRANGER, _page, compared_with="page-wide"),
    Case("create", "create", profiles.WIDE, _create, status=201, writes=True),
    Case("patch", "patch", profiles.WIDE, _patch, writes=True),
)
