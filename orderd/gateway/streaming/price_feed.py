"""Prices as they change: once per second the newest candles of each followed pair are read, and sent to all followers.

A price that any process of the cluster has seen is in Postgres some seconds later.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.streaming.session import Session
from orderd.gateway.threads import DatabaseThreads
from orderd.wire.prices import CandleChange, PriceCandle, PricesParams, PricesResult
from orderd.wire.rpc import PRICE_CANDLE

PERIOD_SECONDS: Final = 1.0
NEWEST: Final = 2
"""Candles that may still change: the current one, and the previous one because of late records."""
MAX_OF_CONNECTION: Final = 20
MAX_SERIES: Final = 200
"""Maximum number of pairs and intervals that all clients of this process follow: they are read each second."""
_HEAD: Final = f'{{"jsonrpc":"2.0","method":"{PRICE_CANDLE}","params":'.encode()

Read = Callable[[PricesParams], PricesResult]


@dataclass(slots=True, eq=False)
class Follower:
    """``sent`` are the newest candles that the follower has received."""

    session: Session
    number: int
    series: PricesParams
    sent: tuple[PriceCandle, ...]


class PriceFeed:
    def __init__(self, read: Read, threads: DatabaseThreads) -> None:
        """``read`` needs a connection, and raises OrderdError."""
        self._read = read
        self._threads = threads
        self._of_series: defaultdict[PricesParams, set[Follower]] = defaultdict(set)
        self._of_session: defaultdict[Session, dict[int, Follower]] = defaultdict(dict)

    async def prepare(self, session: Session, pair: str, interval: str) -> tuple[Follower, PricesResult]:
        """A follower, which gets changes from ``follow`` on, and the newest candles.

        Raises the errors of ``read``, and OrderdError SERVICE_OVERLOADED if there are too many subscriptions.
        """
        now = await self._threads.run(self._read, PricesParams(pair=pair, interval=interval, limit=NEWEST))
        series = PricesParams(pair=f"{now.base}/{now.quote}", interval=now.interval, limit=NEWEST)
        if len(self._of_session.get(session, ())) >= MAX_OF_CONNECTION:
            detail = f"a connection follows the prices of at most {MAX_OF_CONNECTION} pairs"
            raise OrderdError(ErrorCode.SERVICE_OVERLOADED, detail)
        if series not in self._of_series and len(self._of_series) >= MAX_SERIES:
            raise OrderdError(ErrorCode.SERVICE_OVERLOADED, f"the prices of {MAX_SERIES} pairs are followed already")
        number, session.next_subscription = session.next_subscription, session.next_subscription + 1
        return Follower(session, number, series, now.candles), now

    def follow(self, follower: Follower) -> None:
        """Send it each change since it was made."""
        self._of_session[follower.session][follower.number] = follower
        self._of_series[follower.series].add(follower)

    def unfollow(self, session: Session, number: int) -> bool:
        """End a subscription; False if there is none of this number."""
        follower = self._of_session.get(session, {}).pop(number, None)
        if follower is None:
            return False
        followers = self._of_series[follower.series]
        followers.discard(follower)
        if not followers:
            del self._of_series[follower.series]
        return True

    def end(self, session: Session) -> None:
        """End all subscriptions of a connection that is gone."""
        for number in tuple(self._of_session.get(session, ())):
            self.unfollow(session, number)
        self._of_session.pop(session, None)

    async def run(self) -> None:
        """Send changes, until the task is cancelled."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            await self.publish()

    async def publish(self) -> None:
        """Read the subscribed prices, and send the changes. Raises OrderdError if Postgres does not answer."""
        if not self._of_series:
            return
        for series, now in await self._threads.run(self._read_all, tuple(self._of_series)):
            for follower in tuple(self._of_series.get(series, ())):
                for candle in now.candles:
                    if candle not in follower.sent:
                        follower.session.peer.push(_message(follower.number, now, candle))
                follower.sent = now.candles

    def _read_all(self, wanted: Iterable[PricesParams]) -> list[tuple[PricesParams, PricesResult]]:
        return [(series, self._read(series)) for series in wanted]


def _message(subscription: int, now: PricesResult, candle: PriceCandle) -> bytes:
    change = CandleChange(
        subscription=subscription, base=now.base, quote=now.quote, interval=now.interval, candle=candle
    )
    return _HEAD + CandleChange.__pydantic_serializer__.to_json(change) + b"}"
