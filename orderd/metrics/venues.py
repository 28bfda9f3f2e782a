"""How venues answer, and which pools were left out."""

from typing import Final

from prometheus_client import Counter, Histogram

from orderd.metrics.registries import SECONDS

VENUE_SECONDS: Final = Histogram(
    "orderd_venue_answer_seconds",
    "Time until a venue told of its pools, where they had to be read. Pools of all kinds that are known are read in "
    "one request.",
    ["venue", "kind"],
    buckets=SECONDS,
)
VENUE_ERRORS: Final = Counter(
    "orderd_venue_errors", "Times that a venue did not tell of its pools, by error code.", ["venue", "kind", "code"]
)
POOL_FAULTS: Final = Counter(
    "orderd_pool_faults", "Exceptions that a pool's state led to and nobody foresaw; the pool was left out.", ["kind"]
)
POOLS_UNSUPPORTED: Final = Counter(
    "orderd_pools_unsupported",
    "Pools that are left alone, by why, and the field that tells it.",
    ["kind", "reason", "field"],
)
