"""Checking a proof or an export without the hub: nothing but the file and the audit keys that were fetched earlier."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from app.audit.canonical import canonical
from app.audit.checkpoints import PublicKeys, is_signed
from app.audit.merkle import leaf_hash, proves_inclusion

FINDINGS_MAX: Final = 100
"""Findings that are kept; what is wrong throughout needs no longer list."""

EXPORT: Final = "interdesk-audit-export"


class FileCheck:
    """A file under check: proofs and parts of exports, one a line.

    Whatever stands in it, the check ends with findings and not with an error.
    """

    def __init__(self, keys: PublicKeys) -> None:
        self.entries = 0
        self.checkpoints = 0
        self.complete = True
        """Whether the last part of an export is there."""
        self.findings: list[str] = []
        self._keys = keys

    @property
    def holds(self) -> bool:
        """Whether everything in the file is proved, and anything is there at all."""
        return not self.findings and self.checkpoints > 0

    def run(self, lines: Iterable[str], progress: Callable[[int], None] = lambda _: None) -> None:
        """Check all lines; `progress` is told how many entries are done."""
        for number, line in enumerate(lines, 1):
            try:
                value = json.loads(line)
                items = [value]
                if value.get("type") == EXPORT:
                    self.complete = value["next_cursor"] is None
                    items = value["items"]
                if value["checkpoint"] is not None or items:
                    self._check(number, value["checkpoint"], items, progress)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                self._found(number, "not in the form of a proof or an export")

    def _check(
        self, number: int, checkpoint: dict[str, Any], items: Iterable[dict[str, Any]], progress: Callable[[int], None]
    ) -> None:
        self.checkpoints += 1
        if checkpoint["kid"] not in self._keys:
            self._found(number, f"the checkpoint is signed with {checkpoint['kid']}, which is not among the keys given")
        elif not is_signed(checkpoint, self._keys):
            self._found(number, "the checkpoint's signature is wrong")
        root = bytes.fromhex(checkpoint["root_hash"])
        for item in items:
            self.entries += 1
            path = [bytes.fromhex(one) for one in item["inclusion_path"]]
            leaf = leaf_hash(canonical(item["leaf"]))
            if not proves_inclusion(leaf, item["leaf_index"], checkpoint["tree_size"], path, root):
                entry = (item["leaf"] or {}).get("entry", {}).get("id")
                self._found(number, f"the entry {entry} is not what was sealed at {item['leaf_index']}")
            progress(self.entries)

    def _found(self, number: int, what: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(f"Line {number}: {what}.")


def lines_of(file: Iterable[str]) -> Iterator[str]:
    """The JSON values of a file: one a line, or a single one over many lines, as people's tools like to write it."""
    lines = (line for line in file if line.strip())
    first = next(lines, "")
    try:
        json.loads(first)
    except ValueError:
        yield first + "".join(lines)
    else:
        yield first
        yield from lines
