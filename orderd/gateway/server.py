"""One gateway: opens the port, serves sessions, and stops without losing accepted orders."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

import structlog
from redis.asyncio import Redis

from orderd.best_effort import best_effort, keep_going
from orderd.config.settings import Settings
from orderd.config.values import MAX_NUMBER
from orderd.embedded.listening import cannot_listen, inherited_port, open_inherited
from orderd.embedded.notify import ALIVE_SECONDS, EXTENSION, service_manager
from orderd.engine.allowance import TradingLimits
from orderd.engine.intake import Intake
from orderd.engine.prices.candle_views import read_prices
from orderd.engine.prices.recorder import SAMPLE_SECONDS
from orderd.engine.token_desk import TokenDesk
from orderd.gateway.access.authentication import api_key_required
from orderd.gateway.access.authenticator import Authenticator
from orderd.gateway.access.caller import Callers
from orderd.gateway.access.last_used import LastUsed
from orderd.gateway.access.origin import OriginPolicy
from orderd.gateway.access.refusal_log import Refusals
from orderd.gateway.access.revocation import Revocations
from orderd.gateway.cluster_metrics import ClusterMetrics
from orderd.gateway.dashboard.collecting import Dashboard
from orderd.gateway.dialects.orders import ForeignOrders
from orderd.gateway.dialects.streams import Streams
from orderd.gateway.docs.asyncapi import document
from orderd.gateway.health_checks import HealthChecks, HealthQueries
from orderd.gateway.http.app import http_app
from orderd.gateway.http.backend import Backend
from orderd.gateway.http.submission import SubmissionHandler
from orderd.gateway.port.caps import Caps
from orderd.gateway.port.listener import Port
from orderd.gateway.port.tls import certificate_of
from orderd.gateway.rpc.daemon import DaemonMethods
from orderd.gateway.rpc.dispatch import Rpc, too_large
from orderd.gateway.rpc.market import MarketData, MarketMethods
from orderd.gateway.rpc.order_entry import OrderEntry
from orderd.gateway.rpc.orders import ManualResolution, OrderMethods
from orderd.gateway.rpc.records import Records
from orderd.gateway.rpc.terms import TermsReader
from orderd.gateway.streaming.feed import Feed
from orderd.gateway.streaming.heartbeat import Pacemaker
from orderd.gateway.streaming.hub import Hub
from orderd.gateway.streaming.price_feed import PriceFeed
from orderd.gateway.threads import ANSWER_SECONDS, DatabaseThreads, Threads
from orderd.gateway.websocket import WebsocketSessions

DATABASE_THREADS: Final = 16
LIST_THREADS: Final = 4
"""For lists, of which one may take as long as a hundred other answers, so that only lists wait for lists."""
OUTSIDE_THREADS: Final = 8
MINT_THREADS: Final = 2
"""For reading unknown mints."""
BACKGROUND_THREADS: Final = 6
"""For background work: sweeps, snapshots, counts, the log of refusals."""
_BACKGROUND_SECONDS: Final = 30.0
STANDING_SECONDS: Final = 2.0
CANCEL_SECONDS: Final = 0.2
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine services that the gateway uses."""

    intake: Intake
    desk: TokenDesk
    market: MarketData
    questions: HealthQueries
    resolution: ManualResolution
    wallet: str
    """The address that orders are signed for."""
    record_prices: Callable[[], None] = lambda: None
    """Records the prices of pools that were read here; called every second."""
    refresh_chain: Callable[[], object] = lambda: None
    """Follows changes of the chain's slot time; to be called every minute."""


class Gateway:
    def __init__(self, settings: Settings, engine: Engine, events: Redis) -> None:
        """The database pool must be bound. ``events`` is closed by ``serve``."""
        self._settings = settings
        self._intake = engine.intake
        self._events = events
        origin_policy = OriginPolicy(settings.host, settings.allowed_hosts, settings.allowed_origins)
        self._database = DatabaseThreads("database", DATABASE_THREADS)
        self._lists = DatabaseThreads("lists", LIST_THREADS)
        self._outside = Threads("outside", OUTSIDE_THREADS)
        self._record_prices = engine.record_prices
        self._mints = Threads("tokens", MINT_THREADS, ANSWER_SECONDS)
        self._background = DatabaseThreads("background", BACKGROUND_THREADS, _BACKGROUND_SECONDS)
        self._last_used = LastUsed(self._background)
        self._authenticator = Authenticator(settings, self._database, self._last_used.note)
        self._refusals = Refusals(self._background)
        self._certificate = certificate_of(settings)
        self._hub = Hub(self._background)
        self._pacemaker = Pacemaker(lambda: self._hub.as_of)
        self._feed = Feed(events, self._hub)
        self._health_checks = HealthChecks(
            settings,
            engine.wallet,
            self._database,
            self._background,
            engine.questions,
            is_draining=lambda: self._entry.draining,
        )
        terms = TermsReader(engine.intake, engine.desk, database=self._database, mints=self._mints)
        self._entry = OrderEntry(engine.intake, engine.market, terms, database=self._database, outside=self._outside)
        orders = OrderMethods(
            engine.intake,
            engine.market,
            engine.resolution,
            self._hub,
            self._pacemaker,
            database=self._database,
            lists=self._lists,
            outside=self._outside,
        )
        market = MarketMethods(engine.market, engine.desk, terms, outside=self._outside, mints=self._mints)
        daemon = DaemonMethods(self._health_checks, self._lists)
        tokens = engine.intake.registry
        self._price_feed = PriceFeed(partial(read_prices, tokens), self._background)
        records = Records(tokens, engine.market.balances, self._price_feed, self._lists, self._outside)
        routes = self._entry.routes() | orders.routes() | market.routes() | daemon.routes() | records.routes()
        self._rpc = Rpc(routes, self._refusals.note)
        self._sessions = WebsocketSessions(
            origin_policy,
            self._authenticator,
            self._refusals,
            self._rpc,
            Streams(self._hub, self._database),
            self._hub,
            self._price_feed,
        )
        self._revocations = Revocations(
            self._background, self._outside, held=self._sessions.keys_in_use, end=self._sessions.end_keys
        )
        callers = Callers(self._authenticator.principal_of)
        foreign = ForeignOrders(self._entry, callers, engine.wallet, keeps_labels=settings.keeps_wallet_labels)
        metrics = ClusterMetrics(
            self._health_checks,
            engine.questions,
            self._background,
            settings.state_dir,
            self._sessions.unsent_bytes,
        )
        dashboard = Dashboard(self._health_checks, metrics, self._lists, engine.questions.balances)
        backend = Backend(
            entry=self._entry,
            orders=orders,
            market=market,
            daemon=daemon,
            records=records,
            callers=callers,
            submissions=SubmissionHandler(self._entry, callers, foreign.at_shared_path),
            foreign=foreign,
            health=self._health_checks.health,
            readiness=self._health_checks.readiness,
            metrics=metrics.text,
            dashboard=dashboard.page,
            principal_of=self._authenticator.principal_of,
            refused=self._refusals.note,
            api_key_required=api_key_required(settings),
            describe_websocket=lru_cache(maxsize=8)(partial(document, routes)),
        )
        self._caps = Caps(
            settings.max_connections, settings.max_connections_per_address, spared=self._authenticator.trusts
        )
        self._port = Port(
            http_app(backend, origin_policy),
            self._sessions.converse,
            self._sessions.admit,
            self._caps,
            self._certificate,
            too_large=too_large(),
        )

    def reload(self, settings: Settings, limits: TradingLimits) -> None:
        """Apply the settings that can change, in one step of the event loop, so that no call sees only a part."""
        self._caps.change(settings.max_connections, settings.max_connections_per_address)
        self._intake.limits = limits
        self._health_checks.reload(settings)

    # Start, serving and stop

    async def serve(self, stop: asyncio.Event, listening: Callable[[str, int], None]) -> None:
        """Serve until ``stop`` is set, then drain; ``listening`` is called with the address and the port.

        Raises OrderdError SERVICE_UNAVAILABLE if the port cannot be had, or Postgres does not answer.
        """
        try:
            await self._hub.start()
            loop = asyncio.get_running_loop()
            self._intake.on_stored = lambda new: loop.call_soon_threadsafe(self._hub.learn, new)
            host, port = await self._listen()
            async with asyncio.TaskGroup() as loops:
                # Orders are accepted without any of these: a loop that ends is begun again.
                work = {
                    "feed": self._feed.run,
                    "hub": self._hub.run,
                    "heartbeats": self._pacemaker.run,
                    "lag": self._health_checks.probe_lag,
                    "token_check": self._revocations.check,
                    "token_notices": self._revocations.listen,
                    "audit": self._refusals.run,
                    "last_used": self._last_used.run,
                    "life": self._report_life,
                    "status": lambda: self._report_status(port),
                    "prices": self._keep_prices,
                    "price_feed": self._price_feed.run,
                    **({"certificate": self._certificate.follow} if self._certificate else {}),
                }
                running = [loops.create_task(keep_going(what, each)) for what, each in work.items()]
                listening(host, port)
                await stop.wait()
                await self._drain()
                await _end(running)
                with best_effort("audit"):
                    await self._refusals.write()
        finally:
            await self._port.close()
            with best_effort("feed"):
                await self._events.aclose()
            await self._health_checks.close()
            await self._database.close()
            await self._lists.close()
            await self._background.close()
            await self._outside.close()
            await self._mints.close()

    async def _report_status(self, port: int) -> None:
        """Report repeatedly to the service manager how many clients are connected, and whether orders are accepted and
        executed."""
        while True:
            doubts = await self._health_checks.doubts()
            sessions = self._sessions
            connected = f"port {port}, connections: {len(sessions)}, subscriptions: {sessions.subscriptions}"
            service_manager().notify(f"STATUS={'; '.join(filter(None, (connected, doubts)))}")
            await asyncio.sleep(STANDING_SECONDS)

    async def _keep_prices(self) -> None:
        """Store the prices that were read for quotes, repeatedly."""
        while True:
            await asyncio.sleep(SAMPLE_SECONDS)
            await self._outside.run(self._record_prices)

    async def _report_life(self) -> None:
        """Report repeatedly to the service manager that this process's event loop runs."""
        while True:
            service_manager().notify("WATCHDOG=1")
            await asyncio.sleep(ALIVE_SECONDS)

    async def _listen(self) -> tuple[str, int]:
        """The address and the port: those of an inherited socket may differ from the settings."""
        host, port = self._settings.host, self._settings.port
        try:
            inherited = open_inherited(host)
            host = host if inherited is None else str(inherited.getsockname()[0])
            port = await self._port.open(host, port, self._settings.max_connections or MAX_NUMBER, inherited)
        except OSError as error:
            raise cannot_listen(host, port, error) from error
        log.info("listening", action="gateway_listening", host=host, port=port)
        return host, port

    async def _drain(self) -> None:
        """Close the intake, finish running calls, and close the connections."""
        log.info("draining", action="gateway_draining", connections=len(self._sessions))
        service_manager().notify("STOPPING=1", "STATUS=draining", EXTENSION)
        if inherited_port() is not None:
            self._port.leave_queued()
        try:
            async with asyncio.timeout(self._settings.drain_seconds):
                await self._entry.drain()
                await self._sessions.finish()
        except TimeoutError:
            log.warning("calls left unanswered", action="gateway_drain_timeout")
        await self._port.close()
        log.info("stopped", action="gateway_stopped")


async def _end(tasks: Sequence["asyncio.Task[None]"]) -> None:
    """Cancel tasks until they have ended: the Redis client swallows a cancellation while it connects."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_SECONDS)
