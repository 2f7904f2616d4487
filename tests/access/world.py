"""Who sees what, written once more in Python: the model that the database is compared with."""

from dataclasses import dataclass, field
from uuid import UUID

from app.access.handling import Audience


@dataclass
class World:
    """Agencies, their memberships and what they share. `memberships` has a role for an agency in a group."""

    agencies: list[str]
    groups: list[UUID] = field(default_factory=list)
    memberships: dict[tuple[UUID, str], str] = field(default_factory=dict)
    suspended: set[str] = field(default_factory=set)

    def principals(self, agency: str) -> set[str]:
        """What an agency stands for in audiences; the hub's own is none of `agencies` and stands for nothing."""
        if agency not in self.agencies:
            return set()
        groups = {
            f"{'observers' if role == 'observer' else 'group'}:{group}"
            for (group, member), role in self.memberships.items()
            if member == agency
        }
        return {agency, "community", *groups}

    def reaches(self, audience: Audience, originator: str, agency: str) -> bool:
        """The rule as the contract says it, for an agency that takes part."""
        if agency not in self.agencies:
            return False
        if agency == originator:
            return True
        if agency in audience.excluded:
            return False
        roles = {group: role for (group, member), role in self.memberships.items() if member == agency}
        return (
            audience.community
            or agency in audience.agencies
            or any(roles.get(group) in ("chair", "member") for group in audience.groups)
            or any(roles.get(group) == "observer" for group in audience.observers_of)
        )

    def reached(self, audience: Audience, originator: str) -> list[str]:
        """Every agency that an audience reaches."""
        return sorted(agency for agency in self.agencies if self.reaches(audience, originator, agency))

    def sees(self, audience: Audience, originator: str, agency: str) -> bool:
        """Whether an agency may see the record now."""
        return agency not in self.suspended and self.reaches(audience, originator, agency)
