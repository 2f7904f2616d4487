"""The closed vocabularies of checklists: what has to be done before somebody goes home, by whom, and how it stands."""

from app.core.vocabulary import Vocabulary


class ResponsibleSide(Vocabulary):
    """Which side of a repatriation request answers for an item: it alone completes, waives and reopens it."""

    REQUESTING = "requesting", "The side that asks for the people."
    REQUESTED = "requested", "The side that is asked for them."


class ChecklistPer(Vocabulary):
    """For what an item is done."""

    REQUEST = "request", "Once, for the whole request."
    PERSON = "person", "For each person of the request; a person entered later makes it open again."


class ChecklistStep(Vocabulary):
    """The step that is refused while an item is open."""

    CLEAR = "clear", "Before the request is cleared; what opens again later stops `schedule` and `depart`."
    CLOSE = "close", "Before the request is closed."


class ChecklistNeed(Vocabulary):
    """What an item is completed with."""

    NOTHING = "nothing", "Nothing more than that it is done."
    DOCUMENT = "document", "A document."
    RESULT = "result", "The result of a screening, which stands in the checklist and nowhere else."


class ChecklistItemState(Vocabulary):
    """How an item stands."""

    OPEN = "open", "It is to be done, for at least one person."
    COMPLETED = "completed", "It is done; for some persons it may have been waived."
    WAIVED = "waived", "It was waived."


class ChecklistAction(Vocabulary):
    """What was done with an item."""

    COMPLETE = "complete", "It was done."
    WAIVE = "waive", "It need not be done, for the reason given."
    REOPEN = "reopen", "It is to be done again, for the reason given."


class ScreeningResult(Vocabulary):
    """What a screening for trafficking in persons found."""

    VICTIM = "victim", "The person is a victim of trafficking, and is not returned as a suspect."
    NO_INDICATION = "no_indication", "Nothing indicates that the person is a victim."
    INCONCLUSIVE = "inconclusive", "It cannot be told yet: the item stays open."
