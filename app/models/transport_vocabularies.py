"""The closed vocabularies of transports."""

from app.core.vocabulary import Vocabulary


class TransportMode(Vocabulary):
    """How a transport travels."""

    CHARTER = "charter", "An aircraft hired for it."
    COMMERCIAL = "commercial", "Seats on a scheduled flight, beside other passengers."
    LAND = "land", "By road or rail."
    SEA = "sea", "By ship."


class TransportState(Vocabulary):
    """How far a transport has come."""

    PLANNED = "planned", "It is being arranged, and people are put on its manifest."
    FROZEN = "frozen", "The manifest is closed: permits, escorts and people are complete."
    BOARDING = "boarding", "The first of them boarded, or did not come."
    DEPARTED = "departed", "It is under way."
    ARRIVED = "arrived", "It has arrived, and people are handed over one by one."
    COMPLETED = "completed", "There is a receipt for everybody who was on board."
    CANCELLED = "cancelled", "It does not take place, and the organizer said why."


class PermitType(Vocabulary):
    """What a permit allows."""

    OVERFLIGHT = "overflight", "To cross a country's airspace."
    LANDING = "landing", "To land in a country, at the destination or on the way."
    TRANSIT = "transit", "To bring people through a country."
    OTHER = "other", "Anything else; the note says what."


class PermitState(Vocabulary):
    """What became of a permit."""

    REQUESTED = "requested", "The country was asked, and has not answered."
    GRANTED = "granted", "The country agrees."
    REFUSED = "refused", "The country does not."


class ManifestState(Vocabulary):
    """What became of somebody on a manifest."""

    LISTED = "listed", "Is to travel."
    BOARDED = "boarded", "Is on board, or was when it departed."
    NO_SHOW = "no_show", "Did not come, or was not let on board; the reason says why."
    HANDED_OVER = "handed_over", "Was handed over; the receipt says to whom."
    WITHDRAWN = (
        "withdrawn",
        "Is not to travel any more: the request or the person went, or the transport was cancelled.",
    )


class ManifestAction(Vocabulary):
    """What a call did to people on a manifest."""

    ADD = "add", "They were put on it."
    BOARD = "board", "They boarded."
    NO_SHOW = "no_show", "They did not come."
    HAND_OVER = "hand_over", "They were handed over."
