"""What partner systems sign in with."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, LargeBinary, Text
from sqlalchemy.dialects.postgresql import CIDR, JSONB
from sqlmodel import Field, SQLModel


class Credential(SQLModel, table=True):
    """One partner system's way in: roles, secret (as a hash) or public keys, expiry; belongs to one agency."""

    __tablename__ = "credentials"

    client_id: str = Field(primary_key=True, sa_type=Text)
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    label: str = Field(sa_type=Text)
    roles: list[str] = Field(sa_type=ARRAY(Text))
    auth_method: str = Field(sa_type=Text)
    allowed_networks: list[str] = Field(default_factory=list, sa_type=ARRAY(CIDR))
    jwks: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    secret_hash: bytes | None = Field(default=None, sa_type=LargeBinary)
    former_secret_hash: bytes | None = Field(default=None, sa_type=LargeBinary)
    former_secret_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    expires_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    status: str = Field(default="active", sa_type=Text)
    tokens_valid_from: datetime = Field(sa_type=DateTime(timezone=True))
    version: int = Field(default=1)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    revoked_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    last_used_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    warned_days: int | None = Field(default=None)
    issued_by: str | None = Field(default=None, sa_type=Text)


class Recovery(SQLModel, table=True):
    """A platform administrator's request for a fresh agency_admin credential; takes effect after 24 hours."""

    __tablename__ = "recoveries"

    id: UUID = Field(primary_key=True)
    agency: str = Field(foreign_key="agencies.code", sa_type=Text)
    label: str = Field(sa_type=Text)
    requested_by: str = Field(sa_type=Text)
    requested_at: datetime = Field(sa_type=DateTime(timezone=True))
    effective_at: datetime = Field(sa_type=DateTime(timezone=True))
    state: str = Field(default="pending", sa_type=Text)
    decided_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    decided_by: str | None = Field(default=None, sa_type=Text)
    completed_with: str | None = Field(default=None, foreign_key="credentials.client_id", sa_type=Text)
