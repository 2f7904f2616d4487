"""Incident reports for tests: one that is whole, and the calls to have it shared."""

from typing import Any

from tests.conftest import Partner

PATH = "/v1/incident-reports"

REPORT: dict[str, Any] = {
    "title": "Translator held near Bokor",
    "types": ["kidnapping", "extortion"],
    "occurred_from": "2025-07",
    "reported_on": "2025-08-03",
    "reported_by": "family",
    "country": "KH",
    "subdivision": "KH-7",
    "place": "Bokor mountain",
    "coordinates": {"latitude": 10.63, "longitude": 104.03},
    "demand": {"amount": "30000", "currency": "USD"},
    "narrative": "He answered an offer of work, was flown in, and called his sister at night.",
}

HELD = {
    "nationality": "KR",
    "age_band": "25_34",
    "sex": "male",
    "condition": "detained",
    "recruited_via": "job_board",
}


async def report(partner: Partner, *share: str, **fields: Any) -> dict[str, Any]:
    """Create a report that is shared with these agencies; one victim is missing unless others are named."""
    handling = fields.pop("handling", {"tlp": "AMBER", "audience": {"agencies": list(share)}})
    body = {**REPORT, "victims": [{**HELD, "condition": "missing"}], "handling": handling, **fields}
    answer = await partner.post(PATH, body)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def path_of(partner: Partner, *share: str, **fields: Any) -> str:
    """The path of such a report."""
    return f"{PATH}/{(await report(partner, *share, **fields))['id']}"


async def step(partner: Partner, path: str, action: str, body: Any = None, **options: Any) -> Any:
    """Take a step, based on the report as it stands."""
    etag = (await partner.get(path)).headers["ETag"]
    return await partner.post(f"{path}/{action}", body, etag=etag, **options)
