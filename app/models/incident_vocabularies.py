"""The closed vocabularies of incident reports: who was harmed and how, and how far the report has come."""

from app.core.vocabulary import Vocabulary


class IncidentState(Vocabulary):
    """How far the work on an incident report has come."""

    OPEN = "open", "It was reported, and nobody works on it yet."
    INVESTIGATING = "investigating", "Its originator looks for the victims and for those who did it."
    LOCATED = "located", "It is known where the victims are."
    RESCUED = "rescued", "The victims are out of the hands of those who held them."
    CLOSED = "closed", "Nothing more is to be done."


class ReportedBy(Vocabulary):
    """Who reported an incident first."""

    VICTIM = "victim", "The person who was harmed."
    FAMILY = "family", "Family or friends of the person who was harmed."
    EMBASSY = "embassy", "An embassy or consulate."
    POLICE = "police", "The police, at home or where it happened."
    NGO = "ngo", "An organization that helps victims."
    ANONYMOUS = "anonymous", "Somebody who gave no name."


class Verification(Vocabulary):
    """What is known of whether a report is true."""

    REPORTED = "reported", "It was said; nobody has confirmed it."
    CONFIRMED = "confirmed", "It is known to be true."
    UNFOUNDED = "unfounded", "It was found to be untrue."


class AgeBand(Vocabulary):
    """How old a victim was when it happened."""

    UNDER_12 = "under_12", "Under 12 years."
    FROM_12 = "12_17", "Between 12 and 17 years."
    FROM_18 = "18_24", "Between 18 and 24 years."
    FROM_25 = "25_34", "Between 25 and 34 years."
    FROM_35 = "35_49", "Between 35 and 49 years."
    FROM_50 = "50_64", "Between 50 and 64 years."
    FROM_65 = "65_and_over", "At least 65 years."
    UNKNOWN = "unknown", "Not known."


class Sex(Vocabulary):
    """A victim's sex, as it was reported."""

    FEMALE = "female", "Female."
    MALE = "male", "Male."
    OTHER = "other", "Neither of the two."
    UNKNOWN = "unknown", "Not known."


class VictimCondition(Vocabulary):
    """How a victim is now, as far as it is known."""

    UNKNOWN = "unknown", "Not known."
    MISSING = "missing", "Nobody knows where the person is."
    DETAINED = "detained", "The person is held against their will."
    LIFE_AT_RISK = "life_at_risk", "The person may die unless somebody acts at once."
    INJURED = "injured", "The person is free and hurt."
    SAFE = "safe", "The person is free and in safety."
    DECEASED = "deceased", "The person is dead."


class RecruitmentChannel(Vocabulary):
    """How a victim came into the hands of those who did it."""

    UNKNOWN = "unknown", "Not known."
    JOB_BOARD = "job_board", "An offer of work on a job board or in a newspaper."
    SOCIAL_MEDIA = "social_media", "An offer or a contact on a social network."
    MESSENGER = "messenger", "A message or a group on a messenger."
    ACQUAINTANCE = "acquaintance", "Somebody the victim knew."
    EMPLOYMENT_AGENCY = "employment_agency", "An agency that places workers."
    DATING = "dating", "A feigned romance."
    DEBT = "debt", "A debt that was to be worked off."
    TRAVEL = "travel", "A journey that was offered or paid for."
    ABDUCTION = "abduction", "The victim was taken by force."
    RESALE = "resale", "The victim was sold on by another group."
    OTHER = "other", "None of the others."


class TraffickingAct(Vocabulary):
    """What was done with a person: the first element of trafficking (Palermo Protocol, article 3)."""

    RECRUITMENT = "recruitment", "The person was recruited."
    TRANSPORTATION = "transportation", "The person was brought somewhere."
    TRANSFER = "transfer", "The person was handed over to others."
    HARBOURING = "harbouring", "The person was kept somewhere."
    RECEIPT = "receipt", "The person was taken over from others."


class TraffickingMeans(Vocabulary):
    """By what means it was done: the second element of trafficking, which a child's case does not need."""

    FORCE = "force", "Force, or the threat of it."
    COERCION = "coercion", "Another form of coercion, such as keeping the passport or a debt."
    ABDUCTION = "abduction", "Abduction."
    FRAUD = "fraud", "Fraud."
    DECEPTION = "deception", "Deception, for example about the work."
    ABUSE_OF_POWER = "abuse_of_power", "Abuse of power."
    ABUSE_OF_VULNERABILITY = "abuse_of_vulnerability", "Abuse of a position of vulnerability."
    PAYMENT = "payment", "Payments or benefits to a person who has control over the victim."


class TraffickingPurpose(Vocabulary):
    """What for it was done: the third element of trafficking, which is always exploitation."""

    SEXUAL_EXPLOITATION = "sexual_exploitation", "Prostitution of others, or another form of sexual exploitation."
    FORCED_LABOUR = "forced_labour", "Forced labour or services."
    FORCED_CRIMINALITY = "forced_criminality", "Making the victim commit crimes, such as fraud by telephone."
    SLAVERY = "slavery", "Slavery, or practices like it."
    SERVITUDE = "servitude", "Servitude."
    ORGAN_REMOVAL = "organ_removal", "Removal of organs."
    OTHER_EXPLOITATION = "other_exploitation", "Another form of exploitation."


class Urgency(Vocabulary):
    """Why a report is urgent."""

    LIFE_AT_RISK = "life_at_risk", "A victim's life is at risk: readers acknowledge within an hour."
    DETAINED = "detained", "A victim is detained: readers acknowledge within a day."


class AlarmCallState(Vocabulary):
    """What became of the call on an agency to acknowledge an urgent report."""

    WAITING = "waiting", "The agency has not acknowledged, and still has time."
    OVERDUE = "overdue", "The agency has not acknowledged in time."
    ACKNOWLEDGED = "acknowledged", "The agency acknowledged."
    ENDED = "ended", "It need not acknowledge any more: the report is urgent no longer, or the agency lost sight of it."


class Likeness(Vocabulary):
    """What two reports have in common that may be of the same matter."""

    SAME_PLACE = "same_place", "The places are called alike, or lie within two kilometres."
    NEAR_PLACE = "near_place", "The places lie within 25 kilometres."
    SAME_SUBDIVISION = "same_subdivision", "The same province, where no more is known of a place."
    SAME_DAYS = "same_days", "They happened at the same time, which is known to the month in both."
    SAME_TIME = "same_time", "They may have happened at the same time, which is known roughly."
    SHARED_NATIONALITY = "shared_nationality", "Both have a victim of the same nationality."
    SHARED_RECRUITMENT = "shared_recruitment", "Both have a victim who was recruited in the same way."
    SIMILAR_DEMAND = "similar_demand", "About the same amount was demanded."
