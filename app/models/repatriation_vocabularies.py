"""The closed vocabularies of bringing people home."""

from app.core.vocabulary import Vocabulary


class RepatriationCategory(Vocabulary):
    """Who is to come home."""

    VICTIM = "victim", "People who were harmed: held, trafficked, forced to work or to commit crimes."
    SUSPECT = "suspect", "People who are to answer for a crime at home."
    REMAINS = "remains", "The body or the ashes of somebody who died abroad."


class LegalAct(Vocabulary):
    """By which act somebody comes home. Each has its own authority and its own safeguards; they are never mixed."""

    VOLUNTARY_REPATRIATION = "voluntary_repatriation", "A victim goes home by consent, with a consulate's help."
    DEPORTATION = "deportation", "The host country's own decision under its immigration law."
    EXTRADITION = "extradition", "Surrender on a formal request, after a hearing, for the offences it names."
    TRANSFER_OF_SENTENCED_PERSON = (
        "transfer_of_sentenced_person",
        "A sentence is served at home; the person and both states consent.",
    )
    REPATRIATION_OF_REMAINS = "repatriation_of_remains", "Remains are released and sent to the family."


class RepatriationState(Vocabulary):
    """How far a repatriation request has come."""

    DRAFT = "draft", "The requesting side is writing it; the others do not see it."
    SUBMITTED = "submitted", "The requested side has it before it."
    ACKNOWLEDGED = "acknowledged", "The requested side has taken it up."
    ACCEPTED = "accepted", "The requested side agrees; both sides work through what has to be done."
    CLEARED = "cleared", "Everything is done that has to be done before the way home."
    SCHEDULED = "scheduled", "The way home is booked."
    IN_TRANSIT = "in_transit", "The people are on their way."
    HANDED_OVER = "handed_over", "They were handed over."
    CLOSED = "closed", "Nothing more is to be done."
    DECLINED = "declined", "The requested side does not agree, and said why."
    WITHDRAWN = "withdrawn", "The requesting side took it back, and said why."
    ON_HOLD = "on_hold", "One side had to stop; the request goes on from where it was."


class RepatriationPriority(Vocabulary):
    """How urgent it is."""

    ROUTINE = "routine", "In its turn."
    URGENT = "urgent", "Before others."
    LIFE_AT_RISK = "life_at_risk", "At once: somebody may die."


class RepatriationSide(Vocabulary):
    """What an agency is to a repatriation request."""

    REQUESTING = "requesting", "Asks for the people; the agency that owns the request."
    REQUESTED = "requested", "Is asked for them."
    TRANSIT = "transit", "They pass through its country. It reads, and takes no step."
