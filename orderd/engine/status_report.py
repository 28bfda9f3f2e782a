"""Queries of the services for the status report. Each may fail or hang independently."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import redis

from db import alerts, balances, counts, halts, retention
from db.connection import database
from orderd.domain.halt import Halt
from orderd.domain.money import LAMPORT_DECIMALS
from orderd.domain.order import FILLED, LEASED, WAITING, OrderKind, OrderStatus
from orderd.domain.tokens import WSOL_MINT, Token
from orderd.release import Release
from orderd.solana.endpoint_figures import EndpointTally, combined, tallies
from orderd.solana.json_rpc import translated_rpc_errors
from orderd.solana.rpc import RpcClient
from orderd.solana.rpc_types import EpochInfo
from orderd.wire.status import QueueMetrics


@dataclass(frozen=True, slots=True)
class Counts:
    """Orders by status, and how many of them have an unknown outcome."""

    by_status: dict[OrderStatus, int]
    unknown: int


@dataclass(frozen=True, slots=True)
class LineState:
    """The state of the cluster in Redis.

    Starts in the rate limit's window, orders in line, unfetched messages, worker processes with a live heartbeat, the
    server's eviction policy, the releases of the workers, and the figures of the endpoints over these workers and this
    process.
    """

    used: int
    waiting: int
    depth: int
    workers: int
    policy: str
    releases: tuple[Release, ...] = ()
    endpoints: tuple[EndpointTally, ...] = ()

    @property
    def warning(self) -> str:
        return "" if self.policy == "noeviction" else f"evicts keys ({self.policy}): set noeviction"


@dataclass(frozen=True, slots=True)
class LiveWorker:
    """What a worker process reports with each heartbeat; ``release`` is None if it does not report it."""

    release: Release | None = None
    endpoints: tuple[EndpointTally, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """The size of each table in bytes, the number of rows removed by retention so far, and the size of the whole
    database."""

    table_bytes: dict[str, int]
    removed: dict[str, int]
    database_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class OpenOrders:
    """How many orders of a kind have not ended, and the age of the oldest one."""

    orders: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class WaitingAlerts:
    """How many alerts a receiver has not confirmed, and the age of the oldest one."""

    alerts: int
    oldest_seconds: float


class StatusQueries:
    """Each method queries one service, and blocks until it answers or times out.

    ``rate_limit_use`` returns starts in the window and orders in line, ``queue_depth`` unfetched messages, ``workers``
    the worker processes with a live heartbeat. ``tokens`` are those whose balances are shown.
    """

    def __init__(
        self,
        rpc: RpcClient,
        client: "redis.Redis",
        *,
        rate_limit_use: Callable[[], tuple[int, int]],
        queue_depth: Callable[[], int],
        workers: Callable[[], Sequence[LiveWorker]],
        tokens: Iterable[Token] = (),
    ) -> None:
        self._rpc = rpc
        self._redis = client
        self._rate_limit_use = rate_limit_use
        self._queue_depth = queue_depth
        self._workers = workers
        self._tokens = tokens

    def takes_orders(self) -> str:
        """The reason why Postgres accepts no orders; '' if it does. Needs a connection; raises PeeweeException."""
        (is_read_only,) = database.execute_sql("SHOW transaction_read_only").fetchone()
        return "the server is read-only" if is_read_only == "on" else ""

    def halts(self) -> tuple[Halt, ...]:
        """The active halts. Needs a connection; raises PeeweeException."""
        return halts.current()

    def counts(self) -> Counts:
        """Needs a connection, and raises PeeweeException."""
        counted = counts.by_status()
        return Counts(
            {status: each.orders for status, each in counted.items()}, sum(each.unknown for each in counted.values())
        )

    def stored(self) -> Stored:
        """Needs a connection, and raises PeeweeException."""
        removed = {str(kept): rows for kept, rows in retention.removed().items()}
        return Stored(retention.table_bytes(), removed, retention.database_bytes())

    def open_orders(self) -> dict[OrderKind, OpenOrders]:
        """The open orders by kind. Needs a connection; raises PeeweeException."""
        return {kind: OpenOrders(orders, age) for kind, orders, age in counts.open_by_kind()}

    def alerts(self) -> dict[str, WaitingAlerts]:
        """The waiting alerts by receiver. Needs a connection; raises PeeweeException."""
        now = datetime.now(UTC)
        return {
            receiver: WaitingAlerts(waiting, max((now - since).total_seconds(), 0.0))
            for receiver, waiting, since, _ in alerts.waiting()
        }

    def balances(self) -> dict[str, float]:
        """Whole tokens in the wallet, by symbol, if it was read recently; wSOL is SOL that is wrapped.

        Floats, because they are for display only. Needs a connection; raises PeeweeException.
        """
        stored = balances.stored()
        named = {(token.mint, False): (token.symbol, token.decimals) for token in self._tokens}
        named[WSOL_MINT, True] = ("wSOL", LAMPORT_DECIMALS)
        return {symbol: stored[key].amount / 10**decimals for key, (symbol, decimals) in named.items() if key in stored}

    def queue(self) -> QueueMetrics:
        """The numbers of orders in each stage, without the rate limit. Needs a connection; raises PeeweeException."""
        counted = counts.by_status()

        def many(statuses: Iterable[OrderStatus]) -> int:
            return sum(counted[status].orders for status in statuses if status in counted)

        due = sum(each.due for each in counted.values())
        return QueueMetrics(
            waiting=due,
            active=many(LEASED),
            delayed=many(WAITING) - due,
            confirmed=many(FILLED),
            failed=many([OrderStatus.FAILED]),
            unknown=sum(each.unknown for each in counted.values()),
            rate_limit=None,
        )

    def line(self) -> LineState:
        """Raises RedisError."""
        used, waiting = self._rate_limit_use()
        workers = self._workers()
        releases = tuple(dict.fromkeys(worker.release for worker in workers if worker.release is not None))
        endpoints = combined([*tallies(), *(tally for worker in workers for tally in worker.endpoints)])
        return LineState(used, waiting, self._queue_depth(), len(workers), self._policy(), releases, tuple(endpoints))

    def _policy(self) -> str:
        """A hosted Redis may hide its configuration; the rest of the report is made all the same."""
        try:
            return str(self._redis.config_get("maxmemory-policy").get("maxmemory-policy", "noeviction"))
        except redis.ResponseError:
            return "noeviction"

    def tip(self) -> EpochInfo:
        """The chain's newest slot and its block height. Raises OrderdError RPC_*."""
        with translated_rpc_errors():
            return self._rpc.get_epoch_info()
