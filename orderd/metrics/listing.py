"""Lists all metrics of orderd for the documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

from orderd.metrics import chain, cluster, orders, port, process, venues, worker
from orderd.metrics.registries import ScrapedGauge

SUBJECTS: Final[Mapping[str, tuple[str, ModuleType]]] = {
    "What happens to orders": ("gateways and workers", orders),
    "The cluster": ("gateways", cluster),
    "Clients": ("gateways", port),
    "Venues": ("gateways and workers", venues),
    "The chain's endpoint": ("gateways and workers", chain),
    "Workers": ("workers", worker),
    "Every process": ("gateways and workers", process),
}
"""The processes that export each subject, and the module that defines it."""
_SUFFIXES: Final = {"counter": "_total", "info": "_info"}


@dataclass(frozen=True, slots=True)
class ListedMetric:
    """A metric by its name in Prometheus; the name of a histogram has no suffix."""

    name: str
    kind: str
    labels: tuple[str, ...]
    documentation: str


def listed(module: ModuleType) -> Iterator[ListedMetric]:
    """The metrics that a module defines, in the order of their definition."""
    for metric in vars(module).values():
        if not isinstance(metric, MetricWrapperBase | ScrapedGauge):
            continue
        labels = metric.labels if isinstance(metric, ScrapedGauge) else metric._labelnames
        (family,) = metric.describe()
        name = family.name + _SUFFIXES.get(family.type, "")
        yield ListedMetric(name, family.type, tuple(labels), family.documentation)
