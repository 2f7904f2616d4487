"""Persons, as the API reads them; all four tables are written by functions of the database alone.

What identifies a person is ciphertext here. The keys to it stand in tables of their own, which a backup leaves out.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary, Text
from sqlmodel import Field, SQLModel


class Person(SQLModel, table=True):
    """A person of a record: ids and times in clear, everything else closed with the person's own key."""

    __tablename__ = "persons"

    id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="records.id")
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    version: int = Field(default=1)
    sealed: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))


class PersonVersion(SQLModel, table=True):
    """A person as it was before a change, for a day: a repeated call answers the version that the first one made."""

    __tablename__ = "person_versions"

    person_id: UUID = Field(foreign_key="persons.id", primary_key=True)
    version: int = Field(primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    made_at: datetime = Field(sa_type=DateTime(timezone=True))


class PersonKek(SQLModel, table=True):
    """A key-encryption key, sealed with the master key: it wraps the keys of persons, and is replaced by a rotation."""

    __tablename__ = "person_keks"

    id: UUID = Field(primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))


class PersonKey(SQLModel, table=True):
    """The wrapped key of one person; without this row nobody can read that person any more."""

    __tablename__ = "person_keys"

    person_id: UUID = Field(foreign_key="persons.id", primary_key=True)
    kek_id: UUID = Field(foreign_key="person_keks.id")
    wrapped: bytes = Field(sa_type=LargeBinary)
