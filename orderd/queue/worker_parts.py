"""The parts of a worker process, connected: engine, queue and loops. ``WorkerProcess`` starts and stops them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from dramatiq.middleware import TimeLimit

from db import installation
from db.connection import database
from db.journal import recent_starts
from db.prices import last_route
from db.retention import Kept
from orderd.config.settings import Settings
from orderd.engine.clock import DatabaseClock
from orderd.engine.dispatch import Dispatch
from orderd.engine.execution.mint_decimals import MintDecimals
from orderd.engine.execution.precheck import Precheck
from orderd.engine.execution.preparation import Preparation
from orderd.engine.execution.turn import Execution
from orderd.engine.exits import Exits
from orderd.engine.failure import Failures
from orderd.engine.families import Families
from orderd.engine.halting import Halts
from orderd.engine.leases import Leases
from orderd.engine.market import Market
from orderd.engine.presence import Presence
from orderd.engine.prices.recorder import SAMPLE_SECONDS, PriceRecorder
from orderd.engine.publish import Publisher
from orderd.engine.records.reconcile import Reconciliation
from orderd.engine.records.wallet_history import CHECK_SECONDS as HISTORY_SECONDS
from orderd.engine.records.wallet_history import WalletHistory
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
from orderd.engine.trading import Trading, final_at, open_trading
from orderd.engine.triggers.new_pools import LISTED_SECONDS, UNHINTED_SECONDS, NewPoolSearch
from orderd.engine.triggers.shares import Shares
from orderd.engine.triggers.watch import Triggers
from orderd.engine.wallet_sharing import CHECK_SECONDS as SHARING_SECONDS
from orderd.engine.wallet_sharing import WalletSharing
from orderd.engine.wallet_watch import READ_SECONDS, WalletWatch
from orderd.queue.actors import declare_actor
from orderd.queue.broker import OrderBroker
from orderd.queue.halt_first import HaltFirst
from orderd.queue.in_flight import InFlightCap
from orderd.queue.limiter import RateLimiter
from orderd.queue.loops import Loop
from orderd.queue.pace import SlotPace
from orderd.queue.precheck import PrecheckFirst
from orderd.queue.rate_limit import RateLimit
from orderd.queue.retry import Retry
from orderd.queue.turn_threads import TurnWorker
from orderd.queue.turns import TURN_SECONDS, Turns
from orderd.solana.hints import AccountHints, Hints, LandingHints
from orderd.solana.slot_time import REFRESH_SECONDS as SLOT_SECONDS

if TYPE_CHECKING:
    import redis

_POLL_MS: Final = 250
"""Interval at which the idle consumer checks whether to stop; an order wakes it immediately."""
_FINALITY_SECONDS: Final = 1.0
"""How often successes that may still be rolled back are checked."""
_LATE_SECONDS: Final = 1.0
"""How often attempts are checked that only the transaction history can decide."""
_LATE_FINALITY_SECONDS: Final = 5.0
"""The same for successes."""
_LONGEST_SEARCH_SECONDS: Final = 600.0
"""Maximum time of such a pass: it may read many pages of a slow history, and nothing else waits for it."""
_WARM_SECONDS: Final = 5.0
"""Interval at which recently used pools are checked for changes without a hint."""
_FAMILIES_SECONDS: Final = 0.4
"""Interval at which families are checked."""


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """``feeding`` are the loops that send orders to the queue: they stop before the turns do. All ``other`` loops stop
    after the turns, in this order. ``triggering`` is one of the first, ``settling`` one of the second kind.
    """

    clock: DatabaseClock
    limiter: RateLimiter
    halts: Halts
    live: LiveAttempts
    publisher: Publisher
    broker: OrderBroker
    worker: TurnWorker
    turns: Turns
    triggering: Loop
    dispatching: Loop
    settling: Loop
    feeding: Sequence[Loop]
    other: Sequence[Loop]
    hints: Sequence[Hints | AccountHints]
    discover: Callable[[], object]
    """Looks up the pools of the known pairs."""
    check_sharing: Callable[[], object]
    longest_wait: float
    """Maximum seconds between two tries of an order."""


@dataclass(frozen=True, slots=True)
class _Base:
    """What most parts need. ``pools`` is None if the node sends no hints."""

    settings: Settings
    trading: Trading
    pools: AccountHints | None
    pace: SlotPace
    publisher: Publisher
    clock: DatabaseClock
    halts: Halts
    leases: Leases
    live: LiveAttempts
    limiter: RateLimiter
    markets: NewMarkets
    outcomes: Outcomes


def assemble(settings: Settings, client: "redis.Redis", presence: Presence) -> WorkerParts:
    """Needs Postgres, and neither Redis nor the chain."""
    base = _base(settings, client, presence.name)
    broker, dispatch, turns = _queue(base, client, presence.name)
    check_sharing = _nothing if settings.shared_wallet else WalletSharing(base.trading.observer(settings)).run_once
    resending = Resending(base.live, base.trading.sender, seconds=base.pace.resend_seconds)
    settling, resends, *settles = _settlement(base, resending)
    warming = Loop("pools", base.trading.router.keep_warm, _WARM_SECONDS)
    dispatching = Loop("dispatch", dispatch.run_once, settings.dispatch_interval_ms / 1000)
    families = Families(
        base.publisher,
        broker.send,
        settings.order_ttl_seconds,
        base.trading.retry,
        base.halts.known,
        base.clock.check,
    )
    shares = Shares(presence.name, lambda: presence.watchers)
    triggers = _triggers(base, broker, shares, families)
    triggering = _triggering(triggers, warming, base.pace.slot_seconds)
    search = NewPoolSearch(
        base.trading.router,
        lambda: triggers.awaiting_pools,
        triggering.wake,
        seconds=LISTED_SECONDS if base.pools is not None else UNHINTED_SECONDS,
    )
    searching = Loop("look-out", search.run_once, base.pace.slot_seconds)

    def keep_pace() -> None:
        if base.trading.refresh_chain():
            base.live.resend_seconds = resending.seconds = base.pace.resend_seconds
            triggers.idle_seconds = base.pace.idle_seconds
            triggering.interval = searching.interval = base.pace.slot_seconds

    if base.pools is not None:
        base.pools.on_hint = triggering.wake
    return WorkerParts(
        clock=base.clock,
        limiter=base.limiter,
        halts=base.halts,
        live=base.live,
        publisher=base.publisher,
        broker=broker,
        worker=TurnWorker(broker, threads=settings.worker_threads, poll_ms=_POLL_MS),
        turns=turns,
        triggering=triggering,
        dispatching=dispatching,
        settling=settling,
        feeding=(
            triggering,
            Loop("families", families.run_once, _FAMILIES_SECONDS),
            Loop("exits", Exits(base.publisher).run_once, _FAMILIES_SECONDS),
            dispatching,
        ),
        other=(
            settling,
            resends,
            searching,
            Loop("chain", keep_pace, SLOT_SECONDS),
            *_records(base, shares),
            Loop("sharing", check_sharing, SHARING_SECONDS),
            *settles,
            warming,
            Loop("leases", base.live.renew, settings.lease_seconds / 4),
        ),
        hints=_hints(base, settling),
        discover=base.trading.router.discover,
        check_sharing=check_sharing,
        longest_wait=base.trading.retry.cap_ms / 1000,
    )


def _base(settings: Settings, client: "redis.Redis", name: str) -> _Base:
    pools = None if settings.rpc_ws_url is None else AccountHints(settings.rpc_ws_url)
    trading = open_trading(settings, last_route, pools)
    pace = SlotPace(trading, settings, is_hinted=pools is not None)
    clock = DatabaseClock(settings.lease_seconds)
    leases = Leases(name, settings.lease_seconds)
    window = timedelta(seconds=settings.rate_window_seconds)
    return _Base(
        settings=settings,
        trading=trading,
        pools=pools,
        pace=pace,
        publisher=Publisher(client),
        clock=clock,
        halts=Halts(),
        leases=leases,
        live=LiveAttempts(leases, resend_seconds=pace.resend_seconds, check_clock=clock.check),
        limiter=RateLimiter(client, settings.rate_limit, window, _recent_starts),
        markets=NewMarkets(trading.router, trading.rpc, trading.builder.fits),
        outcomes=Outcomes(str(trading.wallet.address), trading.retry),
    )


def _queue(base: _Base, client: "redis.Redis", name: str) -> tuple[OrderBroker, Dispatch, Turns]:
    """The broker with its middleware and its actor, which works the turns."""
    trading, preparation, turns = base.trading, Preparation(), Turns()
    with database.connection_context():
        signs_as = installation.read().id
    execution = Execution(
        trading.router,
        trading.builder,
        trading.sender,
        base.live,
        base.publisher,
        base.leases,
        signs_as,
        base.markets,
        MintDecimals(trading.rpc),
        base.clock.check,
        preparation=preparation,
    )
    broker = OrderBroker(client, line=base.limiter, name=name, preparation=preparation)
    dispatch = Dispatch(
        base.publisher, broker.send, broker.depth, name, base.limiter, base.clock.check, base.halts.refresh
    )
    market = Market(trading.router, trading.builder, trading.rpc, trading.desk)
    broker.add_middleware(HaltFirst(base.halts.known, dispatch.defer, dispatch.missed))
    precheck = Precheck(market.preview, trading.retry, dispatch.defer)
    broker.add_middleware(PrecheckFirst(precheck, broker.send, dispatch.missed))
    if in_flight := base.settings.max_in_flight:
        broker.add_middleware(InFlightCap(in_flight, base.live.__len__, dispatch.defer, dispatch.missed))
    broker.add_middleware(RateLimit(base.limiter, dispatch.defer, dispatch.missed))
    broker.add_middleware(Retry(Failures(trading.retry, base.publisher), name, dispatch.missed))
    # Last, so that it limits only the turn, not the other middleware before and after it.
    broker.add_middleware(TimeLimit(time_limit=TURN_SECONDS * 1000))
    broker.add_middleware(turns)
    declare_actor(broker, execution.run)
    return broker, dispatch, turns


def _settlement(base: _Base, resending: Resending) -> list[Loop]:
    """The loops for sent transactions; the first one settles them."""
    settings, trading = base.settings, base.trading
    interval = settings.settle_interval_ms / 1000

    def settlement() -> Settlement:
        return Settlement(base.live, trading.observer(settings), base.outcomes, base.publisher, resending)

    def finality() -> Finality:
        return Finality(trading.observer(settings), base.publisher)

    unknown = UnknownOutcomes(base.publisher, settings.unknown_after_seconds, base.clock.check)
    restoring = Restoring(trading.observer(settings), base.outcomes, base.publisher, base.halts.known)
    return [
        Loop("settlement", settlement().run_once, interval),
        Loop("resending", resending.run_once, interval),
        Loop("late settlement", settlement().run_late, _LATE_SECONDS, longest=_LONGEST_SEARCH_SECONDS),
        Loop("restoring", restoring.run_once, RESTORING_SECONDS),
        Loop("finality", finality().run_once, _FINALITY_SECONDS),
        Loop("late finality", finality().run_late, _LATE_FINALITY_SECONDS, longest=_LONGEST_SEARCH_SECONDS),
        Loop("unknown", unknown.run_once, min(CHECK_SECONDS, settings.unknown_after_seconds)),
    ]


def _triggers(base: _Base, broker: OrderBroker, shares: Shares, families: Families) -> Triggers:
    return Triggers(
        base.trading.router,
        base.trading.builder.fits,
        base.markets,
        base.publisher,
        broker.send,
        families.execute,
        shares.is_mine,
        base.clock.check,
        base.halts.known,
        idle_seconds=base.pace.idle_seconds,
    )


def _triggering(triggers: Triggers, warming: Loop, interval: float) -> Loop:
    """A pass of the triggers, then one of the warming. In one loop, because both read changed pools, and two concurrent
    reads would wait for each other."""

    def run_once() -> None:
        try:
            triggers.run_once()
        finally:
            warming.wake()
            if triggers.is_behind:
                loop.wake()

    loop = Loop("triggers", run_once, interval)
    return loop


def _records(base: _Base, shares: Shares) -> list[Loop]:
    """The loops that record the wallet's movements and prices, and remove old records."""
    trading, address = base.trading, base.trading.wallet.address
    wallet = WalletWatch(trading.rpc, address, trading.tokens)
    prices = PriceRecorder(trading.router.latest_answers, trading.tokens)
    retention = Retention(_kept_days(base.settings), base.clock.check)
    loops = [
        Loop("wallet", wallet.run_once, READ_SECONDS),
        Loop("prices", prices.run_once, SAMPLE_SECONDS),
        Loop("retention", retention.run_once, INTERVAL_SECONDS),
    ]
    if minutes := base.settings.reconcile_minutes:
        reconciliation = Reconciliation(trading.rpc, address, trading.tokens, final_at(base.settings))
        history = WalletHistory(reconciliation, lambda: shares.is_mine(("reconcile", str(address))), minutes * 60)
        loops.append(Loop("wallet's history", history.run_once, HISTORY_SECONDS))
    return loops


def _hints(base: _Base, settling: Loop) -> list[Hints | AccountHints]:
    found: list[Hints | AccountHints] = [] if base.pools is None else [base.pools]
    if base.settings.rpc_ws_url is not None:

        def landed(signature: str) -> None:
            base.live.hint(signature)
            settling.wake()

        landings = LandingHints(base.settings.rpc_ws_url, landed, lambda: base.trading.rpc.commitment)
        base.live.on_watched = landings.watch
        found.append(landings)
    return found


def _kept_days(settings: Settings) -> dict[Kept, int]:
    days = {kept: getattr(settings, f"keep_{kept}_days") for kept in Kept}
    return {kept: each for kept, each in days.items() if each is not None}


def _recent_starts(window_seconds: float) -> list[tuple[UUID, timedelta]]:
    with database.connection_context():
        return recent_starts(window_seconds)


def _nothing() -> None:
    """A wallet that is shared on purpose is not checked."""
