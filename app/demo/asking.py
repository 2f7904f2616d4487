"""What readers of the story ask originators for, and wait for: leave to pass a record on."""

from typing import Final

from app.demo.parts import Contribution

ONWARD_REQUESTS: Final = (
    Contribution(
        "SEAGLASS",
        "KH-CNP",
        {"agencies": ["TH-RTP"], "reason": "Two of its recruiters are expected at the border market, case 2025-1187."},
    ),
)

ANSWER_IN_DAYS: Final = 14
"""By when the answers are needed, counted from the telling."""
