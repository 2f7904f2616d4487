"""Records and what hangs on them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, Column, Computed, DateTime, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class Record(SQLModel, table=True):
    """Anything exchanged under handling rules.

    `document` is its API form for the originator, `shared_document` for readers.
    """

    __tablename__ = "records"

    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    originator: str = Field(sa_type=Text)
    external_id: str | None = Field(default=None, sa_type=Text)
    version: int = Field(default=1)
    audience_version: int = Field(default=1)
    state: str = Field(default="current", sa_type=Text)
    life: str | None = Field(default=None, sa_type=Text)
    """How far the record's own course has come, for kinds that have one."""
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    handling: dict[str, Any] = Field(sa_type=JSONB)
    audience: list[str] = Field(sa_type=ARRAY(Text))
    excluded: list[str] = Field(sa_type=ARRAY(Text))
    parties: list[str] = Field(sa_type=ARRAY(Text))
    """Agencies that the record is about."""
    covered: bool = Field(
        sa_column=Column(
            Boolean,
            Computed("state = 'current' AND coalesce(handling -> 'codes' ? 'H3', false)", persisted=True),
            nullable=False,
        )
    )
    """Whether readers must acknowledge the caveat before they are shown anything of the content (H3)."""
    facets: list[str] = Field(sa_type=ARRAY(Text))
    names: list[str] = Field(sa_type=ARRAY(Text))
    document: str = Field(sa_type=Text)
    shared_document: str = Field(sa_type=Text)


class RecordVersion(SQLModel, table=True):
    """One version of a record as it was served; `changed` names the fields that differ from the version before."""

    __tablename__ = "record_versions"

    record_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    at: datetime = Field(sa_type=DateTime(timezone=True))
    agency: str | None = Field(default=None, sa_type=Text)
    """Whose doing it was, where that was a party and not the originator."""
    changed: list[str] = Field(sa_type=ARRAY(Text))
    document: str = Field(sa_type=Text)
    shared_document: str = Field(sa_type=Text)


class Disclosure(SQLModel, table=True):
    """The logged act of opening a record to agencies and groups."""

    __tablename__ = "disclosures"

    id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="records.id")
    agencies: list[str] = Field(sa_type=ARRAY(Text))
    groups: list[UUID] = Field(sa_type=ARRAY(Uuid))
    legal_basis: UUID | None = Field(default=None, foreign_key="agreements.id")
    without_basis: bool
    purpose: str = Field(sa_type=Text)
    emergency: str | None = Field(default=None, sa_type=Text)
    lapses_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    confirmed_by: UUID | None = Field(default=None, foreign_key="disclosures.id")
    confirmation: str | None = Field(default=None, sa_type=Text)
    version: int = Field(default=1)
    at: datetime = Field(sa_type=DateTime(timezone=True))
    officer: str | None = Field(default=None, sa_type=Text)
    onward_request_id: UUID | None = Field(default=None, foreign_key="onward_requests.id")


class RecordLink(SQLModel, table=True):
    """A pointer from one record to another, seen only by those who see both ends."""

    __tablename__ = "record_links"

    id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="records.id")
    type: str = Field(sa_type=Text)
    target_id: UUID = Field(foreign_key="records.id")
    target_kind: str = Field(sa_type=Text)
    since: str | None = Field(default=None, sa_type=Text)
    note: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))


class CaveatAcknowledgement(SQLModel, table=True):
    """That an agency acknowledged a record's caveat in the words that this version of the record had."""

    __tablename__ = "caveat_acknowledgements"

    id: UUID = Field(primary_key=True)
    record_id: UUID
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    caveat: str = Field(sa_type=Text)
    caveat_hash: bytes = Field(sa_type=LargeBinary)
    record_version: int
    client_id: str = Field(sa_type=Text)
    officer: str | None = Field(default=None, sa_type=Text)
    at: datetime = Field(sa_type=DateTime(timezone=True))


class Amendment(SQLModel, table=True):
    """A merge patch that a reader proposes to the originator."""

    __tablename__ = "amendments"

    id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="records.id")
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    patch: dict[str, Any] = Field(sa_type=JSONB)
    note: str | None = Field(default=None, sa_type=Text)
    base_version: int
    state: str = Field(default="proposed", sa_type=Text)
    decision_note: str | None = Field(default=None, sa_type=Text)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))


class Sighting(SQLModel, table=True):
    """A reader's observation that corroborates or contradicts a profile."""

    __tablename__ = "sightings"

    id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="records.id")
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    assessment: str = Field(sa_type=Text)
    observed_on: str | None = Field(default=None, sa_type=Text)
    note: str | None = Field(default=None, sa_type=Text)
    grading: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    created_at: datetime = Field(sa_type=DateTime(timezone=True))


class ReviewWarning(SQLModel, table=True):
    """That a record's originator was warned of a review date."""

    __tablename__ = "review_warnings"

    record_id: UUID = Field(foreign_key="records.id", primary_key=True)
    review_on: date = Field(primary_key=True)
    at: datetime = Field(sa_type=DateTime(timezone=True))


class Renewal(SQLModel, table=True):
    """That a record's originator set a later review date, and why."""

    __tablename__ = "renewals"

    id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="records.id")
    reason: str = Field(sa_type=Text)
    former_review_on: date
    review_on: date
    officer: str | None = Field(default=None, sa_type=Text)
    at: datetime = Field(sa_type=DateTime(timezone=True))


class LegalHold(SQLModel, table=True):
    """What keeps a record from being purged."""

    __tablename__ = "legal_holds"

    id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="records.id")
    reason: str = Field(sa_type=Text)
    authority: str | None = Field(default=None, sa_type=Text)
    until: date | None = Field(default=None)
    officer: str | None = Field(default=None, sa_type=Text)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    released_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    release_reason: str | None = Field(default=None, sa_type=Text)
