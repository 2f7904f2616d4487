"""The answer to a file that is not taken."""

from app.core.problems import UNSUPPORTED_CONTENT, Problem


def refused(found: str) -> Problem:
    """415 with what was found; nothing where nothing is known of it."""
    return Problem(
        UNSUPPORTED_CONTENT,
        detail=f"Found: {found or 'nothing known'}. Taken are documents, pictures, sound, video and text in UTF-8.",
        headers={"Connection": "close"},  # what is left of the body is not read
    )
