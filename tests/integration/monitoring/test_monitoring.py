"""The alert rules and the Grafana dashboard query existing metrics, and get data from a daemon that trades."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from orderd.domain.order import TimeInForce
from orderd.metrics.listing import SUBJECTS, listed
from orderd.process.temporary import Daemon, running_daemon
from tests.acceptance.trader import order, trading
from tests.conftest import QUICK
from tests.receiver import SECRET

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy/prometheus/rules.yml"
CASES = Path(__file__).with_name("rules_test.yml")
DASHBOARD = ROOT / "deploy/grafana/orderd.json"
PATIENCE_SECONDS = 60
INTERVALS = {"$__rate_interval": "30s", "$__range": "5m"}
TRADING = QUICK | {"ORDERD_RATE_LIMIT": "12", "ORDERD_SIMNET_FAULTS": json.dumps({"http_429": 0.1})}
"""Some orders wait, and the endpoint refuses some requests, so that every metric has data."""
RECEIVERS = f'[receivers.away]\nwebhook = "http://127.0.0.1:9/"\nsecret = "{SECRET}"\n'
"""A receiver that is unreachable, so that alerts wait."""
needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("promtool") is None,
    reason="no Prometheus is installed: apt-get install prometheus",
)


def alerts() -> dict[str, str]:
    """The query of each alert, by name."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def panels() -> list[dict[str, Any]]:
    """The panels that show data."""
    return [each for each in json.loads(DASHBOARD.read_text())["panels"] if each["type"] != "row"]


def panel_queries() -> dict[str, str]:
    """The query of each line of each panel, by the panel's title and the query's letter."""
    queries = {}
    for panel in panels():
        for target in panel["targets"]:
            query = target["expr"]
            for variable, length in INTERVALS.items():
                query = query.replace(variable, length)
            queries[f"{panel['title']} {target['refId']}"] = query
    return queries


def measured(query: str) -> list[str]:
    """The values that an alert compares, as queries that return data whether or not it fires."""
    sides = query.split(" unless on () ")
    return [re.sub(r" (==|>=|>|<) ", r" \1 bool ", side) for side in sides]


def test_queries_use_existing_metrics_and_labels() -> None:
    metrics = {each.name: each for _, module in SUBJECTS.values() for each in listed(module)}
    for query in (*alerts().values(), *panel_queries().values()):
        names = {re.sub(r"_(bucket|count|sum)$", "", name) for name in re.findall(r"\borderd_\w+", query)}
        assert names <= metrics.keys(), query
        known = {"le", "instance", "job", "role"}.union(*(metrics[name].labels for name in names))
        used = {label for some in re.findall(r"\bby \(([^)]+)\)", query) for label in some.split(", ")}
        used |= set(re.findall(r"[{,] ?(\w+) ?!?=", query))
        assert used <= known, query


def test_panels_have_distinct_ids_and_use_the_selected_data_source() -> None:
    shown = panels()
    assert len({each["title"] for each in shown}) == len({each["id"] for each in shown}) == len(shown)
    for panel in shown:
        assert panel["description"].endswith(".")
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


def test_each_alert_has_a_test_case_in_which_it_fires() -> None:
    assert {name for name in alerts() if not re.search(rf"\b{name}\b", CASES.read_text())} == set()


@needs_prometheus
@pytest.mark.parametrize(
    "arguments", [("check", "rules", str(RULES)), ("test", "rules", str(CASES))], ids=["valid", "cases"]
)
def test_the_rules_are_valid_and_pass_their_test_cases(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def trading_daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that has filled, failed, deferred and triggered orders, and refused a client."""
    state = tmp_path / "daemon"
    state.mkdir()
    receivers = tmp_path / "alerts.toml"
    receivers.write_text(RECEIVERS)
    receivers.chmod(0o600)
    with running_daemon(state, TRADING | {"ORDERD_ALERTS": str(receivers)}) as daemon, trading(daemon.url) as trader:
        fires, rests, fails = (
            order("SOL", "USDC", "1").model_copy(update={"limit_price": price, "time_in_force": force})
            for price, force in (("50", None), ("200", None), ("200", TimeInForce.FOK))
        )
        trader.follow(trader.submit(fires), PATIENCE_SECONDS)
        trader.submit(rests)  # keeps its pools being read
        trader.follow(trader.submit(fails), PATIENCE_SECONDS)
        trader.submit_all([order("SOL", "USDC", "0.1") for _ in range(14)])
        refused = httpx.get(daemon.url.replace("ws", "http", 1), headers={"Host": "evil.example"})
        assert refused.status_code >= 400
        yield daemon


@contextmanager
def prometheus(directory: Path, target: str) -> Iterator[httpx.Client]:
    """A Prometheus with our rules that scrapes the target once per second."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = directory / "prometheus.yml"
    scrape = {"job_name": "orderd", "scrape_interval": "1s", "static_configs": [{"targets": [target]}]}
    config.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "scrape_configs": [scrape]}))
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={directory / 'tsdb'}",
                f"--web.listen-address={address}",
            ],
            stderr=log,
        )
        try:
            with httpx.Client(base_url=f"http://{address}", transport=httpx.HTTPTransport(retries=8)) as client:
                yield client
        finally:
            process.terminate()
            process.wait(30)


@needs_prometheus
@pytest.mark.timeout(150)
def test_every_query_returns_data_of_a_trading_daemon(trading_daemon: Daemon, tmp_path: Path) -> None:
    queries = panel_queries()
    for name, query in alerts().items():
        queries |= {f"{name} {number}": side for number, side in enumerate(measured(query))}
    with prometheus(tmp_path, trading_daemon.url.split("/")[2]) as server:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while queries := {name: query for name, query in queries.items() if not found(server, query)}:
            assert time.monotonic() < deadline, queries
            time.sleep(0.2)
        rules = server.get("/api/v1/rules").json()["data"]["groups"][0]["rules"]
        assert {rule["name"] for rule in rules} == alerts().keys()
        assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
        assert found(server, 'up{job="orderd"} == 1')
    text = httpx.get(trading_daemon.url.replace("ws", "http", 1) + "metrics").content
    linted = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def found(server: httpx.Client, query: str) -> list[Any]:
    answer = server.get("/api/v1/query", params={"query": query})
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:  # Prometheus is starting
        return []
    assert answer.json()["status"] == "success", (query, answer.text)
    result: list[Any] = answer.json()["data"]["result"]
    return result
