"""Every type of event there is, with what it means to whoever receives it."""

from typing import Final, Self

from app.core.vocabulary import Vocabulary

PREFIX: Final = "interdesk."
"""Stands before every type on its way out. CloudEvents would like a reversed domain name there; a hub is run under many
domains and none of them owns the vocabulary, while `source` says which hub speaks."""


class EventType(Vocabulary):
    """What happened."""

    stored: str
    """The type as the database writes it, without the prefix."""

    def __new__(cls, value: str, description: str = "") -> Self:
        """Make a type out of its name in the database and its sentence; with the full name this finds the type."""
        full = f"{PREFIX}{value}"
        member = str.__new__(cls, full)
        member._value_ = full
        member.description = description
        member.stored = value
        return member

    RECORD_CREATED = "record.created", "Your agency created the record."
    RECORD_SHARED = "record.shared", "Your agency sees the record from now on: fetch it."
    RECORD_UPDATED = "record.updated", "The record has the version named: fetch it again."
    RECORD_RETRACTED = "record.retracted", "The record's originator took it back: delete what you keep of its content."
    RECORD_PURGED = (
        "record.purged",
        "The record's review date passed and its content is deleted: delete what you keep of it.",
    )
    RECORD_REVIEW_DUE = (
        "record.review_due",
        "Your agency's record is purged after `review_on` in `detail` unless you renew it, or a legal hold stops it.",
    )
    RETENTION_CHANGED = "retention.changed", "A legal hold was placed on your agency's record, or released."
    RECORD_LOST = "record.lost", "Your agency sees the record no more: delete your copy."
    HANDLING_CHANGED = "handling.changed", "The handling of your agency's record changed: who sees it, or how."
    EMERGENCY_DISCLOSED = "emergency.disclosed", "Your agency's record was opened in an emergency, for 72 hours."
    EMERGENCY_CONFIRMED = "emergency.confirmed", "An emergency disclosure of your agency's record stands on."
    EMERGENCY_LAPSED = "emergency.lapsed", "An emergency disclosure of your agency's record has ended unconfirmed."
    LINKS_CHANGED = "links.changed", "A link of your agency's record was added or taken back."
    AMENDMENT_PROPOSED = "amendment.proposed", "A change to the record was proposed to its originator."
    AMENDMENT_ACCEPTED = "amendment.accepted", "The originator accepted a change that was proposed to the record."
    AMENDMENT_REJECTED = "amendment.rejected", "The originator rejected a change that was proposed to the record."
    SIGHTING_ADDED = "sighting.added", "A reader observed something for or against the record."
    GROUP_JOINED = "group.joined", "Your agency is in the group from now on."
    GROUP_UPDATED = "group.updated", "The group's kind, name, purpose or chair changed."
    MEMBERS_CHANGED = "members.changed", "An agency joined or left the group, or has another role in it."
    GROUP_LEFT = "group.left", "Your agency is in the group no more; `record.lost` follows for what it saw by it."
    GROUP_ENDED = "group.ended", "The group ended; `record.lost` follows for what your agency saw by it."
    AGENCY_CREATED = "agency.created", "Your agency was entered in the directory."
    AGENCY_UPDATED = "agency.updated", "Your agency's entry in the directory changed."
    AGENCY_SUSPENDED = "agency.suspended", "The hub suspended your agency."
    AGENCY_REINSTATED = "agency.reinstated", "The hub let your agency in again; its credentials sign in anew."
    AGENCY_TOKENS_REVOKED = "agency.tokens_revoked", "All tokens of your agency were ended; its credentials stay."
    CREDENTIAL_ISSUED = "credential.issued", "A credential was issued for your agency."
    CREDENTIAL_ROTATED = "credential.rotated", "A credential of your agency has a new secret."
    CREDENTIAL_UPDATED = (
        "credential.updated",
        "A credential of your agency changed: its roles, keys, networks or expiry.",
    )
    CREDENTIAL_REVOKED = "credential.revoked", "A credential of your agency was revoked."
    CREDENTIAL_EXPIRING = "credential.expiring", "A credential of your agency expires within 30 or within 7 days."
    RECOVERY_REQUESTED = (
        "recovery.requested",
        "The hub is to issue an administrator of your agency in a day: cancel it unless you asked for that.",
    )
    RECOVERY_CANCELLED = "recovery.cancelled", "The new administrator will not be issued."
    RECOVERY_COMPLETED = "recovery.completed", "The hub issued a new administrator's credential for your agency."
    FEED_RESTORED = (
        "feed.restored",
        "The hub came back from a backup or a standby and may have forgotten its last events: walk the lists again.",
    )
