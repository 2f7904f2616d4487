"""The table classes describe the tables as the migrations made them."""

import importlib
import pkgutil
from typing import Any

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from app import models
from app.core.database_roles import DatabaseRole
from tests.conftest import Cluster

FOR_FUNCTIONS_ALONE = {
    "alembic_version": "Alembic's own",
    "attachment_trash": "what the worker is to delete from the store, and when",
    "agency_versions": "rows of agencies as they were, kept by a trigger as JSON",
    "agreement_versions": "rows of agreements as they were, kept with every step",
    "calendar_addresses": "secrets of calendars, read and written by four functions",
    "meeting_action_versions": "rows of action items as they were, kept with every step",
    "meeting_versions": "rows of meetings as they were, kept with every step",
    "transport_versions": "rows of transports as they were, kept with every step",
    "audit_checkpoints": "read and written by the functions that seal and prove",
    "audit_keys": "read and written by the functions that seal and prove",
    "audit_leaves": "read and written by the functions that seal and prove",
    "audit_nodes": "read and written by the functions that seal and prove",
    "audit_sealing": "the sealer's memory",
    "checklist_items": "read and written by the functions of checklists",
    "checklist_steps": "read and written by the functions of checklists",
    "checklist_versions": "of whom checklists counted, kept for a day",
    "checklists": "read and written by the functions of checklists",
    "credential_versions": "rows of credentials as they were, kept by a trigger as JSON",
    "group_versions": "rows of groups as they were, kept by a trigger",
    "deconfliction_runs": "what agencies asked of deconfliction, counted by its functions",
    "emergencies": "written by disclosures, read wherever principals are made",
    "event_receivers": "the feed's index by receiver",
    "extradition_flags": "whom the hub told of an extradition that is pending",
    "feed_state": "the sequencer's memory",
    "former_sights": "who saw records that were retracted, and since when",
    "incidents": "what of incident reports is compared, kept by a trigger",
    "incident_history": "what of incident reports is counted, as it was from when to when",
    "incident_likenesses": "whom the hub told of reports that are alike",
    "incident_merges": "which reports counted in the place of which others, and when",
    "incident_residues": "how purged reports count in published tables",
    "idempotency_keys": "read and written by two functions",
    "lifted_exclusions": "written by change_handling, read by seen_since",
    "name_words": "the vocabulary of the search",
    "operation_claims": "what operations claim, compared by the functions of deconfliction",
    "operation_conflict_versions": "conflicts as they were, kept with every step",
    "operation_conflicts": "shown to each side by functions that leave out the other's",
    "person_marks": "keyed hashes, compared by the functions of the database",
    "record_grants": "written with every audience, read by seen_since and access_of",
    "record_search": "the index of the search",
    "record_sight": "the index of lists",
    "repatriation_history": "what of repatriation requests is counted, as it was from when to when",
    "revoked_tokens": "read by enter",
    "screenings": "shown by one function, to whom may read of persons",
    "sight_changes": "work of the worker",
    "sight_settled": "work of the worker",
    "sign_in_failures": "read and written by signing in",
    "signing_keys": "read and written by three functions",
    "statistics_secret": "what published tables are rounded by",
    "used_assertions": "written by signing in",
}
"""Tables without a class: no code reads their rows, only the functions of the database do."""


def _modelled() -> set[str]:
    for module in pkgutil.iter_modules(models.__path__):
        importlib.import_module(f"{models.__name__}.{module.name}")
    return set(SQLModel.metadata.tables)


def _is_described(name: str | None, kind: str, _parents: Any) -> bool:
    """Whether a class says anything of it: indexes stand in the SQL alone, where they can be partial and descending."""
    return kind != "index" and (kind != "table" or name in SQLModel.metadata.tables)


def test_classes_and_tables_agree(cluster: Cluster, database: str) -> None:
    modelled = _modelled()
    conninfo = cluster.conninfo(DatabaseRole.BACKUP, database)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo))
    try:
        with engine.connect() as connection:
            options = {"compare_type": True, "include_name": _is_described}
            context = MigrationContext.configure(connection, opts=options)
            differences = [
                difference
                for difference in compare_metadata(context, SQLModel.metadata)
                if difference[0] not in ("remove_index", "add_index")
            ]
    finally:
        engine.dispose()
    assert not differences, "\n".join(map(str, differences))
    with psycopg.connect(conninfo) as connection:
        tables = connection.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
            " AND NOT c.relispartition"
        ).fetchall()
    assert {table for (table,) in tables} - modelled == set(FOR_FUNCTIONS_ALONE)
