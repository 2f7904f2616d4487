"""What a credential may be made of."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.core.problems import Problem
from app.core.validation import validated
from app.domain.credentials.shapes import CredentialCreate, CredentialPatch, Rotation

MINIMAL: dict[str, Any] = {"label": "case system", "roles": ["analyst"]}


def networks(*values: str) -> list[str]:
    return CredentialCreate.model_validate(MINIMAL | {"allowed_networks": list(values)}).allowed_networks


def test_networks_are_canonical_and_stand_there_once() -> None:
    assert networks("192.0.2.7", "192.0.2.0/24", "192.0.2.7/32") == ["192.0.2.7/32", "192.0.2.0/24"]
    assert networks("2001:DB8:0::/48", "2001:db8::/48") == ["2001:db8::/48"]


@pytest.mark.parametrize(
    "value", ["192.0.2.1/24", "192.0.2.256", "10/8", "::/129", "example.org", "", "192.0.2.0/24\n", "fe80::1%eth0"]
)
def test_what_is_no_network_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        networks(value)


def test_roles_add_up_and_stand_there_once() -> None:
    assert CredentialCreate.model_validate(MINIMAL | {"roles": ["auditor", "analyst", "auditor"]}).roles == [
        "auditor",
        "analyst",
    ]


def test_every_flaw_of_a_key_set_has_its_pointer() -> None:
    keys = [{"kty": "EC", "crv": "P-192"}, {"kty": "RSA", "d": "x"}, "text"]
    with pytest.raises(Problem) as caught:
        validated(CredentialCreate, MINIMAL | {"auth_method": "private_key_jwt", "jwks": {"keys": keys}})
    assert [flaw.pointer for flaw in caught.value.errors] == ["/jwks/keys/0/crv", "/jwks/keys/1/d", "/jwks/keys/2"]


@pytest.mark.parametrize(
    "body", [{"auth_method": "client_secret"}, {"agency": "KR-KNPA"}, {"roles": None}, {"label": None}]
)
def test_a_patch_holds_what_an_administrator_decides_and_nothing_else(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CredentialPatch.model_validate(body)


def test_a_rotation_without_a_wish_has_an_hours_grace() -> None:
    assert Rotation().grace_seconds == 3600
