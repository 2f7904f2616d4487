"""Meetings, what they are about, and what is to be done after them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class Meeting(SQLModel, table=True):
    """A meeting that an agency calls, with agenda, minutes and decisions."""

    __tablename__ = "meetings"

    id: UUID = Field(primary_key=True)
    reference: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    convener: str = Field(foreign_key="agencies.code", sa_type=Text)
    agencies: list[str] = Field(sa_type=ARRAY(Text))
    groups: list[UUID] = Field(sa_type=ARRAY(Uuid))
    audience: list[str] = Field(sa_type=ARRAY(Text))
    starts_at: datetime = Field(sa_type=DateTime(timezone=True))
    ends_at: datetime = Field(sa_type=DateTime(timezone=True))
    time_zone: str = Field(sa_type=Text)
    place: str | None = Field(default=None, sa_type=Text)
    video_link: str | None = Field(default=None, sa_type=Text)
    agenda: list[dict[str, Any]] = Field(sa_type=JSONB)
    state: str = Field(default="draft", sa_type=Text)
    minutes: str | None = Field(default=None, sa_type=Text)
    decisions: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    version: int = Field(default=1)
    called_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    cancel_reason: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))


class MeetingLink(SQLModel, table=True):
    """A pointer from a meeting to a record or an agreement."""

    __tablename__ = "meeting_links"

    id: UUID = Field(primary_key=True)
    meeting_id: UUID = Field(foreign_key="meetings.id")
    kind: str = Field(sa_type=Text)
    target_id: UUID
    note: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))


class MeetingAction(SQLModel, table=True):
    """What an agency is to do after a meeting, and by when."""

    __tablename__ = "meeting_actions"

    id: UUID = Field(primary_key=True)
    meeting_id: UUID = Field(foreign_key="meetings.id")
    text: str = Field(sa_type=Text)
    owner: str = Field(foreign_key="agencies.code", sa_type=Text)
    due_on: date
    state: str = Field(default="open", sa_type=Text)
    note: str | None = Field(default=None, sa_type=Text)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    closed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    told_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
