"""What a process writes about itself: JSON lines on standard error, or something readable where that is a terminal.

No secret and no content stands there. So an exception is told by its type and where it came from; what it says itself
is left out, since a database or a validator quotes the values it stumbled over.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final

import orjson
import psycopg
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_SPEAKING: Final = (OSError, TimeoutError, psycopg.OperationalError)
"""Exceptions that say what is wrong with the machine and quote no value; PostgreSQL's never quote a password."""

_CHATTY: Final = ("alembic", "asyncio", "procrastinate", "psycopg", "psycopg.pool")
"""Libraries that tell every step at the level info."""

_FRAMES: Final = 25
_CAUSES: Final = 5


def configure(level: str, *, human: bool | None = None) -> None:
    """Send everything, the libraries' messages too, to standard error at `level` and above.

    Args:
        level: debug, info, warning or error.
        human: coloured lines instead of JSON; left out, whether standard error is a terminal.

    Raises:
        ValueError: there is no such level.
    """
    threshold = LEVELS.get(level.lower())
    if threshold is None:
        message = f"INTERDESK_LOG_LEVEL is one of {', '.join(LEVELS)}"
        raise ValueError(message)
    readable = sys.stderr.isatty() if human is None else human
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        tell_exception,
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer(serializer=_json)
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            use_get_message=True,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    logging.captureWarnings(capture=True)


def tell_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its type, its place in the code and its causes."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = [_told(part) for part in _chain(error)]
    return event


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    for _ in range(_CAUSES):
        if current is None:
            return
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _told(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    told: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}", "at": _places(error.__traceback__)}
    if isinstance(error, psycopg.Error) and error.sqlstate:
        told["sqlstate"] = error.sqlstate
    if isinstance(error, _SPEAKING):
        told["message"] = str(error).strip()
    return told


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}" for frame, line in traceback.walk_tb(trace)][
        -_FRAMES:
    ]


def _json(event: EventDict, **_options: object) -> str:
    return orjson.dumps(event, default=str).decode()
