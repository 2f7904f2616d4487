"""Bodies of the calls about joint operations."""

from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from app.access.envelope import Envelope, LinkIn, SharedEnvelope
from app.access.handling import HandlingIn
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.merge_patch import MergePatch
from app.core.problems import Flaw
from app.core.shapes import Shape, distinct, refuse
from app.core.text import Line, Narrative, Paragraph
from app.domain.joint_operations.outcome_shapes import Debrief, Outcome
from app.domain.joint_operations.plan_shapes import (
    Approval,
    Area,
    Participant,
    Phase,
    Resource,
    Risk,
    Target,
    Window,
)
from app.domain.joint_operations.probing import flaws_of
from app.models.operation_vocabularies import ApprovalDecision, JointOperationState, ResourceKind, ResourceState
from app.models.vocabularies import CrimeType

HASH_EXAMPLE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

PlanHash = Annotated[
    str,
    Field(
        pattern="^[0-9a-f]{64}$",
        max_length=64,
        description="SHA-256, in hex, of the plan's canonical form (RFC 8785), which `/plan` shows.",
        examples=[HASH_EXAMPLE],
    ),
]


class JointOperationPlan(Shape):
    """What the lead writes of an operation. Everything but the title can come later, until it is proposed."""

    title: Line = Field(description="What the operation is called.", examples=["Entry into the Bokor site"])
    codename: Line | None = Field(
        default=None, description="The name under which it is spoken of.", examples=["Lantern"]
    )
    objective: Paragraph | None = Field(
        default=None,
        description="What it is to achieve.",
        examples=["Free the people held there and arrest who runs it."],
    )
    crime_types: Annotated[list[CrimeType], AfterValidator(distinct)] = Field(
        default_factory=list,
        max_length=len(CrimeType),
        description="Crimes it is directed against.",
        examples=[["illegal_detention"]],
    )
    participants: list[Participant] = Field(
        default_factory=list,
        max_length=100,
        description="Who takes part. Your own agency stands there as lead, whether or not you name it.",
    )
    approval: Approval = Field(default_factory=Approval, description="How many approvals the plan needs.")
    window: Window | None = Field(default=None, description="When it takes place.")
    area: Area | None = Field(default=None, description="Where it takes place.")
    targets: list[Target] = Field(default_factory=list, max_length=200, description="What it is directed at.")
    phases: list[Phase] = Field(default_factory=list, max_length=30, description="Its course, in parts.")
    resources: list[Resource] = Field(default_factory=list, max_length=300, description="What the agencies bring.")
    risk: list[Risk] = Field(default_factory=list, max_length=100, description="What can go wrong.")
    medical_plan: Narrative | None = Field(default=None, description="Who cares for the injured, and where.")
    victim_support_plan: Narrative | None = Field(
        default=None, description="Who receives the people who are freed, screens them, and where they stay."
    )
    legal_grounds: Paragraph | None = Field(
        default=None,
        description="Warrants, requests and laws on which the agencies act.",
        examples=["Warrant 2026-118"],
    )

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        refuse(
            "JointOperationPlan",
            [
                *_repeated("participants", [part.agency or part.group for part in self.participants]),
                *_repeated("resources", [resource.id for resource in self.resources], "/id"),
                *flaws_of(self.window, self.area),
            ],
        )
        return self


def _repeated(field: str, names: list[Any], below: str = "") -> list[Flaw]:
    return [
        Flaw(f"/{field}/{number}{below}", "repeated", "This stands there already.")
        for number, name in enumerate(names)
        if name is not None and name in names[:number]
    ]


class OwnJointOperation(JointOperationPlan):
    """What an operation's lead writes, at any time."""

    external_id: Line | None = Field(
        default=None, description="Your own number for the record, unique for your agency.", examples=["2026-1187"]
    )


class JointOperationCreate(OwnJointOperation):
    """An operation to be drafted. Nobody but its lead sees a draft, unless its handling opens it."""

    handling: HandlingIn = Field(
        default_factory=HandlingIn, description="Under which rules it is shared; RED and with nobody if left out."
    )
    links: list[LinkIn] = Field(default_factory=list, max_length=100, description="Pointers to other records.")


class JointOperationPatch(MergePatch):
    """A merge patch (RFC 7396) of a plan: what is left out stays, null clears, a list replaces the whole list."""

    target: ClassVar[type[Shape]] = OwnJointOperation


class ProposedPlanPatch(MergePatch):
    """A merge patch (RFC 7396) of a plan, which does not reach its lead's own number."""

    target: ClassVar[type[Shape]] = JointOperationPlan


class PlanAmendmentIn(Shape):
    """A change that a participant or reader proposes to the lead."""

    patch: ProposedPlanPatch = Field(
        description="The change, as a merge patch of the plan.", examples=[{"codename": "Lighthouse"}]
    )
    note: Paragraph | None = Field(default=None, description="Why the plan should be changed.")


class JointOperationContent(JointOperationPlan):
    """An operation as it stands: its plan, and what came of it."""

    plan_hash: PlanHash | None = Field(
        default=None, description="What is decided on: the hash of the plan as it was proposed; null in a draft."
    )
    state_reason: Paragraph | None = Field(
        default=None, description="Why it is suspended or cancelled; null in every other state.", examples=[None]
    )
    outcome: Outcome | None = Field(default=None, description="What came of it; null while nobody has said.")
    debrief: list[Debrief] = Field(
        default_factory=list, max_length=100, description="What the agencies learned from it."
    )


class JointOperation(JointOperationContent, Envelope):
    """An operation as its lead sees it."""

    state: JointOperationState = Field(default=JointOperationState.DRAFT, description="How far the operation has come.")


class SharedJointOperation(JointOperationContent, SharedEnvelope):
    """An operation as its participants and readers see it."""

    state: JointOperationState = Field(default=JointOperationState.DRAFT, description="How far the operation has come.")


class ReasonIn(Shape):
    """Why."""

    reason: Paragraph = Field(description="Why; everybody who sees the operation is told.", examples=["Fog."])


class DecisionIn(Shape):
    """What your agency decides on a plan, named by its hash."""

    decision: ApprovalDecision = Field(description="What it decides.", examples=["approve"])
    plan_hash: PlanHash = Field(description="The hash of the plan that it decides on.")
    reason: Paragraph | None = Field(default=None, description="Why; a rejection needs it.", examples=[None])

    @model_validator(mode="after")
    def _rejects_with_a_reason(self) -> Self:
        if self.decision is ApprovalDecision.REJECT and self.reason is None:
            refuse("DecisionIn", [Flaw("/reason", "reason-missing", "Say why your agency rejects the plan.")])
        return self


class OperationApproval(Shape):
    """What one agency decided on one plan."""

    id: UUID = Field(description="The decision's id.")
    agency: AgencyCode = Field(description="Who decided.", examples=["KH-CNP"])
    decision: ApprovalDecision = Field(description="What.")
    plan_hash: PlanHash = Field(description="On which plan.")
    reason: Paragraph | None = Field(description="Why; null if nothing was said.")
    at: UtcDateTime = Field(description="When.")
    voided_at: UtcDateTime | None = Field(description="Since when it counts no more, because the plan changed.")
    statement: str = Field(
        description="The decision as the hub signed it: a JWS (RFC 7515, ES256) to be checked with the keys at "
        "`/.well-known/approval-keys.json`.",
        examples=["eyJhbGciOiJFUzI1NiJ9.example.statement"],
    )


class CanonicalPlan(Shape):
    """The text that a plan's hash is of."""

    plan_hash: PlanHash = Field(description="Its hash.")
    canonical: str = Field(
        description="The plan's canonical form (RFC 8785): SHA-256 of its UTF-8 is the hash.",
        examples=['{"approval":{"quorum":null,"rule":"all"}}'],
    )


class PledgeIn(Shape):
    """What your agency brings."""

    kind: ResourceKind = Field(description="What it is.", examples=["vehicles"])
    quantity: int = Field(ge=1, le=1_000_000, strict=True, description="How many.", examples=[4])
    note: Paragraph | None = Field(default=None, description="What else is to be known about it.")


class OwnResource(PledgeIn):
    """What an agency says of a resource of its own."""

    state: ResourceState = Field(description="Where it is now.", examples=["deployed"])


class ResourcePatch(MergePatch):
    """A merge patch (RFC 7396) of a resource that your agency brings; a changed kind or quantity changes the plan."""

    target: ClassVar[type[Shape]] = OwnResource


class OwnTask(Shape):
    """What an agency says of a task of its own."""

    title: Line = Field(description="What is to be done.")
    due_at: UtcDateTime | None = Field(default=None, description="By when.")
    note: Paragraph | None = Field(default=None, description="What else is to be known about it.")
    done: Annotated[bool, Field(strict=True)] = Field(description="Whether it is done.", examples=[True])


class TaskPatch(MergePatch):
    """A merge patch (RFC 7396) of a task of your agency; everything but `done` changes the plan."""

    target: ClassVar[type[Shape]] = OwnTask
