"""The state that the screens show: orders, daemon, wallet and prices, and how fresh they are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from orderctl.tui.answers import AnswerTimes
from orderctl.tui.book import Book
from orderctl.tui.price_chart import PriceChart
from orderctl.tui.prices import Pair, Prices
from orderd.client.errors import ClientError
from orderd.client.news import Closed, News, Opened
from orderd.wire.balances import BalancesResult
from orderd.wire.fills import HistoryResult
from orderd.wire.prices import CandleChange
from orderd.wire.status import StatusResult
from orderd.wire.subscriptions import Event, Heartbeat, Ready, Snapshot

Clock = Callable[[], datetime]

STALE_AFTER = timedelta(seconds=5)
"""The screen is stale if nothing is received for this long; the status is requested every second."""
DEFAULT_PAIR = ("SOL", "USDC")


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Connecting:
    """Connecting, or connected and waiting for the snapshots."""


@dataclass(frozen=True, slots=True)
class Live:
    pass


@dataclass(frozen=True, slots=True)
class Disconnected:
    reason: str
    retry_at: datetime


Connection = Connecting | Live | Disconnected


@dataclass
class Desk:
    url: str
    read_only: bool = False
    clock: Clock = utc_now
    connection: Connection = Connecting()
    received_at: datetime | None = None
    """When the last message was received; None before the first one."""
    lag: timedelta = timedelta(0)
    """How far the daemon's notifications are behind its database, as reported by it."""
    book: Book = field(default_factory=Book)
    status: StatusResult | None = None
    wallet: BalancesResult | None = None
    errors: dict[str, ClientError] = field(default_factory=dict)
    """The errors of the last requests, by the name of the request."""
    pair: Pair = DEFAULT_PAIR
    symbols: tuple[str, ...] = ("SOL", "USDC")
    """The symbols of the daemon's tokens."""
    prices: Prices = field(default_factory=Prices)
    answers: AnswerTimes = field(default_factory=AnswerTimes)
    chart: PriceChart = field(default_factory=PriceChart)
    history: HistoryResult | None = None
    """The newest fills, and the totals of all; None before the first response."""
    paused_at: datetime | None = None
    """When the trader paused the display; None if it is not paused."""
    market: dict[Pair, Fraction] = field(default_factory=dict)
    """The current price of a pair's first token in the second, for the requested pairs."""

    def receive(self, news: News) -> None:
        """Process a notification. Raises AnswerLostError if an event is missing."""
        match news:
            case Opened():
                self.connection = Connecting()
                self.lag = timedelta(0)
                self.chart.subscription = None
                self.book.begin()
                return
            case Closed(reason, retry_in):
                self.connection = Disconnected(reason, self.clock() + timedelta(seconds=retry_in))
                return
            case Snapshot(order=order):
                self.book.put(order)
            case Event(event=event):
                self.book.apply(event)
            case Ready():
                self.connection = Live()
            case Heartbeat(at=at, as_of=as_of):
                self.lag = at - as_of
            case CandleChange(subscription=subscription, candle=candle) if subscription == self.chart.subscription:
                self.chart.take(candle)
        self.received_at = self.clock()

    def stale_since(self) -> datetime | None:
        """Since when the screen may be stale, because nothing was received or the daemon is behind; None if it is
        not."""
        if self.received_at is None:
            return None
        if isinstance(self.connection, Live) and self.clock() - self.received_at + self.lag < STALE_AFTER:
            return None
        return self.received_at - self.lag
