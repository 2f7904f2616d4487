"""The story's meetings: one by video that cannot wait, and one between two agencies that left something to be done."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from app.demo import story


@dataclass(frozen=True, slots=True)
class Task:
    """An action item: whose, what, in how many days it is due, and what its owner says came of it, if it is done."""

    owner: str
    text: str
    due_in_days: int
    done: str | None = None


@dataclass(frozen=True, slots=True)
class Convened:
    """A meeting that an agency calls, as the body of the call that would draft it, and what came of it.

    Its moments are counted from the telling; `about` is the agreement that it is about.
    """

    agency: str
    starts_in: timedelta
    lasts: timedelta
    body: dict[str, Any]
    about: str | None = None
    outcome: dict[str, Any] | None = None
    tasks: tuple[Task, ...] = ()


MEETINGS: Final = (
    Convened(
        "KR-KNPA",
        timedelta(hours=20),
        timedelta(hours=1),
        {
            "kind": "urgent_video",
            "title": "Urgent video meeting of police consuls on the people held at Bokor",
            "participants": {"agencies": ["ASEANAPOL"], "groups": [story.COUNCIL]},
            "time_zone": "Asia/Seoul",
            "video_link": "https://meet.example/consuls, code at the duty desks",
            "agenda": [
                {"title": "Who is missing, by nationality", "presenter": "KR-KNPA"},
                {"title": "What each mission can do this week", "note": "Bring the number of places in your shelters."},
            ],
        },
    ),
    Convened(
        "KR-KNPA",
        timedelta(days=-6),
        timedelta(hours=3),
        {
            "kind": "bilateral",
            "title": "Bilateral meeting on the memorandum",
            "participants": {"agencies": ["KH-CNP"]},
            "time_zone": "Asia/Phnom_Penh",
            "place": "Phnom Penh, national police headquarters",
            "agenda": [
                {"title": "A desk for Korean officers", "presenter": "KR-KNPA"},
                {"title": "Telephones found at the hillside site", "presenter": "KH-CNP"},
            ],
        },
        about=story.MEMORANDUM,
        outcome={
            "minutes": "Both sides went through the memorandum article by article. The desk is to open before the new "
            "year; its officers take part in searches as observers.",
            "decisions": [
                {"text": "A desk for Korean officers opens in Phnom Penh.", "agreed_by": ["KR-KNPA", "KH-CNP"]},
                {"text": "Telephones found at a site are listed for the other side within ten days."},
            ],
        },
        tasks=(
            Task("KR-KNPA", "Name the officers for the desk.", 3, done="Six officers were named."),
            Task("KH-CNP", "Send the list of the telephones found at the hillside site.", 8),
        ),
    ),
)
