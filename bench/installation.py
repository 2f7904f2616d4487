"""What an installation of Interdesk holds at every size: agencies, groups, credentials, and the profiles by COPY."""

import hashlib
import hmac
from base64 import b32encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access.envelope import Envelope, render
from app.access.handling import Audience, Handling, principals
from app.core import migrations
from app.core.database_roles import ENGINE, DatabaseRole
from app.core.shapes import Shape
from app.domain.criminal_organizations.content import CriminalOrganizationContent
from app.domain.criminal_organizations.profiles import KIND, body_of
from app.identity.roles import Role
from app.identity.secrets import hash_secret
from app.models.vocabularies import TLP, Discoverable, HandlingCode
from bench import profiles
from bench.database import Cluster, Connection, connect
from bench.profiles import Caller

ROLE = Role.ANALYST
FOUNDED = datetime(2024, 1, 1, tzinfo=UTC)
"""Before the first profile, so that nobody is too young for an event."""
EVENTS = 10_000
"""So many of the newest profiles have their events in the feed."""
COLUMNS = {
    "records": ("id", "kind", "reference", "originator", "created_at", "updated_at", "handling", "audience", "excluded",
                "facets", "names", "document", "shared_document"),
    "record_versions": ("record_id", "version", "at", "changed", "document", "shared_document"),
    "record_grants": ("record_id", "principal", "since"),
}  # fmt: skip

_INDEXES = (
    "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " WHERE i.indrelid::regclass::text = ANY (%s) AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = c.oid)"
)
_NAME = "The name that stands in the place of each profile's own"

Progress = Callable[[int], None]


def client_id(caller: Caller) -> str:
    """The credential of a caller, formed as the hub forms them."""
    return "idc_" + b32encode(_drawn(caller, "id")).decode().lower()[:26]


def client_secret(caller: Caller) -> str:
    """Its secret: worth nothing anywhere else, since these databases are made by this code alone."""
    return "ids_" + urlsafe_b64encode(_drawn(caller, "secret")).decode().rstrip("=")


def _drawn(caller: Caller, what: str) -> bytes:
    return hmac.digest(b"bench", f"{caller.key} {what}".encode(), hashlib.sha256)


def load(cluster: Cluster, database: str, size: int, progress: Progress) -> None:
    """Bring the empty database up to date and fill it."""
    migrations.upgrade(cluster.conninfo(DatabaseRole.OWNER, database))
    with connect(cluster, database) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(ENGINE)))
        _found(connection)
    with _open_for_copy(cluster, database):
        _copy(cluster, database, size, progress)
        with connect(cluster, database) as connection:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(ENGINE)))
            connection.execute("SELECT rebuild_search()")
    with connect(cluster, database) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(ENGINE)))
        _announce(connection)
    with connect(cluster, database, DatabaseRole.WORKER) as connection:
        while connection.execute("SELECT sequence_events()").fetchone() != (0,):
            pass


def _found(connection: Connection) -> None:
    """Agencies, the groups that callers stand in, and one credential for each caller."""
    codes = [*(caller.agency for caller in profiles.CALLERS), *profiles.PARTNERS]
    groups = [*profiles.BUSY_GROUPS, *profiles.IDLE_GROUPS]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO agencies (code, name, kind, created_at) VALUES (%s, %s, 'national_police', %s)",
            [(code, f"Agency {code}", FOUNDED) for code in codes],
        )
        cursor.executemany(
            "INSERT INTO groups (id, kind, name, chair, created_at, updated_at) VALUES (%s, 'council', %s, %s, %s, %s)",
            [(profiles.group_id(each), f"Group {each}", profiles.PARTNERS[0], FOUNDED, FOUNDED) for each in groups],
        )
        cursor.executemany(
            "INSERT INTO memberships (group_id, agency, role, since) VALUES (%s, %s, 'member', %s)",
            [
                (profiles.group_id(each), caller.agency, FOUNDED)
                for caller in profiles.CALLERS
                for each in caller.groups
            ],
        )
        cursor.executemany(
            "INSERT INTO credentials (client_id, agency, label, roles, auth_method, secret_hash)"
            " VALUES (%s, %s, 'bench', %s, 'client_secret', %s)",
            [
                (client_id(caller), caller.agency, [ROLE.value], hash_secret(client_secret(caller)))
                for caller in profiles.CALLERS
            ],
        )


@contextmanager
def _open_for_copy(cluster: Cluster, database: str) -> Iterator[None]:
    """COPY neither passes policies nor should fire a trigger a million times; the owner lifts both for a while.

    Indexes are made afterwards, which is faster than a million single entries.
    """
    with connect(cluster, database) as connection:
        for table in COLUMNS:
            connection.execute(sql.SQL("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY").format(sql.Identifier(table)))
        connection.execute("ALTER TABLE records DISABLE TRIGGER USER")
        indexes = connection.execute(_INDEXES, [[*COLUMNS, "record_sight", "record_search"]]).fetchall()
        for name, _ in indexes:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        yield
        connection.execute("SET maintenance_work_mem = '512MB'")
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("ALTER TABLE records ENABLE TRIGGER USER")
        for table in COLUMNS:
            connection.execute(sql.SQL("ALTER TABLE {} FORCE ROW LEVEL SECURITY").format(sql.Identifier(table)))


def _copy(cluster: Cluster, database: str, size: int, progress: Progress) -> None:
    """Three tables at once, each over a connection of its own, so that a profile is rendered once."""
    with ExitStack() as opened:
        copies = {}
        for table, columns in COLUMNS.items():
            cursor = opened.enter_context(opened.enter_context(connect(cluster, database)).cursor())
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
            copies[table] = opened.enter_context(cursor.copy(statement))
        for number in range(size):
            for table, row in _rows(number, size):
                copies[table].write_row(row)
            if (number + 1) % 1_000 == 0 or number + 1 == size:
                progress(number + 1)


def _rows(number: int, size: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The rows that creating this profile would have left behind."""
    reached = profiles.audience(number, size)
    handling = _handling(reached)
    record_id, own, at = profiles.profile_id(number), profiles.originator(number), profiles.created_at(number)
    content, facets, names = _content(number % profiles.VARIETY)
    envelope = Envelope.model_construct(
        id=record_id,
        reference=profiles.reference(number),
        external_id=None,
        originator=own,
        version=1,
        created_at=at,
        updated_at=at,
        handling=handling,
    )
    name = profiles.name(number)
    rendered = [text.replace(_NAME, name, 1) for text in render(envelope, content)]
    named, excluded = principals(handling.audience, own)
    found_by = facets, [name if each == _NAME else each for each in names]
    head = record_id, KIND.value, envelope.reference, own, at, at
    yield "records", (*head, _as_json(reached), named, excluded, *found_by, *rendered)
    yield "record_versions", (record_id, 1, at, [], *rendered)
    for principal in named:
        yield "record_grants", (record_id, principal, at)


class _Rendered(Shape):
    """A content whose JSON is known already, since it stands in a thousand profiles."""

    json_text: str

    def model_dump_json(self, **_: Any) -> str:  # noqa: ANN401 - whatever the base takes
        """The known text."""
        return self.json_text


@cache
def _content(number: int) -> tuple[Shape, list[str], list[str]]:
    body = body_of(CriminalOrganizationContent.model_validate({**profiles.content(number), "name": _NAME}))
    return _Rendered(json_text=body.content.model_dump_json()), list(body.facets), list(body.names)


@cache
def _handling(reached: profiles.Audience) -> Handling:
    groups = [profiles.group_id(number) for number in reached.groups]
    return Handling(
        tlp=TLP.AMBER,
        codes=[HandlingCode.H2],
        caveat=None,
        audience=Audience(agencies=list(reached.agencies), groups=groups),
        legal_basis=None,
        discoverable=Discoverable.NONE,
        review_on=date(2029, 12, 31),
    )


@cache
def _as_json(reached: profiles.Audience) -> Jsonb:
    return Jsonb(_handling(reached).model_dump(mode="json"))


def _announce(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO events (type, kind, record_id, reference, version, at, audience)"
        " SELECT 'record.created', kind, id, reference, 1, created_at, ARRAY[originator]"
        " FROM (SELECT * FROM records ORDER BY kind, created_at DESC, id DESC LIMIT %(events)s) AS newest"
        " UNION ALL"
        " SELECT 'record.shared', kind, id, reference, 1, created_at, agencies"
        " FROM (SELECT * FROM records ORDER BY kind, created_at DESC, id DESC LIMIT %(events)s) AS newest,"
        " LATERAL (SELECT array_agg(p) AS agencies FROM unnest(audience) AS p"
        " WHERE p <> originator AND p NOT LIKE '%%:%%') AS a"
        " WHERE agencies IS NOT NULL",
        {"events": EVENTS},
    )


def body(content: dict[str, Any]) -> dict[str, Any]:
    """What a partner's system sends to create a profile: the content, under handling that names two agencies."""
    audience = {"agencies": list(profiles.PARTNERS[:2])}
    return {**content, "handling": {"tlp": "AMBER", "codes": ["H2"], "audience": audience}}
