"""The gateway process: its parts, its address, and its stop."""

import asyncio
import json
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

import redis
import structlog
import uvloop
from redis.asyncio import Redis

from db.connection import check_schema, connect, database, reach, translated_database_errors
from db.journal import recent_starts
from orderd.best_effort import best_effort
from orderd.config.reloading import reload
from orderd.config.settings import Settings
from orderd.embedded.notify import EXTENSION, service_manager
from orderd.engine.chain import check_stored
from orderd.engine.clock import DatabaseClock
from orderd.engine.handover import HandOver
from orderd.engine.intake import Intake
from orderd.engine.market import Market
from orderd.engine.presence import BEAT_SECONDS, Presence
from orderd.engine.prices.recorder import PriceRecorder
from orderd.engine.publish import Publisher
from orderd.engine.settlement.outcome import Outcomes
from orderd.engine.settlement.resolution import Resolution
from orderd.engine.status_report import LiveWorker, StatusQueries
from orderd.engine.token_desk import LIST_SECONDS, NAMES_SECONDS
from orderd.engine.trading import open_limits, open_reservations, open_rpc, open_trading
from orderd.garbage import collect_rarely
from orderd.gateway.access.authentication import check_exposure
from orderd.gateway.server import (
    BACKGROUND_THREADS,
    DATABASE_THREADS,
    LIST_THREADS,
    MINT_THREADS,
    OUTSIDE_THREADS,
    Engine,
    Gateway,
)
from orderd.gateway.threads import STATEMENT_SECONDS
from orderd.queue.broker import OrderBroker, redis_client
from orderd.queue.clock import HEARTBEATS
from orderd.queue.limiter import RateLimiter
from orderd.queue.loops import Loop
from orderd.release import Release
from orderd.solana.endpoint_figures import EndpointTally
from orderd.solana.json_rpc import translated_rpc_errors
from orderd.solana.slot_time import REFRESH_SECONDS as SLOT_SECONDS
from orderd.whole_file import write_address

FORCED: Final = 1
_CLOSE_SECONDS: Final = 2.0
_OTHER_THREADS: Final = 4
_CONNECTIONS: Final = (
    DATABASE_THREADS + LIST_THREADS + BACKGROUND_THREADS + OUTSIDE_THREADS + MINT_THREADS + _OTHER_THREADS
)
_STATUS_SECONDS: Final = 2.0
"""Requests for the status wait no longer than this for the chain's endpoint: they come when something hangs."""
_WAIT_SECONDS: Final = 1.0
_WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (not bound here)
log = structlog.get_logger(__name__)


def run_gateway(settings: Settings) -> None:
    """Serve clients until SIGTERM or SIGINT, then drain; a second signal exits immediately.

    Raises OrderdError if the tables, the wallet, the port or a service cannot be used.
    """
    assert settings.database_url is not None
    assert settings.redis_url is not None
    redis_url = settings.redis_url.get_secret_value()
    connect(
        settings.database_url.get_secret_value(),
        # Requests to other services, the hand-over and the heartbeat open their own connections.
        max_connections=_CONNECTIONS,
        application="orderd gateway",
        statement_seconds=STATEMENT_SECONDS,
    )

    def check() -> None:
        check_schema()
        with database.connection_context():
            check_exposure(settings)

    with translated_database_errors():
        reach(check, _wait_briefly)
        with translated_rpc_errors():
            check_stored(settings.chain)  # before orders of two chains are in one database
    _raise_file_limit()
    client = redis_client(redis_url)
    publisher = Publisher(client)
    broker, limiter = _queue_of(settings, client)
    hand_over = HandOver(publisher, client, broker.sending, limiter.forget)
    presence = Presence()
    engine = open_engine(settings, client, publisher, broker, limiter, hand_over, presence.name)
    collect_rarely()  # with thousands of connections each collection takes long
    try:
        with (
            _present(presence, DatabaseClock(settings.lease_seconds)),
            _refreshing(engine),
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(_serve(settings, engine, redis_url, limiter))
    finally:
        hand_over.close(_CLOSE_SECONDS)
        publisher.close(_CLOSE_SECONDS)


def _wait_briefly(what: str) -> None:
    log.warning("waits", action="waiting", what=what)
    service_manager().notify(f"STATUS=waiting for {what}", EXTENSION)
    time.sleep(_WAIT_SECONDS)


@contextmanager
def _present(presence: Presence, clock: DatabaseClock) -> Iterator[None]:
    """Announce this process as alive. If it dies, other processes send the orders that it may not have sent.

    Also checks Postgres' clock, because there may be no worker to do so.
    """

    def beat() -> None:
        presence.beat()
        clock.check()

    loop = Loop("presence", beat, BEAT_SECONDS)
    loop.start()
    yield
    if loop.stop(_CLOSE_SECONDS):
        with best_effort("presence"):  # the others detect a missing heartbeat
            presence.leave()


@contextmanager
def _refreshing(engine: Engine) -> Iterator[None]:
    """Other gateways may be given symbols, lists change, and so may the length of the chain's slots."""
    desk = engine.desk
    with best_effort("tokens"):
        desk.begin()
    every: dict[str, tuple[Callable[[], object], float]] = {
        "token names": (desk.refresh_names, NAMES_SECONDS),
        "token list": (desk.refresh_list, LIST_SECONDS),
        "chain": (engine.refresh_chain, SLOT_SECONDS),
    }
    loops = [Loop(name, refresh, seconds) for name, (refresh, seconds) in every.items()]
    for loop in loops:
        loop.start()
    yield
    for loop in loops:
        loop.stop(_CLOSE_SECONDS)


def _queue_of(settings: Settings, client: "redis.Redis") -> tuple[OrderBroker, RateLimiter]:
    limiter = RateLimiter(client, settings.rate_limit, timedelta(seconds=settings.rate_window_seconds), _recent_starts)
    return OrderBroker(client, line=limiter), limiter


def open_engine(
    settings: Settings,
    client: "redis.Redis",
    publisher: Publisher,
    broker: OrderBroker,
    limiter: RateLimiter,
    hand_over: HandOver,
    name: str,
) -> Engine:
    """The engine as a gateway needs it: it takes orders in and sends them off; workers do the rest.

    ``name`` is this process among others.
    """
    trading = open_trading(settings, signs=False)
    reservations = open_reservations(settings)
    return Engine(
        intake=Intake(
            trading.tokens,
            settings.default_slippage,
            send=hand_over.send,
            forget=hand_over.forget,
            name=name,
            max_total_cost_bps=settings.max_total_cost_bps,
            valid_seconds=settings.order_ttl_seconds,
            reservations=reservations,
            limits=open_limits(settings),
        ),
        desk=trading.desk,
        market=Market(trading.router, trading.builder, trading.rpc, trading.desk, reservations),
        questions=StatusQueries(
            open_rpc(settings, _STATUS_SECONDS),
            client,
            rate_limit_use=limiter.use,
            queue_depth=broker.depth,
            workers=partial(_live_workers, client),
            tokens=trading.tokens,
        ),
        resolution=Resolution(
            partial(trading.observer, settings),
            Outcomes(str(trading.wallet.address), trading.retry),
            str(trading.wallet.address),
            publisher,
            lambda: trading.slot_time.ms,
        ),
        wallet=str(trading.wallet.address),
        record_prices=PriceRecorder(trading.router.latest_answers, trading.tokens).run_once,
        refresh_chain=trading.refresh_chain,
    )


class _Reload:
    """Reloads the settings on SIGHUP under a service manager; otherwise SIGHUP ends the process as usual."""

    def __init__(self, settings: Settings, gateway: Gateway, limiter: RateLimiter) -> None:
        self._settings = settings
        self._gateway = gateway
        self._limiter = limiter

    def run(self) -> None:
        """Read the settings again; if any is invalid, all keep their values."""
        self._settings = reload(self._settings, self._apply)

    def _apply(self, settings: Settings) -> None:
        limits = open_limits(settings)
        self._limiter.limit = settings.rate_limit
        self._gateway.reload(settings, limits)


async def _serve(settings: Settings, engine: Engine, redis_url: str, limiter: RateLimiter) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_or_force, stop)
    address = settings.state_dir / "gateway.json"
    # With the newer protocol, the library formats each published message for a log that is not used.
    client = Redis.from_url(redis_url, protocol=2, socket_connect_timeout=2, health_check_interval=5)
    gateway = Gateway(settings, engine, client)
    if service_manager().is_there:
        loop.add_signal_handler(signal.SIGHUP, _Reload(settings, gateway, limiter).run)

    def listening(host: str, port: int) -> None:
        _write_address(address, settings, host, port)
        service_manager().notify("READY=1")

    await gateway.serve(stop, listening)
    address.unlink(missing_ok=True)


def _stop_or_force(stop: asyncio.Event) -> None:
    if stop.is_set():
        log.warning("forced to stop", action="gateway_forced")
        os._exit(FORCED)  # threads may hang in a system call; no acknowledged order depends on them
    stop.set()


def _write_address(file: Path, settings: Settings, host: str, port: int) -> None:
    """Write the port's address for readers of the state directory."""
    reachable = _WILDCARDS.get(host, host)
    scheme = "ws" if settings.tls_cert is None else "wss"
    authority = f"[{reachable}]" if ":" in reachable else reachable
    write_address(file, url=f"{scheme}://{authority}:{port}/")


def _raise_file_limit() -> None:
    """Raise the limit of open files to the maximum, because each connection is a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _recent_starts(window_seconds: float) -> Sequence[tuple[UUID, timedelta]]:
    with database.connection_context():
        return recent_starts(window_seconds)


def _live_workers(client: "redis.Redis") -> list[LiveWorker]:
    names = [*client.scan_iter(match=f"{HEARTBEATS}*", count=1000)]
    states = [json.loads(each) for each in client.mget(names) if each] if names else []
    return [
        LiveWorker(
            Release(each["version"], each["commit"]) if "version" in each else None,
            tuple(map(EndpointTally.from_json, each.get("endpoints", ()))),
        )
        for each in states
    ]
