"""Attachments, as the API reads them; both tables are written by functions of the database alone.

The bytes themselves are in the store. What an attachment is called is ciphertext here; the keys to both stand in a
table of their own, which a backup leaves out.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, LargeBinary, Text
from sqlmodel import Field, SQLModel


class Attachment(SQLModel, table=True):
    """A file that hangs on a record; of a removed one what it was called and its bytes are gone."""

    __tablename__ = "attachments"

    id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="records.id")
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    version: int = Field(default=1)
    media_type: str = Field(sa_type=Text)
    size: int = Field(sa_type=BigInteger)
    sha256: bytes = Field(sa_type=LargeBinary)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    removed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class AttachmentKey(SQLModel, table=True):
    """The wrapped key of one attachment; without this row nobody can read that attachment any more."""

    __tablename__ = "attachment_keys"

    attachment_id: UUID = Field(foreign_key="attachments.id", primary_key=True)
    kek_id: UUID = Field(foreign_key="person_keks.id")
    wrapped: bytes = Field(sa_type=LargeBinary)
