"""``make proof``: a cluster of seven hosts, orders of all kinds, a fault every second or two, and a final audit."""

import os
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from orderctl.config.settings import Settings as ClientSettings
from orderd.client.connection import Client
from tests import forking
from tests.acceptance.judge import judge
from tests.acceptance.ledger import Ledger
from tests.acceptance.postgres_log import logged_errors
from tests.acceptance.trader import Trader
from tests.chaos.test_kinds import orders_of_all_kinds
from tests.proof.cluster import Cluster
from tests.proof.faults import inject_until
from tests.proof.hosts import open_network
from tests.proof.traders import ORDER_USDC, end_all, submit_all

ORDERS: Final = int(os.environ.get("ORDERS", "300"))
SEED: Final = int(os.environ.get("SEED", "1"))
NODES: Final = os.environ.get("NODES", "one")

_REST_SECONDS: Final = 20.0
"""Time during which resting orders can still fire before they are cancelled. Most orders are valid for less."""
_INJECTED: Final = re.compile(
    r"No space left on device|could not (?:extend|write|access status)|read-only transaction"
    r"|due to (?:statement|lock) timeout"
)
"""Postgres' errors for a full disk, a write to a read-only database, and a suspension that was too long."""


def report(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    began = time.monotonic()
    forking.use()
    open_network()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        cluster = Cluster(directory, seed=SEED, nodes=NODES)
        stack.callback(cluster.end)
        cluster.start()
        ledger = Ledger(directory)
        before = ledger.balances()
        # The second trader's allowance ends before its orders do.
        allowance = str(ORDERS * ORDER_USDC // 5)
        keys = [
            cluster.api_key("proof", "--scope", "admin"),
            cluster.api_key("limited", "--max-notional-per-day", allowance),
        ]
        cluster.start_roles()
        traders = [
            Trader(stack.enter_context(Client(ClientSettings(url=f"ws://{gateway.address}:3000/", api_key=key))))
            for gateway, key in zip(cluster.gateways, keys, strict=True)
        ]
        faults, refused = trade(cluster, traders)
        report(f"{faults.total()} faults: {dict(sorted(faults.items()))}")
        cluster.calm_down()
        end_all(traders[0], min(_REST_SECONDS, ORDERS / 5))
        reserved = {balance.reserved for balance in traders[0].balances()}
        codes = [role.stop() for role in cluster.roles]
        leaked = [pid for role in cluster.roles for pid in role.pids()]
        acknowledged = {client: order for trader in traders for client, order in trader.acknowledged.items()}
        verdict, statuses = judge(cluster.database_url, ledger, before, acknowledged)
        errors = [line for line in logged_errors(directory) if not _INJECTED.search(line)]
    seconds = time.monotonic() - began
    report(f"{len(acknowledged)} of {ORDERS} acknowledged, seed {SEED}, {seconds:.0f} s: {dict(statuses)}")
    report(f"refused: {dict(refused)}")
    report(f"{verdict}; reserved {reserved}; exit codes {codes}; processes left {leaked}; Postgres errors {errors[:5]}")
    passed = verdict.is_clean and reserved == {"0"} and not any(codes) and not leaked and not errors
    report("passed" if passed else "FAILED")
    return 0 if passed else 1


def trade(cluster: Cluster, traders: list[Trader]) -> tuple[Counter[str], Counter[str]]:
    """Submit all orders while faults are injected. Returns the counts of faults and of refusals by code."""
    faults: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    enough = threading.Event()
    orders = list(orders_of_all_kinds(ORDERS, SEED))
    with ThreadPoolExecutor() as threads:
        injecting = threads.submit(inject_until, enough, cluster, random.Random(SEED), faults)
        submitting = [
            threads.submit(submit_all, trader, orders[number :: len(traders)], random.Random(SEED + number), refused)
            for number, trader in enumerate(traders)
        ]
        try:
            for each in submitting:
                each.result()
        finally:
            enough.set()
        injecting.result()
    return faults, refused


if __name__ == "__main__":
    sys.exit(main())
