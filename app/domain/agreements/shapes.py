"""Bodies of the calls about agreements and their signatures."""

import hashlib
import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final, Self, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from app.audit.canonical import canonical
from app.core.codes import AgencyCode, Country
from app.core.dates import CalendarDate, UtcDateTime
from app.core.merge_patch import MergePatch
from app.core.problems import Flaw
from app.core.shapes import Code, Shape, distinct, refuse
from app.core.text import LONG_LINE_MAX, Line, Paragraph
from app.models.vocabularies import AgreementKind, AgreementState, CrimeType, RecordKind

PARTIES_MAX: Final = 100
_PARTIES_MIN: Final = 2
_DOCUMENTS_MAX: Final = 50
_PURPOSES_MAX: Final = 20
_COUNTRIES_MAX: Final = 250

_sha256 = re.compile(r"[0-9a-f]{64}")
_url = re.compile(r"[!-~]+")
_too_few = PydanticCustomError("parties-too-few", "Name at least two agencies, your own among them.")

_Word = TypeVar("_Word", bound=str)


def _in_order(words: list[_Word]) -> list[_Word]:
    """Each word once, in the order of their characters: in whatever order they are sent, the hash is the same."""
    return sorted(set(words), key=str)


def _two_at_least(parties: list[str]) -> list[str]:
    if len(parties) < _PARTIES_MIN:
        raise _too_few
    return parties


def _check_sha256(value: str) -> str | None:
    return value if _sha256.fullmatch(value) else None


def _check_url(value: str) -> str | None:
    if len(value) > LONG_LINE_MAX or not _url.fullmatch(value):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return value if parts.scheme in ("http", "https") and parts.hostname else None


Sha256 = TypeAliasType(
    "Sha256",
    Annotated[
        str,
        Code(
            _check_sha256,
            "sha256-invalid",
            "Write a SHA-256 as 64 hexadecimal digits in lower case.",
            lambda: {
                "description": "A SHA-256, 64 hexadecimal digits in lower case.",
                "pattern": "^[0-9a-f]{64}$",
                "maxLength": 64,
                "examples": ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
            },
        ),
    ],
)

WebAddress = TypeAliasType(
    "WebAddress",
    Annotated[
        str,
        Code(
            _check_url,
            "url-invalid",
            "Write a whole address that begins with https:// or http://, without blanks.",
            lambda: {
                "description": "An address on the web; the hub never opens it.",
                "pattern": "^https?://[!-~]+$",
                "maxLength": LONG_LINE_MAX,
                "examples": ["https://police.example/mou-2026.pdf"],
            },
        ),
    ],
)


class AgreementDocument(Shape):
    """A text that belongs to an agreement, kept elsewhere."""

    title: Line = Field(description="What the text is.", examples=["Memorandum, English text"])
    sha256: Sha256 | None = Field(default=None, description="SHA-256 of its bytes, so that nobody can exchange it.")
    url: WebAddress | None = Field(default=None, description="Where it can be fetched.")
    note: Paragraph | None = Field(default=None, description="Where it is kept, or what else is to be known of it.")


class AgreementContent(Shape):
    """What an agreement says: this is what its parties sign, and what the content hash is of.

    Lists of codes hold each code once and are answered in alphabetical order, in whatever order they are sent.
    """

    kind: AgreementKind = Field(description="What kind of agreement it is.", examples=["mou"])
    title: Line = Field(description="What it is called.", examples=["Memorandum on scam compounds"])
    parties: Annotated[
        list[AgencyCode],
        Field(min_length=_PARTIES_MIN, max_length=PARTIES_MAX),
        AfterValidator(_in_order),
        AfterValidator(_two_at_least),
    ] = Field(
        description="The agencies that are to sign it; your own is one of them.", examples=[["KH-CNP", "KR-KNPA"]]
    )
    record_kinds: Annotated[list[RecordKind], Field(min_length=1, max_length=10), AfterValidator(_in_order)] = Field(
        description="Kinds of records that may be shared by it.", examples=[["criminal-organizations"]]
    )
    crime_types: Annotated[list[CrimeType], Field(max_length=50), AfterValidator(_in_order)] = Field(
        default_factory=list, description="Types of crime that it covers; none named: all.", examples=[["kidnapping"]]
    )
    purposes: Annotated[list[Line], Field(max_length=_PURPOSES_MAX), AfterValidator(distinct)] = Field(
        default_factory=list,
        description="What may be done with what is shared by it; none named: what its documents say.",
        examples=[["Search for missing persons"]],
    )
    persons_data: bool = Field(default=False, description="Whether data of victims and suspects may be shared by it.")
    territory: Annotated[list[Country], Field(max_length=_COUNTRIES_MAX), AfterValidator(_in_order)] = Field(
        default_factory=list, description="Countries in which it holds; none named: everywhere.", examples=[["KH"]]
    )
    valid_from: CalendarDate = Field(
        description="Its first day, in UTC. It comes into force then, or when the last party signs, if that is later.",
        examples=["2026-12-01"],
    )
    valid_until: CalendarDate | None = Field(
        default=None, description="Its last day, in UTC; null: without end.", examples=["2031-11-30"]
    )
    documents: list[AgreementDocument] = Field(
        default_factory=list, max_length=_DOCUMENTS_MAX, description="The texts that belong to it."
    )

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        over = self.valid_until is not None and self.valid_until < self.valid_from
        detail = "The last day cannot lie before the first."
        refuse("AgreementContent", [Flaw("/valid_until", "dates-out-of-order", detail)] if over else [])
        return self


CONTENT: Final[Sequence[str]] = tuple(AgreementContent.model_fields)
"""The fields that an agreement's content consists of."""


def content_of(agreement: AgreementContent) -> dict[str, Any]:
    """What an agreement says, as JSON values."""
    return agreement.model_dump(mode="json", include=set(CONTENT))


def content_hash(content: dict[str, Any]) -> str:
    """SHA-256, in hexadecimal digits, of the canonical form (RFC 8785) of what an agreement says."""
    return hashlib.sha256(canonical(content)).hexdigest()


class AgreementCreate(AgreementContent):
    """An agreement to be drafted; your agency is its originator."""


class AgreementPatch(MergePatch):
    """A merge patch (RFC 7396) of an agreement's content: what is left out stays, null clears, lists are replaced."""

    target: ClassVar[type[Shape]] = AgreementContent


class AgreementSignatureIn(Shape):
    """Your agency's consent to what the agreement says now."""

    content_hash: Sha256 = Field(
        description="The `content_hash` of what your agency agrees to. Compute it from the content that it looked at."
    )


class AgreementReason(Shape):
    """Why an agreement is suspended or ended."""

    reason: Paragraph = Field(
        description="The reason, as all parties read it.", examples=["The safeguards agreed on are not in place."]
    )


class AgreementStop(Shape):
    """A party's decision to suspend or end an agreement."""

    agency: AgencyCode = Field(description="The party.")
    at: UtcDateTime = Field(description="When.")
    reason: Paragraph = Field(description="Why.")


class Agreement(AgreementContent):
    """An agreement as its parties see it."""

    id: UUID = Field(description="The agreement's id.")
    reference: str = Field(description="Its number for people.", examples=["KR-KNPA-AG-2026-481902"])
    originator: AgencyCode = Field(description="The party that drafted it, and may change it while it is negotiated.")
    state: AgreementState = Field(description="How far it has come.")
    content_hash: Sha256 = Field(
        description="SHA-256 of the canonical form (RFC 8785) of an object of exactly these members of the agreement: "
        + ", ".join(f"`{name}`" for name in CONTENT)
        + ". This is what parties sign."
    )
    proposed_at: UtcDateTime | None = Field(description="When it was opened to its parties; null for a draft.")
    in_force_since: UtcDateTime | None = Field(
        description="Since when it is in force without a break; null while it is not."
    )
    suspensions: list[AgreementStop] = Field(
        description="The suspensions that stand, oldest first; each ends when its party reinstates the agreement."
    )
    termination: AgreementStop | None = Field(description="Who ended it and why; null unless a party did.")
    version: int = Field(ge=1, description="Counts the changes of these fields; also the ETag.")
    created_at: UtcDateTime = Field(description="When it was drafted.")
    updated_at: UtcDateTime = Field(description="When one of these fields last changed.")
    ended_at: UtcDateTime | None = Field(description="When it was terminated or had expired; null before.")


class AgreementSignature(Shape):
    """A party's signature on what the agreement says."""

    agency: AgencyCode = Field(description="The party.")
    signed_at: UtcDateTime = Field(description="When it signed.")
    content_hash: Sha256 = Field(description="The hash that it signed: the agreement's own, or it would be void.")
    client_id: str | None = Field(
        description="The credential that signed, where it is one of your own agency's; else null."
    )
    officer: str | None = Field(
        description="Your agency's officer on whose behalf it signed; null for every other agency's."
    )
