"""Who is measured."""

from collections.abc import Callable
from dataclasses import dataclass

from app.core.database_roles import DatabaseRole
from bench.baselines import sync_sqlmodel
from bench.cases import CASES, Case, Shape
from bench.data import plain
from bench.database import Cluster
from bench.hub import environment, interdesk
from bench.installation import body
from bench.servers import Application


@dataclass(frozen=True)
class Contestant:
    """A server that runs some of the cases; `application` says how to start it on a database.

    `signs_in`: callers need tokens of the hub. `answers` is the one status it has for everything, where it does not
    look at the request.
    """

    key: str
    title: str
    application: Callable[[Cluster, str], Application]
    cases: frozenset[str]
    shape: Shape
    signs_in: bool = False
    answers: int | None = None

    def expected(self, case: Case) -> int:
        """The status of every good answer."""
        return self.answers or case.status

    def runs(self, case: Case) -> bool:
        """Whether the case means anything to it."""
        return case.key in self.cases


def _plain(cluster: Cluster, database: str) -> Application:
    environment = {sync_sqlmodel.DATABASE_VARIABLE: cluster.conninfo(DatabaseRole.API, database)}
    return Application("bench.baselines.sync_sqlmodel:create_app", factory=True, environment=environment)


def _hello(_cluster: Cluster, _database: str) -> Application:
    return Application("bench.baselines.hello:app")


def _bare(cluster: Cluster, database: str) -> Application:
    return Application("bench.baselines.bare_asgi:create_app", factory=True, environment=environment(cluster, database))


INTERDESK = Contestant(
    "interdesk", "Interdesk", interdesk, frozenset(case.key for case in CASES), shape=body, signs_in=True
)
PLAIN = Contestant(
    "sync-sqlmodel",
    "(a) sync SQLModel, no checks",
    _plain,
    frozenset({"get", "page-wide", "create", "patch"}),
    shape=plain,
)
BARE = Contestant(
    "bare-asgi", "(b) bare ASGI, same SQL", _bare, frozenset({"get", "page-wide"}), shape=dict, signs_in=True
)
HELLO = Contestant("hello", "(c) ASGI hello", _hello, frozenset({"get"}), shape=dict, answers=200)
CONTESTANTS = (INTERDESK, PLAIN, BARE, HELLO)
