"""What hangs on joint operations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text
from sqlmodel import Field, SQLModel


class OperationApproval(SQLModel, table=True):
    """What one agency decided on one plan."""

    __tablename__ = "operation_approvals"

    id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="records.id")
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    decision: str = Field(sa_type=Text)
    plan_hash: str = Field(sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    statement: str = Field(sa_type=Text)
    client_id: str = Field(sa_type=Text)
    officer: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    voided_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class OperationTeam(SQLModel, table=True):
    """A joint team with which a plan was proposed, and whom it had then."""

    __tablename__ = "operation_teams"

    record_id: UUID = Field(foreign_key="records.id", primary_key=True)
    group_id: UUID = Field(foreign_key="groups.id", primary_key=True)
    role: str = Field(sa_type=Text)
    approval_required: bool
    members: list[str] = Field(sa_type=ARRAY(Text))
