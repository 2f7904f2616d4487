"""Which records may point at which."""

from app.models.vocabularies import LinkType, RecordKind
from app.records.links import ENDS, ends_of


def test_every_type_leads_somewhere_and_every_kind_is_left() -> None:
    assert set(ENDS) == set(LinkType)
    assert all(targets for ends in ENDS.values() for targets in ends.values())
    assert {source for ends in ENDS.values() for source in ends} == set(RecordKind)


def test_what_leads_from_a_kind_is_said_in_a_sentence() -> None:
    assert ends_of(RecordKind.BULLETINS) == "From here lead `related_to` to any kind."
    assert ends_of(RecordKind.JOINT_OPERATIONS) == (
        "From here lead `target` to `criminal-organizations` and `incident-reports`, `related_to` to any kind."
    )
