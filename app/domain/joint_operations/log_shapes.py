"""Bodies of the calls about an operation's log."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from app.core import clock
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.shapes import Shape
from app.core.text import Paragraph
from app.models.operation_vocabularies import LogKind

_SKEW: Final = timedelta(minutes=1)
"""How far a partner's clock may be ahead of this one."""
_ahead = PydanticCustomError("moment-ahead", "Write down what has happened: the moment lies ahead.")


class OperationLogEntryIn(Shape):
    """Something that happened in the operation."""

    at: UtcDateTime | None = Field(
        default=None, description="When it happened, not after now; the moment of the call if left out."
    )
    kind: LogKind = Field(description="What the entry tells of.", examples=["arrest"])
    entry: Paragraph = Field(description="What happened.", examples=["Two people arrested at the northern gate."])

    @field_validator("at")
    @classmethod
    def _has_happened(cls, at: UtcDateTime | None) -> UtcDateTime | None:
        if at is not None and at > clock.now() + _SKEW:
            raise _ahead
        return at


class OperationLogEntry(Shape):
    """Something that happened in the operation, as one of its agencies wrote it down. It is never changed."""

    id: UUID = Field(description="The entry's id.")
    at: UtcDateTime = Field(description="When it happened.")
    agency: AgencyCode = Field(description="Which agency wrote it down.", examples=["KH-CNP"])
    officer: str | None = Field(
        description="On whose behalf, if the call said so by `On-Behalf-Of`.", examples=["Insp. Example"]
    )
    kind: LogKind = Field(description="What the entry tells of.")
    entry: Paragraph = Field(description="What happened.")
    created_at: UtcDateTime = Field(description="When it was written down; no two entries share one.")
