"""(a) What most people would write: synchronous SQLModel CRUD of the same profiles, without a single check.

The idiom is that of the SQLModel and FastAPI tutorials: `def` endpoints in the thread pool, one session per request as
a dependency, one class per direction, `response_model`. Where the tutorials leave a choice it is made in favour of this
baseline: what is nested stands in one JSON column and stays a dictionary (a column for each list, or a model for each
of their values, costs more), the page's order has an index, and no thread ever waits for a connection.
"""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4

import psycopg
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from sqlalchemy import JSON, DateTime, Index, create_engine
from sqlalchemy.orm import registry
from sqlmodel import Field, Session, SQLModel, col, select  # noqa: TID251 - the idiom that is measured

DATABASE_VARIABLE = "BENCH_DATABASE"
POOL_SIZE = 16
THREADS = 40  # what AnyIO's pool holds, so that no thread ever waits for a connection
PATH = "/v1/criminal-organizations"


class Base(SQLModel, registry=registry()):
    """Tables of the bench, apart from any other metadata."""


class ProfileFields(Base):
    """What a client sends."""

    name: str = Field(index=True, max_length=300)
    kind: str
    status: str
    summary: str
    threat_level: str
    modus_operandi: str | None = None
    estimated_members: int | None = None
    founded_on: date | None = None
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


def _now() -> datetime:
    return datetime.now(UTC)


class Profile(ProfileFields, table=True):
    """A row."""

    __tablename__ = "plain_profiles"
    __table_args__: ClassVar = (Index("plain_profiles_newest", "updated_at", "id"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    reference: str = Field(default_factory=lambda: f"BENCH-{uuid4().hex[:12]}", unique=True)
    originator: str = "BENCH-WIDE"
    version: int = 1
    created_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))


class ProfileRead(ProfileFields):
    """What a client gets."""

    id: UUID
    reference: str
    originator: str
    version: int
    created_at: datetime
    updated_at: datetime


class ProfileUpdate(Base):
    """What a client may change, as far as the bench changes it."""

    summary: str | None = None
    status: str | None = None
    threat_level: str | None = None


class Page(Base):
    """One page of a list."""

    items: list[ProfileRead]
    next_cursor: str | None


def session(request: Request) -> Iterator[Session]:
    """One session for one request."""
    with Session(request.app.state.engine) as opened:
        yield opened


SessionDep = Annotated[Session, Depends(session)]


def create_app() -> FastAPI:
    """The application, on the database that BENCH_DATABASE names."""
    app = FastAPI()
    conninfo = os.environ[DATABASE_VARIABLE]
    app.state.engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(conninfo),
        pool_size=POOL_SIZE,
        max_overflow=THREADS - POOL_SIZE,
    )
    app.post(PATH, response_model=ProfileRead, status_code=201)(create_profile)
    app.get(PATH, response_model=Page)(read_profiles)
    app.get(PATH + "/{profile_id}", response_model=ProfileRead)(read_profile)
    app.patch(PATH + "/{profile_id}", response_model=ProfileRead)(update_profile)
    return app


def create_profile(session: SessionDep, sent: ProfileFields) -> Profile:
    """Insert a profile."""
    profile = Profile.model_validate(sent)
    session.add(profile)
    session.commit()
    session.refresh(profile)
    return profile


def read_profiles(
    session: SessionDep, limit: Annotated[int, Query(le=500)] = 50, cursor: datetime | None = None
) -> dict[str, Any]:
    """The newest profiles, or those before a moment."""
    statement = select(Profile).order_by(col(Profile.updated_at).desc(), col(Profile.id).desc()).limit(limit)
    if cursor is not None:
        statement = statement.where(col(Profile.updated_at) < cursor)
    items = session.exec(statement).all()
    return {"items": items, "next_cursor": items[-1].updated_at.isoformat() if len(items) == limit else None}


def read_profile(session: SessionDep, profile_id: UUID) -> Profile:
    """One profile."""
    profile = session.get(Profile, profile_id)
    if profile is None:
        raise HTTPException(status_code=404, detail="Profile not found")
    return profile


def update_profile(session: SessionDep, profile_id: UUID, sent: ProfileUpdate) -> Profile:
    """Change what is sent."""
    profile = read_profile(session, profile_id)
    profile.sqlmodel_update(sent.model_dump(exclude_unset=True))
    profile.version += 1
    profile.updated_at = _now()
    session.add(profile)
    session.commit()
    session.refresh(profile)
    return profile
