"""The increments of metrics since a test began."""

from prometheus_client import REGISTRY

Key = tuple[str, tuple[tuple[str, str], ...]]


class Counted:
    """The increments since it was created, of the metrics in this process."""

    def __init__(self) -> None:
        self._before = _samples()

    def __call__(self, name: str, **labels: str) -> float:
        """The increment of one sample, by its name in Prometheus and all of its labels."""
        key = name, tuple(sorted(labels.items()))
        return _samples().get(key, 0.0) - self._before.get(key, 0.0)


def _samples() -> dict[Key, float]:
    samples = (sample for family in REGISTRY.collect() for sample in family.samples)
    return {(each.name, tuple(sorted(each.labels.items()))): each.value for each in samples}
