"""What stands around every record's own fields, and how both are written into the documents that are served."""

from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from pydantic import Field

from app.access.handling import HIDDEN_FROM_READERS, Handling, ReaderHandling
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.shapes import Shape
from app.core.text import Line, Paragraph
from app.models.vocabularies import LinkType, RecordKind, RecordState

_KIND_CODES: Final = "|".join(kind.code for kind in RecordKind)
_REFERENCE: Final = rf"^[A-Z0-9]{{2,12}}(-[A-Z0-9]{{1,12}}){{0,2}}-({_KIND_CODES})-[0-9]{{4}}-[0-9]{{6}}$"


class _Numbered(Shape):
    id: UUID = Field(description="The record's id, a UUIDv7.")
    reference: str = Field(
        description="The record's number for people: originator, kind, year and six digits.",
        examples=["KR-KNPA-CO-2026-481902"],
        json_schema_extra={"pattern": _REFERENCE},
    )


class _Head(_Numbered):
    external_id: Line | None = Field(description="The originator's own number for the record.", examples=["2026-1187"])
    originator: AgencyCode = Field(description="The agency that owns the record.", examples=["KR-KNPA"])
    version: int = Field(ge=1, description="Counts the changes that readers see; also the ETag.", examples=[1])
    state: str = Field(default=RecordState.CURRENT.value, description="How far the record's own course has come.")
    created_at: UtcDateTime = Field(description="When the record was created.")
    updated_at: UtcDateTime = Field(description="When what readers see last changed.")


class Envelope(_Head):
    """What stands around a record's own fields for its originator."""

    handling: Handling = Field(description="Under which rules the record is shared.")


class SharedEnvelope(_Head):
    """What stands around a record's own fields for its readers."""

    handling: ReaderHandling = Field(description="Under which rules the record is shared.")


class Tombstone(_Numbered):
    """What is left of a record that was retracted or purged."""

    state: Literal[RecordState.RETRACTED, RecordState.PURGED] = Field(
        default=RecordState.RETRACTED, description="Whether it was retracted, or purged after its review date."
    )
    version: int = Field(ge=1, description="The version with which it was retracted or purged.", examples=[3])
    updated_at: UtcDateTime = Field(description="When it was retracted or purged.")


class Cover(_Numbered):
    """What lists show of a record with H3 until the caller's agency acknowledges the caveat: nothing of the content.

    GET by id answers 409 meanwhile, so no ETag ever stands for a cover.
    """

    originator: AgencyCode = Field(description="The agency that owns the record.", examples=["KR-KNPA"])
    version: int = Field(ge=1, description="Counts the changes that readers see.", examples=[1])
    state: Literal[RecordState.ACKNOWLEDGEMENT_REQUIRED] = Field(
        default=RecordState.ACKNOWLEDGEMENT_REQUIRED, description="The caveat is to be acknowledged first."
    )
    created_at: UtcDateTime = Field(description="When the record was created.")
    updated_at: UtcDateTime = Field(description="When what readers see last changed.")
    handling: ReaderHandling = Field(description="Under which rules the record is shared; `caveat` is what to read.")


class LinkIn(Shape):
    """A pointer to another record."""

    type: LinkType = Field(description="What the other record is to this one.")
    kind: RecordKind = Field(description="The other record's kind.")
    id: UUID = Field(description="The other record's id.")
    note: Paragraph | None = Field(default=None, description="What else is to be known about the link.")


class Rendered(NamedTuple):
    """A record as it is served: to its originator, and to everybody else who may see it."""

    document: str
    shared_document: str


def render(envelope: Envelope, content: Shape) -> Rendered:
    """Write a record's two documents: compact JSON, fields in the order of the shapes, every field present."""
    return surround(envelope, content.model_dump_json())


def surround(envelope: Envelope, fields: str) -> Rendered:
    """Write a record's two documents around its own fields, which are a JSON object already.

    Both differ only in what readers may not see of the handling.
    """
    head = envelope.model_dump_json()
    shared_head = envelope.model_dump_json(exclude={"handling": HIDDEN_FROM_READERS})
    return Rendered(f"{head[:-1]},{fields[1:]}", f"{shared_head[:-1]},{fields[1:]}")


def changed_fields(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Name the fields whose JSON values differ, in their order; for what a version's readers are told."""
    return [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
