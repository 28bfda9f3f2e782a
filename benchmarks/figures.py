"""Formats figures: quantiles, and ratios to the baseline of the same run."""

import statistics
from collections.abc import Sequence


def quantile(values: Sequence[float], share: float) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


def milliseconds(values: Sequence[float]) -> tuple[str, str]:
    """Median and 99th percentile."""
    return f"{statistics.median(values) * 1000:.2f} ms", f"{quantile(values, 0.99) * 1000:.2f} ms"


def times(value: float, baseline: float) -> str:
    """The value divided by the baseline."""
    return f"{value / baseline:.2f}"
