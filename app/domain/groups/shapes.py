"""Bodies of the calls about groups and their members."""

from typing import ClassVar, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.merge_patch import MergePatch
from app.core.problems import Flaw
from app.core.shapes import Shape, refuse
from app.core.text import Line, Paragraph
from app.models.vocabularies import GroupKind, MembershipRole

MEMBERS_MAX = 100
"""How many agencies a group may be founded with; more are added one by one."""


class GroupContent(Shape):
    """What a group is."""

    kind: GroupKind = Field(description="What the group is for.", examples=["council"])
    name: Line = Field(description="What the group is called.", examples=["Bokor response council"])
    purpose: Paragraph | None = Field(default=None, description="What it is there to do.")


class GroupMemberIn(Shape):
    """An agency to be in a group."""

    agency: AgencyCode = Field(description="The agency.", examples=["KH-CNP"])
    role: Literal[MembershipRole.MEMBER, MembershipRole.OBSERVER] = Field(
        default=MembershipRole.MEMBER, description="What it is to be: `member` or `observer`."
    )


class GroupCreate(GroupContent):
    """A group to be founded; your agency is its chair."""

    members: list[GroupMemberIn] = Field(
        default_factory=list, max_length=MEMBERS_MAX, description="Agencies that are in it from the start."
    )

    @model_validator(mode="after")
    def _names_each_agency_once(self) -> Self:
        agencies = [member.agency for member in self.members]
        detail = "Name each agency once."
        refuse(
            "GroupCreate",
            [
                Flaw(f"/members/{number}/agency", "agency-repeated", detail)
                for number, agency in enumerate(agencies)
                if agency in agencies[:number]
            ],
        )
        return self


class GroupPatch(MergePatch):
    """A merge patch (RFC 7396) of a group: what is left out stays, null clears."""

    target: ClassVar[type[Shape]] = GroupContent


class Group(GroupContent):
    """A group as its members see it."""

    id: UUID = Field(description="The group's id, as audiences name it.")
    chair: AgencyCode = Field(description="The agency that manages the group and its members.")
    version: int = Field(ge=1, description="Counts the changes of these fields; also the ETag. Members have their own.")
    created_at: UtcDateTime = Field(description="When it was founded.")
    updated_at: UtcDateTime = Field(description="When one of these fields last changed.")
    ended_at: UtcDateTime | None = Field(description="When it ended; null while it goes on.")


class GroupMemberContent(Shape):
    """What of a membership can be changed."""

    role: MembershipRole = Field(description="What the agency is in the group.", examples=["member"])


class GroupMemberPatch(MergePatch):
    """A merge patch (RFC 7396) of a membership. `chair` hands the chair over; who had it becomes a member."""

    target: ClassVar[type[Shape]] = GroupMemberContent


class GroupMember(GroupMemberContent):
    """An agency in a group."""

    agency: AgencyCode = Field(description="The agency.")
    since: UtcDateTime = Field(description="Since when it sees what this role sees.")
    version: int = Field(ge=1, description="Counts the changes of this membership; also the ETag.")
