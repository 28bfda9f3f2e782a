"""Metrics of venues: their answers, and the pools that were left out."""

from typing import Final

from prometheus_client import Counter, Histogram

from orderd.metrics.registries import SECONDS

VENUE_SECONDS: Final = Histogram(
    "orderd_venue_answer_seconds",
    "Time until a venue has read its pools. Known pools of all kinds are read in one request.",
    ["venue", "kind"],
    buckets=SECONDS,
)
VENUE_ERRORS: Final = Counter(
    "orderd_venue_errors", "How often a venue could not read its pools, by error code.", ["venue", "kind", "code"]
)
POOL_FAULTS: Final = Counter(
    "orderd_pool_faults", "Unexpected exceptions caused by a pool's state; the pool was left out.", ["kind"]
)
POOLS_UNSUPPORTED: Final = Counter(
    "orderd_pools_unsupported",
    "Pools that are not traded, by reason and by the field that shows it.",
    ["kind", "reason", "field"],
)
