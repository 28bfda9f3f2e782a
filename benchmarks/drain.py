"""Submits orders as fast as they are accepted, and measures time and CPU until the last has ended."""

from dataclasses import dataclass
from time import perf_counter
from typing import Final

from benchmarks import load
from benchmarks.cpu import seconds_by_process, seconds_by_thread, since
from benchmarks.light_client import LightClient
from orderd.process.temporary import Daemon

WARM_UP: Final = 500
"""Number of orders until caches, connections and the interpreter are warm."""
CLIENTS: Final = 50


@dataclass(frozen=True)
class Drain:
    """``cpu`` and ``threads`` are seconds per order, by process and by thread of gateway and worker.

    ``accepted`` and ``drained`` are orders per second, ``submits`` the seconds until each answer, and ``delays`` those
    from each event's time stamp, which is given before its commit, to the subscriber.
    """

    cpu: dict[str, float]
    threads: dict[str, float]
    accepted: float
    drained: float
    submits: list[float]
    delays: list[float]

    @property
    def cpu_of_all(self) -> float:
        return sum(self.cpu.values())


async def drain(daemon: Daemon, orders: int, *others: int) -> Drain:
    """``others`` are additional processes to measure. Raises RuntimeError unless all orders are confirmed."""
    roots = (daemon.process.pid, *others)
    async with load.following(daemon.url) as seen:
        cpu, threads, began = seconds_by_process(*roots), seconds_by_thread(*roots), perf_counter()
        submits = await load.submit_many(daemon.url, orders, CLIENTS)
        accepted = perf_counter() - began
        await load.all_ended(seen, orders)
        drained = perf_counter() - began
        cpu, threads = since(cpu, seconds_by_process(*roots)), since(threads, seconds_by_thread(*roots))
    if (ended := set(seen.outcomes.values())) != {"confirmed"}:
        raise RuntimeError(f"not all orders were confirmed: {ended}")
    return Drain(
        {name: seconds / orders for name, seconds in cpu.items()},
        {name: seconds / orders for name, seconds in threads.items()},
        orders / accepted,
        orders / drained,
        submits,
        seen.delays,
    )


@dataclass(frozen=True)
class Single:
    """Seconds of consecutive orders: until the answer, until the end, and from each event's time stamp to the
    subscriber."""

    submits: list[float]
    ends: list[float]
    delays: list[float]


async def one_by_one(daemon: Daemon, orders: int) -> Single:
    """Submit each order when the previous one has ended."""
    submits, ends = [], []
    async with load.following(daemon.url) as seen, LightClient.connected(daemon.url) as client:
        for number in range(orders):
            began = perf_counter()
            await load.submit(client, number)
            submits.append(perf_counter() - began)
            await load.all_ended(seen, number + 1)
            ends.append(perf_counter() - began)
    return Single(submits, ends, seen.delays)
