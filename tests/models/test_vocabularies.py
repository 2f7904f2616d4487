"""The closed vocabularies hold the contract's words, and every word explains itself."""

import inspect
import re

import pytest

from app.core.vocabulary import Vocabulary
from app.models import grading, incident_vocabularies, vocabularies
from app.models.vocabularies import TLP, CrimeType, IdentifierType, LinkedKind, LocationRole, RecordKind, RelationType

VOCABULARIES = [
    member
    for module in (vocabularies, grading, incident_vocabularies)
    for _, member in inspect.getmembers(module, inspect.isclass)
    if issubclass(member, Vocabulary) and member is not Vocabulary
]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_every_word_has_one_sentence(vocabulary: type[Vocabulary]) -> None:
    for word in vocabulary:
        assert re.fullmatch(r"[A-Z].*\.", word.description), word
        assert vocabulary(word.value) is word
        assert f"{word}" == word.value


@pytest.mark.parametrize("vocabulary", [one for one in VOCABULARIES if one not in {TLP, RecordKind, LinkedKind}])
def test_words_are_written_like_fields(vocabulary: type[Vocabulary]) -> None:
    assert all(re.fullmatch(r"[a-z0-9_]+|H[0-3]", word.value) for word in vocabulary)


def test_words_of_the_contract() -> None:
    assert list(CrimeType) == [
        "kidnapping",
        "illegal_detention",
        "trafficking_in_persons",
        "forced_labour",
        "forced_criminality",
        "migrant_smuggling",
        "phone_scam",
        "investment_scam",
        "romance_scam",
        "employment_scam",
        "online_gambling",
        "drug_trafficking",
        "money_laundering",
        "extortion",
        "corruption",
        "document_forgery",
        "cybercrime",
        "homicide",
        "robbery",
        "arms_trafficking",
        "other",
    ]
    assert list(IdentifierType) == [
        "phone",
        "email",
        "url",
        "domain",
        "ip_address",
        "crypto_wallet",
        "bank_account",
        "company_number",
        "passport",
        "national_id",
        "vehicle_plate",
        "vessel",
        "social_account",
        "messenger_account",
    ]
    assert list(LocationRole) == [
        "compound",
        "base",
        "call_centre",
        "safe_house",
        "detention_site",
        "front_company",
        "transit_point",
        "crime_scene",
    ]
    assert list(RelationType) == [
        "subordinate_to",
        "allied_with",
        "rival_of",
        "funds",
        "supplies",
        "trades_persons_with",
        "successor_of",
        "splinter_of",
        "related_to",
    ]
    assert list(TLP) == ["RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR"]


def test_kinds_of_record() -> None:
    assert [(kind.value, kind.code, kind.read, kind.write) for kind in RecordKind] == [
        ("criminal-organizations", "CO", "profiles:read", "profiles:write"),
        ("incident-reports", "IR", "incidents:read", "incidents:write"),
        ("joint-operations", "JO", "operations:read", "operations:write"),
        ("repatriation-requests", "RR", "repatriations:read", "repatriations:write"),
        ("bulletins", "BU", "bulletins:read", "bulletins:write"),
    ]


def test_only_confirmed_codes_of_the_international_classification() -> None:
    confirmed = [
        "020221",
        "020222",
        "0203",
        "0204",
        "08051",
        "07023",
        "0101",
        "0401",
        "0601",
        "0701",
        "0703",
        "07041",
        "0903",
    ]
    assert {crime.iccs for crime in CrimeType} == {*confirmed, None}
    assert CrimeType.ONLINE_GAMBLING.iccs is None
    assert CrimeType.OTHER.iccs is None
    assert CrimeType.KIDNAPPING.iccs == "020221"
