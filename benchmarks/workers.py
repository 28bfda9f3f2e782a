"""``python -m benchmarks.workers``: speed-up and cost of a second worker, with a null chain."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.drain import WARM_UP, Drain, drain
from benchmarks.engine import ORDERS, running_engine
from benchmarks.figures import times
from benchmarks.null_chain import SETTINGS, NullChain
from orderd.embedded.postgres import Postgres
from orderd.embedded.redis import Redis
from orderd.process.roles import Role
from orderd.process.temporary import Daemon


@contextmanager
def another_worker(state_dir: Path, chain: NullChain) -> Iterator[int]:
    """Run a second worker with the services and the wallet of the daemon in ``state_dir``. Yields its process id."""
    own = state_dir / "second"
    own.mkdir()
    env = {**os.environ, **SETTINGS, **chain.settings}
    env |= {
        "ORDERD_CONFIG": os.devnull,
        "ORDERD_STATE_DIR": str(own),
        "ORDERD_DATABASE_URL": Postgres(state_dir).url,
        "ORDERD_REDIS_URL": Redis(state_dir).url,
        "ORDERD_WALLET": str(state_dir / "wallet.json"),
    }
    worker = Role("worker", own, env, 20.0).start()
    try:
        yield worker.pid
    finally:
        worker.stop()


async def _drained(daemon: Daemon, orders: int, *others: int) -> Drain:
    await drain(daemon, WARM_UP)
    return await drain(daemon, orders, *others)


def tables(orders: int = ORDERS) -> list[Table]:
    with tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory, ExitStack() as stack:
        state_dir = Path(directory)
        daemon, chain = stack.enter_context(running_engine(state_dir))
        one = uvloop.run(_drained(daemon, orders))
        pid = stack.enter_context(another_worker(state_dir, chain))
        two = uvloop.run(_drained(daemon, orders, pid))
    table = Table("", "one worker", "two workers", "ratio", title=f"Two workers on {os.cpu_count()} cores")
    for name, first, second in (
        ("drained, orders/s", one.drained, two.drained),
        ("CPU per order, all but the chain, in ms", one.cpu_of_all * 1000, two.cpu_of_all * 1000),
        ("CPU per order, workers, in ms", one.cpu["worker"] * 1000, two.cpu["worker"] * 1000),
    ):
        table.add_row(name, f"{first:.2f}", f"{second:.2f}", times(second, first))
    return [table]


if __name__ == "__main__":
    Console().print(*tables())
