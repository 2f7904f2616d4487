"""The closed vocabularies of the field: what records are of, what they say, and who exchanges them.

Their words stand in the API's paths and bodies, and never change their meaning.
"""

from typing import Self

from app.core.vocabulary import Vocabulary


class RecordKind(Vocabulary):
    """A kind of record, written as the noun of its path: `/v1/{kind}/{id}`."""

    code: str
    """The two letters that stand in references, for example `CO` in `KR-KNPA-CO-2026-481902`."""
    read: str
    """The permission to read records of this kind."""
    write: str
    """The permission to create and change records of this kind, and to decide who sees them."""

    def __new__(cls, noun: str, description: str = "", code: str = "", permissions: str = "") -> Self:
        """Make a kind; its permissions are `{permissions}:read` and `{permissions}:write`."""
        kind = str.__new__(cls, noun)
        kind._value_ = noun
        kind.description = description
        kind.code = code
        kind.read = f"{permissions}:read"
        kind.write = f"{permissions}:write"
        return kind

    CRIMINAL_ORGANIZATIONS = "criminal-organizations", "Profile of a criminal organization.", "CO", "profiles"
    INCIDENT_REPORTS = "incident-reports", "Report of a crime: who was harmed, where and how.", "IR", "incidents"
    JOINT_OPERATIONS = "joint-operations", "Plan of an operation that several agencies approve.", "JO", "operations"
    REPATRIATION_REQUESTS = (
        "repatriation-requests",
        "Request to bring a victim, a suspect or remains home.",
        "RR",
        "repatriations",
    )
    BULLETINS = "bulletins", "Notice to a community, a group or an agency.", "BU", "bulletins"


class RecordState(Vocabulary):
    """Whether a record still stands."""

    CURRENT = "current", "The record stands as its originator last wrote it."
    RETRACTED = "retracted", "The originator took the record back; nothing of its content can be read."
    PURGED = "purged", "The record's review date passed without a renewal; its content is deleted."
    ACKNOWLEDGEMENT_REQUIRED = (
        "acknowledgement_required",
        "The record stands, and its content is shown once your agency has acknowledged the caveat.",
    )


class TLP(Vocabulary):
    """Label of the Traffic Light Protocol, version 2.0 (FIRST)."""

    RED = "RED", "For the named agencies only."
    AMBER_STRICT = "AMBER+STRICT", "For the named agencies only, inside their own organization."
    AMBER = "AMBER", "For the named agencies and groups, and those they work for who need to know."
    GREEN = "GREEN", "For the community, not for the public."
    CLEAR = "CLEAR", "No limit on disclosure."


class HandlingCode(Vocabulary):
    """Europol's handling codes; they combine."""

    H0 = "H0", "Use only to prevent and combat crime; this holds for every record."
    H1 = "H1", "Not to be disclosed in judicial proceedings without the provider's permission."
    H2 = "H2", "Not to be disseminated without the provider's permission, which an onward request asks for."
    H3 = "H3", "Other restrictions and comments, which the caveat states."


class ExportPurpose(Vocabulary):
    """What for records are taken out of the hub."""

    INTELLIGENCE = "intelligence", "To know who does what, and to plan."
    INVESTIGATION = "investigation", "To work on a case."
    EVIDENCE = "evidence", "To be used in judicial proceedings; H1 forbids that without the originator's permission."
    STATISTICS = "statistics", "To count."


class Discoverable(Vocabulary):
    """What a match tells agencies that may not see the record."""

    NONE = "none", "Nothing: a match answers exactly as no hit."
    HIT = "hit", "Which agency has it."
    CONTACT = "contact", "Which agency has it, and that agency's contact point."


class AgencyKind(Vocabulary):
    """What an agency is."""

    NATIONAL_POLICE = "national_police", "Police with jurisdiction over a whole country."
    INTERNATIONAL_ORGANIZATION = "international_organization", "Organization of states from all over the world."
    REGIONAL_ORGANIZATION = "regional_organization", "Organization of the states or polices of one region."
    IMMIGRATION = "immigration", "Authority for entry, stay and removal."
    PROSECUTION = "prosecution", "Prosecution service."
    FOREIGN_MINISTRY = "foreign_ministry", "Foreign ministry with its embassies and consulates."
    FORENSIC_SERVICE = "forensic_service", "Laboratory or service for autopsies, identification and traces."
    OTHER = "other", "None of the others."


class GroupKind(Vocabulary):
    """What a group of agencies is for."""

    COUNCIL = "council", "Standing body that agrees on policy and on cooperation."
    JOINT_TEAM = "joint_team", "Team of several agencies that works on one case or area."
    WORKING_GROUP = "working_group", "Group that works on one question."


class MembershipRole(Vocabulary):
    """What an agency is in a group."""

    CHAIR = "chair", "Manages the group and its members, and sees what is shared with the group."
    MEMBER = "member", "Sees what is shared with the group."
    OBSERVER = "observer", "Sees only what is shared with the group's observers too."


class MembershipState(Vocabulary):
    """How far an agency's part in a group has come."""

    INVITED = "invited", "Invited by the chair: sees the group and who is in it, and nothing that is shared with it."
    ACTIVE = "active", "In the group."
    FORMER = "former", "Was in the group, and is out."


class AgreementKind(Vocabulary):
    """What kind of agreement between agencies it is."""

    MOU = "mou", "Memorandum of understanding between agencies."
    TREATY = "treaty", "Treaty between states, carried out by the agencies named."
    EXCHANGE_OF_LETTERS = "exchange_of_letters", "Letters that say the same, exchanged between agencies."
    CHARTER = "charter", "What the members of a group agree on: what it is for, and what is shared in it."


class AgreementState(Vocabulary):
    """How far an agreement has come."""

    DRAFT = "draft", "Its originator is still writing; nobody else knows of it."
    IN_NEGOTIATION = "in_negotiation", "All parties see it; it can be changed and signed."
    SIGNED = "signed", "All parties have signed; its first day has not come."
    IN_FORCE = "in_force", "It is a legal basis for what it covers."
    SUSPENDED = "suspended", "At least one party suspended it: it is no legal basis until that party reinstates it."
    TERMINATED = "terminated", "A party ended it, for good."
    EXPIRED = "expired", "Its last day has passed."


class MeetingKind(Vocabulary):
    """What kind of meeting it is."""

    BILATERAL = "bilateral", "Between two agencies."
    COUNCIL = "council", "Of a council, to agree on policy and on cooperation."
    GENERAL_ASSEMBLY = "general_assembly", "Of all who belong to an organization or take part in something."
    WORKING = "working", "Of those who work on one case, operation or question."
    URGENT_VIDEO = "urgent_video", "Called at short notice and held by video, about something that cannot wait."


class MeetingState(Vocabulary):
    """How far a meeting has come."""

    DRAFT = "draft", "Its convener is still preparing it; nobody else knows of it."
    CALLED = "called", "Those who take part see it."
    HELD = "held", "It was held; minutes and decisions can be corrected."
    CANCELLED = "cancelled", "The convener cancelled it, and said why."


class MeetingActionState(Vocabulary):
    """How far an action item has come."""

    OPEN = "open", "It is to be done."
    DONE = "done", "Its owner did it."
    DROPPED = "dropped", "The convener dropped it: nobody is to do it any more."


class LinkedKind(Vocabulary):
    """What a meeting can be about: a kind of record, or an agreement."""

    CRIMINAL_ORGANIZATIONS = "criminal-organizations", "Profile of a criminal organization."
    INCIDENT_REPORTS = "incident-reports", "Report of a crime."
    JOINT_OPERATIONS = "joint-operations", "Joint operation, planned, running or over."
    REPATRIATION_REQUESTS = "repatriation-requests", "Request to bring somebody home."
    BULLETINS = "bulletins", "Bulletin."
    AGREEMENTS = "agreements", "Agreement, from its draft on."


class CrimeType(Vocabulary):
    """A type of crime."""

    iccs: str | None
    """Code in the International Classification of Crime for Statistical Purposes, version 1.0 (UNODC, 2015).

    It may be that of a wider category; None where no code could be confirmed.
    """

    def __new__(cls, value: str, description: str = "", iccs: str | None = None) -> Self:
        """Make a type of crime, with its ICCS code where one is confirmed."""
        crime = str.__new__(cls, value)
        crime._value_ = value
        crime.description = description
        crime.iccs = iccs
        return crime

    KIDNAPPING = "kidnapping", "Unlawfully taking a person away and detaining them.", "020221"
    ILLEGAL_DETENTION = "illegal_detention", "Unlawfully depriving a person of their liberty.", "020222"
    TRAFFICKING_IN_PERSONS = (
        "trafficking_in_persons",
        "Recruiting, moving or holding people by force or deception to exploit them.",
        "0204",
    )
    FORCED_LABOUR = "forced_labour", "Work exacted under threat.", "0203"
    FORCED_CRIMINALITY = "forced_criminality", "Making a person commit crimes under threat."
    MIGRANT_SMUGGLING = "migrant_smuggling", "Procuring a person's illegal entry for gain.", "08051"
    PHONE_SCAM = "phone_scam", "Fraud by telephone, for example by posing as an authority.", "0701"
    INVESTMENT_SCAM = "investment_scam", "Fraud by false offers to invest, in shares or crypto-assets.", "0701"
    ROMANCE_SCAM = "romance_scam", "Fraud by feigned affection.", "0701"
    EMPLOYMENT_SCAM = "employment_scam", "Fraud by false offers of work.", "0701"
    ONLINE_GAMBLING = "online_gambling", "Running unlicensed gambling over the internet."
    DRUG_TRAFFICKING = "drug_trafficking", "Making, moving or selling controlled drugs.", "0601"
    MONEY_LAUNDERING = "money_laundering", "Hiding where the proceeds of crime come from.", "07041"
    EXTORTION = "extortion", "Demanding money or advantage under threat."
    CORRUPTION = "corruption", "Abusing an office or trust for gain, or inducing it.", "0703"
    DOCUMENT_FORGERY = "document_forgery", "Making or using forged documents.", "07023"
    CYBERCRIME = "cybercrime", "Acts against computer systems and data.", "0903"
    HOMICIDE = "homicide", "Killing a person on purpose.", "0101"
    ROBBERY = "robbery", "Taking property by force or threat.", "0401"
    ARMS_TRAFFICKING = "arms_trafficking", "Moving or selling weapons unlawfully."
    OTHER = "other", "None of the others."


class OrganizationKind(Vocabulary):
    """How a criminal organization is built."""

    SYNDICATE = "syndicate", "Lasting organization with several lines of crime."
    GANG = "gang", "Group held together by a place, a prison or a common origin."
    SCAM_COMPOUND_OPERATOR = "scam_compound_operator", "Runs compounds in which people are made to defraud others."
    CARTEL = "cartel", "Organization that controls a market, such as drugs."
    NETWORK = "network", "Loose ties between people or firms who commit crimes together."
    CELL = "cell", "Small unit of something larger."


class OrganizationStatus(Vocabulary):
    """What a criminal organization is doing now."""

    SUSPECTED = "suspected", "It is thought to exist."
    ACTIVE = "active", "It is known to commit crimes now."
    RELOCATED = "relocated", "It moved and goes on elsewhere."
    DORMANT = "dormant", "It exists and is not known to act."
    DISMANTLED = "dismantled", "It was broken up."


class ThreatLevel(Vocabulary):
    """How dangerous a criminal organization is."""

    LOW = "low", "Little harm is expected."
    MEDIUM = "medium", "Harm to property or to single people is expected."
    HIGH = "high", "Grave harm to many people is expected."
    CRITICAL = "critical", "Lives are at risk now."


class IdentifierType(Vocabulary):
    """What an identifier is of."""

    PHONE = "phone", "Telephone number."
    EMAIL = "email", "Email address."
    URL = "url", "Address of a page or service on the web."
    DOMAIN = "domain", "Domain name."
    IP_ADDRESS = "ip_address", "Internet address, version 4 or 6."
    CRYPTO_WALLET = "crypto_wallet", "Address of a wallet for crypto-assets."
    BANK_ACCOUNT = "bank_account", "Number of a bank account, as IBAN where there is one."
    COMPANY_NUMBER = "company_number", "Number of a company in its country's register."
    PASSPORT = "passport", "Number of a passport."
    NATIONAL_ID = "national_id", "Number of a national identity card or register."
    VEHICLE_PLATE = "vehicle_plate", "Registration plate of a vehicle."
    VESSEL = "vessel", "IMO number or MMSI of a vessel."
    SOCIAL_ACCOUNT = "social_account", "Account on a social network."
    MESSENGER_ACCOUNT = "messenger_account", "Account on a messenger."


class LocationRole(Vocabulary):
    """What a place is to a criminal organization."""

    COMPOUND = "compound", "Closed site in which people work and are held."
    BASE = "base", "Place from which it is led."
    CALL_CENTRE = "call_centre", "Place from which victims are called or written to."
    SAFE_HOUSE = "safe_house", "Place to hide people, goods or money."
    DETENTION_SITE = "detention_site", "Place where people are held against their will."
    FRONT_COMPANY = "front_company", "Seat of a firm that covers its business."
    TRANSIT_POINT = "transit_point", "Place through which people or goods are moved."
    CRIME_SCENE = "crime_scene", "Place where a crime was committed."


class RelationType(Vocabulary):
    """What one criminal organization is to another, read from the first to the second."""

    SUBORDINATE_TO = "subordinate_to", "The first takes orders from the second."
    ALLIED_WITH = "allied_with", "Both act together."
    RIVAL_OF = "rival_of", "Both fight each other."
    FUNDS = "funds", "The first pays for the second."
    SUPPLIES = "supplies", "The first provides goods or services to the second."
    TRADES_PERSONS_WITH = "trades_persons_with", "People are sold between the two."
    SUCCESSOR_OF = "successor_of", "The first took the place of the second."
    SPLINTER_OF = "splinter_of", "The first broke away from the second."
    RELATED_TO = "related_to", "They are tied in another way, or nobody knows how."


class LinkType(Vocabulary):
    """What another record is to this one."""

    COMMITTED_BY = "committed_by", "The organization that committed what this record reports."
    DUPLICATE_OF = "duplicate_of", "A record of the same matter, which counts in the place of this one."
    TARGET = "target", "What this operation is directed at."
    INCIDENT = "incident", "The incident this record follows from."
    OPERATION = "operation", "The operation this record belongs to."
    RELATED_TO = "related_to", "A record that concerns the same matter."


class Assessment(Vocabulary):
    """What an observation says about a profile."""

    CORROBORATES = "corroborates", "The observation supports the profile."
    CONTRADICTS = "contradicts", "The observation speaks against the profile."


class OnwardRequestState(Vocabulary):
    """How far a request for leave to pass a record on has come."""

    REQUESTED = "requested", "The originator has not answered yet."
    GRANTED = "granted", "The originator opened the record to agencies that were asked for."
    REFUSED = "refused", "The originator refused, and said why."
    WITHDRAWN = "withdrawn", "Whoever asked took the request back."


class AmendmentState(Vocabulary):
    """How far a proposed amendment has come."""

    PROPOSED = "proposed", "The originator has not decided yet."
    ACCEPTED = "accepted", "The originator took the change over."
    REJECTED = "rejected", "The originator did not take the change over."
