"""Who is told how far the work is: a stage has a label and, where it is known, how much there is to do."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Stage = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
"""Opens a stage; what it gives is told how much is done."""


@contextmanager
def silent(_label: str, _total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A stage that tells nobody."""
    yield lambda _done: None
