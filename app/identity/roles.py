"""Permissions, roles, and which role holds which permission.

A credential has roles; a token's `scope` lists permissions. What a request may do is what both allow at that moment:
`effective(scope, roles)`.
"""

from collections.abc import Container, Iterable, Mapping
from types import MappingProxyType

from app.core.vocabulary import Vocabulary


class Permission(Vocabulary):
    """One right, as it stands in a token's `scope`; `description` says in a sentence what it opens."""

    PROFILES_READ = "profiles:read", "Read the profiles of criminal organizations shared with the agency."
    PROFILES_WRITE = "profiles:write", "Create and change the agency's profiles, and decide who sees them."
    INCIDENTS_READ = "incidents:read", "Read the incident reports shared with the agency."
    INCIDENTS_WRITE = "incidents:write", "Create and change the agency's incident reports, and decide who sees them."
    OPERATIONS_READ = "operations:read", "Read the joint operations the agency takes part in or was told of."
    OPERATIONS_WRITE = "operations:write", "Plan and run joint operations for the agency, and decide who sees them."
    OPERATIONS_APPROVE = "operations:approve", "Approve or reject a joint operation for the agency."
    REPATRIATIONS_READ = "repatriations:read", "Read the repatriation requests the agency is concerned with."
    REPATRIATIONS_WRITE = "repatriations:write", "Open repatriation requests for the agency and carry them through."
    REPATRIATIONS_DECIDE = "repatriations:decide", "Decide on repatriation requests, and waive items of checklists."
    BULLETINS_READ = "bulletins:read", "Read and acknowledge the bulletins addressed to the agency."
    BULLETINS_WRITE = "bulletins:write", "Publish and change the agency's bulletins, and decide who sees them."
    PERSONS_READ = "persons:read", "Read the personal data of victims and suspects, each time with a stated purpose."
    PERSONS_WRITE = "persons:write", "Enter and change the personal data of victims and suspects."
    TRANSPORTS_READ = "transports:read", "Read transports and their manifests."
    TRANSPORTS_WRITE = "transports:write", "Plan transports, keep their manifests, and record boarding and handover."
    MATCHES_QUERY = "matches:query", "Ask whether another agency knows an identifier or a name."
    INQUIRIES_READ = "inquiries:read", "Read the inquiries sent to or by the agency."
    INQUIRIES_WRITE = "inquiries:write", "Send inquiries to other agencies and answer theirs."
    MEETINGS_READ = "meetings:read", "Read meetings, their decisions and their action items."
    MEETINGS_WRITE = "meetings:write", "Call meetings and keep their decisions and action items."
    DESKS_READ = "desks:read", "Read liaison desks, postings and duty rosters."
    DESKS_WRITE = "desks:write", "Set up liaison desks and keep their postings and duty rosters."
    AGREEMENTS_READ = "agreements:read", "Read the agreements the agency is party to."
    AGREEMENTS_WRITE = "agreements:write", "Draft and change agreements for the agency."
    AGREEMENTS_SIGN = "agreements:sign", "Sign, suspend and terminate agreements for the agency."
    GROUPS_READ = "groups:read", "Read the groups the agency belongs to, and their members."
    GROUPS_WRITE = "groups:write", "Found groups, and manage the members of those the agency chairs."
    STATISTICS_READ = "statistics:read", "Read statistics and declared figures."
    STATISTICS_WRITE = "statistics:write", "Declare figures for the agency, with their source."
    EVENTS_READ = "events:read", "Follow the feed of changes to records the agency sees."
    WEBHOOKS_MANAGE = "webhooks:manage", "Register the agency's webhooks, rotate their secrets and see deliveries."
    TAXII_READ = "taxii:read", "Read the TAXII collections open to the agency."
    TAXII_WRITE = "taxii:write", "Add STIX objects to the TAXII collections open to the agency."
    DIRECTORY_READ = "directory:read", "Read the directory of agencies and their points of contact."
    EMERGENCY_DISCLOSE = "emergency:disclose", "Disclose a record to save life, at once; it is flagged for review."
    AUDIT_READ = "audit:read", "Read the audit of the agency's credentials and of its records."
    AUDIT_VERIFY = "audit:verify", "Verify that the audit was not altered, without reading its content."
    CREDENTIALS_MANAGE = "credentials:manage", "Issue, rotate and revoke the agency's own credentials."
    CREDENTIALS_BOOTSTRAP = "credentials:bootstrap", "Issue the first administrator's credential of an agency."
    AGENCIES_MANAGE = "agencies:manage", "Register, suspend and reinstate agencies."


class Role(Vocabulary):
    """A set of permissions that a credential is given; `description` says in a sentence whom it is for."""

    ANALYST = "analyst", "Builds and exchanges profiles, incident reports, bulletins and inquiries."
    OPERATIONS_OFFICER = "operations_officer", "Plans joint operations and calls the meetings they need."
    LIAISON_OFFICER = "liaison_officer", "Handles people's cases with other agencies: repatriations, transports, desks."
    COMMANDER = "commander", "Reads everything shared with the agency, decides and signs for it."
    CONNECTOR = "connector", "A partner's system that keeps profiles in step by feed, webhook or TAXII."
    AUDITOR = "auditor", "Reviews what the agency's credentials did, and reads no exchanged content."
    AGENCY_ADMIN = "agency_admin", "Manages the agency's credentials, webhooks and entry in the directory."
    PLATFORM_ADMIN = "platform_admin", "Runs the hub: agencies and their first administrators, never exchanged content."


_P = Permission
_BY_TEXT = {permission.value: permission for permission in Permission}

_READ_EVERY_KIND_OF_RECORD = frozenset(
    {_P.PROFILES_READ, _P.INCIDENTS_READ, _P.OPERATIONS_READ, _P.REPATRIATIONS_READ, _P.BULLETINS_READ}
)

# What an agency is party to, it may read in every role. The hub's own agency is party to nothing.
_EVERY_MEMBER = frozenset({_P.AGREEMENTS_READ, _P.GROUPS_READ, _P.DESKS_READ})

_ANALYST = frozenset(
    {
        *(_P.PROFILES_READ, _P.PROFILES_WRITE),
        *(_P.INCIDENTS_READ, _P.INCIDENTS_WRITE),
        _P.MATCHES_QUERY,
        *(_P.BULLETINS_READ, _P.BULLETINS_WRITE),
        *(_P.INQUIRIES_READ, _P.INQUIRIES_WRITE),
        *(_P.STATISTICS_READ, _P.EVENTS_READ, _P.DIRECTORY_READ),
    }
)

_OPERATIONS_OFFICER = frozenset(
    {
        *(_P.OPERATIONS_READ, _P.OPERATIONS_WRITE),
        *(_P.PROFILES_READ, _P.INCIDENTS_READ, _P.TRANSPORTS_READ),
        *(_P.STATISTICS_READ, _P.EVENTS_READ, _P.DIRECTORY_READ),
        *(_P.MEETINGS_READ, _P.MEETINGS_WRITE),
    }
)

_LIAISON_OFFICER = frozenset(
    {
        *(_P.REPATRIATIONS_READ, _P.REPATRIATIONS_WRITE),
        *(_P.PERSONS_READ, _P.PERSONS_WRITE),
        *(_P.TRANSPORTS_READ, _P.TRANSPORTS_WRITE),
        *(_P.INCIDENTS_READ, _P.INCIDENTS_WRITE),
        _P.PROFILES_READ,
        _P.DESKS_WRITE,
        *(_P.MEETINGS_READ, _P.MEETINGS_WRITE),
        *(_P.BULLETINS_READ, _P.BULLETINS_WRITE),
        *(_P.INQUIRIES_READ, _P.INQUIRIES_WRITE),
        *(_P.EVENTS_READ, _P.DIRECTORY_READ),
    }
)

_COMMANDER = _READ_EVERY_KIND_OF_RECORD | {
    *(_P.PERSONS_READ, _P.TRANSPORTS_READ, _P.MEETINGS_READ, _P.INQUIRIES_READ),
    *(_P.STATISTICS_READ, _P.EVENTS_READ, _P.DIRECTORY_READ),
    *(_P.MATCHES_QUERY, _P.STATISTICS_WRITE),
    *(_P.OPERATIONS_APPROVE, _P.REPATRIATIONS_DECIDE),
    *(_P.AGREEMENTS_WRITE, _P.AGREEMENTS_SIGN, _P.GROUPS_WRITE),
    _P.EMERGENCY_DISCLOSE,
}

_CONNECTOR = _READ_EVERY_KIND_OF_RECORD | {
    *(_P.PROFILES_WRITE, _P.EVENTS_READ, _P.WEBHOOKS_MANAGE),
    *(_P.TAXII_READ, _P.TAXII_WRITE, _P.DIRECTORY_READ),
}

_AUDITOR = frozenset({_P.AUDIT_READ, _P.STATISTICS_READ, _P.DIRECTORY_READ})

_AGENCY_ADMIN = frozenset({_P.CREDENTIALS_MANAGE, _P.WEBHOOKS_MANAGE, _P.AUDIT_READ, _P.DIRECTORY_READ})

_PLATFORM_ADMIN = frozenset({_P.AGENCIES_MANAGE, _P.CREDENTIALS_BOOTSTRAP, _P.AUDIT_VERIFY, _P.DIRECTORY_READ})

PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.ANALYST: _ANALYST | _EVERY_MEMBER,
        Role.OPERATIONS_OFFICER: _OPERATIONS_OFFICER | _EVERY_MEMBER,
        Role.LIAISON_OFFICER: _LIAISON_OFFICER | _EVERY_MEMBER,
        Role.COMMANDER: _COMMANDER | _EVERY_MEMBER,
        Role.CONNECTOR: _CONNECTOR | _EVERY_MEMBER,
        Role.AUDITOR: _AUDITOR | _EVERY_MEMBER,
        Role.AGENCY_ADMIN: _AGENCY_ADMIN | _EVERY_MEMBER,
        Role.PLATFORM_ADMIN: _PLATFORM_ADMIN,
    }
)

GRANTABLE_BY_AGENCY_ADMIN: frozenset[Role] = frozenset(Role) - {Role.PLATFORM_ADMIN}
"""The roles an `agency_admin` may give, in its own agency only."""


class UnknownScopeError(ValueError):
    """A requested scope names what is no permission; `unknown` holds those words as they were sent."""

    def __init__(self, unknown: tuple[str, ...]) -> None:
        super().__init__("the scope names what is no permission")
        self.unknown = unknown


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """Everything that at least one of the roles grants, given as `Role` or as the text that is stored.

    A text that is no role grants nothing: while servers are upgraded one by one, a newer one may have stored it.
    """
    held = frozenset(roles)
    return frozenset(permission for role in Role if role in held for permission in PERMISSIONS[role])


def roles_granting(permission: Permission) -> frozenset[Role]:
    """The roles that grant `permission`; never empty."""
    return frozenset(role for role, granted in PERMISSIONS.items() if permission in granted)


def parse_scope(text: str) -> frozenset[Permission]:
    """The permissions a `scope` parameter asks for: words separated by spaces (RFC 6749, section 3.3).

    Raises:
        UnknownScopeError: at least one word is no permission (OAuth's `invalid_scope`).
    """
    words = [word for word in text.split(" ") if word]
    unknown = tuple(word for word in words if word not in _BY_TEXT)
    if unknown:
        raise UnknownScopeError(unknown)
    return frozenset(_BY_TEXT[word] for word in words)


def effective(scope: Container[str], roles: Iterable[str]) -> frozenset[Permission]:
    """What a request may do: what its token's scope names **and** the credential's roles grant now.

    Words of the scope that are no permission count for nothing: a token may be older or newer than this server.
    """
    return frozenset(permission for permission in permissions_of(roles) if permission in scope)
