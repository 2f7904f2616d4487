"""Bodies of the calls about profiles."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import ValidationError

from app.access.envelope import Envelope, changed_fields, render
from app.domain.criminal_organizations.content import CriminalOrganizationContent
from app.domain.criminal_organizations.shapes import (
    AmendmentIn,
    CriminalOrganization,
    CriminalOrganizationCreate,
    CriminalOrganizationPatch,
    ProposedPatch,
    RelationIn,
    SharedCriminalOrganization,
    SightingIn,
)
from app.records.documents import own_fields

ID = UUID("0190163d-8694-739b-aea5-966c26f8ad91")
MOMENT = datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)
BODY = {
    "name": "Bokor Group",
    "identifiers": [{"type": "phone", "value": "+855 12 345 678"}],
    "locations": [{"country": "KH", "from": "2022"}],
    "grading": {"scheme": "admiralty", "source": "B", "information": "2"},
    "external_id": "2026-1187",
    "handling": {"tlp": "AMBER", "audience": {"agencies": ["KH-CNP"]}},
    "links": [{"type": "related_to", "kind": "incident-reports", "id": str(ID)}],
}


def _documents() -> tuple[str, str]:
    create = CriminalOrganizationCreate.model_validate(BODY)
    envelope = Envelope(
        id=ID,
        reference="KR-KNPA-CO-2026-481902",
        external_id=create.external_id,
        originator="KR-KNPA",
        version=1,
        created_at=MOMENT,
        updated_at=MOMENT,
        handling=create.handling,
    )
    return render(envelope, create.content())


def test_documents_are_what_the_shapes_describe() -> None:
    document, shared = _documents()
    assert CriminalOrganization.model_validate_json(document).model_dump_json() == document
    assert SharedCriminalOrganization.model_validate_json(shared).model_dump_json() == shared
    assert list(json.loads(document)) == [*Envelope.model_fields, *CriminalOrganizationContent.model_fields]


def test_content_leaves_out_what_is_not_the_profile() -> None:
    content = CriminalOrganizationCreate.model_validate(BODY).content()
    assert type(content) is CriminalOrganizationContent
    assert list(content.model_dump()) == list(CriminalOrganizationContent.model_fields)


def test_without_handling_it_is_for_nobody_else() -> None:
    create = CriminalOrganizationCreate.model_validate({"name": "x"})
    assert create.handling.tlp == "RED"
    assert create.handling.audience.model_dump() == {
        "agencies": [],
        "groups": [],
        "observers_of": [],
        "community": False,
        "excluded": [],
    }


def test_broken_handling_is_pointed_at_from_the_body() -> None:
    body = {"name": 7, "handling": {"audience": {"community": True}, "codes": ["H3"]}}
    with pytest.raises(ValidationError) as caught:
        CriminalOrganizationCreate.model_validate(body)
    assert [(error["loc"], error["type"]) for error in caught.value.errors()] == [
        (("name",), "string_type"),
        (("handling", "audience", "community"), "community-above-label"),
        (("handling", "caveat"), "caveat-required"),
    ]


def test_what_was_read_can_be_sent_back_and_changes_nothing() -> None:
    before = own_fields(_documents()[0])
    patch = CriminalOrganizationPatch.model_validate(before)
    after = CriminalOrganizationContent.model_validate(patch.merged(before))
    assert changed_fields(before, json.loads(after.model_dump_json())) == []


def test_patch_changes_a_part() -> None:
    before = own_fields(_documents()[0])
    patch = CriminalOrganizationPatch.model_validate({"grading": {"source": "C"}, "locations": None, "kind": "gang"})
    after = json.loads(CriminalOrganizationContent.model_validate(patch.merged(before)).model_dump_json())
    assert after["grading"] == {"scheme": "admiralty", "source": "C", "information": "2"}
    assert changed_fields(before, after) == ["kind", "locations", "grading"]


def test_patch_is_judged_merged() -> None:
    before = own_fields(_documents()[0])
    patch = CriminalOrganizationPatch.model_validate({"grading": {"source": "Z"}})
    with pytest.raises(ValidationError) as caught:
        CriminalOrganizationContent.model_validate(patch.merged(before))
    assert [error["loc"] for error in caught.value.errors()] == [("grading", "source")]


@pytest.mark.parametrize("field", ["id", "handling", "version", "links"])
def test_patch_is_of_the_content_alone(field: str) -> None:
    for patch in (CriminalOrganizationPatch, ProposedPatch):
        with pytest.raises(ValidationError, match="Extra inputs"):
            patch.model_validate({field: None})


def test_nobody_proposes_another_number() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        ProposedPatch.model_validate({"external_id": "7"})


def test_what_others_add() -> None:
    relation = RelationIn.model_validate({"type": "successor_of", "target": str(ID), "since": "2023"})
    assert relation.target == ID
    sighting = SightingIn.model_validate({"assessment": "corroborates", "observed_on": "2026-10"})
    assert sighting.grading is None
    amendment = AmendmentIn.model_validate({"patch": {"status": "relocated"}})
    assert amendment.patch.root == {"status": "relocated"}
    with pytest.raises(ValidationError) as caught:
        AmendmentIn.model_validate({"patch": {"satus": "relocated"}})
    assert [error["loc"] for error in caught.value.errors()] == [("patch", "satus")]
