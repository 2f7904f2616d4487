"""Who calls: what a request brings along, and what the database made of it."""

from dataclasses import dataclass

from app.identity.roles import Permission, effective
from app.identity.tokens import Claims


@dataclass(frozen=True, slots=True)
class Visit:
    """A request with a verified token, before the database was asked whether the credential still holds."""

    claims: Claims
    request_id: str
    peer: str | None = None
    officer: str | None = None
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """The credential of a request; `permissions` = the scope of its token and what the credential holds now."""

    agency: str
    client_id: str
    permissions: frozenset[Permission]
    roles: tuple[str, ...] = ()

    @classmethod
    def of(cls, visit: Visit, agency: str, roles: list[str]) -> "Caller":
        """The caller that a visit turned out to be."""
        return cls(agency, visit.claims.client_id, effective(visit.claims.scope, roles), tuple(roles))
