"""The audit trail and the event feed, as the API reads them; both are written by functions of the database alone."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Text, Uuid
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlmodel import Field, SQLModel


class AuditEntry(SQLModel, table=True):
    """Who did what, when, on whose behalf, why, to which records, and with what outcome."""

    __tablename__ = "audit_entries"

    id: UUID = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    agency: str | None = Field(default=None, sa_type=Text)
    client_id: str | None = Field(default=None, sa_type=Text)
    officer: str | None = Field(default=None, sa_type=Text)
    purpose: str | None = Field(default=None, sa_type=Text)
    action: str = Field(sa_type=Text)
    outcome: str = Field(sa_type=Text)
    kind: str | None = Field(default=None, sa_type=Text)
    record_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    originators: list[str] = Field(sa_type=ARRAY(Text))
    request_id: str | None = Field(default=None, sa_type=Text)
    peer: str | None = Field(default=None, sa_type=INET)
    detail: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    arrival: int = Field(sa_type=BigInteger)


class Event(SQLModel, table=True):
    """That something changed: reference and link, never content."""

    __tablename__ = "events"

    id: UUID = Field(primary_key=True)
    at: datetime = Field(sa_type=DateTime(timezone=True))
    type: str = Field(sa_type=Text)
    kind: str | None = Field(default=None, sa_type=Text)
    record_id: UUID | None = None
    reference: str | None = Field(default=None, sa_type=Text)
    version: int | None = None
    audience: list[str] = Field(sa_type=ARRAY(Text))
    excluded: list[str] = Field(sa_type=ARRAY(Text))
    while_visible: bool = True
    data: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    position: int | None = Field(default=None, sa_type=BigInteger)
    arrival: int = Field(sa_type=BigInteger)
