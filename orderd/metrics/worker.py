"""Metrics of a worker process."""

from typing import Final

from prometheus_client import Gauge

from orderd.metrics.registries import WORKER

IN_FLIGHT: Final = Gauge("orderd_attempts_in_flight", "Transactions that this worker is settling.", registry=WORKER)
PASS_SECONDS: Final = Gauge(
    "orderd_loop_pass_seconds",
    "Age of a loop's current pass, and 0 between two passes. If the age keeps growing, the loop hangs.",
    ["loop"],
    registry=WORKER,
)
