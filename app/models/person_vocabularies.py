"""The closed vocabularies of what is kept about persons: who they are in a case, and by what they are known."""

from app.core.vocabulary import Vocabulary


class PersonRole(Vocabulary):
    """What a person is in a case; one may be several at once, and become another."""

    VICTIM = "victim", "Was harmed. Stays so whatever else the person is found to have done under threat."
    SUSPECT = "suspect", "Is thought to have committed a crime."
    WITNESS = "witness", "Can say what happened."
    DECEASED = "deceased", "Is dead, since the day given."


class NameKind(Vocabulary):
    """What a person's name is."""

    LEGAL = "legal", "The name in papers and registers."
    BIRTH = "birth", "The name given at birth, where it is another one now."
    ALIAS = "alias", "A name the person goes by."
    TRANSLITERATION = "transliteration", "Another name of the person's, written in another script."


class SexMarker(Vocabulary):
    """A person's sex as travel documents say it (ICAO Doc 9303)."""

    FEMALE = "female", "F in a travel document."
    MALE = "male", "M in a travel document."
    UNSPECIFIED = "unspecified", "X in a travel document, or `<` in its machine-readable zone."


class TravelDocumentKind(Vocabulary):
    """What a travel document is."""

    PASSPORT = "passport", "Passport of any kind."
    EMERGENCY = "emergency", "Emergency passport or laissez-passer, for one journey or a few days."
    REFUGEE = "refugee", "Travel document for a refugee or a stateless person."
    IDENTITY_CARD = "identity_card", "Identity card."
    RESIDENCE_PERMIT = "residence_permit", "Residence permit."
    VISA = "visa", "Visa."
    SEAFARER = "seafarer", "Identity document of a seafarer or of an aircraft's crew."
    OTHER = "other", "None of the others."


class ContactKind(Vocabulary):
    """By which way somebody is reached."""

    PHONE = "phone", "Telephone."
    EMAIL = "email", "Email."
    MESSENGER = "messenger", "Account on a messenger."
    SOCIAL_ACCOUNT = "social_account", "Account on a social network."
    ADDRESS = "address", "Postal address, or where the person stays."
    OTHER = "other", "None of the others."
