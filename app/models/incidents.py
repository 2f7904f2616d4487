"""Calls to acknowledge urgent incident reports."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Text, UniqueConstraint
from sqlmodel import Field, SQLModel


class IncidentAlarm(SQLModel, table=True):
    """Since when a report is urgent, and until when it was."""

    __tablename__ = "incident_alarms"

    id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="records.id")
    urgency: str = Field(sa_type=Text)
    raised_at: datetime = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class IncidentCall(SQLModel, table=True):
    """A call on one agency to acknowledge an urgent report."""

    __tablename__ = "incident_calls"
    __table_args__ = (UniqueConstraint("alarm_id", "agency"),)

    id: UUID = Field(primary_key=True)
    alarm_id: UUID = Field(foreign_key="incident_alarms.id")
    record_id: UUID = Field(foreign_key="records.id")
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    urgency: str = Field(sa_type=Text)
    called_at: datetime = Field(sa_type=DateTime(timezone=True))
    due_at: datetime = Field(sa_type=DateTime(timezone=True))
    acknowledged_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    note: str | None = Field(default=None, sa_type=Text)
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    overdue_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
