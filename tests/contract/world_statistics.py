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

# Steps of requests for remains, each with its side and the day on which it was taken.
WAYS: tuple[tuple[tuple[str, str, float], ...], ...] = (
    (("submit", "KR", 1), ("acknowledge", "KH", 2.25), ("accept", "KH", 6), ("hold", "KR", 8), ("resume", "KR", 20)),
    (("submit", "KR", 3), ("acknowledge", "KH", 3.5), ("decline", "KH", 14)),
    (("submit", "KR", 3), ("acknowledge", "KH", 8), ("accept", "KH", 9), ("withdraw", "KR", 10)),
)
REMAINS = {
    "category": "remains",
    "legal_act": "repatriation_of_remains",
    "requested_agency": "KH-CNP",
    "from_country": "KH",
    "to_country": "KR",
    "handling": {"tlp": "AMBER"},
}


async def build(world: World) -> None:
    """Let reports and figures be known since October 2025, and requests have taken their days; publish."""
    for number, way in enumerate(WAYS, 450):
        await _go(world, number, way)
    for statement in LONG_AGO:
        below_policies(world.hub, statement)
    _publish(world)


async def _go(world: World, number: int, way: tuple[tuple[str, str, float], ...]) -> None:
    made = await world.caller("KR-KNPA liaison_officer").post("/v1/repatriation-requests", REMAINS)
    record_id = world.name(number, made)
    for action, side, _ in way:
        role = "commander" if action in ("accept", "decline") else "liaison_officer"
        partner = world.caller(f"{'KR-KNPA' if side == 'KR' else 'KH-CNP'} {role}")
        said = {"reason": "The court has the last word."} if action in ("decline", "hold", "withdraw") else None
        moved = await partner.post(f"/v1/repatriation-requests/{record_id}/{action}", said, etag="*")
        assert moved.status_code == 200, moved.text
    below_policies(
        world.hub, "UPDATE record_grants SET since = since - (now() - '2025-10-20Z') WHERE record_id = %s", record_id
    )
    below_policies(
        world.hub,
        "UPDATE repatriation_history h SET since = '2025-10-20Z'::timestamptz + n.at * interval '1 day',"
        " until = '2025-10-20Z'::timestamptz + n.next * interval '1 day' FROM ("
        "   SELECT o.since, d.at, lead(d.at) OVER (ORDER BY o.since) AS next"
        "   FROM (SELECT since, row_number() OVER (ORDER BY since) AS n FROM repatriation_history"
        "     WHERE record_id = %s) AS o"
        "   JOIN unnest(%s::float[]) WITH ORDINALITY AS d (at, n) USING (n)"
        " ) AS n WHERE h.record_id = %s AND h.since = n.since",
        record_id,
        [0.0, *(float(day) for _, _, day in way)],
        record_id,
    )


def _publish(world: World) -> None:
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
