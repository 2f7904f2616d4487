"""Agreements between agencies, and who has signed them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class Agreement(SQLModel, table=True):
    """A memorandum, treaty, exchange of letters or charter that makes sharing lawful between its parties."""

    __tablename__ = "agreements"

    id: UUID = Field(primary_key=True)
    reference: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    originator: str = Field(foreign_key="agencies.code", sa_type=Text)
    record_kinds: list[str] = Field(sa_type=ARRAY(Text))
    crime_types: list[str] = Field(sa_type=ARRAY(Text))
    purposes: list[str] = Field(sa_type=ARRAY(Text))
    persons_data: bool
    territory: list[str] = Field(sa_type=ARRAY(Text))
    valid_from: date
    valid_until: date | None = None
    documents: list[Any] = Field(sa_type=JSONB)
    state: str = Field(default="draft", sa_type=Text)
    content_hash: str = Field(sa_type=Text)
    version: int = Field(default=1)
    proposed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    in_force_since: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    suspensions: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    termination: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class AgreementParty(SQLModel, table=True):
    """An agency's part in an agreement, and its signature."""

    __tablename__ = "agreement_parties"

    agreement_id: UUID = Field(primary_key=True, foreign_key="agreements.id")
    agency: str = Field(primary_key=True, foreign_key="agencies.code", sa_type=Text)
    signed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    signed_hash: str | None = Field(default=None, sa_type=Text)
    signed_by: str | None = Field(default=None, sa_type=Text)
    officer: str | None = Field(default=None, sa_type=Text)
