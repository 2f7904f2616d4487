"""H3: what a reader is answered before its agency has acknowledged the caveat. Whether it has is for the database."""

from uuid import UUID

from app.core.problems import ACKNOWLEDGEMENT_REQUIRED, Problem


def acknowledgement_required(kind: str, record_id: UUID | None, caveat: str) -> Problem:
    """409 with the caveat as it reads now, and where to acknowledge it."""
    path = f"/v1/{kind}/{record_id}/handling/acknowledge"
    detail = f"Show `caveat` to whoever is to read the record, and send it as it stands to POST {path}."
    return Problem(ACKNOWLEDGEMENT_REQUIRED, detail=detail, extra={"caveat": caveat})
