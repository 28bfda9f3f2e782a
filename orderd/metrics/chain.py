"""Metrics of the chain's endpoint."""

from typing import Final

from prometheus_client import Counter, Histogram

from orderd.metrics.registries import SECONDS

REQUEST_SECONDS: Final = Histogram(
    "orderd_chain_rpc_seconds",
    "Time until the endpoint answered a request, or the wait for that ended. A request with several methods counts as "
    "batch.",
    ["method"],
    buckets=SECONDS,
)
ERRORS: Final = Counter(
    "orderd_chain_rpc_errors",
    "Calls that failed: no valid answer (transport), refused by the endpoint (refused, rate_limited), "
    "wrong_chain, or an error of the node (response).",
    ["method", "error"],
)
