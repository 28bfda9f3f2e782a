"""Which process exports which metrics. A process never exports a value that it does not know."""

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Buckets for durations from under a millisecond to some seconds."""
LONG_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
"""Buckets for durations that include waits."""


class RoleRegistry(CollectorRegistry):
    """The metrics of one kind of process, including those that every process has."""

    def collect(self) -> Iterable[Metric]:
        yield from REGISTRY.collect()
        yield from super().collect()


GATEWAY: Final = RoleRegistry()
WORKER: Final = RoleRegistry()


class ScrapedGauge:
    """A gauge whose values are read at each scrape. Unknown values are absent."""

    def __init__(self, name: str, documentation: str, labels: Iterable[str] = (), *, registry: RoleRegistry) -> None:
        self._name, self._documentation, self.labels = name, documentation, tuple(labels)
        self._values: Mapping[tuple[str, ...], float] = {}
        registry.register(self)

    def set(self, value: float | None) -> None:
        """Set a gauge that has no label."""
        self._values = {} if value is None else {(): value}

    def set_each(self, values: Mapping[str, float] | None) -> None:
        """Set a gauge that has one label, by the label's value."""
        self._values = {(label,): value for label, value in (values or {}).items()}

    def describe(self) -> Iterable[Metric]:
        """The gauge without its values."""
        yield GaugeMetricFamily(self._name, self._documentation, labels=self.labels)

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(self._name, self._documentation, labels=self.labels)
        for labels, value in self._values.items():
            family.add_metric(labels, value)
        yield family
