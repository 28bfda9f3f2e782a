"""Structured logs on stderr.

A log line is one event: a readable message, a stable ``action`` that alerts and searches match on, and its facts as
fields.
"""

import ctypes
import logging
import math
import os
import sys
import time
from collections import Counter as Counts
from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

_libc: Final = ctypes.CDLL(None)
_PR_SET_NAME: Final = 15
_NOISY: Final = (
    "websockets.server",
    "uvicorn.error",
    "uvicorn.access",
    "httpx",
    "httpcore",
    "dramatiq",
    "asyncio",
    "peewee.migrations",
)
"""Libraries that log each connection, request or migration at INFO; from them, warnings are enough."""

_STRANGERS: Final = frozenset({"websockets.server", "uvicorn.error", "asyncio", "connection_refused"})
"""Loggers of libraries, and actions of orderd, whose log lines any client of the port can cause."""
_LINES_PER_MINUTE: Final = 10
_MAX_LINE: Final = 500
"""Maximum characters of such a line."""


_PRIORITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG: Final = 7


def name_thread(name: str) -> None:
    """Set the calling thread's name in Linux, as shown by ``top -H``. Python does not set it."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


class _Bounded(logging.Filter):
    """Limits the log lines per minute that clients can cause; the next line that passes says how many were dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._since: dict[str, float] = {}
        self._passed: Counts[str] = Counts()
        self._left_out: Counts[str] = Counts()

    def filter(self, record: logging.LogRecord) -> bool:
        ours = record.msg if isinstance(record.msg, dict) else None
        kind = str(ours.get("action")) if ours is not None else record.name
        if kind not in _STRANGERS:
            return True
        now = time.monotonic()
        if now - self._since.get(kind, -math.inf) >= 60:
            self._since[kind] = now
            self._passed[kind] = 0
        self._passed[kind] += 1
        if self._passed[kind] > _LINES_PER_MINUTE:
            self._left_out[kind] += 1
            return False
        left_out = self._left_out.pop(kind, 0)
        if ours is not None:
            if left_out:
                ours["left_out"] = left_out
        else:
            also = f" ({left_out} more lines were left out)" if left_out else ""
            record.msg, record.args = f"{record.getMessage()[:_MAX_LINE]}{also}", ()
        return True


def _without_enums(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:  # noqa: ARG001
    """Convert enum members to their values, also in lists and mappings."""
    return {key: _plain(value) for key, value in event.items()}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Enum) else value


def configure_logging(level: str = "info", render: Literal["json", "console"] = "json") -> None:
    """Write all logs of the process to stderr, one line per event, including those of libraries that use
    ``logging``."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _ensure_action,
    ]
    renderers: list[Processor]
    if render == "json":
        renderers = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    else:
        renderers = [
            _without_enums,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = _ForJournal if _is_journal() else ProcessorFormatter
    handler.setFormatter(
        formatter(foreign_pre_chain=shared, processors=[ProcessorFormatter.remove_processors_meta, *renderers])
    )
    handler.addFilter(_Bounded())
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[handler], force=True)
    set_log_level(level)


def set_log_level(level: str) -> None:
    """Set the minimum level of logged events."""
    logging.getLogger().setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


class _ForJournal(ProcessorFormatter):
    """Prefixes each line with its priority, which journald strips and stores (sd-daemon(3))."""

    def format(self, record: logging.LogRecord) -> str:
        priority = next((number for level, number in _PRIORITIES if record.levelno >= level), _DEBUG)
        return f"<{priority}>{super().format(record)}"


def _is_journal() -> bool:
    """Whether stderr is the journal, by device and inode in JOURNAL_STREAM (systemd.exec(5))."""
    try:
        stream = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stream.st_dev}:{stream.st_ino}"


def _ensure_action(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:  # noqa: ARG001
    """Set the action of log lines of libraries to the library's name."""
    event.setdefault("action", str(event.get("logger", "log")).split(".")[0])
    return event
