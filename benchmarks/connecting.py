"""``python -m benchmarks.connecting`` opens many websockets at once, as when all clients reconnect."""

import argparse
import asyncio
import os
import resource
import tempfile
import time
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.cpu import seconds_by_process, since
from benchmarks.figures import milliseconds
from benchmarks.light_client import LightClient
from orderd.process.temporary import Daemon, running_daemon

_SETTINGS = {
    "ORDERD_SIMNET_MARKET": "false",
    "ORDERD_LOG_LEVEL": "warning",
    "ORDERD_MAX_CONNECTIONS_PER_ADDRESS": "0",
}


async def connect(daemon: Daemon, clients: int) -> tuple[float, list[float], float]:
    """Seconds until all were open, until each was open, and CPU seconds of the gateway for all."""
    opened = []

    async def open_one() -> LightClient:
        client = await LightClient.connect(daemon.url)
        opened.append(time.perf_counter() - began)
        return client

    used, began = seconds_by_process(daemon.process.pid), time.perf_counter()
    connected = await asyncio.gather(*(open_one() for _ in range(clients)))
    took = time.perf_counter() - began
    cpu = since(used, seconds_by_process(daemon.process.pid))["gateway"]
    await asyncio.gather(*(client.close() for client in connected))
    return took, opened, cpu


def tables(clients: int = 1_000, runs: int = 3) -> list[Table]:
    _, maximum = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, maximum))
    table = Table("all open", "median", "p99", "CPU each", title=f"{clients} websockets, {os.cpu_count()} cores")
    with (
        tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory,
        running_daemon(Path(directory), _SETTINGS) as daemon,
    ):
        for _ in range(runs):
            took, opened, cpu = uvloop.run(connect(daemon, clients))
            table.add_row(f"{took:.2f} s", *milliseconds(opened), f"{cpu / clients * 1000:.2f} ms")
    return [table]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.connecting", description=__doc__)
    parser.add_argument("--clients", type=int, default=1_000, help="number of websockets [1000]")
    parser.add_argument("--runs", type=int, default=3, help="number of runs [3]")
    arguments = parser.parse_args()
    Console().print(*tables(arguments.clients, arguments.runs))


if __name__ == "__main__":
    main()
