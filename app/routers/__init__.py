"""The doors: a file per URL noun; a handler is a signature and the steps of its call in the order they are refused."""

from app.routers import (
    agencies,
    amendments,
    audit,
    audit_entries,
    credentials,
    criminal_organizations,
    docs,
    events,
    groups,
    health,
    me,
    oauth,
    problems,
    recovery,
    relations,
    sightings,
    well_known,
)

# Tried in this order, so what is asked most stands first.
ALL = (
    criminal_organizations.router,
    criminal_organizations.common,
    criminal_organizations.retention,
    relations.router,
    amendments.router,
    sightings.router,
    audit_entries.router,
    audit.router,
    oauth.router,
    well_known.router,
    me.router,
    agencies.router,
    credentials.router,
    recovery.router,
    events.router,
    groups.router,
    docs.router,
    problems.router,
    health.router,
)
