"""Structured logs on stderr, and the metrics of the processes.

A log line is one event: a readable message, a stable ``action`` that alerts and searches match on, and its facts as
fields. Metrics follow Prometheus' naming: base units, ``_total`` for counters, no label that grows with use.
"""

import ctypes
import logging
import math
import os
import sys
import time
from collections import Counter as Counts
from importlib.metadata import version
from typing import Final, Literal

import structlog
from prometheus_client import Counter, Gauge, Histogram, Info
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

_libc: Final = ctypes.CDLL(None)
_PR_SET_NAME: Final = 15
_NOISY: Final = ("websockets.server", "uvicorn.error", "uvicorn.access", "httpx", "httpcore", "dramatiq", "asyncio")
"""Libraries that tell of each connection or request at INFO; from them, warnings are enough."""

_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

BUILD: Final = Info("orderd_build", "The running version.")
BUILD.info({"version": version("orderd")})

CONNECTIONS: Final = Gauge("orderd_ws_connections", "Open websocket connections.")
SLOW_DISCONNECTS: Final = Counter("orderd_ws_slow_disconnects", "Connections closed because they did not keep up.")
REFUSED: Final = Counter("orderd_connections_refused", "Connections and requests refused at the door.", ["code"])
CALLS: Final = Counter("orderd_rpc_calls", "JSON-RPC calls by outcome: ok, or an error code.", ["method", "outcome"])
CALL_SECONDS: Final = Histogram("orderd_rpc_call_seconds", "Time to answer a call.", ["method"], buckets=_SECONDS)
HTTP_REQUESTS: Final = Counter(
    "orderd_http_requests", "HTTP requests by method, route and status of the answer.", ["method", "route", "status"]
)
HTTP_SECONDS: Final = Histogram(
    "orderd_http_request_seconds", "Time to answer an HTTP request.", ["route"], buckets=_SECONDS
)
INTAKE_BATCH: Final = Histogram(
    "orderd_intake_batch_orders", "Orders committed together.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
EVENTS_SENT: Final = Counter("orderd_events_sent", "Order events written to subscribers.")
EVENT_SECONDS: Final = Histogram(
    "orderd_event_delivery_seconds", "From an event's commit to its subscribers.", buckets=_SECONDS
)
GAPS_FILLED: Final = Counter("orderd_event_gaps_filled", "Orders whose events had to be fetched from Postgres.")
SUBSCRIPTIONS: Final = Gauge("orderd_subscriptions", "Open subscriptions.")
LOOP_LAG: Final = Gauge("orderd_event_loop_lag_seconds", "How late the gateway's event loop last was.")
POOL_FAULTS: Final = Counter(
    "orderd_pool_faults", "Exceptions that a pool's state led to and nobody foresaw; the pool was left out.", ["kind"]
)
POOLS_UNSUPPORTED: Final = Counter(
    "orderd_pools_unsupported",
    "Pools that are left alone, by why, and the field that tells it.",
    ["kind", "reason", "field"],
)
BEST_EFFORT_FAILURES: Final = Counter(
    "orderd_best_effort_failures", "Failures of work that no order depends on, by what it was.", ["what"]
)
READY: Final = Gauge("orderd_ready", "1 where an order sent now would be accepted, else 0.")
HALTED: Final = Gauge("orderd_halted", "1 while a halt keeps anything new from being signed, NaN where unknown.")
EXECUTING: Final = Gauge("orderd_executing", "1 where orders are executed now, 0 where they wait, NaN where unknown.")
ORDERS: Final = Gauge("orderd_orders", "Orders by status, over the whole cluster.", ["status"])
UNKNOWN: Final = Gauge("orderd_outcome_unknown", "Submitted orders of which nobody can tell what became.")
QUEUE_DEPTH: Final = Gauge("orderd_queue_depth", "Messages waiting in the queue, over the whole cluster.")
WORKERS: Final = Gauge("orderd_workers", "Worker processes with a live heartbeat.")
RATE_LIMIT_USED: Final = Gauge("orderd_rate_limit_used", "Order starts within the current window.")
TABLE_BYTES: Final = Gauge("orderd_table_bytes", "Size of a table on disk with its indexes.", ["table"])
REMOVED_ROWS: Final = Gauge(
    "orderd_removed_rows", "Rows that were removed for their age so far, over the whole cluster.", ["kept"]
)
RATE_LIMIT_WAITING: Final = Gauge("orderd_rate_limit_waiting", "Orders that wait for a start.")


_STRANGERS: Final = frozenset({"websockets.server", "uvicorn.error", "asyncio", "connection_refused"})
"""Loggers of libraries, and actions of ours, whose lines anybody brings about who reaches the port."""
_LINES_A_MINUTE: Final = 10
_LONGEST_LINE: Final = 500
"""Characters of a library's words on a stranger's."""


_PRIORITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG: Final = 7


def name_thread(name: str) -> None:
    """Let Linux know the calling thread by this name, as ``top -H`` shows it. Python does not."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


class _Bounded(logging.Filter):
    """Lets strangers write so much of the log and no more; the next line that passes says how many did not."""

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
        if self._passed[kind] > _LINES_A_MINUTE:
            self._left_out[kind] += 1
            return False
        left_out = self._left_out.pop(kind, 0)
        if ours is not None:
            if left_out:
                ours["left_out"] = left_out
        else:
            also = f" ({left_out} more lines were left out)" if left_out else ""
            record.msg, record.args = f"{record.getMessage()[:_LONGEST_LINE]}{also}", ()
        return True


def configure_logging(level: str = "info", render: Literal["json", "console"] = "json") -> None:
    """Send all logs of the process to stderr, one line an event. Also those of libraries that use ``logging``."""
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
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
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
    """From now on nothing less severe is logged."""
    logging.getLogger().setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


class _ForJournal(ProcessorFormatter):
    """Begins each line with its priority, which journald takes off and filters by (sd-daemon(3))."""

    def format(self, record: logging.LogRecord) -> str:
        priority = next((number for level, number in _PRIORITIES if record.levelno >= level), _DEBUG)
        return f"<{priority}>{super().format(record)}"


def _is_journal() -> bool:
    """Whether stderr is the journal, as JOURNAL_STREAM says by device and inode (systemd.exec(5))."""
    try:
        stream = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stream.st_dev}:{stream.st_ino}"


def _ensure_action(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:  # noqa: ARG001
    """Lines of libraries have no action of their own: theirs is the library's name."""
    event.setdefault("action", str(event.get("logger", "log")).split(".")[0])
    return event
