"""The closed vocabularies of deconfliction."""

from app.core.vocabulary import Vocabulary


class ConflictSeverity(Vocabulary):
    """How much two operations are in each other's way."""

    ADVISORY = "advisory", "They come near each other in time and place, or have a target in common at other times."
    SERIOUS = "serious", "They overlap in time, and in place or in a target."


class ConflictKind(Vocabulary):
    """In what two operations collide."""

    EVENT = "event", "Both are planned close to each other in time and place."
    TARGET = "target", "Both are directed at the same place, record or identifier; which one is not said."


class ConflictState(Vocabulary):
    """How far two operations have been kept apart."""

    OPEN = "open", "The two sides have not agreed yet."
    RESOLVED = "resolved", "Both sides said the same, or one of them overrode the conflict for a reason."
    CLEARED = "cleared", "The operations do not collide any more, or one of them is over or back in draft."


class ConflictOutcome(Vocabulary):
    """What is to become of two operations that collide."""

    PROCEED = "proceed", "Both go ahead, each knowing of the other."
    JOINT = "joint", "They are carried out together."
    DELAYED = "delayed", "One of them waits; the notes say which, and until when."
    CANCELLED = "cancelled", "One of them is given up; the notes say which."
