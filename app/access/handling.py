"""Handling: under which rules a record is shared. Shapes, the rules in combination, and the principals they name.

Nothing here reads a table. Whether an agency or a group exists, and who is a member of it now, is asked where the
record is written and read.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Final, NamedTuple, Self
from uuid import UUID

from pydantic import AfterValidator, Field, Strict, model_validator

from app.core import clock
from app.core.codes import AgencyCode
from app.core.dates import CalendarDate
from app.core.problems import Flaw
from app.core.shapes import Shape, distinct, refuse
from app.core.text import Paragraph
from app.models.vocabularies import TLP, Discoverable, HandlingCode

AGENCIES_MAX: Final = 100
GROUPS_MAX: Final = 50

REVIEW_YEARS: Final = 5
"""After so many years nominal data is reviewed or deleted, as INTERPOL does it; nobody may set a later date."""

_GROUPS_ALLOWED: Final = frozenset({TLP.AMBER, TLP.GREEN, TLP.CLEAR})
_COMMUNITY_ALLOWED: Final = frozenset({TLP.GREEN, TLP.CLEAR})

_Agencies = Annotated[list[AgencyCode], Field(max_length=AGENCIES_MAX), AfterValidator(distinct)]
_Groups = Annotated[list[UUID], Field(max_length=GROUPS_MAX), AfterValidator(distinct)]
_Codes = Annotated[
    list[HandlingCode], Field(max_length=len(HandlingCode)), AfterValidator(lambda codes: sorted(set(codes)))
]


class Audience(Shape):
    """Who may see a record besides its originator. Empty means nobody."""

    agencies: _Agencies = Field(
        default_factory=list, description="Agencies that see the record.", examples=[["KH-CNP", "INTERPOL"]]
    )
    groups: _Groups = Field(
        default_factory=list, description="Groups whose chair and members, as they are at each moment, see the record."
    )
    observers_of: _Groups = Field(
        default_factory=list, description="Which of these groups' observers see the record too."
    )
    community: Annotated[bool, Strict()] = Field(
        default=False, description="Whether every agency of this hub sees the record."
    )
    excluded: _Agencies = Field(
        default_factory=list,
        description="Agencies that never see the record, whatever group they belong to.",
        examples=[["TH-RTP"]],
    )


class Handling(Shape):
    """The rules under which a record is shared, as its originator sees them."""

    tlp: TLP = Field(description="Traffic light label.", examples=["AMBER"])
    codes: _Codes = Field(description="Handling codes, which combine.", examples=[["H2"]])
    caveat: Paragraph | None = Field(description="What else readers must observe; H3 needs it.")
    audience: Audience = Field(description="Who may see the record.")
    legal_basis: UUID | None = Field(description="The agreement that makes the sharing lawful.")
    discoverable: Discoverable = Field(description="What a match tells agencies that may not see the record.")
    review_on: CalendarDate = Field(description="When the originator must justify keeping the record, or let it go.")


class ReaderHandling(Shape):
    """The rules under which a record is shared, as its readers see them."""

    tlp: TLP = Field(description="Traffic light label.", examples=["AMBER"])
    codes: _Codes = Field(description="Handling codes, which combine.", examples=[["H2"]])
    caveat: Paragraph | None = Field(description="What else readers must observe.")
    review_on: CalendarDate = Field(description="When the originator must justify keeping the record, or let it go.")


HIDDEN_FROM_READERS: Final = set(Handling.model_fields) - set(ReaderHandling.model_fields)
"""What of the handling only the originator sees."""


class HandlingIn(Handling):
    """The rules under which a record is to be shared. What is left out is empty: RED, for the originator alone."""

    tlp: TLP = Field(default=TLP.RED, description="Traffic light label; RED if left out.", examples=["AMBER"])
    codes: _Codes = Field(default_factory=list, description="Handling codes, which combine.", examples=[["H2"]])
    caveat: Paragraph | None = Field(default=None, description="What else readers must observe; H3 needs it.")
    audience: Audience = Field(default_factory=Audience, description="Who may see the record; nobody else if left out.")
    legal_basis: UUID | None = Field(default=None, description="The agreement that makes the sharing lawful.")
    discoverable: Discoverable = Field(
        default=Discoverable.NONE,
        description="What a match tells agencies that may not see the record; nothing if left out.",
    )
    review_on: CalendarDate = Field(
        default_factory=lambda: latest_review(clock.now().date()),
        description="When the originator must justify keeping the record, or let it go: at most five years ahead, "
        "which is also what holds if it is left out.",
    )

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        refuse("HandlingIn", flaws(self, clock.now().date()))
        return self


def latest_review(today: date) -> date:
    """The last day that may be set for a review."""
    try:
        return today.replace(year=today.year + REVIEW_YEARS)
    except ValueError:  # 29 February
        return today.replace(year=today.year + REVIEW_YEARS, day=28)


def flaws(handling: Handling, today: date, originator: str | None = None) -> list[Flaw]:
    """Return every rule that `handling` breaks, with pointers into it; an empty list means that it may stand.

    A body cannot know its `originator`; whoever writes the record names it, so that no agency locks itself out.
    """
    return [*_audience_flaws(handling, originator), *_other_flaws(handling, today)]


def _audience_flaws(handling: Handling, originator: str | None) -> Iterator[Flaw]:
    tlp, audience = handling.tlp, handling.audience
    if audience.groups and tlp not in _GROUPS_ALLOWED:
        detail = f"{tlp} is for named agencies only: name agencies, or set the label to AMBER."
        yield Flaw("/audience/groups", "groups-above-label", detail)
    if audience.community and tlp not in _COMMUNITY_ALLOWED:
        detail = f"{tlp} is not for the whole community: name who needs it, or set the label to GREEN."
        yield Flaw("/audience/community", "community-above-label", detail)
    for index, group in enumerate(audience.observers_of):
        if group not in audience.groups:
            detail = "Name this group in groups too: observers see only what the group's members see."
            yield Flaw(f"/audience/observers_of/{index}", "observers-without-group", detail)
    for index, agency in enumerate(audience.excluded):
        if agency in audience.agencies:
            detail = "Name this agency either in agencies or in excluded."
            yield Flaw(f"/audience/excluded/{index}", "named-and-excluded", detail)
        if agency == originator:
            detail = "Take your own agency out: the originator always sees its record."
            yield Flaw(f"/audience/excluded/{index}", "originator-excluded", detail)


def _other_flaws(handling: Handling, today: date) -> Iterator[Flaw]:
    if HandlingCode.H3 in handling.codes and handling.caveat is None:
        yield Flaw("/caveat", "caveat-required", "Say in caveat what H3 restricts.")
    yield from review_flaws(handling.review_on, today)


def review_flaws(review_on: date, today: date) -> Iterator[Flaw]:
    """Every rule that a review date breaks which is set today, with the pointer `/review_on`."""
    if review_on <= today:
        yield Flaw("/review_on", "review-not-ahead", "Set a date in the future.")
    elif review_on > latest_review(today):
        detail = f"Set a date on or before {latest_review(today)}: at most {REVIEW_YEARS} years ahead."
        yield Flaw("/review_on", "review-too-late", detail)


class Principals(NamedTuple):
    """Who sees a record, in the words that a caller's own principals are compared with."""

    audience: list[str]
    excluded: list[str]


def principals(audience: Audience, originator: str) -> Principals:
    """Return the principals of `audience`; the originator's code always stands first, and is never excluded.

    An agency is its code, a group's chair and members are `group:<uuid>`, its observers `observers:<uuid>`, and
    everybody is `community`. A code has only capitals, digits and hyphens, so none can be taken for another kind.
    """
    named = [
        originator,
        *audience.agencies,
        *(f"group:{group}" for group in audience.groups),
        *(f"observers:{group}" for group in audience.observers_of),
        *(["community"] if audience.community else []),
    ]
    return Principals(distinct(named), [agency for agency in audience.excluded if agency != originator])
