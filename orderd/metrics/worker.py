"""What a worker process does now."""

from typing import Final

from prometheus_client import Gauge

from orderd.metrics.registries import WORKER

IN_FLIGHT: Final = Gauge(
    "orderd_attempts_in_flight", "Transactions that this worker settles at present.", registry=WORKER
)
PASS_SECONDS: Final = Gauge(
    "orderd_loop_pass_seconds",
    "Age of the pass that a loop is in, and 0 between two passes. A loop whose age grows hangs.",
    ["loop"],
    registry=WORKER,
)
