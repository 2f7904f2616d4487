"""Statistics over HTTP: what came of operations, counted over those that the caller sees."""

from typing import Any

from tests.conftest import Hub, Partner
from tests.routers.operating import ASSAULT, BOKOR, LEAD, SUPPORT, WATCH, active, hours, moved, officer

PATH = "/v1/statistics/operations"


async def _completed(lead: Partner, other: Partner, outcomes: list[tuple[Partner, Any]], **fields: Any) -> str:
    path = await active(lead, other, **fields)
    for partner, outcome in outcomes:
        assert (await partner.put(f"{path}/outcome", outcome, "*")).status_code == 200
    await moved(lead, path, "complete")
    return path


def _people(counts: dict[str, int]) -> list[dict[str, Any]]:
    return [{"nationality": nationality, "count": count} for nationality, count in counts.items()]


async def _count(partner: Partner, **params: str) -> dict[str, Any]:
    answer = await partner.get(PATH, params=params)
    assert answer.status_code == 200, answer.text
    counted: dict[str, Any] = answer.json()
    return counted


class Scene:
    """Two completed operations, one under way, and one that a third agency completed with a fourth."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.lead, self.other = officer(hub, LEAD), officer(hub, ASSAULT)
        self.third, self.fourth = officer(hub, WATCH), officer(hub, SUPPORT)

    async def build(self) -> "Scene":
        cash = {"kind": "cash", "value": {"amount": "1000.50", "currency": "USD"}}
        phones = {"kind": "phones", "quantity": 30}
        first = [
            (self.lead, {"arrested": _people({"KR": 12, "CN": 3}), "seized": [cash, phones]}),
            (self.other, {"arrested": _people({"KR": 1}), "rescued": _people({"VN": 5}), "seized": [cash]}),
        ]
        second = [(self.other, {"rescued": [{"count": 2}], "seized": [{**cash, "quantity": 4}]})]
        elsewhere = {"country": "TH", "center": BOKOR, "radius_m": 500}
        late = {"starts_at": "2094-12-31T23:30:00Z", "ends_at": "2095-01-02T00:00:00Z"}
        self.first = await _completed(self.lead, self.other, first, crime_types=["phone_scam", "kidnapping"])
        self.second = await _completed(
            self.lead, self.other, second, crime_types=["kidnapping"], area=elsewhere, window=late
        )
        running = await active(self.lead, self.other, window={"starts_at": hours(400), "ends_at": hours(410)})
        assert (await self.lead.put(f"{running}/outcome", second[0][1], "*")).status_code == 200
        await _completed(self.third, self.fourth, [(self.third, {"arrested": _people({"TH": 100})})])
        return self


async def test_what_is_counted(hub: Hub) -> None:
    scene = await Scene(hub).build()
    counted = await _count(scene.other)
    assert (counted["scope"], counted["by"]) == ("visible", "year")
    assert counted["total"] == {
        "key": None,
        "operations": 2,
        "arrested": 16,
        "rescued": 7,
        "arrested_by_nationality": [{"nationality": "CN", "count": 3}, {"nationality": "KR", "count": 13}],
        "rescued_by_nationality": [{"nationality": "VN", "count": 5}, {"nationality": None, "count": 2}],
        "seized": [
            {"kind": "phones", "quantity": 30, "values": []},
            {"kind": "cash", "quantity": 4, "values": [{"amount": "3001.50", "currency": "USD"}]},
        ],
    }
    years = [(item["key"], item["operations"], item["rescued"]) for item in counted["items"]]
    assert years[-1] == ("2094", 1, 2)
    assert len(years) == 2


async def test_what_it_is_told_apart_by(hub: Hub) -> None:
    scene = await Scene(hub).build()
    countries = await _count(scene.lead, by="country")
    assert [(item["key"], item["operations"]) for item in countries["items"]] == [("KH", 1), ("TH", 1)]
    crimes = await _count(scene.lead, by="crime_type")
    assert [(item["key"], item["operations"]) for item in crimes["items"]] == [("kidnapping", 2), ("phone_scam", 1)]
    # An operation against two crimes stands in two rows, and once in all.
    assert crimes["total"]["operations"] == 2
    for filters, expected in (
        ({"year": "2094"}, 1),
        ({"country": "KH"}, 1),
        ({"country": "KH", "year": "2094"}, 0),
        ({"crime_type": "kidnapping"}, 2),
        ({"crime_type": "homicide"}, 0),
    ):
        assert (await _count(scene.lead, **filters))["total"]["operations"] == expected
    nothing = await _count(scene.lead, crime_type="homicide")
    assert (nothing["items"], nothing["total"]["seized"]) == ([], [])


async def test_nobody_counts_what_it_does_not_see(hub: Hub) -> None:
    scene = await Scene(hub).build()
    assert (await _count(scene.third))["total"]["arrested"] == 100
    stranger = hub.partner("LA-DOP", "auditor")
    seen = await _count(stranger)
    assert (seen["total"]["operations"], seen["items"]) == (0, [])
    assert (await _count(hub.caller(LEAD, "auditor")))["total"]["operations"] == 2
    # An agency that it was disclosed to counts it from then on; one that lost it does not.
    opened = {"agencies": [WATCH], "purpose": "Lessons for an operation of its own."}
    assert (await scene.lead.post(f"{scene.second}/disclosures", opened)).status_code == 201
    assert (await _count(scene.third))["total"]["operations"] == 2
    assert (await scene.lead.post(f"{scene.second}/retract", etag="*")).status_code == 200
    for partner, count in ((scene.third, 1), (scene.lead, 1), (scene.other, 1)):
        assert (await _count(partner))["total"]["operations"] == count


async def test_what_lies_under_a_caveat_is_counted_once_it_is_acknowledged(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    reader = officer(hub, WATCH)
    handling = {"tlp": "AMBER", "audience": {"agencies": [WATCH]}}
    outcome = [(lead, {"arrested": _people({"KR": 1})})]
    path = await _completed(lead, other, outcome, handling=handling)
    assert (await _count(reader))["total"]["arrested"] == 1
    covered = {**handling, "codes": ["H3"], "caveat": "Ask before acting on this."}
    etag = (await lead.get(f"{path}/handling")).headers["ETag"]
    assert (await lead.put(f"{path}/handling", covered, etag)).status_code == 200
    assert (await _count(reader))["total"]["operations"] == 0
    acknowledged = await reader.post(f"{path}/handling/acknowledge", {"caveat": covered["caveat"]})
    assert acknowledged.status_code == 200
    assert (await _count(reader))["total"]["arrested"] == 1


async def test_as_a_table_a_row_is_a_number(hub: Hub) -> None:
    scene = await Scene(hub).build()
    table = await scene.lead.get(PATH, params={"by": "country"}, headers={"Accept": "text/csv"})
    rows = table.text.split("\r\n")
    assert table.headers["content-type"].startswith("text/csv")
    assert rows[:2] == ["of,key,measure,category,currency,amount", "total,,operations,,,2"]
    assert "item,KH,arrested_by_nationality,KR,,13" in rows
    assert "item,KH,seized_value,cash,USD,2001.00" in rows
    assert "item,TH,rescued_by_nationality,,,2" in rows
    assert (await scene.lead.get(PATH, headers={"Accept": "text/html"})).status_code == 406


async def test_permissions_and_parameters(hub: Hub) -> None:
    scene = await Scene(hub).build()
    assert (await hub.caller(LEAD, "liaison_officer").get(PATH)).status_code == 403
    assert (await hub.caller("HUB", "platform_admin").get(PATH)).status_code == 403
    for params in ({"by": "agency"}, {"scope": "community"}, {"year": "x"}, {"country": "XX"}, {"crime_type": "x"}):
        assert (await scene.lead.get(PATH, params=params)).status_code == 400
    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", scene.lead.client_id
    )
    assert (await scene.lead.get(PATH)).status_code == 401
    entries = (await hub.caller(LEAD, "auditor").get("/v1/audit-entries", params={"action": "statistics.read"})).json()
    assert entries["items"] == []
