"""Onward requests."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text
from sqlmodel import Field, SQLModel


class OnwardRequest(SQLModel, table=True):
    """A reader's request for leave to pass a record on, and the originator's answer."""

    __tablename__ = "onward_requests"

    id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="records.id")
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    agencies: list[str] = Field(sa_type=ARRAY(Text))
    reason: str = Field(sa_type=Text)
    respond_by: datetime = Field(sa_type=DateTime(timezone=True))
    state: str = Field(default="requested", sa_type=Text)
    granted_to: list[str] | None = Field(default=None, sa_type=ARRAY(Text))
    decision_note: str | None = Field(default=None, sa_type=Text)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    overdue_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
