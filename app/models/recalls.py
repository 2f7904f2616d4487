"""Recalls, as the API reads them; both tables are written by functions of the database alone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlmodel import Field, SQLModel


class Recall(SQLModel, table=True):
    """That a record was taken back, with what its recipients knew of it: a recall outlives its record."""

    __tablename__ = "recalls"

    id: UUID = Field(primary_key=True)
    record_id: UUID
    kind: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    originator: str = Field(foreign_key="agencies.code", sa_type=Text)
    cause: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=DateTime(timezone=True))
    due_at: datetime = Field(sa_type=DateTime(timezone=True))


class RecallRecipient(SQLModel, table=True):
    """One agency that lost sight by a recall, and what it did with its copies; seen by it and the originator alone."""

    __tablename__ = "recall_recipients"

    recall_id: UUID = Field(foreign_key="recalls.id", primary_key=True)
    agency: str = Field(foreign_key="agencies.code", primary_key=True, sa_type=Text)
    record_id: UUID
    originator: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=DateTime(timezone=True))
    due_at: datetime = Field(sa_type=DateTime(timezone=True))
    state: str = Field(default="open", sa_type=Text)
    outcome: str | None = Field(default=None, sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    closed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    notices: int = Field(default=0)
    next_notice_at: datetime = Field(sa_type=DateTime(timezone=True))
