"""What a repatriation request says, and what follows from it: its filters, and which changes ask for a fresh answer."""

from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from app.core.codes import AgencyCode, Country
from app.core.dates import UtcDateTime
from app.core.problems import Flaw
from app.core.shapes import Shape, distinct, refuse
from app.core.text import Narrative, Paragraph
from app.models.repatriation_vocabularies import (
    LegalAct,
    RepatriationCategory,
    RepatriationPriority,
    RepatriationState,
)

ACTS: Final[Mapping[RepatriationCategory, frozenset[LegalAct]]] = {
    RepatriationCategory.VICTIM: frozenset({LegalAct.VOLUNTARY_REPATRIATION}),
    RepatriationCategory.SUSPECT: frozenset(
        {LegalAct.DEPORTATION, LegalAct.EXTRADITION, LegalAct.TRANSFER_OF_SENTENCED_PERSON}
    ),
    RepatriationCategory.REMAINS: frozenset({LegalAct.REPATRIATION_OF_REMAINS}),
}
"""By which acts each category comes home: a victim is neither deported nor extradited."""

SUBSTANTIVE: Final = ("category", "legal_act", "requested_agency", "transit_agencies", "from_country", "to_country")
"""What the requested side answers to: a change of it asks for a fresh answer."""


YEARS: Final = range(2000, 2201)
"""In which `due_at` can lie: items of a checklist are due up to ten years before it, at moments that a clock knows."""


class RepatriationRequestContent(Shape):
    """Whom an agency asks for, of whom, by which act and by when. Names have no place here: they are persons."""

    category: RepatriationCategory = Field(description="Who is to come home.", examples=["victim"])
    legal_act: LegalAct = Field(
        description="By which act: `voluntary_repatriation` for victims; `deportation`, `extradition` or "
        "`transfer_of_sentenced_person` for suspects; `repatriation_of_remains` for the dead.",
        examples=["voluntary_repatriation"],
    )
    requested_agency: AgencyCode = Field(description="The agency that is asked.", examples=["KH-CNP"])
    transit_agencies: Annotated[list[AgencyCode], AfterValidator(distinct)] = Field(
        default_factory=list, max_length=20, description="Agencies of countries on the way.", examples=[["TH-RTP"]]
    )
    from_country: Country = Field(description="Where the people are.", examples=["KH"])
    to_country: Country = Field(description="Where they are to go.", examples=["KR"])
    priority: RepatriationPriority = Field(
        default=RepatriationPriority.ROUTINE, description="How urgent it is.", examples=["urgent"]
    )
    due_at: UtcDateTime | None = Field(
        default=None, description="By when they are to be home, in the years 2000 to 2200; null without a date."
    )
    narrative: Narrative | None = Field(
        default=None, description="What both sides have to know, in whole sentences and without names."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        flaws = []
        if self.legal_act not in ACTS[self.category]:
            fitting = ", ".join(sorted(ACTS[self.category]))
            flaws.append(Flaw("/legal_act", "act-does-not-fit", f"For this category use one of: {fitting}."))
        if self.from_country == self.to_country:
            flaws.append(Flaw("/to_country", "same-country", "Use another country than from_country."))
        if self.due_at is not None and self.due_at.year not in YEARS:
            flaws.append(
                Flaw("/due_at", "time-out-of-range", f"Use a moment in the years {YEARS[0]} to {YEARS[-1]}, in UTC.")
            )
        if self.requested_agency in self.transit_agencies:
            flaws.append(
                Flaw(
                    f"/transit_agencies/{self.transit_agencies.index(self.requested_agency)}",
                    "named-twice",
                    "The requested agency is no transit agency.",
                )
            )
        refuse("RepatriationRequest", flaws)
        return self


class RepatriationRequestFields(RepatriationRequestContent):
    """What a request says once it is with the hub."""

    state_reason: Paragraph | None = Field(description="What was said with the last step of its state.")
    held_from: RepatriationState | None = Field(
        description="The state that it goes on from, while it is on hold.", examples=["accepted"]
    )
    held_by: AgencyCode | None = Field(
        description="The agency that put it on hold, and resumes it.", examples=["KH-CNP"]
    )


def facets(fields: RepatriationRequestFields, state: RepatriationState) -> list[str]:
    """Return what lists filter the request by, as `name:value`. The database knows the requested side by it too."""
    return [
        f"state:{state}",
        f"category:{fields.category}",
        f"legal_act:{fields.legal_act}",
        f"requested_agency:{fields.requested_agency}",
        f"from_country:{fields.from_country}",
        f"to_country:{fields.to_country}",
        f"priority:{fields.priority}",
    ]
