"""Attachments as they are answered."""

from typing import Annotated
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.shapes import Shape
from app.core.vocabulary import Vocabulary
from app.models.vocabularies import RecordKind

FileContent = TypeAliasType(
    "FileContent",
    Annotated[str, Field(description="The bytes of a file, as they are.", json_schema_extra={"format": "binary"})],
)
"""The bytes of a file, as they are."""


class AttachmentState(Vocabulary):
    """Whether an attachment is there."""

    ATTACHED = "attached", "It can be downloaded."
    REMOVED = "removed", "It was removed for good; its hash stays, by which copies are found."


class Attachment(Shape):
    """A file that hangs on a record."""

    id: UUID = Field(description="The attachment's id, a UUIDv7.")
    kind: RecordKind = Field(description="The kind of the record that it hangs on.", examples=["incident-reports"])
    record_id: UUID = Field(description="The record that it hangs on.")
    agency: AgencyCode = Field(description="The agency that attached it.", examples=["KR-KNPA"])
    version: int = Field(ge=1, description="Counts its changes; also the ETag.", examples=[1])
    state: AttachmentState = Field(description="Whether it is there.", examples=["attached"])
    filename: Annotated[str, Field(max_length=180)] | None = Field(
        description="What it is called: a name for people, made safe, which ends as its type asks; null once removed.",
        examples=["autopsy consent.pdf"],
    )
    media_type: Annotated[str, Field(max_length=100)] = Field(
        description="What it was found to be by its content.", examples=["application/pdf"]
    )
    size: int = Field(ge=1, le=2**40, description="In bytes.", examples=[48213])
    sha256: Annotated[str, Field(min_length=64, max_length=64, pattern="^[0-9a-f]{64}$")] = Field(
        description="SHA-256 of its bytes, in hexadecimal.",
        examples=["2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"],
    )
    created_at: UtcDateTime = Field(description="When it was attached.")
    removed_at: UtcDateTime | None = Field(description="When it was removed; null while it is there.")
