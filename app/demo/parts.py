"""What a story is told in: profiles, what they are to one another, and what readers add to them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile that an agency creates, as the body of the call that would create it, and what it is called here."""

    key: str
    agency: str
    body: dict[str, Any]

    @property
    def external_id(self) -> str:
        """The originator's own number, by which a second telling finds the profile."""
        return f"DEMO-{self.key}"


@dataclass(frozen=True, slots=True)
class Relation:
    """What the organization of one profile is to another's, as its originator states it."""

    source: str
    target: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contribution:
    """A sighting or an amendment that a reader adds to a profile; an amendment may be accepted."""

    profile: str
    agency: str
    body: dict[str, Any]
    accepted: bool = field(default=False)
