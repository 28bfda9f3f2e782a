"""The answers of venues and endpoint since the processes started, read from the text of the metrics."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

_READ: Final = (
    "orderd_venue_answer_seconds",
    "orderd_venue_errors",
    "orderd_chain_rpc_seconds",
    "orderd_chain_rpc_errors",
)
_PART: Final = 0.95


@dataclass(frozen=True, slots=True)
class RequestFigures:
    """The requests of one kind of pool or one method: their number, the errors, and the 95th percentile in seconds."""

    answers: int
    errors: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """The answers by kind of pool, and by method."""

    venues: Mapping[str, RequestFigures]
    methods: Mapping[str, RequestFigures]


def measured(text: str) -> Measured:
    """The answers that the metrics of all processes show."""
    chosen = [line for line in text.splitlines() if line.removeprefix("# TYPE ").startswith(_READ)]
    buckets: dict[tuple[str, str], Counter[float]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for family in text_string_to_metric_families("\n".join(chosen) + "\n"):
        for sample in family.samples:
            label = sample.labels.get("kind") or sample.labels.get("method") or ""
            if sample.name.endswith("_bucket"):
                of_one = buckets.setdefault((family.name, label), Counter())
                of_one[float(sample.labels["le"])] += int(sample.value)
            elif sample.name.endswith(("_count", "_total")):
                counts[family.name, label] += int(sample.value)

    def answers(seconds: str, errors: str) -> dict[str, RequestFigures]:
        names = sorted({label for name, label in counts if name in (seconds, errors)})
        return {
            each: RequestFigures(
                counts[seconds, each], counts[errors, each], quantile(_PART, buckets.get((seconds, each), {}))
            )
            for each in names
        }

    venues, venue_errors, methods, method_errors = _READ
    return Measured(answers(venues, venue_errors), answers(methods, method_errors))


def quantile(part: float, buckets: Mapping[float, int]) -> float | None:
    """The quantile as Prometheus' ``histogram_quantile`` computes it; None without samples.

    ``buckets`` are the counts of values up to each bound. Values are assumed to be spread evenly within a bucket. For a
    quantile above the last bound, that bound is returned.
    """
    bounds = sorted(buckets)
    if not bounds or not buckets[bounds[-1]]:
        return None
    rank = part * buckets[bounds[-1]]
    below, least = 0, 0.0
    for bound in bounds:
        if buckets[bound] >= rank:
            if bound == float("inf"):
                return least
            return least + (bound - least) * (rank - below) / ((buckets[bound] - below) or 1)
        below, least = buckets[bound], bound
    return least
