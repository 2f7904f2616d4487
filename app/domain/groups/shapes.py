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
from app.models.vocabularies import GroupKind, MembershipRole, MembershipState

MEMBERS_MAX = 100
"""How many agencies may be invited as a group is founded; more are invited one by one."""


class GroupContent(Shape):
    """What a group is."""

    kind: GroupKind = Field(description="What the group is for.", examples=["council"])
    name: Line = Field(description="What the group is called.", examples=["Bokor response council"])
    purpose: Paragraph | None = Field(
        default=None, description="What it is there to do.", examples=["Find and free the people held at Bokor."]
    )
    charter: UUID | None = Field(
        default=None,
        description="The agreement of kind `charter` that sharing with the group rests on. The group reads its id, and "
        "the agreement's parties the agreement.",
        examples=["01a202b0-000d-7c52-9d3f-2a6b8e1f4c70"],
    )


class GroupMemberIn(Shape):
    """An agency that is to be in a group."""

    agency: AgencyCode = Field(description="The agency.", examples=["KH-CNP"])
    role: Literal[MembershipRole.MEMBER, MembershipRole.OBSERVER] = Field(
        default=MembershipRole.MEMBER,
        description="What it is invited to be: `member` or `observer`.",
        examples=["member"],
    )


class GroupCreate(GroupContent):
    """A group to be founded; your agency is its chair."""

    members: list[GroupMemberIn] = Field(
        default_factory=list,
        max_length=MEMBERS_MAX,
        description="Agencies that are invited at once; each is in the group when it accepts.",
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
    """A group as its members see it, and those who are invited."""

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
    """An agency in a group, invited to it, or out of it again."""

    agency: AgencyCode = Field(description="The agency.", examples=["KH-CNP"])
    state: MembershipState = Field(
        description="`invited` until the agency accepts, `active` while it is in the group, `former` afterwards.",
        examples=["active"],
    )
    invited_at: UtcDateTime | None = Field(description="When the chair invited it; null for who founded the group.")
    joined_at: UtcDateTime | None = Field(
        description="Since when it has been in the group, whatever its role; null while it is invited."
    )
    since: UtcDateTime | None = Field(
        description="Since when it sees what its role sees, which a change of role can make later than `joined_at`; "
        "null while it is invited."
    )
    until: UtcDateTime | None = Field(description="When it left, was expelled, or the group ended; null before.")
    reason: Paragraph | None = Field(
        description="Why it was expelled, as the chair reads it; null for everybody else.",
        examples=["Content of the group was found in a newspaper."],
    )
    version: int = Field(ge=1, description="Counts the changes of this membership; also the ETag.", examples=[2])


class ExpulsionIn(Shape):
    """Why an agency is to be in a group no more."""

    reason: Paragraph = Field(
        description="Why. Kept in your agency's audit, and read by the group's chair alone: the agency itself is told "
        "that it is out, and nothing else.",
        examples=["Content of the group was found in a newspaper."],
    )
