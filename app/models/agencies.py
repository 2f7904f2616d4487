"""Agencies and the groups they form."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, ForeignKeyConstraint, Text, text
from sqlmodel import Field, SQLModel


class Agency(SQLModel, table=True):
    """An organization that takes part, known everywhere by its code; never deleted, so no code is used twice."""

    __tablename__ = "agencies"

    code: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    native_name: str | None = Field(default=None, sa_type=Text)
    kind: str = Field(sa_type=Text)
    country: str | None = Field(default=None, sa_type=Text)
    languages: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    time_zone: str = Field(default="UTC", sa_type=Text)
    contact_phone: str | None = Field(default=None, sa_type=Text)
    contact_email: str | None = Field(default=None, sa_type=Text)
    status: str = Field(default="active", sa_type=Text)
    hub: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    conditional_sight: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    version: int = Field(default=1)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    first_admin_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Group(SQLModel, table=True):
    """A set of agencies: council, joint team or working group; its chair agency manages it."""

    __tablename__ = "groups"

    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    purpose: str | None = Field(default=None, sa_type=Text)
    chair: str = Field(foreign_key="agencies.code", sa_type=Text)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    charter: UUID | None = Field(default=None, foreign_key="agreements.id")
    charter_since: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Membership(SQLModel, table=True):
    """An agency's time in a group; `until` is empty while it lasts."""

    __tablename__ = "memberships"

    id: UUID = Field(primary_key=True)
    group_id: UUID = Field(foreign_key="groups.id")
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    role: str = Field(sa_type=Text)
    since: datetime = Field(sa_type=DateTime(timezone=True))
    until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    version: int = Field(default=1)
    joined_at: datetime = Field(sa_type=DateTime(timezone=True))
    invited_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Invitation(SQLModel, table=True):
    """A chair's offer to an agency to be in a group; `ended_at` is empty while it is open."""

    __tablename__ = "invitations"

    group_id: UUID = Field(primary_key=True, foreign_key="groups.id")
    agency: str = Field(primary_key=True, foreign_key="agencies.code", sa_type=Text)
    version: int = Field(primary_key=True)
    role: str = Field(sa_type=Text)
    invited_at: datetime = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Expulsion(SQLModel, table=True):
    """Why a chair ended a membership."""

    __tablename__ = "expulsions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["group_id", "agency", "version"],
            ["memberships.group_id", "memberships.agency", "memberships.version"],
        ),
    )

    group_id: UUID = Field(primary_key=True)
    agency: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True)
    reason: str = Field(sa_type=Text)
