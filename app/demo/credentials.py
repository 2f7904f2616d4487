"""The demo's credentials: drawn for each installation, and kept in a file so that the next start can show them again.

Real secrets are shown once and kept by nobody but the partner. These open nothing but an invented story.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from app.access.desk import Desk
from app.core.validation import validated
from app.demo import story
from app.demo.telling import OpenDesk
from app.domain.credentials import issuing, keeping
from app.domain.credentials.powers import Power
from app.domain.credentials.shapes import Credential, CredentialCreate, CredentialStatus, Rotation

FILE: Final = "demo-credentials.json"
_SHOWN: Final = ("agency", "label", "roles", "client_id", "client_secret")
_MANY: Final = 500


async def provide(open_desk: OpenDesk, data: Path) -> list[dict[str, Any]]:
    """Every credential of the demo with its secret: as kept, else issued; a lost secret is drawn again."""
    file = data / FILE
    kept = {entry["client_id"]: entry for entry in _read(file)}
    provided = []
    for agency, label, roles in story.CREDENTIALS:
        async with open_desk(agency) as desk:
            found = await _present(desk, agency, label)
            if found is not None and found.client_id in kept:
                provided.append(kept[found.client_id])
                continue
            if found is None:
                sent = validated(CredentialCreate, {"label": label, "roles": roles})
                issued = await issuing.issue(desk, agency, Power.KEEP, sent)
            else:
                issued = await issuing.rotate(desk, found, Rotation(grace_seconds=0))
        provided.append({name: issued.model_dump(mode="json")[name] for name in _SHOWN})
    _write(file, provided)
    return provided


async def _present(desk: Desk, agency: str, label: str) -> Credential | None:
    active = {"status": CredentialStatus.ACTIVE.value}
    for credential in await keeping.page(desk, agency, order="created_at", filters=active, after=None, limit=_MANY):
        if credential.label == label:
            return credential
    return None


def _read(file: Path) -> Sequence[dict[str, Any]]:
    try:
        entries: Sequence[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return []
    return entries


def _write(file: Path, entries: Sequence[dict[str, Any]]) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        json.dump(entries, opened, ensure_ascii=False, indent=2)
        opened.write("\n")
    part.replace(file)
