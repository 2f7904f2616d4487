"""The first exchange as a stranger would try it: a real server, real sign-in, three agencies that know nothing of each
other's systems."""

import httpx

from tests.e2e.conftest import PATH, Site

SECRET = "The Bokor inner circle"


def test_one_shares_one_receives_and_a_third_finds_nothing(site: Site) -> None:
    with httpx.Client(base_url=site.address) as client:
        korea, cambodia, thailand = (site.token(agency) for agency in ("KR-KNPA", "KH-CNP", "TH-RTP"))
        handling = {"tlp": "RED", "audience": {"agencies": ["KH-CNP"]}}
        created = client.post(PATH, json={"name": SECRET, "handling": handling}, headers=korea)
        assert created.status_code == 201, created.text
        path = created.headers["Location"]
        assert path == f"{PATH}/{created.json()['id']}"
        other = client.post(PATH, json={"name": "Another", "handling": handling}, headers=korea).json()["id"]
        client.post(f"{path}/relations", json={"type": "funds", "target": other}, headers=korea)

        shared = client.get(path, headers=cambodia)
        assert (shared.status_code, shared.json()["name"]) == (200, SECRET)
        assert set(shared.json()["handling"]) == {"tlp", "codes", "caveat", "review_on"}
        assert client.post(f"{path}/sightings", json={"assessment": "corroborates"}, headers=cambodia).is_success
        assert len(client.get(f"{path}/relations", headers=cambodia).json()["items"]) == 1

        for part in ("", "/relations", "/links", "/versions", "/versions/1", "/sightings", "/amendments", "/handling"):
            assert client.get(f"{path}{part}", headers=thailand).status_code == 404, part
        for query in ({}, {"q": SECRET}, {"originator": "KR-KNPA"}, {"reference": created.json()["reference"]}):
            assert client.get(PATH, params=query, headers=thailand).json() == {"items": [], "next_cursor": None}
        feed = client.get("/v1/events", headers=thailand)
        assert created.json()["id"] not in feed.text

        body = {"agencies": ["TH-RTP"], "purpose": "Arrest planned for December."}
        assert client.post(f"{path}/disclosures", json=body, headers=korea).status_code == 201
        opened = client.get(path, headers=thailand)
        assert (opened.status_code, opened.headers["ETag"]) == (200, created.headers["ETag"])
        assert [item["id"] for item in client.get(PATH, headers=thailand).json()["items"]] == [created.json()["id"]]
        # The other end of the relation was not disclosed, and neither was what Cambodia saw.
        assert client.get(f"{path}/relations", headers=thailand).json()["items"] == []
        assert client.get(f"{path}/sightings", headers=thailand).json()["items"] == []

        retracted = client.post(f"{path}/retract", headers={**korea, "If-Match": created.headers["ETag"]})
        assert retracted.status_code == 200, retracted.text
        for reader in (cambodia, thailand):
            left = client.get(path, headers=reader)
            assert set(left.json()) == {"id", "reference", "state", "version", "updated_at"}
            everything = [client.get(f"{path}{part}", headers=reader).text for part in ("/versions", "/relations")]
            assert SECRET not in "".join(everything)
            assert client.get(PATH, params={"q": SECRET}, headers=reader).json()["items"] == []
