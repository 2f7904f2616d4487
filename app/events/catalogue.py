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
    RECALL_REQUESTED = (
        "recall.requested",
        "The record was taken back from your agency: delete your copies, and acknowledge it at `/v1/recalls`.",
    )
    RECALL_ACKNOWLEDGED = "recall.acknowledged", "A recipient said what it did with its copies of your agency's record."
    RECALL_SUPERSEDED = (
        "recall.superseded",
        "The recipient sees the record again; the recall asks nothing of it any more.",
    )
    RECALL_OVERDUE = "recall.overdue", "The recipient has not acknowledged the recall in time; both sides are told."
    RECALL_ESCALATED = "recall.escalated", "A recall is overdue by seven more days; both sides are told."
    HANDLING_ACKNOWLEDGED = (
        "handling.acknowledged",
        "An agency acknowledged the record's caveat: the record's content is open to it from now on.",
    )
    LINKS_CHANGED = "links.changed", "A link of your agency's record was added or taken back."
    PERSON_ADDED = "person.added", "A person was entered with the record; `detail` has the id, and names nobody."
    PERSON_CHANGED = "person.changed", "What is known of a person of the record changed: read the person again."
    PERSON_REMOVED = "person.removed", "A person of the record was removed: delete what you keep of that person."
    ATTACHMENT_ADDED = "attachment.added", "A file was attached to the record; `detail` has its id: read it."
    ATTACHMENT_REMOVED = "attachment.removed", "An attachment of the record was removed: delete what you keep of it."
    AMENDMENT_PROPOSED = "amendment.proposed", "A change to the record was proposed to its originator."
    AMENDMENT_ACCEPTED = "amendment.accepted", "The originator accepted a change that was proposed to the record."
    AMENDMENT_REJECTED = "amendment.rejected", "The originator rejected a change that was proposed to the record."
    SIGHTING_ADDED = "sighting.added", "A reader observed something for or against the record."
    OPERATION_PROPOSED = (
        "operation.proposed",
        "The plan of the operation was proposed: if it asks your agency, decide on the `plan_hash` in `detail`.",
    )
    OPERATION_DECIDED = "operation.decided", "The agency that `detail` names approved or rejected the plan."
    OPERATION_APPROVED = "operation.approved", "As many have approved the plan as its rule asks for."
    OPERATION_REJECTED = "operation.rejected", "Too many rejected the plan for its rule: it is a draft again."
    OPERATION_RETURNED = (
        "operation.returned",
        "Decisions given on the plan are void: `detail` says by what, and whose they were.",
    )
    OPERATION_ACTIVATED = "operation.activated", "The operation began."
    OPERATION_SUSPENDED = "operation.suspended", "The operation is interrupted; it says why."
    OPERATION_RESUMED = "operation.resumed", "The operation goes on."
    OPERATION_COMPLETED = "operation.completed", "The operation is over: add what came of it and what you learned."
    OPERATION_CANCELLED = "operation.cancelled", "The operation was given up; it says why."
    OPERATION_LEFT = "operation.left", "The participant that `detail` names left the operation."
    OPERATION_RESOURCE_CHANGED = (
        "operation.resource_changed",
        "A participant pledged a resource of its own, or says where it is.",
    )
    OPERATION_TASK_CHANGED = "operation.task_changed", "A participant says how far a task of its own is."
    OPERATION_LOGGED = (
        "operation.logged",
        "Something that happened in the operation was written down: read the entry that `detail` names.",
    )
    OPERATION_OUTCOME_RECORDED = (
        "operation.outcome_recorded",
        "The participant that `detail` names says what came of the operation.",
    )
    OPERATION_DEBRIEFED = (
        "operation.debriefed",
        "The participant that `detail` names says what it learned from the operation.",
    )
    GROUP_INVITED = "group.invited", "Your agency is invited to the group, or to another role in it: accept or decline."
    GROUP_INVITATION_ENDED = (
        "group.invitation_ended",
        "Your agency is invited no more: it declined, the chair took the invitation back, or the group ended.",
    )
    ONWARD_REQUEST_REQUESTED = (
        "onward_request.requested",
        "A reader asked the originator for leave to pass the record on.",
    )
    ONWARD_REQUEST_GRANTED = (
        "onward_request.granted",
        "The originator opened the record to agencies that a reader asked for.",
    )
    ONWARD_REQUEST_REFUSED = "onward_request.refused", "The originator refused to let a reader pass the record on."
    ONWARD_REQUEST_WITHDRAWN = "onward_request.withdrawn", "The reader took back its request to pass the record on."
    ONWARD_REQUEST_OVERDUE = (
        "onward_request.overdue",
        "A request to pass the record on was not answered by the moment it named.",
    )
    CONFLICT_OPENED = (
        "conflict.opened",
        "Another agency's operation is in the way of your agency's: `detail` names the conflict.",
    )
    CONFLICT_CHANGED = (
        "conflict.changed",
        "A conflict of your agency's operation weighs more or less, or a side said what is to become of it.",
    )
    CONFLICT_RESOLVED = (
        "conflict.resolved",
        "Both sides of a conflict of your agency's operation said the same, or one of them overrode it.",
    )
    CONFLICT_CLEARED = "conflict.cleared", "The other operation is in the way of your agency's no more."
    INCIDENT_URGENT = (
        "incident.urgent",
        "A victim of the report is detained or in danger of life: act, and acknowledge it at `…/acknowledge`.",
    )
    INCIDENT_ACKNOWLEDGED = (
        "incident.acknowledged",
        "The agency that `detail` names acknowledged the urgent report; it and the originator are told.",
    )
    INCIDENT_OVERDUE = (
        "incident.overdue",
        "The agency that `detail` names has not acknowledged the urgent report in time; both sides are told.",
    )
    INCIDENT_INVESTIGATED = "incident.investigated", "The report's victims are being looked for."
    INCIDENT_LOCATED = "incident.located", "It is known where the report's victims are."
    INCIDENT_RESCUED = "incident.rescued", "The report's victims are out of the hands of those who held them."
    INCIDENT_CLOSED = "incident.closed", "Nothing more is to be done about the report."
    INCIDENT_REOPENED = "incident.reopened", "There is something to be done about the report again."
    INCIDENT_VERIFIED = "incident.verified", "Whether the report is known to be true was said anew."
    INCIDENT_LIKENESS_FOUND = (
        "incident.likeness_found",
        "Your agency sees another report that may be of the same matter: list `…/possible-duplicates`.",
    )
    INCIDENT_MERGED = (
        "incident.merged",
        "The report's originator merged it into another, which counts in its place; the links say into which.",
    )
    INCIDENT_UNMERGED = "incident.unmerged", "The report was parted from the one it was merged into, and counts again."
    REPATRIATION_SUBMITTED = (
        "repatriation.submitted",
        "The agency that owns the request asks the requested side: acknowledge it, and accept or decline.",
    )
    REPATRIATION_ACKNOWLEDGED = "repatriation.acknowledged", "The requested side has taken the request up."
    REPATRIATION_ACCEPTED = (
        "repatriation.accepted",
        "The requested side agrees to the request: both work through what has to be done.",
    )
    REPATRIATION_DECLINED = "repatriation.declined", "The requested side does not agree to the request; it says why."
    REPATRIATION_CLEARED = "repatriation.cleared", "Nothing stands in the way of the journey any more."
    REPATRIATION_SCHEDULED = "repatriation.scheduled", "The way home is booked."
    REPATRIATION_UNSCHEDULED = (
        "repatriation.unscheduled",
        "The way home fell through, or somebody missed it: the request is cleared, and waits for another one.",
    )
    REPATRIATION_DEPARTED = "repatriation.departed", "The people of the request are on their way."
    REPATRIATION_HANDED_OVER = "repatriation.handed_over", "The people of the request were handed over."
    REPATRIATION_CLOSED = "repatriation.closed", "Nothing more is to be done about the request."
    REPATRIATION_HELD = "repatriation.held", "One side had to stop; the request says why."
    REPATRIATION_RESUMED = "repatriation.resumed", "The request goes on from where it was."
    REPATRIATION_WITHDRAWN = "repatriation.withdrawn", "The requesting side took the request back; it says why."
    REPATRIATION_RETURNED = (
        "repatriation.returned",
        "The request asks for something else than before: the requested side answers afresh.",
    )
    REPATRIATION_MESSAGE = (
        "repatriation.message",
        "The other side of the request wrote a message, or your own did: read it at `…/messages`.",
    )
    REPATRIATION_CHECKLIST_CHANGED = (
        "repatriation.checklist_changed",
        "Something was done with the item of the request's checklist that `detail` names: read the checklist.",
    )
    REPATRIATION_FLAGGED = (
        "repatriation.flagged",
        "Somebody to be deported by the request stands on a live extradition request; agencies that see both are told.",
    )
    REPATRIATION_ITEM_OVERDUE = (
        "repatriation.item_overdue",
        "The item of the checklist that `detail` names is due and open; both sides are told once.",
    )
    REPATRIATION_OVERDUE = (
        "repatriation.overdue",
        "The request's day has passed and its people are not home; both sides are told once.",
    )
    REPATRIATION_UNACKNOWLEDGED = (
        "repatriation.unacknowledged",
        "A life is at risk, and the requested side has not acknowledged the request in time; both sides are told once.",
    )
    FIGURE_DECLARED = "figure.declared", "An agency declared an official figure, which `detail` names: read it."
    FIGURE_WITHDRAWN = "figure.withdrawn", "An agency withdrew the official figure that `detail` names."
    STATISTICS_PUBLISHED = (
        "statistics.published",
        "Tables over all incident reports were published, as of the moment in `detail`: read `scope=community`.",
    )
    GROUP_JOINED = "group.joined", "Your agency is in the group from now on."
    GROUP_UPDATED = "group.updated", "The group's kind, name, purpose, charter or chair changed."
    MEMBERS_CHANGED = (
        "members.changed",
        "An agency was invited to the group, joined or left it, or has another role in it.",
    )
    GROUP_LEFT = (
        "group.left",
        "Your agency left the group or was expelled; `record.lost` follows for what it saw by it.",
    )
    GROUP_ENDED = "group.ended", "The group ended; `record.lost` follows for what your agency saw by it."
    AGREEMENT_CREATED = "agreement.created", "Your agency drafted the agreement."
    AGREEMENT_PROPOSED = "agreement.proposed", "Your agency is a party of the agreement and can sign it: fetch it."
    AGREEMENT_UPDATED = (
        "agreement.updated",
        "What the agreement says changed; signatures that it had are void, and `detail` names their parties.",
    )
    AGREEMENT_LEFT = "agreement.left", "Your agency is to be no party of the agreement any more, and sees it no more."
    AGREEMENT_SIGNED = (
        "agreement.signed",
        "The party that `detail` names signed the agreement; once all have, its state says so.",
    )
    AGREEMENT_IN_FORCE = "agreement.in_force", "The agreement is in force: it is a legal basis from now on."
    AGREEMENT_SUSPENDED = (
        "agreement.suspended",
        "The party that `detail` names suspended the agreement: what rests on it is closed.",
    )
    AGREEMENT_REINSTATED = (
        "agreement.reinstated",
        "The party that `detail` names lifted its suspension; the agreement's state says whether another stands.",
    )
    AGREEMENT_TERMINATED = (
        "agreement.terminated",
        "The party that `detail` names ended the agreement: what rests on it is closed for good.",
    )
    AGREEMENT_EXPIRED = "agreement.expired", "The agreement's last day has passed: what rests on it is closed."
    MEETING_CREATED = "meeting.created", "Your agency drafted the meeting."
    MEETING_CALLED = "meeting.called", "Your agency takes part in the meeting, or called it: fetch it."
    MEETING_UPDATED = "meeting.updated", "The meeting changed, what it is to be or what came of it: fetch it again."
    MEETING_LEFT = "meeting.left", "Your agency is to take no part in the meeting any more, and sees it no more."
    MEETING_HELD = "meeting.held", "The meeting was held: its minutes and decisions are there."
    MEETING_CANCELLED = "meeting.cancelled", "The meeting was cancelled; it says why."
    MEETING_LINKS_CHANGED = "meeting.links_changed", "A pointer of your agency's meeting was added or taken back."
    MEETING_ACTION_CHANGED = (
        "meeting.action_changed",
        "An action item of the meeting was added, changed, done, dropped or opened again; `detail` names it.",
    )
    MEETING_ACTION_DUE = (
        "meeting.action_due",
        "The day of an action item has passed and it is not done; its owner and the convener are told.",
    )
    TRANSPORT_PLANNED = "transport.planned", "Your agency takes part in the transport, or planned it: fetch it."
    TRANSPORT_CHANGED = "transport.changed", "The transport's plan changed: fetch it again."
    TRANSPORT_LEFT = "transport.left", "Your agency takes no part in the transport any more, and sees it no more."
    TRANSPORT_FROZEN = "transport.frozen", "The manifest is closed: it can be boarded."
    TRANSPORT_UNFROZEN = "transport.unfrozen", "The manifest was opened again; the transport says why."
    TRANSPORT_BOARDING = "transport.boarding", "The first on the manifest boarded, or did not come."
    TRANSPORT_DEPARTED = "transport.departed", "The transport has left."
    TRANSPORT_ARRIVED = "transport.arrived", "The transport has arrived: its people can be handed over."
    TRANSPORT_COMPLETED = "transport.completed", "There is a receipt for everybody who was on board."
    TRANSPORT_CANCELLED = "transport.cancelled", "The transport does not take place; it says why."
    TRANSPORT_MANIFEST_CHANGED = (
        "transport.manifest_changed",
        "Who is on the manifest changed, or what became of them; `detail` says how, and of how many.",
    )
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
    AUDIT_EXPORTED = (
        "audit.exported",
        "The hub's operator exported entries of your agency, or about its record, for an oversight body.",
    )
    FEED_RESTORED = (
        "feed.restored",
        "The hub came back from a backup or a standby and may have forgotten its last events: walk the lists again.",
    )
