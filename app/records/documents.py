"""Writing a record's texts again when only what stands around its own fields has changed."""

from typing import Any

import orjson

from app.access.envelope import Envelope, Rendered, Tombstone, surround


def own_fields(document: str) -> dict[str, Any]:
    """A kind's own fields, out of either text of a record."""
    fields: dict[str, Any] = orjson.loads(document)
    return {name: value for name, value in fields.items() if name not in Envelope.model_fields}


def rerender(envelope: Envelope, document: str) -> Rendered:
    """Both texts with another envelope around the same fields."""
    return surround(envelope, orjson.dumps(own_fields(document)).decode())


def tombstone(envelope: Envelope) -> Rendered:
    """What is left of a retracted record, the same for its originator and its readers."""
    text = Tombstone(
        id=envelope.id, reference=envelope.reference, version=envelope.version, updated_at=envelope.updated_at
    ).model_dump_json()
    return Rendered(text, text)
