"""A worker process: takes orders from the queue, settles what it has sent, and finds what others have left behind."""

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from threading import Thread
from typing import Final, NoReturn
from uuid import UUID

import redis
import structlog
from dramatiq import Worker
from dramatiq.middleware import TimeLimit
from peewee import PeeweeException

from db import installation, leases
from db.connection import check_schema, connect, database, reach, translated_database_errors
from db.journal import recent_starts
from db.prices import last_route
from db.retention import Kept
from orderd.best_effort import best_effort
from orderd.config.reloading import reload
from orderd.config.settings import Settings
from orderd.domain.errors import OrderdError
from orderd.embedded.notify import EXTENSION, LIFE_SECONDS, service_manager
from orderd.engine.chain import NO_HISTORY, check_chain
from orderd.engine.clock import DatabaseClock
from orderd.engine.dispatch import Dispatch
from orderd.engine.execution.look import Look
from orderd.engine.execution.preparation import Preparation
from orderd.engine.execution.turn import Execution
from orderd.engine.exits import Exits
from orderd.engine.failure import Failures
from orderd.engine.families import Families
from orderd.engine.halting import Halts
from orderd.engine.leases import Leases
from orderd.engine.market import Market
from orderd.engine.presence import BEAT_SECONDS, Presence
from orderd.engine.prices.recorder import SAMPLE_SECONDS, PriceRecorder
from orderd.engine.publish import Publisher
from orderd.engine.restoring import CHECK_SECONDS as RESTORING_SECONDS
from orderd.engine.restoring import Restoring
from orderd.engine.retention import INTERVAL_SECONDS, Retention
from orderd.engine.routing.new_market import NewMarkets
from orderd.engine.settlement.finality import Finality
from orderd.engine.settlement.live import LiveAttempts
from orderd.engine.settlement.loop import Settlement
from orderd.engine.settlement.outcome import Outcomes
from orderd.engine.settlement.resending import Resending
from orderd.engine.settlement.unknown import CHECK_SECONDS, UnknownOutcomes
from orderd.engine.trading import open_trading
from orderd.engine.triggers.new_pools import LISTED_SECONDS, UNHINTED_SECONDS, NewPoolSearch
from orderd.engine.triggers.shares import Shares
from orderd.engine.triggers.watch import Triggers
from orderd.engine.wallet_sharing import CHECK_SECONDS as SHARING_SECONDS
from orderd.engine.wallet_sharing import WalletSharing
from orderd.engine.wallet_watch import LOOK_SECONDS, WalletWatch
from orderd.garbage import collect_rarely
from orderd.metrics.neighbour import serving
from orderd.metrics.worker import IN_FLIGHT, PASS_SECONDS
from orderd.queue.actors import declare_actor
from orderd.queue.broker import OrderBroker, redis_client
from orderd.queue.clock import HEARTBEATS
from orderd.queue.halt_first import HaltFirst
from orderd.queue.in_flight import InFlightCap
from orderd.queue.limiter import RateLimiter
from orderd.queue.look_first import LookFirst
from orderd.queue.loops import Loop
from orderd.queue.pace import SlotPace
from orderd.queue.rate_limit import RateLimit
from orderd.queue.retry import Retry
from orderd.queue.turns import Turns
from orderd.release import this_release
from orderd.solana.endpoint_figures import tallies
from orderd.solana.hints import AccountHints, Hints, LandingHints
from orderd.solana.rpc import RpcClient, RpcError, RpcWrongChainError
from orderd.solana.slot_time import LOOK_SECONDS as SLOT_SECONDS
from orderd.solana.transport import HttpTransport
from orderd.whole_file import renew

_STOP_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
_HEARTBEAT_SECONDS: Final = 1.0
_HEARTBEAT_TTL_SECONDS: Final = 5
_STALLED_SECONDS: Final = 30.0
_BLIND_SECONDS: Final = 10.0
"""So long a pass over the orders that rest may take before others watch in this process' place."""
_STATEMENT_SECONDS: Final = 10.0
"""Of Postgres: a loop that waits for one that hangs must not pass for one that hangs itself."""
_WAIT_SECONDS: Final = 1.0
_POLL_MS: Final = 250
"""How often an idle consumer looks whether it is to stop; an order wakes it at once."""
_CHAIN_SECONDS: Final = 2.0
_FINALITY_SECONDS: Final = 1.0
"""How often successes that may still be rolled back are looked at."""
_WARM_SECONDS: Final = 5.0
"""How often pools that orders asked for recently are checked for changes without a hint."""
_FAMILIES_SECONDS: Final = 0.4
"""How often the orders that are executed by others are looked at."""
_TURN_SECONDS: Final = 60.0
"""A turn that takes longer hangs: it is broken off, so that its order can be tried again."""
_STUCK_TURN_SECONDS: Final = 2 * _TURN_SECONDS
"""A turn that is not even broken off hangs where no exception reaches it: only a new process helps."""
log = structlog.get_logger(__name__)


def run_worker(settings: Settings) -> NoReturn:
    """Work until SIGTERM or SIGINT, then finish what is begun and end the process; a second signal ends it at once.

    Raises OrderdError if the wallet or the tables cannot be used, Postgres does not answer, or the RPC endpoint
    leads to another chain; Redis and the endpoint may come later.
    """
    assert settings.database_url is not None
    assert settings.redis_url is not None
    # No thread is interrupted by a stop: this one waits for it, and all others leave it to this one.
    signal.pthread_sigmask(signal.SIG_BLOCK, _awaited_signals())
    connect(
        settings.database_url.get_secret_value(),
        max_connections=settings.worker_threads + 16,  # a thread needs one, and so does each loop
        application="orderd worker",
        statement_seconds=_STATEMENT_SECONDS,
    )
    with translated_database_errors():
        reach(check_schema, _wait_a_moment)
    _check_chain(settings)
    process = WorkerProcess(settings, redis_client(settings.redis_url.get_secret_value()))
    with translated_database_errors():
        process.start()
    collect_rarely()
    metrics = ExitStack()
    if settings.worker_metrics_port is not None:
        where = settings.worker_metrics_host, settings.worker_metrics_port
        metrics.enter_context(serving(*where, settings.state_dir))
    service_manager().notify("READY=1", "STATUS=")
    log.info("takes orders", action="worker_started", worker=process.name, threads=settings.worker_threads)

    while (received := signal.sigwait(_awaited_signals())) == signal.SIGHUP:
        settings = reload(settings, process.reload)
    service_manager().notify("STOPPING=1", "STATUS=draining", EXTENSION)
    log.info("stopping", action="stop", worker=process.name, signal=signal.Signals(received).name)
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
    process.stop(settings.drain_seconds)
    metrics.close()
    database.close_all()
    logging.shutdown()
    os._exit(0)  # threads may still wait for answers of venues that are no longer needed


def _awaited_signals() -> frozenset[signal.Signals]:
    """Under a service manager SIGHUP asks for the settings to be read again; else it ends the process, as usual."""
    return _STOP_SIGNALS | {signal.SIGHUP} if service_manager().is_there else _STOP_SIGNALS


def _wait_a_moment(what: str) -> None:
    """Ends the process where it is asked to stop."""
    log.warning("waits", action="waiting", what=what)
    service_manager().notify(f"STATUS=waiting for {what}", EXTENSION)
    if signal.sigtimedwait(_STOP_SIGNALS, _WAIT_SECONDS) is not None:
        sys.exit(0)


def _check_chain(settings: Settings) -> None:
    assert settings.rpc_url is not None
    endpoint = RpcClient("", transport=HttpTransport(settings.rpc_url, read_timeout=_CHAIN_SECONDS))
    try:
        check_chain(settings.chain, endpoint.get_genesis_hash())
        if not endpoint.has_transaction_history():
            log.warning(NO_HISTORY, action="chain_without_history")
    except RpcWrongChainError as error:
        raise OrderdError(error.error_code, str(error)) from error
    except RpcError as error:
        # It may come later, and is asked again before anything else goes to it.
        log.warning("the chain does not answer yet", action="chain_unknown", error=str(error))
    finally:
        endpoint.close()


class WorkerProcess:
    """The parts of a worker, put together. ``name`` is what its claims are known by."""

    def __init__(self, settings: Settings, client: "redis.Redis") -> None:
        self._presence = Presence(self._take_over, watches=self._watches)
        self.name = self._presence.name
        self._drains = False
        self._redis = client
        self._limiter = RateLimiter(
            client, settings.rate_limit, timedelta(seconds=settings.rate_window_seconds), _recent_starts
        )
        pools = None if settings.rpc_ws_url is None else AccountHints(settings.rpc_ws_url)
        trading = open_trading(settings, last_route, pools)
        publisher = self._publisher = Publisher(client)
        self._clock = DatabaseClock(settings.lease_seconds)
        self._longest_wait = trading.retry.cap_ms / 1000
        self._leases = Leases(self.name, settings.lease_seconds)
        pace = SlotPace(trading, settings, is_hinted=pools is not None)
        self._live = LiveAttempts(self._leases, resend_seconds=pace.resend_seconds, look=self._clock.look)
        resending = Resending(self._live, trading.sender, seconds=pace.resend_seconds)
        outcomes = Outcomes(str(trading.wallet.address), trading.retry)
        settlement = Settlement(self._live, trading.observer(settings), outcomes, publisher, resending)
        finality = Finality(trading.observer(settings), publisher)
        unknown = UnknownOutcomes(publisher, settings.unknown_after_seconds, self._clock.look)
        with database.connection_context():
            signs_as = installation.read().id
        markets = NewMarkets(trading.router, trading.rpc, trading.builder.fits)
        execution = Execution(
            trading.router,
            trading.builder,
            trading.sender,
            self._live,
            publisher,
            self._leases,
            signs_as,
            self._clock.look,
            markets.check,
            markets.rather,
            preparation=(preparation := Preparation()),
        )
        broker = OrderBroker(client, line=self._limiter, name=self.name, preparation=preparation)
        self._halts = Halts()
        dispatch = Dispatch(
            publisher, broker.send, broker.depth, self.name, self._limiter, self._clock.look, self._halts.look
        )
        market = Market(trading.router, trading.builder, trading.rpc, trading.desk)
        broker.add_middleware(HaltFirst(self._halts.known, dispatch.defer, dispatch.missed))
        broker.add_middleware(LookFirst(Look(market.preview, trading.retry, dispatch.defer), dispatch.missed))
        if settings.max_in_flight:
            broker.add_middleware(
                InFlightCap(settings.max_in_flight, self._live.__len__, dispatch.defer, dispatch.missed)
            )
        broker.add_middleware(RateLimit(self._limiter, dispatch.defer, dispatch.missed))
        broker.add_middleware(Retry(Failures(trading.retry, publisher), self.name, dispatch.missed))
        # Last, so that it times the turn alone and never breaks off what the others do before and after it.
        broker.add_middleware(TimeLimit(time_limit=_TURN_SECONDS * 1000))
        self._turns = Turns()
        broker.add_middleware(self._turns)
        declare_actor(broker, execution.run)
        self._life_file = settings.state_dir / "worker.alive"
        self._broker = broker
        self._worker = Worker(broker, worker_threads=settings.worker_threads, worker_timeout=_POLL_MS)

        self._life = Loop("life", self._show_life, LIFE_SECONDS)
        self._heartbeat = Loop("heartbeat", self._beat, _HEARTBEAT_SECONDS)
        self._present = Loop("presence", self._presence.run_once, BEAT_SECONDS)
        self._renewal = Loop("leases", self._leases.renew_once, settings.lease_seconds / 4)
        self._settling = Loop("settlement", settlement.run_once, settings.settle_interval_ms / 1000)
        self._resending = Loop("resending", resending.run_once, settings.settle_interval_ms / 1000)
        self._after_settlement = (
            Loop("finality", finality.run_once, _FINALITY_SECONDS),
            Loop("unknown", unknown.run_once, min(CHECK_SECONDS, settings.unknown_after_seconds)),
        )
        self._discovery = Thread(target=trading.router.discover, name="discovery", daemon=True)
        self._hints: list[Hints | AccountHints] = [] if pools is None else [pools]
        if settings.rpc_ws_url is not None:
            landings = LandingHints(settings.rpc_ws_url, self._landed, lambda: trading.rpc.commitment)
            self._live.on_tracked = landings.watch
            self._hints.append(landings)
        self._warming = Loop("pools", trading.router.keep_warm, _WARM_SECONDS)
        families = Families(
            publisher, broker.send, settings.order_ttl_seconds, trading.retry, self._halts.known, self._clock.look
        )
        self._triggers = Triggers(
            trading.router,
            trading.builder.fits,
            publisher,
            broker.send,
            families.execute,
            Shares(self.name, lambda: self._presence.watchers).is_mine,
            self._clock.look,
            self._halts.known,
            markets.check,
            markets.rather,
            idle_seconds=pace.idle_seconds,
        )
        new_pools = NewPoolSearch(
            trading.router,
            lambda: self._triggers.awaiting_pools,
            lambda: self._triggering.wake(),
            seconds=LISTED_SECONDS if pools is not None else UNHINTED_SECONDS,
        )
        self._new_pool_search = Loop("look-out", new_pools.run_once, pace.slot_seconds)
        exits = Exits(publisher)
        self._exits = Loop("exits", exits.run_once, _FAMILIES_SECONDS)
        self._families = Loop("families", families.run_once, _FAMILIES_SECONDS)
        self._triggering = Loop("triggers", self._look_at_market, pace.slot_seconds)

        def keep_pace() -> None:
            if not trading.look_at_slots():
                return
            self._live.resend_seconds = resending.seconds = pace.resend_seconds
            self._triggers.idle_seconds = pace.idle_seconds
            self._triggering.interval = self._new_pool_search.interval = pace.slot_seconds

        self._pacing = Loop("slot time", keep_pace, SLOT_SECONDS)
        if pools is not None:
            pools.on_hint = self._triggering.wake
        self._dispatching = Loop("dispatch", dispatch.run_once, settings.dispatch_interval_ms / 1000)
        retention = Retention(_kept_days(settings), self._clock.look)
        wallet_watch = WalletWatch(trading.rpc, trading.wallet.address, trading.tokens)
        self._watching = Loop("wallet", wallet_watch.run_once, LOOK_SECONDS)
        recorder = PriceRecorder(trading.router.latest_answers, trading.tokens)
        self._recording = Loop("prices", recorder.run_once, SAMPLE_SECONDS)
        self._check_sharing: Callable[[], object] = lambda: None
        if not settings.shared_wallet:
            self._check_sharing = WalletSharing(trading.observer(settings)).run_once
        self._share_check = Loop("sharing", self._check_sharing, SHARING_SECONDS)
        restoring = Restoring(trading.observer(settings), outcomes, publisher, self._halts.known)
        self._restoring = Loop("restoring", restoring.run_once, RESTORING_SECONDS)
        self._retention = Loop("retention", retention.run_once, INTERVAL_SECONDS)

    @property
    def _loops(self) -> Sequence[Loop]:
        return (
            self._heartbeat,
            self._present,
            self._renewal,
            self._settling,
            self._resending,
            *self._after_settlement,
            self._warming,
            self._dispatching,
            self._triggering,
            self._new_pool_search,
            self._pacing,
            self._families,
            self._exits,
            self._watching,
            self._recording,
            self._share_check,
            self._restoring,
            self._retention,
        )

    def _landed(self, signature: str) -> None:
        self._live.hint(signature)
        self._settling.wake()

    def _look_at_market(self) -> None:
        """For what rests, and then for the orders to come: of pools that have changed the triggers read what they need,
        and two that read at once would wait for each other."""
        try:
            self._triggers.run_once()
        finally:
            self._warming.wake()

    def start(self) -> None:
        # It logs each message that waits or fails, with a trace; the middleware logs these with what matters of them.
        logging.getLogger("dramatiq.worker.WorkerThread").setLevel(logging.CRITICAL)
        self._clock.begin(self._longest_wait)
        with suppress(RpcError):  # while the chain is away, nothing can be signed; the loop asks again
            self._check_sharing()
        self._halts.look()
        # Other processes that see the heartbeat know that nothing waits for dead ones any more.
        self._presence.run_once()
        try:
            self._limiter.prepare(wait=True)
            self._beat()  # once it is reported ready, it is seen alive
        except (redis.RedisError, PeeweeException) as error:
            log.warning("Redis not ready", action="redis_not_ready", worker=self.name, error=str(error))
        self._life.start()
        for loop in self._loops:
            loop.start()
        for hints in self._hints:
            hints.start()
        self._discovery.start()
        self._broker.emit_after("process_boot")  # a Worker in the CLI's own processes would; TimeLimit waits for it
        self._worker.start()
        self._update_metrics()

    def _update_metrics(self) -> None:
        """Have the metrics ask for what is so at that moment."""
        IN_FLIGHT.set_function(self._live.__len__)
        for loop in self._loops:
            PASS_SECONDS.labels(loop.name).set_function(partial(getattr, loop, "seconds_silent"))
        PASS_SECONDS.labels("turns").set_function(lambda: self._turns.longest_seconds)

    def reload(self, settings: Settings) -> None:
        """Put what can be changed in force."""
        self._limiter.limit = settings.rate_limit

    def stop(self, drain_seconds: float) -> None:
        """Take no more orders and end the turns that are begun; what has been sent is left for others to settle.

        A turn that takes longer than ``drain_seconds`` is abandoned: its order comes back when the lease runs out.
        """
        deadline = time.monotonic() + drain_seconds
        self._drains = True

        def left() -> float:
            return max(0.0, deadline - time.monotonic())

        self._present.wake()  # others watch from here on
        self._triggering.stop(left())
        self._families.stop(left())
        self._exits.stop(left())
        self._dispatching.stop(left())
        self._worker.stop(timeout=int(left() * 1000))
        after = (
            self._new_pool_search,
            self._pacing,
            self._watching,
            self._recording,
            self._share_check,
            self._restoring,
            self._retention,
            *self._after_settlement,
            self._warming,
            self._renewal,
            self._present,
            self._heartbeat,
        )
        for loop in (self._settling, self._resending, *after):
            loop.stop(left())
        self._publisher.close(drain_seconds)
        try:
            released = self._presence.leave()
            log.info("drained", action="worker_drained", worker=self.name, released=released)
            self._redis.delete(self._heartbeat_key)
        except (PeeweeException, redis.RedisError) as error:
            # Leases and heartbeat end by themselves, a little later.
            log.warning("left without a word", action="worker_drained", worker=self.name, error=str(error))

    @property
    def _heartbeat_key(self) -> str:
        return f"{HEARTBEATS}{self.name}"

    def _watches(self) -> bool:
        """Whether orders that rest may rely on this process: others take its pairs while its loop hangs."""
        return not self._drains and self._triggering.seconds_silent < _BLIND_SECONDS

    def _stalled(self) -> list[str]:
        loops = [loop.name for loop in self._loops if loop.seconds_silent > _STALLED_SECONDS]
        return loops + ["turns"] * (self._turns.longest_seconds > _STUCK_TURN_SECONDS)

    def _show_life(self) -> None:
        """Report that this process is alive; this asks no service.

        A service manager is notified; for a container's health check the file ``worker.alive`` is renewed.
        """
        if stalled := self._stalled():
            log.error("a loop hangs", action="loop_stalled", worker=self.name, loops=stalled)
        else:
            service_manager().notify("WATCHDOG=1", f"STATUS={len(self._live)} transactions in flight")
            with best_effort("life file"):
                renew(self._life_file)

    def _beat(self) -> None:
        """Show the others that this process is alive, and restore what Redis has lost."""
        state = {
            "in_flight": len(self._live),
            "stalled": self._stalled(),
            **asdict(this_release()),
            "endpoints": [asdict(tally) for tally in tallies()],
        }
        self._redis.set(self._heartbeat_key, json.dumps(state), ex=_HEARTBEAT_TTL_SECONDS)
        self._limiter.prepare()
        if self._broker.has_lost_messages():
            log.info("Redis started afresh", action="resend", worker=self.name, orders=_take_out_of_line())

    def _take_over(self, names: Sequence[str]) -> None:
        """Go on with what these processes, which are dead, have left."""
        self._live.adopt_soon()
        self._settling.wake()
        self._dispatching.wake()
        self._triggering.wake()
        try:
            self._broker.bury(names)
        except redis.RedisError as error:  # it finds out by itself, a little later
            log.warning("queue unreachable", action="queue_unreachable", worker=self.name, error=str(error))


def _take_out_of_line() -> int:
    """Let dispatch send everything again that is in the queue as far as Postgres knows. Duplicates are executed
    once."""
    with database.connection_context():
        return leases.give_all_back()


def _kept_days(settings: Settings) -> dict[Kept, int]:
    days = {kept: getattr(settings, f"keep_{kept}_days") for kept in Kept}
    return {kept: each for kept, each in days.items() if each is not None}


def _recent_starts(window_seconds: float) -> list[tuple[UUID, timedelta]]:
    with database.connection_context():
        return recent_starts(window_seconds)
