"""The log of joint operations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlmodel import Field, SQLModel


class OperationLogEntry(SQLModel, table=True):
    """Something that happened in an operation, as one of its agencies wrote it down; it is never changed."""

    __tablename__ = "operation_log"

    id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="records.id")
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    officer: str | None = Field(default=None, sa_type=Text)
    at: datetime = Field(sa_type=DateTime(timezone=True))
    kind: str = Field(sa_type=Text)
    entry: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
