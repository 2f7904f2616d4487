"""Transports, their manifests, and who is kept apart on them; all written by functions of the database alone."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, Computed, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class Transport(SQLModel, table=True):
    """A journey that one agency organizes and others take part in."""

    __tablename__ = "transports"

    id: UUID = Field(primary_key=True)
    reference: str = Field(sa_type=Text)
    organizer: str = Field(foreign_key="agencies.code", sa_type=Text)
    participants: list[str] = Field(sa_type=ARRAY(Text))
    audience: list[str] = Field(
        sa_column=Column(ARRAY(Text), Computed("participants || organizer", persisted=True), nullable=False)
    )
    mode: str = Field(sa_type=Text)
    carrier: str | None = Field(default=None, sa_type=Text)
    number: str | None = Field(default=None, sa_type=Text)
    departure: dict[str, Any] = Field(sa_type=JSONB)
    arrival: dict[str, Any] = Field(sa_type=JSONB)
    departs_at: datetime = Field(sa_type=DateTime(timezone=True))
    arrives_at: datetime = Field(sa_type=DateTime(timezone=True))
    seats: int
    sections: list[dict[str, Any]] = Field(sa_type=JSONB)
    escorts: list[dict[str, Any]] = Field(sa_type=JSONB)
    escort_rule: dict[str, Any] = Field(sa_type=JSONB)
    permits: list[dict[str, Any]] = Field(sa_type=JSONB)
    note: str | None = Field(default=None, sa_type=Text)
    state: str = Field(default="planned", sa_type=Text)
    state_reason: str | None = Field(default=None, sa_type=Text)
    frozen_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    departed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    arrived_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    version: int = Field(default=1)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))


class ManifestEntry(SQLModel, table=True):
    """Somebody on a manifest: an id of a person, never a name."""

    __tablename__ = "manifest_entries"

    id: UUID = Field(primary_key=True)
    transport_id: UUID = Field(foreign_key="transports.id")
    record_id: UUID = Field(foreign_key="records.id")
    person_id: UUID
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    sides: list[str] = Field(sa_type=ARRAY(Text))
    category: str = Field(sa_type=Text)
    section: str | None = Field(default=None, sa_type=Text)
    state: str = Field(default="listed", sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    receipt: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))


class ManifestChange(SQLModel, table=True):
    """What one call did to a manifest, as it was answered."""

    __tablename__ = "manifest_changes"

    id: UUID = Field(primary_key=True)
    transport_id: UUID = Field(foreign_key="transports.id")
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    action: str = Field(sa_type=Text)
    entries: list[dict[str, Any]] = Field(sa_type=JSONB)
    at: datetime = Field(sa_type=DateTime(timezone=True))


class ManifestSeparation(SQLModel, table=True):
    """Two people who must not share a section."""

    __tablename__ = "manifest_separations"

    id: UUID = Field(primary_key=True)
    transport_id: UUID = Field(foreign_key="transports.id")
    first_person: UUID = Field(foreign_key="persons.id", ondelete="CASCADE")
    second_person: UUID = Field(foreign_key="persons.id", ondelete="CASCADE")
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
