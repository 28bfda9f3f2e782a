"""A daemon on a faulty network whose processes are killed or stopped while a client submits orders."""

import json
import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from redis import Redis as RedisClient

from benchmarks.processes import pid_of, send, tree_of
from orderd.embedded.redis import Redis
from orderd.process.temporary import Daemon, running_daemon
from orderd.solana.rpc import RpcClient, RpcError
from orderd.whole_file import read_address
from orderd.wire.submissions import SubmitParams
from tests.acceptance.trader import order
from tests.conftest import QUICK

ORDERS: Final = int(os.environ.get("ORDERS", "200"))
SEED: Final = int(os.environ.get("SEED", "2"))
NODES: Final = os.environ.get("NODES", "one")
"""The options of ``make chaos``."""

PATIENCE: Final = {"one": 300, "pool": 900}
"""Seconds until all orders have ended. In a pool, few nodes can prove that a transaction is dead."""

_READY_SECONDS: Final = 60.0
_ANSWERS: Final = 100

DAEMON: Final = "orderd"
"""The parent process; the others have the names of the services of ``orderd run``."""

ROUGH: Final = {
    "latency_ms": [0, 20],
    "dropped_sends": 0.3,
    "late_landing": 0.2,
    "lagging_reads": 0.1,
    "http_429": 0.03,
    "connection_resets": 0.03,
    "garbled_answers": 0.03,
    "failure_rate": 0.1,
}
"""Faults of the chain and of the connection to it."""

SETTINGS: Final = {
    **QUICK,
    "ORDERD_SIMNET_SLOT_MS": "30",
    "ORDERD_RESEND_INTERVAL_MS": "2000",
    "ORDERD_LEASE_SECONDS": "2",
    "ORDERD_RETRY_BASE_MS": "1000",
}
"""Blockhashes last for 4.5 s, which is two or three sends: some attempts expire."""

POOL: Final = {"ORDERD_RPC_SINGLE_NODE": "false", "ORDERD_UNKNOWN_AFTER_SECONDS": "15"}
"""Settings of a daemon whose chain answers as a pool of nodes."""
HONEST: Final = {"nodes": "one", "dropped_sends": 0.0, "lagging_reads": 0.0}
"""The faults of the chain after ``Storm.calm_down``."""


class Storm:
    """A daemon of which single processes or all can be killed. It restarts on the same port."""

    def __init__(self, stack: ExitStack, state_dir: Path, settings: Mapping[str, str]) -> None:
        self._stack = stack
        self._port = quiet_port()
        self._settings = {**SETTINGS, **settings, "ORDERD_PORT": str(self._port)}
        self.state_dir = state_dir
        self.daemon = self._start()

    @property
    def url(self) -> str:
        return self.daemon.url

    def kill(self, name: str) -> None:
        """Kill a process with SIGKILL, as the kernel's out-of-memory killer does."""
        if name == DAEMON:
            self.daemon.process.kill()
            self.daemon.process.wait()
            self.daemon = self._start()
        else:
            send([pid_of(self.daemon, name)], signal.SIGKILL)

    def hang(self, name: str, seconds: float) -> None:
        """Stop a service and all its processes for ``seconds``: its connections stay open without an answer."""
        processes = tree_of(pid_of(self.daemon, name))
        send(processes, signal.SIGSTOP)
        time.sleep(seconds)  # not a wait for an event: the duration of the hang
        send(processes, signal.SIGCONT)

    def calm_down(self) -> None:
        """Restart the daemon with one honest node and without other traders.

        Other traders would move the price in each slot, and orders near it would fire without success again and again.
        """
        self.daemon.process.send_signal(signal.SIGTERM)
        self.daemon.process.wait()
        self._settings |= {
            "ORDERD_SIMNET_FAULTS": json.dumps(HONEST),
            "ORDERD_SIMNET_MARKET": "false",
            "ORDERD_RPC_SINGLE_NODE": "true",
        }
        self.daemon = self._start()

    def empty_redis(self) -> None:
        with RedisClient.from_url(Redis(self.state_dir).url) as client:
            client.flushall()

    def _start(self) -> Daemon:
        return self._stack.enter_context(running_daemon(self.state_dir, self._settings))


def alternating(count: int) -> list[SubmitParams]:
    """Orders in alternating directions, so that they do not move the price away."""
    trades = (
        ("SOL", "USDC", "0.2"),
        ("USDC", "SOL", "20"),
        ("SOL", "USDC", "0.012345678"),
        ("USDC", "SOL", "1.234567"),
    )
    return [order(*trades[number % len(trades)]) for number in range(count)]


@contextmanager
def storm(
    state_dir: Path, faults: Mapping[str, object] | None = None, *, nodes: str = "one", **settings: str
) -> Iterator[Storm]:
    """A daemon on a chain with ``faults`` (default: ROUGH), stopped on exit.

    ``nodes`` selects what answers for the chain: "one" honest node, or a "pool" with dishonest nodes.
    """
    faults = {**(ROUGH if faults is None else faults), "nodes": nodes}
    settings = {"ORDERD_SIMNET_FAULTS": json.dumps(faults), **(POOL if nodes == "pool" else {}), **settings}
    with ExitStack() as stack:
        started = Storm(stack, state_dir, settings)
        if nodes == "pool":
            _wait_until_all_nodes_show_the_wallet(state_dir)
        yield started


def _wait_until_all_nodes_show_the_wallet(state_dir: Path) -> None:
    """Wait until all nodes have passed the slot at which the daemon was ready.

    Before, some do not show the wallet's funds, and none shows a transaction from before that slot.
    """
    with closing(RpcClient(read_address(state_dir / "simnet" / "simnet.json")["http_url"])) as rpc:
        ready_at = max(_slots(rpc))
        until = time.monotonic() + _READY_SECONDS
        while min(_slots(rpc)) <= ready_at:
            assert time.monotonic() < until


def _slots(rpc: RpcClient) -> list[int]:
    """Enough answers that one of each node is among them."""
    slots = list[int]()
    while len(slots) < _ANSWERS:
        with suppress(RpcError):  # some of the faults
            slots.append(rpc.get_slot())
    return slots


def trade_through(
    disruptions: Sequence[Callable[[], object]],
    submit_all: Callable[[Sequence[SubmitParams]], object],
    orders: Sequence[SubmitParams],
    *,
    seed: int,
    within: float = 1.0,
) -> None:
    """Submit the orders in one wave per disruption, which is called at a random moment after its wave has begun.

    ``seed`` determines the moments, at most ``within`` seconds after the start of a wave, so that orders in every stage
    are affected. Returns when all orders are acknowledged.
    """
    choice = random.Random(seed)
    with ThreadPoolExecutor(1) as submitting:
        waves = []
        for number, inject in enumerate(disruptions):
            waves.append(submitting.submit(submit_all, orders[number :: len(disruptions)]))
            time.sleep(choice.uniform(0, within))  # not a wait for an event: the moment of the disruption
            inject()
        for wave in waves:
            wave.result()


def quiet_port() -> int:
    """A free port below the kernel's range of ephemeral ports: no other process takes it while the daemon restarts."""
    lowest_given_out = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.SystemRandom().randrange(10_000, lowest_given_out)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
