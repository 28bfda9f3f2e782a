"""How figures are told: quantiles, and what they are in the measure of the same run's baseline."""

import statistics
from collections.abc import Sequence


def quantile(values: Sequence[float], share: float) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


def milliseconds(values: Sequence[float]) -> tuple[str, str]:
    """Median and 99th percentile."""
    return f"{statistics.median(values) * 1000:.2f} ms", f"{quantile(values, 0.99) * 1000:.2f} ms"


def times(value: float, baseline: float) -> str:
    """How many times the baseline it is."""
    return f"{value / baseline:.2f}"
