"""Metrics: each process exports its own, two exports can be merged, and labels have fixed sets of values."""

import json
import socket
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from orderd.metrics.listing import SUBJECTS, listed
from orderd.metrics.neighbour import merged, serving, worker_text
from orderd.metrics.registries import GATEWAY, WORKER, RoleRegistry, ScrapedGauge

LABELS = {
    *("action", "code", "error", "field", "kept", "kind", "loop", "method", "outcome", "reason", "receiver"),
    *("result", "route", "service", "stage", "status", "table", "token", "venue", "what"),
}
"""Labels with few values: codes, kinds, and names given by the program or the operator."""


def names(registry: CollectorRegistry) -> set[str]:
    return {family.name for family in registry.collect()}


def test_worker_and_gateway_export_only_their_own_metrics() -> None:
    assert "orderd_ready" in names(GATEWAY) - names(WORKER)
    assert "orderd_attempts_in_flight" in names(WORKER) - names(GATEWAY)
    assert {"orderd_orders_ended", "orderd_chain_rpc_seconds", "process_cpu_seconds"} <= names(GATEWAY) & names(WORKER)


def test_each_metric_is_defined_once_with_a_description() -> None:
    metrics = [each for _, module in SUBJECTS.values() for each in listed(module)]
    assert len({each.name for each in metrics}) == len(metrics)
    assert [each.name for each in metrics if not each.documentation.endswith(".")] == []
    ours = {name for name in names(GATEWAY) | names(WORKER) if name.startswith("orderd_")}
    suffixes = {"counter": "_total", "info": "_info"}
    assert ours == {each.name.removesuffix(suffixes.get(each.kind, "")) for each in metrics}


def test_no_label_has_unbounded_values() -> None:
    assert {label for _, module in SUBJECTS.values() for each in listed(module) for label in each.labels} <= LABELS


def test_unknown_values_are_absent() -> None:
    registry = RoleRegistry()
    depth = ScrapedGauge("depth", "A depth.", registry=registry)
    sizes = ScrapedGauge("size", "Sizes.", ["of"], registry=registry)

    def samples() -> list[str]:
        return [line for line in generate_latest(registry).decode().splitlines() if line.startswith(("depth", "size"))]

    depth.set(3)
    sizes.set_each({"a": 1, "b": 2})
    assert samples() == ["depth 3.0", 'size{of="a"} 1.0', 'size{of="b"} 2.0']
    depth.set(None)
    sizes.set_each(None)
    assert samples() == []


def texts() -> tuple[str, str]:
    """The exports of two processes, with one common counter and one separate metric each."""
    one, other = CollectorRegistry(), CollectorRegistry()
    for registry, amount in ((one, 1), (other, 2)):
        Counter("shared", "Of both, with {braces} in it.", ["what"], registry=registry).labels('a "b" {c} d').inc(
            amount
        )
    Gauge("only_one", "One.", registry=one).set(7)
    Gauge("only_other", "Another.", registry=other).set(-1.5)
    return generate_latest(one).decode(), generate_latest(other).decode()


def test_merged_metrics_have_each_family_once() -> None:
    text = merged(*texts(), "worker")
    heads = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
    what = ("what", 'a "b" {c} d')
    assert samples == {
        ("shared_total", (what,)): 1.0,
        ("shared_total", (("role", "worker"), what)): 2.0,
        ("only_one", ()): 7.0,
        ("only_other", (("role", "worker"),)): -1.5,
    }


def test_metrics_are_unchanged_without_a_worker() -> None:
    own, _ = texts()
    assert merged(own, "", "worker") == own


def test_a_worker_serves_metrics_at_a_free_port_that_the_gateway_finds(tmp_path: Path) -> None:
    assert worker_text(tmp_path) == ""
    with serving("127.0.0.1", 0, tmp_path):
        text = worker_text(tmp_path)
        assert "orderd_attempts_in_flight" in text
        assert "orderd_ready" not in text
    assert worker_text(tmp_path) == ""


def test_a_worker_with_a_configured_port_is_scraped_only_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serving("127.0.0.1", port, tmp_path):
        assert worker_text(tmp_path) == ""
        (tmp_path / "worker.json").write_text(json.dumps({"pid": 1, "metrics_port": port}))
        assert "orderd_attempts_in_flight" in worker_text(tmp_path)


def test_a_metrics_port_in_use_does_not_stop_a_worker(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        begun = False
        with serving("127.0.0.1", taken.getsockname()[1], tmp_path):
            begun = True
    assert begun


def test_an_unreachable_worker_is_reported_by_the_gateways_metrics(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    (tmp_path / "worker.json").write_text(json.dumps({"pid": 1, "metrics_port": port}))
    with pytest.raises(OSError, match="refused"):
        worker_text(tmp_path)
