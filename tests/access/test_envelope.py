"""How a record is written into the documents that are served."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import Field, ValidationError

from app.access.envelope import (
    Envelope,
    LinkIn,
    SharedEnvelope,
    Tombstone,
    changed_fields,
    render,
)
from app.access.handling import HandlingIn
from app.core.shapes import Shape
from app.models.vocabularies import RecordState

ID = UUID("0190163d-8694-739b-aea5-966c26f8ad91")
MOMENT = datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)


class _Content(Shape):
    title: str
    from_: str | None = Field(default=None, alias="from")


class _Record(_Content, Envelope):
    pass


class _SharedRecord(_Content, SharedEnvelope):
    pass


def _envelope() -> Envelope:
    handling = {
        "tlp": "AMBER",
        "audience": {"agencies": ["KH-CNP"], "excluded": ["TH-RTP"]},
        "legal_basis": str(ID),
        "discoverable": "hit",
        "review_on": "2030-01-01",
    }
    return Envelope(
        id=ID,
        reference="KR-KNPA-CO-2026-481902",
        external_id=None,
        originator="KR-KNPA",
        version=3,
        created_at=MOMENT,
        updated_at=MOMENT,
        handling=HandlingIn.model_validate(handling),
    )


def test_documents_are_what_the_shapes_describe() -> None:
    document, shared = render(_envelope(), _Content(title='보코르 \u2028 "x"'))
    assert _Record.model_validate_json(document).model_dump_json() == document
    assert _SharedRecord.model_validate_json(shared).model_dump_json() == shared


def test_documents_word_for_word() -> None:
    head = (
        '{"id":"0190163d-8694-739b-aea5-966c26f8ad91","reference":"KR-KNPA-CO-2026-481902","external_id":null,'
        '"originator":"KR-KNPA","version":3,"state":"current","created_at":"2026-11-22T08:15:30.000000Z",'
        '"updated_at":"2026-11-22T08:15:30.000000Z","handling":{"tlp":"AMBER","codes":[],"caveat":null,'
    )
    tail = '"review_on":"2030-01-01"},"title":"보코르","from":null}'
    hidden = (
        '"audience":{"agencies":["KH-CNP"],"groups":[],"observers_of":[],"community":false,"excluded":["TH-RTP"]},'
        '"legal_basis":"0190163d-8694-739b-aea5-966c26f8ad91","discoverable":"hit",'
    )
    assert render(_envelope(), _Content(title="보코르")) == (head + hidden + tail, head + tail)


def test_readers_learn_nothing_of_the_audience() -> None:
    shared = render(_envelope(), _Content(title="x")).shared_document
    assert not {"KH-CNP", "TH-RTP", "audience", "legal_basis", "discoverable"} & set(json.loads(shared)["handling"])
    assert "KH-CNP" not in shared
    assert "TH-RTP" not in shared


def test_changed_fields_are_named_in_order() -> None:
    before = {"a": 1, "b": [1], "c": None, "gone": 1}
    assert changed_fields(before, {"a": 1, "b": [1, 2], "c": 0, "added": 1}) == ["b", "c", "gone", "added"]
    assert changed_fields(before, dict(before)) == []


def test_tombstone_says_nothing_else() -> None:
    tombstone = Tombstone(id=ID, reference="KR-KNPA-CO-2026-481902", version=4, updated_at=MOMENT)
    assert list(json.loads(tombstone.model_dump_json())) == ["id", "reference", "state", "version", "updated_at"]
    assert tombstone.state is RecordState.RETRACTED


def test_link_points_at_a_kind_of_record() -> None:
    body = {"type": "related_to", "kind": "incident-reports", "id": str(ID)}
    assert LinkIn.model_validate(body).kind.code == "IR"
    with pytest.raises(ValidationError):
        LinkIn.model_validate(body | {"kind": "agencies"})
