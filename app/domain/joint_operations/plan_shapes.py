"""The parts of an operation's plan."""

from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import Field, Strict, model_validator
from pydantic.config import JsonDict

from app.core.codes import AgencyCode, Country, Subdivision
from app.core.dates import UtcDateTime
from app.core.measures import Coordinates
from app.core.problems import Flaw
from app.core.shapes import Shape, refuse
from app.core.text import Line, LongLine, Paragraph
from app.matching.identifiers import comparable
from app.models.operation_vocabularies import ApprovalRule, ParticipantRole, ResourceKind, ResourceState, RiskLevel
from app.models.vocabularies import IdentifierType

_MADE_HERE: Final[JsonDict] = {"readOnly": True}
_IGNORED = " Made by the hub: what is sent here is ignored."


class Participant(Shape):
    """An agency that takes part, or a joint team as a whole."""

    agency: AgencyCode | None = Field(default=None, description="The agency.", examples=["KH-CNP"])
    group: UUID | None = Field(
        default=None,
        description="A joint team in place of an agency. When the plan is proposed, its members of that moment stand "
        "here in its place, each with its role.",
        examples=[None],
    )
    role: ParticipantRole = Field(description="What it does in the operation.", examples=["assault"])
    approval_required: Annotated[bool, Strict()] = Field(
        default=True, description="Whether it is asked to approve the plan; an observer never is."
    )
    left_at: UtcDateTime | None = Field(
        default=None, description=f"When it left the operation.{_IGNORED}", json_schema_extra=_MADE_HERE
    )
    left_because: Paragraph | None = Field(
        default=None, description=f"Why it left.{_IGNORED}", examples=[None], json_schema_extra=_MADE_HERE
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        flaws = []
        if (self.agency is None) == (self.group is None):
            flaws.append(Flaw("/agency", "participant-missing", "Name an agency or a joint team, not both."))
        if self.role is ParticipantRole.OBSERVER and self.approval_required:
            flaws.append(Flaw("/approval_required", "observer-approves", "An observer is not asked: send false."))
        if self.role is ParticipantRole.LEAD and self.agency is None:
            flaws.append(Flaw("/role", "team-leads", "The agency that drafts the plan leads the operation."))
        refuse("Participant", flaws)
        return self


class Approval(Shape):
    """How many approvals the plan needs."""

    rule: ApprovalRule = Field(default=ApprovalRule.ALL, description="Everybody who is asked, or a number of them.")
    quorum: Annotated[int, Strict()] | None = Field(
        default=None, ge=1, le=200, description="How many; with `quorum`, and only then.", examples=[None]
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.rule is ApprovalRule.QUORUM) != (self.quorum is not None):
            refuse(
                "Approval", [Flaw("/quorum", "quorum-and-rule", "A number belongs to the rule `quorum`, only there.")]
            )
        return self


class Window(Shape):
    """When the operation takes place, on the ground."""

    starts_at: UtcDateTime = Field(description="From when.")
    ends_at: UtcDateTime = Field(description="Until when.")

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.ends_at <= self.starts_at:
            refuse("Window", [Flaw("/ends_at", "window-reversed", "Set ends_at after starts_at.")])
        return self


class Area(Shape):
    """Where it takes place: a circle, or a polygon."""

    country: Country | None = Field(default=None, description="Country.")
    subdivision: Subdivision | None = Field(default=None, description="Province, state or city, of that country.")
    center: Coordinates | None = Field(default=None, description="Centre of a circle.")
    radius_m: Annotated[int, Strict()] | None = Field(
        default=None, ge=1, le=1_000_000, description="Radius of the circle in metres.", examples=[2000]
    )
    polygon: list[Coordinates] | None = Field(
        default=None,
        min_length=3,
        max_length=100,
        description="Corners of a polygon, in order, in place of a circle.",
        examples=[None],
    )

    @model_validator(mode="after")
    def _is_one_area(self) -> Self:
        flaws = []
        if (self.center is None) != (self.radius_m is None):
            flaws.append(Flaw("/radius_m", "circle-incomplete", "A circle has a center and a radius_m."))
        if self.polygon is not None and self.center is not None:
            flaws.append(Flaw("/polygon", "two-areas", "Give a circle or a polygon."))
        if self.subdivision is not None and not self.subdivision.startswith(f"{self.country}-"):
            flaws.append(Flaw("/subdivision", "subdivision-elsewhere", "Use a subdivision of the given country."))
        refuse("Area", flaws)
        return self

    @property
    def drawn(self) -> bool:
        """Whether there is a shape on the globe."""
        return self.center is not None or self.polygon is not None


class Target(Shape):
    """A place or an identifier that the operation is directed at. Records are linked as `target` instead."""

    type: Annotated[str, Field(json_schema_extra={"enum": ["place", *(member.value for member in IdentifierType)]})] = (
        Field(description="`place`, or what the value is.", examples=["phone"])
    )
    value: LongLine = Field(
        description="Name of the place, or the value as it became known.", examples=["+85523000000"]
    )
    normalized: Annotated[str, Field(max_length=2_000)] | None = Field(
        default=None,
        description=f"The value in the form in which identifiers are compared; null where it has none.{_IGNORED}",
        examples=["+85523000000"],
        json_schema_extra=_MADE_HERE,
    )

    @model_validator(mode="before")
    @classmethod
    def _is_normalized_here(cls, sent: object) -> object:
        if (
            not isinstance(sent, dict)
            or not isinstance(sent.get("type"), str)
            or not isinstance(sent.get("value"), str)
        ):
            return sent
        known = sent["type"] in set(IdentifierType)
        return {**sent, "normalized": comparable(IdentifierType(sent["type"]), sent["value"]) if known else None}

    @model_validator(mode="after")
    def _is_of_a_known_type(self) -> Self:
        if self.type != "place" and self.type not in set(IdentifierType):
            refuse("Target", [Flaw("/type", "target-type-unknown", "Use `place` or a type of identifier.")])
        return self


class Task(Shape):
    """Something an agency is to do."""

    id: UUID | None = Field(
        default=None, description="The task's id. Left out, a task is added; sent back, it stays the same task."
    )
    title: Line = Field(description="What is to be done.", examples=["Watch the northern gate"])
    agency: AgencyCode = Field(description="Who does it.", examples=["KH-CNP"])
    due_at: UtcDateTime | None = Field(default=None, description="By when.")
    note: Paragraph | None = Field(default=None, description="What else is to be known about it.")
    done: bool = Field(default=False, description=f"Whether it is done.{_IGNORED}", json_schema_extra=_MADE_HERE)
    done_at: UtcDateTime | None = Field(
        default=None, description=f"When it was said to be done.{_IGNORED}", json_schema_extra=_MADE_HERE
    )
    done_by: AgencyCode | None = Field(
        default=None, description=f"Which agency said so.{_IGNORED}", json_schema_extra=_MADE_HERE
    )


class Phase(Shape):
    """A part of the operation's course."""

    name: Line = Field(description="What it is called.", examples=["Entry"])
    starts_at: UtcDateTime | None = Field(default=None, description="From when.")
    ends_at: UtcDateTime | None = Field(default=None, description="Until when.")
    tasks: list[Task] = Field(default_factory=list, max_length=100, description="What is to be done in it.")

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.starts_at is not None and self.ends_at is not None and self.ends_at <= self.starts_at:
            refuse("Phase", [Flaw("/ends_at", "phase-reversed", "Set ends_at after starts_at.")])
        return self


class Resource(Shape):
    """What an agency is asked to bring; it alone pledges it."""

    id: UUID | None = Field(
        default=None, description="The resource's id. Left out, one is added; sent back, it stays the same one."
    )
    agency: AgencyCode = Field(description="Who brings it.", examples=["KH-CNP"])
    kind: ResourceKind = Field(description="What it is.", examples=["officers"])
    quantity: Annotated[int, Strict()] = Field(ge=1, le=1_000_000, description="How many.", examples=[40])
    note: Paragraph | None = Field(default=None, description="What else is to be known about it.")
    state: ResourceState = Field(
        default=ResourceState.REQUESTED,
        description=f"Where it is now, as its agency says.{_IGNORED}",
        json_schema_extra=_MADE_HERE,
    )


class Risk(Shape):
    """What can go wrong, and what is done about it."""

    description: Paragraph = Field(description="What can go wrong.", examples=["People are moved before the entry."])
    likelihood: RiskLevel | None = Field(default=None, description="How likely it is.", examples=["medium"])
    impact: RiskLevel | None = Field(default=None, description="How bad it would be.", examples=["high"])
    mitigation: Paragraph = Field(description="What is done about it.", examples=["Drones watch all gates from dusk."])
