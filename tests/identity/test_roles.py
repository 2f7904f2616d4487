"""Roles and permissions, against the table that partners were given, written out here once more by hand."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.roles import (
    GRANTABLE_BY_AGENCY_ADMIN,
    PERMISSIONS,
    Permission,
    Role,
    UnknownScopeError,
    effective,
    parse_scope,
    permissions_of,
    roles_granting,
)

AGREED = {
    "analyst": """
        profiles:read profiles:write incidents:read incidents:write matches:query bulletins:read bulletins:write
        inquiries:read inquiries:write statistics:read events:read directory:read
        agreements:read groups:read desks:read""",
    "operations_officer": """
        operations:read operations:write profiles:read incidents:read transports:read statistics:read events:read
        directory:read meetings:read meetings:write
        agreements:read groups:read desks:read""",
    "liaison_officer": """
        repatriations:read repatriations:write persons:read persons:write transports:read transports:write
        incidents:read incidents:write profiles:read desks:write meetings:read meetings:write bulletins:read
        bulletins:write inquiries:read inquiries:write events:read directory:read
        agreements:read groups:read desks:read""",
    "commander": """
        profiles:read incidents:read operations:read repatriations:read bulletins:read
        persons:read transports:read meetings:read inquiries:read statistics:read events:read directory:read
        matches:query statistics:write operations:approve repatriations:decide agreements:write agreements:sign
        groups:write emergency:disclose
        agreements:read groups:read desks:read""",
    "connector": """
        profiles:read incidents:read operations:read repatriations:read bulletins:read
        profiles:write events:read webhooks:manage taxii:read taxii:write directory:read
        agreements:read groups:read desks:read""",
    "auditor": """
        audit:read statistics:read directory:read
        agreements:read groups:read desks:read""",
    "agency_admin": """
        credentials:manage webhooks:manage audit:read directory:read
        agreements:read groups:read desks:read""",
    "platform_admin": "agencies:manage credentials:bootstrap audit:verify directory:read",
}


def test_every_role_grants_exactly_what_was_agreed() -> None:
    granted = {str(role): {str(permission) for permission in PERMISSIONS[role]} for role in Role}
    assert granted == {role: set(permissions.split()) for role, permissions in AGREED.items()}


def test_nothing_can_be_added_at_run_time() -> None:
    with pytest.raises(TypeError):
        PERMISSIONS[Role.AUDITOR] = frozenset(Permission)  # type: ignore[index]


def test_every_permission_is_granted_by_some_role() -> None:
    assert all(roles_granting(permission) for permission in Permission)


@pytest.mark.parametrize("permission", Permission)
def test_roles_granting_is_the_table_read_the_other_way(permission: Permission) -> None:
    assert roles_granting(permission) == {role for role in Role if permission in AGREED[role].split()}


def test_the_platform_reads_no_content() -> None:
    content = {permission for permission in Permission if permission.endswith((":read", ":write", ":query"))}
    assert PERMISSIONS[Role.PLATFORM_ADMIN] & content == {Permission.DIRECTORY_READ}


def test_an_agency_admin_grants_every_role_but_one() -> None:
    assert frozenset(Role) - GRANTABLE_BY_AGENCY_ADMIN == {Role.PLATFORM_ADMIN}


@pytest.mark.parametrize("member", [*Permission, *Role])
def test_every_member_explains_itself_in_a_sentence(member: Permission | Role) -> None:
    assert re.fullmatch(r"[A-Z][^.]+\.", member.description)
    assert len(member.description) <= 100


def test_members_are_their_texts() -> None:
    assert Permission("profiles:read") is Permission.PROFILES_READ
    assert f"{Role.ANALYST}" == "analyst"
    assert {"analyst"} == {Role.ANALYST}
    assert all(re.fullmatch(r"[a-z]+:[a-z]+", permission) for permission in Permission)


def test_permissions_of_several_roles_are_put_together() -> None:
    both = permissions_of([Role.AUDITOR, Role.AGENCY_ADMIN])
    assert both == PERMISSIONS[Role.AUDITOR] | PERMISSIONS[Role.AGENCY_ADMIN]
    assert permissions_of([]) == frozenset()


def test_stored_texts_serve_as_roles_and_unknown_ones_grant_nothing() -> None:
    assert permissions_of(iter(["auditor", "archivist"])) == PERMISSIONS[Role.AUDITOR]


@given(st.frozensets(st.sampled_from(Permission)), st.integers(1, 3))
def test_a_scope_is_read_back(permissions: frozenset[Permission], spaces: int) -> None:
    assert parse_scope((" " * spaces).join(permissions)) == permissions


@pytest.mark.parametrize(
    ("scope", "unknown"),
    [
        ("profiles:read profiles:delete everything", ("profiles:delete", "everything")),
        ("PROFILES:READ", ("PROFILES:READ",)),
        ("profiles:read\tevents:read", ("profiles:read\tevents:read",)),
        ("profiles:read\n", ("profiles:read\n",)),
        ("profiles:read,events:read", ("profiles:read,events:read",)),
        ("analyst", ("analyst",)),
    ],
)
def test_a_scope_with_other_words_is_refused(scope: str, unknown: tuple[str, ...]) -> None:
    with pytest.raises(UnknownScopeError) as caught:
        parse_scope(scope)
    assert caught.value.unknown == unknown
    assert unknown[0] not in str(caught.value)


scopes = st.frozensets(st.sampled_from([*map(str, Permission), "profiles:delete", ""]))


@given(scopes, st.lists(st.sampled_from([*map(str, Role), "archivist"])))
def test_a_request_may_do_what_token_and_roles_both_allow(scope: frozenset[str], roles: list[str]) -> None:
    granted = {permission for role in roles for permission in AGREED.get(role, "").split()}
    allowed = effective(scope, roles)
    assert allowed == granted & scope
    assert all(isinstance(permission, Permission) for permission in allowed)
