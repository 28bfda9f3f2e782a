"""Metrics of the whole cluster, which a gateway reads at each scrape. Unknown values are absent."""

from functools import partial
from typing import Final

from orderd.metrics.registries import GATEWAY, ScrapedGauge

_gauge: Final = partial(ScrapedGauge, registry=GATEWAY)

READY: Final = _gauge("orderd_ready", "1 where an order sent now would be accepted, else 0.")
EXECUTING: Final = _gauge("orderd_executing", "1 where orders are executed now, 0 where they wait.")
HALTED: Final = _gauge("orderd_halted", "1 while a halt prevents new signatures, else 0.")
SERVICE_UP: Final = _gauge(
    "orderd_service_up", "1 where postgres, redis or the chain's rpc answers, else 0.", ["service"]
)
WORKERS: Final = _gauge("orderd_workers", "Worker processes with a live heartbeat.")
ORDERS: Final = _gauge("orderd_orders", "Orders by status.", ["status"])
UNKNOWN: Final = _gauge("orderd_outcome_unknown", "Submitted orders whose outcome is unknown.")
OPEN_ORDERS: Final = _gauge("orderd_open_orders", "Orders that have not ended, by kind.", ["kind"])
OPEN_ORDER_AGE: Final = _gauge(
    "orderd_open_order_age_seconds", "Age of the oldest order that has not ended, by kind.", ["kind"]
)
QUEUE_DEPTH: Final = _gauge("orderd_queue_depth", "Messages waiting in the queue.")
RATE_LIMIT_USED: Final = _gauge("orderd_rate_limit_used", "Order starts within the current window.")
RATE_LIMIT_WAITING: Final = _gauge("orderd_rate_limit_waiting", "Orders that wait for a start.")
RATE_LIMIT_MAX: Final = _gauge(
    "orderd_rate_limit_max", "Order starts that a window has room for; absent without a rate limit."
)
CHAIN_SLOT: Final = _gauge("orderd_chain_slot", "Newest slot that the chain's endpoint reports.")
CHAIN_HEIGHT: Final = _gauge("orderd_chain_block_height", "Height of the newest block of the chain's endpoint.")
WALLET_BALANCE: Final = _gauge(
    "orderd_wallet_balance",
    "Whole tokens in the wallet, of the built-in tokens; SOL does not include wrapped SOL (wSOL).",
    ["token"],
)
ALERTS_WAITING: Final = _gauge("orderd_alerts_waiting", "Alerts that a receiver has not confirmed.", ["receiver"])
ALERT_AGE: Final = _gauge(
    "orderd_alert_age_seconds", "Age of the oldest alert that a receiver has not confirmed.", ["receiver"]
)
DATABASE_BYTES: Final = _gauge("orderd_database_bytes", "Size of the database on disk.")
TABLE_BYTES: Final = _gauge("orderd_table_bytes", "Size of a table on disk, including its indexes.", ["table"])
REMOVED_ROWS: Final = _gauge("orderd_removed_rows", "Rows that have been removed because of their age.", ["kept"])
