"""The closed vocabularies of joint operations."""

from app.core.vocabulary import Vocabulary


class JointOperationState(Vocabulary):
    """How far a joint operation has come."""

    DRAFT = "draft", "Its lead is writing the plan; before it was first proposed nobody else sees it."
    PROPOSED = "proposed", "The plan is frozen under its hash, and the participants decide on it."
    APPROVED = "approved", "As many have approved the plan as its rule asks for."
    ACTIVE = "active", "It is under way."
    SUSPENDED = "suspended", "It is interrupted, and can be resumed."
    COMPLETED = "completed", "It is over; outcome and debrief can be added to."
    CANCELLED = "cancelled", "It was given up, and the lead said why."


class ParticipantRole(Vocabulary):
    """What an agency does in an operation."""

    LEAD = "lead", "Leads it; the agency that drafted the plan."
    ASSAULT = "assault", "Enters the place."
    SURVEILLANCE = "surveillance", "Watches places and people before and meanwhile."
    FORENSIC = "forensic", "Secures traces, devices and bodies."
    VICTIM_SUPPORT = "victim_support", "Receives the people who are freed."
    LIAISON = "liaison", "Keeps another country's authorities in touch."
    OBSERVER = "observer", "Watches, and is never asked to approve."


class ApprovalRule(Vocabulary):
    """How many approvals a plan needs."""

    ALL = "all", "Everybody who is asked."
    QUORUM = "quorum", "As many of those who are asked as `quorum` says."


class ApprovalDecision(Vocabulary):
    """What an agency decides on a plan."""

    APPROVE = "approve", "The agency takes part as the plan says."
    REJECT = "reject", "The agency does not, and says why."


class ResourceKind(Vocabulary):
    """What an agency brings."""

    OFFICERS = "officers", "Officers on the ground."
    VEHICLES = "vehicles", "Cars, vans, buses."
    AIRCRAFT = "aircraft", "Aeroplanes and helicopters."
    VESSELS = "vessels", "Boats and ships."
    DRONES = "drones", "Unmanned aircraft."
    MEDICAL_TEAM = "medical_team", "Doctors and nurses with their equipment."
    FORENSIC_TEAM = "forensic_team", "Examiners with their equipment."
    INTERPRETERS = "interpreters", "Interpreters for the people on the site."
    SHELTER_PLACES = "shelter_places", "Beds for the people who are freed."
    EQUIPMENT = "equipment", "Any other equipment; the note says which."
    OTHER = "other", "None of the others; the note says what."


class ResourceState(Vocabulary):
    """Where what an agency brings is now."""

    REQUESTED = "requested", "The plan asks for it, and the agency has not answered."
    CONFIRMED = "confirmed", "The agency pledged it."
    DEPLOYED = "deployed", "It is in place."
    RELEASED = "released", "It is not needed any more."


class RiskLevel(Vocabulary):
    """How bad a risk would be, or how likely it is."""

    LOW = "low", "Hardly."
    MEDIUM = "medium", "Possibly."
    HIGH = "high", "Gravely or probably."


class LogKind(Vocabulary):
    """What an entry of an operation's log tells of."""

    SIGHTING = "sighting", "Somebody or something was seen."
    ENTRY = "entry", "A place was entered, or left."
    ARREST = "arrest", "Somebody was arrested."
    RESCUE = "rescue", "Somebody was brought to safety."
    SEIZURE = "seizure", "Something was seized."
    DECISION = "decision", "Something was decided, and by whom."
    OTHER = "other", "None of the others."


class SeizedKind(Vocabulary):
    """What was seized."""

    PHONES = "phones", "Telephones and SIM cards."
    COMPUTERS = "computers", "Computers, servers and storage."
    CASH = "cash", "Money in notes and coins."
    CRYPTO_ASSETS = "crypto_assets", "Crypto-assets, by transfer or by key."
    DRUGS = "drugs", "Controlled drugs, weighed in grams."
    VEHICLES = "vehicles", "Cars, boats and aircraft."
    DOCUMENTS = "documents", "Passports, contracts, ledgers and other papers."
    WEAPONS = "weapons", "Firearms, ammunition and other weapons."
    OTHER = "other", "None of the others."
