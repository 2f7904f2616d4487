"""What the description says in its own words: summary, introduction, groups of calls."""

from importlib.resources import files
from typing import Any, Final

SUMMARY: Final = "Coordination between police agencies that work the same cross-border crime."

TAGS: Final[list[dict[str, Any]]] = [
    {"name": "Sign-in", "description": "Tokens, keys and metadata, and who the hub takes you for."},
    {
        "name": "Criminal organizations",
        "description": "Profiles of criminal organizations, exchanged under handling rules, with what readers add.",
    },
    {
        "name": "Attachments",
        "description": "Files on records of any kind: looked at, encrypted, and seen by whoever sees the record.",
    },
    {
        "name": "Joint operations",
        "description": "Operations that several agencies plan, approve by the hash of the plan, and run together.",
    },
    {
        "name": "Incident reports",
        "description": "What happened to people: reported, worked on and verified, and who was called to help.",
    },
    {
        "name": "Repatriation requests",
        "description": "Bringing victims, suspects and the dead home: two sides, and step by step what has to be done.",
    },
    {
        "name": "Transports",
        "description": "Journeys home of people of many requests: seats, permits, escorts, boarding and receipts.",
    },
    {"name": "Recalls", "description": "Records that were taken back, and what became of the copies."},
    {"name": "Agencies", "description": "The directory: who takes part, and how to reach them day and night."},
    {"name": "Credentials", "description": "What partners' systems sign in with: issued, rotated and revoked."},
    {
        "name": "Groups",
        "description": "Councils, joint teams and working groups that audiences can name; who is in them.",
    },
    {
        "name": "Agreements",
        "description": "Memoranda, treaties, letters and charters: who may share what with whom, and since when.",
    },
    {
        "name": "Meetings",
        "description": "Meetings with agenda, decisions, and action items that have an owner and a day; as a calendar.",
    },
    {"name": "Statistics", "description": "Numbers counted over the records your agency sees."},
    {"name": "Events", "description": "What changed, in an order that skips nothing: how to stay in step."},
    {"name": "Audit", "description": "Who did what, for those who have to answer for it."},
    {"name": "Operation", "description": "For load balancers and monitoring."},
    {"name": "Documentation", "description": "This description, and what each problem type means."},
]


def introduction() -> str:
    """The first exchange, step by step, in Markdown."""
    return files(__package__).joinpath("introduction.md").read_text("utf-8")
