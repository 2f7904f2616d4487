"""Bodies of the calls about checklists, and the rules that these are made of."""

from datetime import date
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, Field, Strict, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from app.core import clock
from app.core.codes import AgencyCode, Country
from app.core.dates import CalendarDate, UtcDateTime
from app.core.shapes import Shape, distinct
from app.core.text import Line, LongLine, Paragraph
from app.models.checklist_vocabularies import (
    ChecklistAction,
    ChecklistItemState,
    ChecklistNeed,
    ChecklistPer,
    ChecklistStep,
    ResponsibleSide,
    ScreeningResult,
)
from app.models.repatriation_vocabularies import LegalAct, RepatriationCategory

CODE: Final = r"^[a-z][a-z0-9_]{1,59}$"
PERSONS_MAX: Final = 1000

ItemCode = Annotated[str, StringConstraints(pattern=CODE, max_length=60)]
Days = Annotated[int, Strict(), Field(ge=0, le=3650)]
PersonIds = Annotated[list[UUID], AfterValidator(distinct)]

_ahead = PydanticCustomError("date-ahead", "A document was issued today or before.")


class ChecklistDocument(Shape):
    """A document that shows that an item is done. Names have no place here: name the document, not the person."""

    title: LongLine = Field(description="What it is.", examples=["Autopsy report, joint team, 3 pages"])
    number: Line | None = Field(default=None, description="Its number.", examples=["KH-FOR-2026-0117"])
    issuer: Line | None = Field(default=None, description="Who issued it.", examples=["Kampot provincial hospital"])
    issued_on: CalendarDate | None = Field(default=None, description="When it was issued.", examples=["2026-11-20"])

    @field_validator("issued_on")
    @classmethod
    def _is_issued(cls, value: date | None) -> date | None:
        if value is not None and value > clock.now().date():
            raise _ahead
        return value


class ChecklistCompletionIn(Shape):
    """That an item is done, for all persons for whom it is open or for those named."""

    persons: PersonIds | None = Field(
        default=None,
        min_length=1,
        max_length=PERSONS_MAX,
        description="For whom, by the ids of persons of the request; left out, for all for whom it is open. Only for "
        "an item that is done for each person.",
        examples=[["01a202b0-014a-7c52-9d3f-2a6b8e1f4c70"]],
    )
    document: ChecklistDocument | None = Field(
        default=None,
        description="The document that shows it. An item that needs one is not completed without, or without a file.",
    )
    attachment: UUID | None = Field(
        default=None, description="The file that shows it: an attachment of the same request, by its id."
    )
    result: ScreeningResult | None = Field(
        default=None,
        description="What the screening found, for an item that needs a result, and for no other.",
        examples=["no_indication"],
    )
    note: Paragraph | None = Field(
        default=None,
        description="What both sides should know of it, without names.",
        examples=["Both forensic services took part."],
    )


class ChecklistReasonIn(Shape):
    """Why an item is waived or opened again, for all persons concerned or for those named."""

    persons: PersonIds | None = Field(
        default=None,
        min_length=1,
        max_length=PERSONS_MAX,
        description="For whom; left out, for all persons of the request of whom it can be said. Only for an item that "
        "is done for each person.",
    )
    reason: Paragraph = Field(
        description="The reason, as both sides read it. Write no name there.", examples=["The family wants no autopsy."]
    )


class ChecklistHistoryEntry(Shape):
    """Something that was done with an item."""

    action: ChecklistAction = Field(description="What was done.")
    agency: AgencyCode | None = Field(
        description="Who did it; null for the hub, which opens items again when the request changes.",
        examples=["KH-CNP"],
    )
    at: UtcDateTime = Field(description="When.")
    note: Paragraph | None = Field(description="What was said with it: a note, or the reason.")
    document: ChecklistDocument | None = Field(description="The document that showed it.")
    attachment: UUID | None = Field(description="The file that showed it; it may have been removed since.")
    persons: list[UUID] | None = Field(
        description="For whom; null for an item of the whole request, and where your agency does not see persons."
    )


class ChecklistPersons(Shape):
    """For how many persons an item is done, and for whom not."""

    total: int = Field(ge=0, description="Persons of the request. While there is none, the item is open.")
    completed: int = Field(ge=0, description="For how many it is done.")
    waived: int = Field(ge=0, description="For how many it was waived.")
    open: list[UUID] = Field(description="For whom it is open, by id.")
    flagged: list[UUID] = Field(
        description="Who stands on a live extradition request that your agency sees: for them `no_extradition_pending` "
        "is open until it is waived. Who does not see that other request finds nobody here."
    )


class PersonScreening(Shape):
    """What a person was screened as."""

    person: UUID = Field(description="The person's id.")
    result: ScreeningResult = Field(description="What the last screening found.")


class ChecklistItem(Shape):
    """Something that has to be done before people go home."""

    code: ItemCode = Field(description="Its name in the path of its calls.", examples=["autopsy_performed"])
    title: Line = Field(description="What is to be done.")
    state: ChecklistItemState = Field(description="How it stands.")
    side: ResponsibleSide = Field(description="Which side completes it.")
    per: ChecklistPer = Field(description="For what it is done.")
    before: ChecklistStep = Field(description="The step that is refused while it is open.")
    needs: ChecklistNeed = Field(description="What it is completed with.")
    waivable: bool = Field(description="Whether it can be waived at all.")
    due_at: UtcDateTime | None = Field(description="When it is due; null without a date.")
    overdue: bool = Field(description="Whether it is open although it is due.")
    flagged: bool = Field(
        description="Whether your agency sees an extradition pending for one of the persons (`no_extradition_pending`)."
    )
    persons: ChecklistPersons | None = Field(
        description="For whom it is done; null for an item of the whole request, and where your agency sees no persons."
    )
    settled_by: AgencyCode | None = Field(description="Who completed or waived it last; null while it is open.")
    settled_at: UtcDateTime | None = Field(description="When; null while it is open.")
    note: Paragraph | None = Field(description="What was said with that: a note, or the reason of a waiver.")
    document: ChecklistDocument | None = Field(description="The document that showed it.")
    attachment: UUID | None = Field(description="The file that showed it; it may have been removed since.")
    results: list[PersonScreening] | None = Field(
        description="What persons were screened as: for the two sides, with `persons:read` and `Access-Purpose`, at "
        "`trafficking_screening`; null otherwise."
    )
    source: Line | None = Field(description="What it follows from.", examples=["Palermo Protocol, article 8 (4)"])
    history: list[ChecklistHistoryEntry] = Field(description="What was done with it, oldest first.")


class Checklist(Shape):
    """What has to be done before the people of a request go home, and how far that is."""

    version: int = Field(ge=0, description="Counts its changes: for `If-Match`, as the ETag. 0 before it is made.")
    submitted_at: UtcDateTime | None = Field(description="When the request was first submitted; null before.")
    updated_at: UtcDateTime | None = Field(description="When the checklist last changed; null before it is made.")
    open: int = Field(ge=0, description="Items that are open.")
    items: list[ChecklistItem] = Field(
        description="Its items, in the order of work. Empty while the request is a draft."
    )


class ChecklistRuleKey(Shape):
    """Which rule, and what it is for; null: whatever it is."""

    code: ItemCode = Field(description="The item's code.", examples=["transit_permit"])
    category: RepatriationCategory | None = Field(default=None, description="For requests of this category.")
    legal_act: LegalAct | None = Field(default=None, description="For requests by this act.")
    from_country: Country | None = Field(
        default=None, description="For people who leave this country.", examples=["KH"]
    )
    to_country: Country | None = Field(default=None, description="For people who go to this country.", examples=["KR"])


class ChecklistRuleIn(ChecklistRuleKey):
    """A rule of what has to be done."""

    asked: bool = Field(default=True, description="`false`: there is no such item for what the rule is for.")
    title: Line = Field(description="What is to be done.")
    side: ResponsibleSide = Field(description="Which side completes it.")
    per: ChecklistPer = Field(default=ChecklistPer.REQUEST, description="For what it is done.")
    before: ChecklistStep = Field(default=ChecklistStep.CLEAR, description="The step that is refused while it is open.")
    needs: ChecklistNeed = Field(default=ChecklistNeed.NOTHING, description="What it is completed with.")
    with_transit: bool = Field(default=False, description="Whether it is asked only where there are transit agencies.")
    days_after_submission: Days | None = Field(default=None, description="Due so many days after the submission.")
    days_before_due: Days | None = Field(default=None, description="Due so many days before the request's `due_at`.")
    waivable: bool = Field(default=True, description="Whether it can be waived.")
    source: Line | None = Field(default=None, description="The law, convention or manual that it follows from.")
    place: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=1000, description="Where it stands in a checklist: the smallest first."
    )


class ChecklistRule(ChecklistRuleIn):
    """A rule as it stands."""

    id: UUID = Field(description="The rule's id.")
    changed_at: UtcDateTime = Field(description="When it was set last.")
