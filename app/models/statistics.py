"""Published statistics."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class StatisticsPublication(SQLModel, table=True):
    """A moment as of which tables over all incident reports were published."""

    __tablename__ = "statistics_publications"

    as_of: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    published_at: datetime = Field(sa_type=DateTime(timezone=True))


class PublishedStatistics(SQLModel, table=True):
    """One table of a publication, for the reports of one year."""

    __tablename__ = "published_statistics"

    as_of: datetime = Field(
        primary_key=True, foreign_key="statistics_publications.as_of", sa_type=DateTime(timezone=True)
    )
    period: str = Field(primary_key=True, sa_type=Text)
    table: str = Field(primary_key=True, sa_type=Text)
    cells: list[dict[str, Any]] = Field(sa_type=JSONB)
    counted_at: datetime = Field(sa_type=DateTime(timezone=True))
