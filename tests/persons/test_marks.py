"""Marks: one person is known again however two agencies write the name, and nobody learns it from a mark."""

import secrets
from typing import Any

import pytest

from app.core.crypto import MasterKey
from app.persons.marks import PersonMarks, comparable_name
from app.persons.shapes import PersonIn

KEY = MasterKey(bytes(range(32)))
PASSPORT = {"type": "passport", "number": "M70689098", "issuing_state": "KOR"}


def marks(key: MasterKey = KEY, **fields: Any) -> set[bytes]:
    person = PersonIn.model_validate({"roles": [{"role": "suspect", "since": "2026-11"}], **fields})
    return set(PersonMarks(key).of(person))


def named(*names: str, born: str = "1998-04-17") -> dict[str, Any]:
    return {"names": [{"name": name} for name in names], "birth_date": born}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("KIM Gana", "Gana Kim"),
        ("KIM Ga-na", "KIM GANA"),
        ("Nguyễn Văn Hùng", "NGUYEN VAN HUNG"),
        ("Đặng Thị Đào", "dang thi dao"),
        ("KIM Gana", "\uff2b\uff29\uff2d \uff27\uff41\uff4e\uff41"),
        ("김가나", "김 가나"),
        ("គឹម ហ្គាណា", "គឹមហ្គាណា"),
        ("สมชาย ใจดี", "สมชายใจดี"),
        ("王小明", "王 小明"),
        ("José María", "Jose\u0301 Mari\u0301a"),
    ],
)
def test_a_name_is_known_again_however_it_is_written(one: str, other: str) -> None:
    assert comparable_name(one) == comparable_name(other)
    assert marks(**named(one)) == marks(**named(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("KIM Gana", "PARK Gana"), ("김가나", "김가니"), ("គឹម", "គីម"), ("สมชาย", "สมช่าย"), ("王小明", "王大明")],
)
def test_other_names_are_other_people(one: str, other: str) -> None:
    assert not marks(**named(one)) & marks(**named(other))


def test_a_document_is_known_again_by_issuer_and_number() -> None:
    assert marks(travel_documents=[PASSPORT]) == marks(travel_documents=[{**PASSPORT, "number": "m 7068-9098"}])
    assert not marks(travel_documents=[PASSPORT]) & marks(travel_documents=[{**PASSPORT, "issuing_state": "PRK"}])
    assert len(marks(travel_documents=[PASSPORT, PASSPORT], **named("김가나", "KIM Gana"))) == 3


def test_who_is_hardly_known_has_no_marks() -> None:
    assert marks() == set()
    assert marks(**named("KIM Gana", born="1998-04")) == set()
    assert marks(names=[{"name": "KIM Gana"}]) == set()
    assert marks(**named("?")) == set()
    assert not marks(**named("KIM Gana")) & marks(**named("KIM Gana", born="1998-04-18"))


def test_without_the_key_nobody_can_try_a_name() -> None:
    other = MasterKey(secrets.token_bytes(32))
    assert not marks(KEY, travel_documents=[PASSPORT]) & marks(other, travel_documents=[PASSPORT])
    assert {len(mark) for mark in marks(travel_documents=[PASSPORT], **named("김가나"))} == {32}
