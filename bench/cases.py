"""What is measured: which requests each case sends, by whom, and what must come back."""

import random
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import urlencode

import orjson

from bench import profiles
from bench.generator import raw_request
from bench.installation import client_id, client_secret
from bench.profiles import CALLERS, Caller

PATH = "/v1/criminal-organizations"
READS = 2_000
"""Different requests a reading case cycles through."""
WRITES_PER_SECOND = 6_000
"""More than any server here manages, so that a writing case never sends the same request twice."""
QUERIES = ("copper", "mangrov", "indigo crew", "orchid anchor", "구리회", "ក្រុម", "Copper Anchor Circle 0", "zzyzx")
"""One common word, a misspelt one, two words, names in other scripts, a whole name, and one that nobody bears."""


Shape = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns a profile's content into the body that creates it."""
Tokens = Callable[[Caller], str]
"""Makes a token of a caller; a new one each time."""


@dataclass(frozen=True)
class Target:
    """What requests are made for: a server with `size` profiles, the shape it takes them in, and tokens it believes."""

    size: int
    shape: Shape
    mint: Tokens | None
    tokens: Mapping[str, str] = field(default_factory=dict)

    def signed_in(self) -> "Target":
        """The same with new tokens: they last a quarter of an hour, longer than any case."""
        return self if self.mint is None else replace(self, tokens={each.key: self.mint(each) for each in CALLERS})

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
    reads: int = READS

    @property
    def plain_key(self) -> str:
        """The case to compare with where no server asks who calls."""
        return self.compared_with or self.key

    def requests(self, target: Target, first: int, seconds: float) -> Sequence[bytes]:
        """The requests of one run: the same ones each time for reads, `first` and those behind it for writes."""
        if not self.writes:
            return [self.build(target, self.caller, number) for number in range(self.reads)]
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


def _search(target: Target, caller: Caller, number: int) -> bytes:
    query = urlencode({"q": QUERIES[number % len(QUERIES)], "limit": 50})
    return raw_request("GET", f"{PATH}?{query}", headers=target.headers(caller))


def _events(target: Target, caller: Caller, _number: int) -> bytes:
    return raw_request("GET", "/v1/events?limit=50", headers=target.headers(caller))


def _me(target: Target, caller: Caller, _number: int) -> bytes:
    return raw_request("GET", "/v1/me", headers=target.headers(caller))


def _me_unknown(target: Target, caller: Caller, _number: int) -> bytes:
    """Each request brings another token, and there are more of them than a server remembers."""
    token = target.mint(caller) if target.mint else ""
    return raw_request("GET", "/v1/me", headers={"Authorization": f"Bearer {token}"})


def _sign_in(_target: Target, caller: Caller, _number: int) -> bytes:
    proof = b64encode(f"{client_id(caller)}:{client_secret(caller)}".encode()).decode()
    headers = {"Authorization": f"Basic {proof}", "Content-Type": "application/x-www-form-urlencoded"}
    return raw_request("POST", "/oauth/token", headers=headers, body=b"grant_type=client_credentials")


def _create(target: Target, caller: Caller, number: int, **more: str) -> bytes:
    body = target.shape(profiles.content(target.size + number))
    headers = {"Content-Type": "application/json", **more, **target.headers(caller)}
    return raw_request("POST", PATH, headers=headers, body=orjson.dumps(body))


def _create_once(target: Target, caller: Caller, number: int) -> bytes:
    return _create(target, caller, number, **{"Idempotency-Key": f"bench-{number}"})


def _patch(target: Target, caller: Caller, number: int) -> bytes:
    """Requests go round the caller's own profiles, so the version that each must name follows from the number."""
    own = _targets(caller, target.size, own=True)
    turn, place = divmod(number, len(own))
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": f'"{1 + turn}"', **target.headers(caller)}
    body = orjson.dumps({"summary": f"Seen again, {1 + turn} times.", "threat_level": profiles.THREATS[turn % 4]})
    return raw_request("PATCH", f"{PATH}/{profiles.profile_id(own[place])}", headers=headers, body=body)


def _page_case(caller: Caller, title: str) -> Case:
    return Case(f"page-{caller.key}", f"page of 50, {title}", caller, _page, compared_with="page-wide")


CASES = (
    Case("get", "GET by id", profiles.WIDE, _get),
    Case("get-narrow", "GET by id, sees 150", profiles.NARROW, _get, compared_with="get"),
    Case("get-missing", "GET by id, may not see it", profiles.STRANGER, _get, status=404, compared_with="get"),
    Case("page-wide", "page of 50, sees 90 %", profiles.WIDE, _page),
    _page_case(profiles.NARROW, "sees 150"),
    _page_case(profiles.STRANGER, "sees none"),
    _page_case(profiles.FEW, "sees 15 %, 3 principals"),
    _page_case(profiles.SOME, "sees 15 %, 12 principals"),
    _page_case(profiles.MEDIUM, "sees 15 %, 31 principals"),
    _page_case(profiles.MANY, "sees 15 %, 100 principals"),
    Case("search-wide", "search by name, sees 90 %", profiles.WIDE, _search),
    Case("search-narrow", "search by name, sees 150", profiles.NARROW, _search),
    Case("create", "create", profiles.WIDE, _create, status=201, writes=True),
    Case("create-once", "create with Idempotency-Key", profiles.WIDE, _create_once, status=201, writes=True,
         compared_with="create"),
    Case("patch", "patch", profiles.WIDE, _patch, writes=True),
    Case("token", "POST /oauth/token", profiles.WIDE, _sign_in),
    Case("me", "GET /v1/me", profiles.WIDE, _me),
    Case("me-unknown", "GET /v1/me, token not met before", profiles.WIDE, _me_unknown, reads=5_000),
    Case("events", "50 events of the feed", profiles.WIDE, _events),
)  # fmt: skip
