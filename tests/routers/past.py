"""The means to let days pass for what the hub keeps."""

from datetime import UTC, datetime, time, timedelta

from app.core import clock
from tests.conftest import Hub
from tests.routers.entrance import below_policies

_MOMENTS = {
    "records": ("created_at", "updated_at"),
    "record_versions": ("at",),
    "record_grants": ("since",),
    "lifted_exclusions": ("at",),
    "memberships": ("since",),
    "agencies": ("created_at",),
    "incident_history": ("since", "until"),
    "incident_merges": ("since", "until"),
    "former_sights": ("since",),
    "repatriation_history": ("since", "until"),
    "declared_figures": ("created_at", "withdrawn_at"),
}


def days_pass(hub: Hub, days: int) -> str:
    """Let everything that happened have happened so many days earlier; the day that has become of today."""
    for table, columns in _MOMENTS.items():
        moved = ", ".join(f"{column} = {column} - %(by)s::interval" for column in columns)
        statement = f"UPDATE {table} SET {moved}".replace("%(by)s", f"'{days} days'")  # noqa: S608 - own names
        below_policies(hub, statement)
    return (clock.now().date() - timedelta(days=days)).isoformat()


def moment(hub: Hub) -> str:
    """This moment, after everything that has happened and before everything to come."""
    ((now,),) = hub.look("SELECT clock_timestamp()")
    return clock.rfc3339(max(now, clock.now()))


def end_of(day: str) -> str:
    """The last moment of a day."""
    return clock.rfc3339(datetime.combine(datetime.fromisoformat(day).date(), time.max, UTC))
