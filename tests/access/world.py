"""Who sees what, written once more in Python: the model that the database is compared with."""

from dataclasses import dataclass, field
from uuid import UUID

from app.access.handling import Audience, principals


@dataclass(frozen=True)
class Pact:
    """An agreement: who is party to it, and whether it opens sharing today."""

    parties: frozenset[str]
    in_force: bool


@dataclass(frozen=True)
class Shared:
    """A record of the world: to whom it is open, on which agreement, and to whom in an emergency.

    `emergencies` says of each recipient whether it still stands.
    """

    id: UUID
    originator: str
    audience: Audience
    basis: UUID | None = None
    emergencies: dict[str, bool] = field(default_factory=dict)
    disclosure: UUID | None = None


@dataclass
class World:
    """Agencies, their memberships and what they share. `memberships` has a role for an agency in a group."""

    agencies: list[str]
    groups: list[UUID] = field(default_factory=list)
    memberships: dict[tuple[UUID, str], str] = field(default_factory=dict)
    suspended: set[str] = field(default_factory=set)
    pacts: dict[UUID, Pact] = field(default_factory=dict)
    charters: dict[UUID, UUID] = field(default_factory=dict)
    """The agreement that sharing with a group rests on."""

    def covers(self, agreement: UUID | None, agency: str) -> bool:
        """Whether an agreement opens anything to an agency today."""
        pact = self.pacts.get(agreement) if agreement else None
        return pact is not None and pact.in_force and agency in pact.parties

    def principals(self, agency: str, records: list[Shared]) -> set[str]:
        """What an agency stands for in audiences; the hub's own is none of `agencies` and stands for nothing."""
        if agency not in self.agencies:
            return set()
        groups = {
            group: f"{'observers' if role == 'observer' else 'group'}:{group}"
            for (group, member), role in self.memberships.items()
            if member == agency
        }
        return {
            *(agency, "community", *groups.values()),
            *(f"{agency}@{pact}" for pact in self.pacts if self.covers(pact, agency)),
            *(f"{word}@{self.charters[g]}" for g, word in groups.items() if self.covers(self.charters.get(g), agency)),
            *(f"{agency}!{record.disclosure}" for record in records if record.emergencies.get(agency)),
        }

    def written(self, record: Shared) -> tuple[list[str], list[str]]:
        """Audience and exclusions of a record as they stand in its row."""
        plain, excluded = principals(record.audience, record.originator)
        audience = []
        for principal in plain:
            _, colon, group = principal.partition(":")
            rest = self.charters.get(UUID(group)) if colon else record.basis
            if principal in (record.originator, "community"):
                rest = None
            audience.append(f"{principal}@{rest}" if rest else principal)
        return [*audience, *(f"{agency}!{record.disclosure}" for agency in record.emergencies)], excluded

    def reaches(self, record: Shared, agency: str) -> bool:
        """The rule as the contract says it, for an agency that takes part."""
        audience = record.audience
        if agency not in self.agencies:
            return False
        if agency == record.originator:
            return True
        if agency in audience.excluded:
            return False
        open_groups = {
            group
            for (group, member) in self.memberships
            if member == agency and (group not in self.charters or self.covers(self.charters[group], agency))
        }
        roles = {group: self.memberships[group, agency] for group in open_groups}
        return (
            audience.community
            or (agency in audience.agencies and (record.basis is None or self.covers(record.basis, agency)))
            or record.emergencies.get(agency, False)
            or any(roles.get(group) in ("chair", "member") for group in audience.groups)
            or any(roles.get(group) == "observer" for group in audience.observers_of)
        )

    def reached(self, record: Shared) -> list[str]:
        """Every agency that a record's audience reaches."""
        return sorted(agency for agency in self.agencies if self.reaches(record, agency))

    def sees(self, record: Shared, agency: str) -> bool:
        """Whether an agency may see the record now."""
        return agency not in self.suspended and self.reaches(record, agency)
