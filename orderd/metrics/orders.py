"""Metrics of orders, counted by the process that stores the event: the cluster's value is the sum over all
processes."""

from typing import Final

from prometheus_client import Counter, Histogram

from orderd.metrics.registries import LONG_SECONDS

ACCEPTED: Final = Counter("orderd_orders_accepted", "Orders that were accepted, by kind.", ["kind"])
ENDED: Final = Counter(
    "orderd_orders_ended",
    "Orders that have ended, by outcome and by the error code that caused it (reason none without an error).",
    ["outcome", "reason"],
)
STAGE_SECONDS: Final = Histogram(
    "orderd_order_stage_seconds",
    "Durations: start, from acceptance to the first turn of an order that waits for no price; sign, from there to the "
    "stored signature; land, from there to the outcome; fill, from the acceptance of a market order to its fill.",
    ["stage"],
    buckets=LONG_SECONDS,
)
TRIGGER_SECONDS: Final = Histogram(
    "orderd_trigger_delay_seconds",
    "Time from the look at the market that met an order's condition to the order's first turn.",
    buckets=LONG_SECONDS,
)
ATTEMPTS: Final = Counter(
    "orderd_attempts",
    "Attempts that have ended, by the venue of the largest leg (none without a route) and result: filled, or an error "
    "code.",
    ["venue", "result"],
)
SLOTS_TO_LAND: Final = Histogram(
    "orderd_landing_slots",
    "Slots from that of a transaction's blockhash to that of its block.",
    buckets=(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 150),
)
FILL_BPS: Final = Histogram(
    "orderd_fill_against_quote_bps",
    "What a fill paid above its quote, in basis points; below 0 where it paid less.",
    buckets=(-500, -200, -100, -50, -20, -10, -5, -1, 0, 1, 5, 10, 20, 50, 100),
)
DEFERRALS: Final = Counter("orderd_deferrals", "How often an order began to wait, by error code or reason.", ["reason"])
RATE_LIMIT_WAIT: Final = Histogram(
    "orderd_rate_limit_wait_seconds",
    "Expected wait of an order for its start, at the moment when it begins to wait.",
    buckets=LONG_SECONDS,
)
UNKNOWN: Final = Counter(
    "orderd_unknown_outcomes", "How often an attempt's outcome was unknown for long. Some are resolved later."
)
