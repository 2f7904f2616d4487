"""What was known, and published, long before the day of the examples."""

import json

from tests.contract.world import World
from tests.routers.entrance import below_policies

# Published as of the end of October 2025. As it would be if 351 reports were known: what the worker publishes of the
# few reports of this world is rounded away for the most part.
PUBLISHED = {
    "year": {("2021", None): 5, ("2023", None): 15, ("2025", None): 330},
    "month": {("2021-05", None): 5, ("2023-04", None): 15, ("2025-07", None): 150, ("2025-08", None): 180},
    "country": {("2021", "KH"): 5, ("2023", "KH"): 15, ("2025", "KH"): 305, ("2025", "LA"): 15, ("2025", "MM"): 10},
}


LONG_AGO = (
    "UPDATE incident_history SET since = since - (now() - '2025-10-20Z'), until = until - (now() - '2025-10-20Z')",
    (
        "UPDATE record_grants g SET since = since - (now() - '2025-10-20Z') FROM incidents i"
        " WHERE i.record_id = g.record_id"
    ),
    "UPDATE declared_figures SET created_at = created_at - (now() - '2025-10-20Z')",
)


async def build(world: World) -> None:
    """Let reports and figures be known since October 2025, and publish."""
    for statement in LONG_AGO:
        below_policies(world.hub, statement)
    below_policies(
        world.hub,
        "INSERT INTO statistics_publications (as_of, published_at)"
        " VALUES ('2025-10-31T23:59:59.999999Z', '2025-11-01T02:07:00.31Z')",
    )
    for table, cells in PUBLISHED.items():
        for year in ("2021", "2023", "2025"):
            of_year = [
                {"key": key, "then": then, "reports": count} for (key, then), count in cells.items() if key[:4] == year
            ]
            below_policies(
                world.hub,
                "INSERT INTO published_statistics VALUES ('2025-10-31T23:59:59.999999Z', %s, %s, %s,"
                " '2025-10-31T23:59:59.999999Z')",
                year,
                table,
                json.dumps(of_year),
            )
