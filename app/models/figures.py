"""Declared figures."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlmodel import Field, SQLModel


class DeclaredFigure(SQLModel, table=True):
    """What an agency said officially, with its source."""

    __tablename__ = "declared_figures"

    id: UUID = Field(primary_key=True)
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    series: str = Field(sa_type=Text)
    country: str | None = Field(default=None, sa_type=Text)
    nationality: str | None = Field(default=None, sa_type=Text)
    period_from: str = Field(sa_type=Text)
    period_to: str = Field(sa_type=Text)
    value: int | None = None
    source: str = Field(sa_type=Text)
    published_on: date
    note: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    withdrawn_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
