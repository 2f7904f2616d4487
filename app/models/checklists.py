"""The rules that checklists are made of, as the API reads them; they are written by functions of the database alone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlmodel import Field, SQLModel


class ChecklistRule(SQLModel, table=True):
    """That something has to be done before people of some category go home by some act, from and to some country."""

    __tablename__ = "checklist_rules"

    id: UUID = Field(primary_key=True)
    code: str = Field(sa_type=Text)
    category: str | None = Field(default=None, sa_type=Text)
    legal_act: str | None = Field(default=None, sa_type=Text)
    from_country: str | None = Field(default=None, sa_type=Text)
    to_country: str | None = Field(default=None, sa_type=Text)
    asked: bool = Field(default=True)
    title: str = Field(sa_type=Text)
    side: str = Field(sa_type=Text)
    per: str = Field(sa_type=Text)
    before: str = Field(sa_type=Text)
    needs: str = Field(sa_type=Text)
    with_transit: bool = Field(default=False)
    days_after_submission: int | None = None
    days_before_due: int | None = None
    waivable: bool
    source: str | None = Field(default=None, sa_type=Text)
    place: int
    changed_at: datetime = Field(sa_type=DateTime(timezone=True))
