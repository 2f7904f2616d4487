"""The rule of who may see is one: as the contract says it (in Python), as the functions compute it, as the policy holds
it, and as lists and search apply it; over random audiences, groups, roles, exclusions, suspensions, agreements in and
out of force, charters and emergencies."""

import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors
from psycopg.types.json import Jsonb

from app.access.handling import Audience
from app.core import clock
from app.core.database_roles import DatabaseRole
from app.core.ids import uuid7
from tests.access.world import Pact, Shared, World
from tests.conftest import Hub

AGENCIES = ["KR-KNPA", "KH-CNP", "TH-RTP", "INTERPOL", "AU-AFP-1"]
GROUPS = [UUID(int=0x0190163D8694739BAEA5966C26F8AD91 + number) for number in range(3)]
PACTS = [UUID(int=0x0190163D8694739BAEA5966C26F8BE00 + number) for number in range(2)]
KIND, NAME = "criminal-organizations", "Bokor Group"

_agencies = st.lists(st.sampled_from(AGENCIES), unique=True)
_groups = st.lists(st.sampled_from(GROUPS), unique=True)
_audiences = st.builds(
    Audience, agencies=_agencies, groups=_groups, observers_of=_groups, community=st.booleans(), excluded=_agencies
)
_pacts = st.builds(Pact, parties=st.frozensets(st.sampled_from(AGENCIES), min_size=2), in_force=st.booleans())
_worlds = st.builds(
    World,
    agencies=st.just(AGENCIES),
    groups=st.just(GROUPS),
    memberships=st.dictionaries(
        st.tuples(st.sampled_from(GROUPS), st.sampled_from(AGENCIES)), st.sampled_from(["chair", "member", "observer"])
    ),
    suspended=st.sets(st.sampled_from(AGENCIES), max_size=2),
    pacts=st.fixed_dictionaries(dict.fromkeys(PACTS, _pacts)),
    charters=st.dictionaries(st.sampled_from(GROUPS), st.sampled_from(PACTS)),
)
_records = st.lists(
    st.builds(
        Shared,
        id=st.builds(uuid7),
        originator=st.sampled_from(AGENCIES),
        audience=_audiences,
        basis=st.none() | st.sampled_from(PACTS),
        emergencies=st.dictionaries(st.sampled_from(AGENCIES), st.booleans(), max_size=2),
        disclosure=st.builds(uuid7),
    ),
    min_size=1,
    max_size=8,
)


def _settle(engine: psycopg.Connection, world: World, records: list[Shared]) -> None:
    """Make the database be as the random world is."""
    with engine.transaction():
        engine.execute("DELETE FROM records")
        engine.execute("DELETE FROM record_grants")
        engine.execute("DELETE FROM memberships")
        engine.execute("DELETE FROM emergencies")
        engine.execute("DELETE FROM agreement_parties")
        engine.execute("DELETE FROM group_versions")
        engine.execute("UPDATE groups SET charter = NULL, charter_since = NULL, version = version + 1")
        engine.execute("SELECT set_config('interdesk.roles', 'operator', true)")
        engine.execute(
            "UPDATE agencies SET status = CASE WHEN code = ANY (%s) THEN 'suspended' ELSE 'active' END,"
            " conditional_sight = true WHERE NOT hub",
            (list(world.suspended),),
        )
        engine.execute("UPDATE credentials SET tokens_valid_from = '-infinity'")
        for (group, agency), role in world.memberships.items():
            engine.execute(
                "INSERT INTO memberships (group_id, agency, role) VALUES (%s, %s, %s)", (group, agency, role)
            )
        _settle_pacts(engine, world)
        for record in records:
            audience, excluded = world.written(record)
            now = clock.now()
            engine.execute(
                "INSERT INTO records (id, kind, reference, originator, created_at, updated_at, handling, audience,"
                " excluded, names, document, shared_document)"
                " VALUES (%s, 'criminal-organizations', %s, %s, %s, %s, %s, %s, %s, %s, '{}', '{}')",
                (
                    *(record.id, str(record.id), record.originator, now, now, Jsonb({})),
                    *(audience, excluded, [NAME]),
                ),
            )
            engine.execute(
                "INSERT INTO record_grants (record_id, principal, since) SELECT %s, p, %s FROM unnest(%s::text[]) AS p",
                (record.id, now, audience),
            )
            for agency, stands in record.emergencies.items():
                engine.execute(
                    "INSERT INTO emergencies VALUES (%s, %s, %s, now(), now() + %s * interval '1 hour')",
                    (record.disclosure, agency, record.id, 72 if stands else -1),
                )


def _settle_pacts(engine: psycopg.Connection, world: World) -> None:
    for number, (agreement, pact) in enumerate(world.pacts.items()):
        # Out of force in one of the two ways there are: taken out, or past its last day.
        engine.execute(
            "UPDATE agreements SET in_force_since = CASE WHEN %(in_force)s OR %(by_date)s THEN now() END,"
            " valid_until = CASE WHEN NOT %(in_force)s THEN current_date - 1 END WHERE id = %(id)s",
            {"in_force": pact.in_force, "by_date": number == 0, "id": agreement},
        )
        for agency in pact.parties:
            engine.execute("INSERT INTO agreement_parties (agreement_id, agency) VALUES (%s, %s)", (agreement, agency))
    for group, agreement in world.charters.items():
        engine.execute(
            "UPDATE groups SET charter = %s, charter_since = now(), version = version + 1 WHERE id = %s",
            (agreement, group),
        )


def _column(connection: psycopg.Connection, statement: str, *parameters: Any) -> list[Any]:
    return [row[0] for row in connection.execute(statement, parameters).fetchall()]


def _seen(api: psycopg.Connection, client_id: str) -> tuple[str, set[str], dict[str, set[UUID]]]:
    """The outcome of entering, the principals, and the records that every way of asking shows."""
    with api.transaction():
        (outcome,) = _column(
            api, "SELECT outcome FROM enter(%s, %s, %s, NULL, NULL, NULL, NULL)", client_id, uuid7(), clock.now()
        )
        held = set(filter(None, _column(api, "SELECT current_setting('interdesk.principals', true)")[0].split(",")))
        nothing = ", ".join(["NULL"] * 5)
        page = f"SELECT id FROM page_ids(%s, %s, '{{}}', {nothing}, 99, NULL, NULL)"  # noqa: S608 - a constant
        found = f"SELECT id FROM search_records(%s, %s, '{{}}', {nothing}, 99, NULL, NULL)"  # noqa: S608 - a constant
        ways = {
            "policy": _column(api, "SELECT id FROM records"),
            "newest change": _column(api, page, KIND, "updated_at"),
            "newest": _column(api, page, KIND, "created_at"),
            "search": _column(api, found, KIND, "bokor"),
            "search with a typing error": _column(api, found, KIND, "bokorr grop"),
        }
    return outcome, held, {way: set(ids) for way, ids in ways.items()}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=_worlds, records=_records)
def _agree(stack: "Connections", world: World, records: list[Shared]) -> None:
    _settle(stack.engine, world, records)
    for agency, client_id in stack.clients.items():
        outcome, held, ways = _seen(stack.api, client_id)
        expected = {record.id for record in records if world.sees(record, agency)}
        if agency in world.suspended:
            assert (outcome, held) == ("suspended", set())
        else:
            assert (outcome, held) == ("ok", world.principals(agency, records))
            assert set(_column(stack.engine, "SELECT principal FROM principals_of(%s)", agency)) == held
        assert ways == dict.fromkeys(ways, expected)
    for record in records:
        audience, excluded = world.written(record)
        reached = world.reached(record)
        assert _column(stack.worker, "SELECT agencies_of(%s, %s)", audience, excluded) == [reached]
        with stack.worker.transaction():
            (outcome,) = _column(stack.worker, "SELECT enter_operator(%s, 'r', 'o', 'p')", record.originator)
            told = set(_column(stack.worker, "SELECT agency FROM access_of(%s)", record.id))
        # Who is suspended sees nothing now, and its originator nothing of its own.
        awake = {agency for agency in reached if agency not in world.suspended}
        assert told == (set() if outcome == "suspended" else awake)


@dataclass(frozen=True)
class Connections:
    """One connection as each role, and a credential of each agency (the hub's too)."""

    engine: psycopg.Connection
    api: psycopg.Connection
    worker: psycopg.Connection
    clients: dict[str, str]


def _connections(hub: Hub, stack: ExitStack) -> Connections:
    clients = {agency: hub.credential(hub.register(agency), "analyst") for agency in AGENCIES}
    clients["HUB"] = hub.credential("HUB", "platform_admin")
    engine, api, worker = (
        stack.enter_context(psycopg.connect(hub.conninfo(role), autocommit=True))
        for role in (DatabaseRole.OWNER, DatabaseRole.API, DatabaseRole.WORKER)
    )
    engine.execute("SET ROLE interdesk_engine")
    for group in GROUPS:
        engine.execute(
            "INSERT INTO groups (id, kind, name, chair, created_at, updated_at)"
            " VALUES (%s, 'council', 'x', 'KR-KNPA', now(), now())",
            (group,),
        )
    for agreement in PACTS:
        engine.execute(
            "INSERT INTO agreements (id, reference, kind, title, originator, record_kinds, crime_types, purposes,"
            " persons_data, territory, valid_from, documents, state, content_hash, created_at, updated_at)"
            " VALUES (%s, %s, 'mou', 'x', 'KR-KNPA', %s, '{}', '{}', false, '{}', '2020-01-01', '[]', 'in_force', 'x',"
            " now(), now())",
            (agreement, str(agreement), [KIND]),
        )
    return Connections(engine, api, worker, clients)


def test_python_functions_policy_and_lists_agree(hub: Hub) -> None:
    with ExitStack() as stack:
        _agree(_connections(hub, stack))


CODE = re.compile(r"[A-Z0-9]{2,12}(-[A-Z0-9]{1,12}){0,2}")

_spoofs = st.one_of(
    st.sampled_from(["community", "COMMUNITY", "", "KR-KNPA", "KR-KNPA,community", "KR-KNPA\n", " KR-KNPA", "kr-knpa"]),
    st.sampled_from([f"{word}:{group}" for word in ("group", "observers", "GROUP") for group in GROUPS]),
    st.sampled_from(
        ["ＫＲ-ＫＮＰＡ", "KR-KNPA@x", "KR-KNPA!x", "KR-KNPA\u200b", "КR-KNPA", "{KR-KNPA}", "KR--KNPA", "A"]
    ),
    st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    st.from_regex(CODE, fullmatch=True),
    st.from_regex(r"[A-Z:,@!\-0-9\n ]{1,45}", fullmatch=True),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=_spoofs, name=st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def _spells_only_itself(engine: psycopg.Connection, code: str, name: str) -> None:
    try:
        with engine.transaction(force_rollback=True):
            engine.execute("INSERT INTO agencies (code, name, kind) VALUES (%s, %s, 'other')", (code, name))
            held = set(_column(engine, "SELECT principal FROM principals_of(%s)", code))
    except errors.UniqueViolation:
        held = {code, "community"}
    except errors.CheckViolation:
        assert not CODE.fullmatch(code)
        return
    assert CODE.fullmatch(code)
    assert held == {code, "community"}
    # Joined by commas they come apart as they were, and no other sort of principal is written like a code.
    assert set(",".join(held).split(",")) == held
    assert not code.startswith(("group:", "observers:"))


def test_no_code_and_no_name_spells_anothers_principal(hub: Hub) -> None:
    hub.register("KR-KNPA")
    with psycopg.connect(hub.conninfo(DatabaseRole.OWNER), autocommit=True) as engine:
        engine.execute("SET ROLE interdesk_engine")
        _spells_only_itself(engine)
