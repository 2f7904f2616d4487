"""What hangs on repatriation requests."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text
from sqlmodel import Field, SQLModel


class RepatriationStep(SQLModel, table=True):
    """A change of a request's state; written by a trigger, whatever made it."""

    __tablename__ = "repatriation_steps"

    record_id: UUID = Field(foreign_key="records.id", primary_key=True)
    number: int = Field(primary_key=True)
    from_state: str | None = Field(default=None, sa_type=Text)
    state: str = Field(sa_type=Text)
    agency: str | None = Field(default=None, sa_type=Text)
    at: datetime = Field(sa_type=DateTime(timezone=True))


class RepatriationMessage(SQLModel, table=True):
    """A message between the sides of a request."""

    __tablename__ = "repatriation_messages"

    id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="records.id")
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    officer: str | None = Field(default=None, sa_type=Text)
    sides: list[str] = Field(sa_type=ARRAY(Text))
    text: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
