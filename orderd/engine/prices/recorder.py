"""Stores prices of pairs, from the pools that were read for orders, for the triggers' market, or for watchers.

It makes no requests: it reads what the router has read, without delaying orders, and stores candles.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import structlog

from db import candles
from db.candles import PairCandle
from db.connection import database
from orderd.domain.candles import HOUR, MINUTE, Candle, single
from orderd.domain.price import PairPrice
from orderd.domain.tokens import TokenRegistry
from orderd.engine.prices.reference import has_reference, price_of
from orderd.engine.routing.quote_collection import Answers, Pair
from orderd.engine.stored_mints import learn
from orderd.venues.base import OpenPool

SAMPLE_SECONDS: Final = 1.0
"""How often the router's answers are read."""
_STORE_PASSES: Final = 5
"""Number of passes whose prices are stored by one statement."""
log = structlog.get_logger(__name__)

_Key = tuple[str, str, int, datetime]
"""Base, quote, seconds, and when the candle begins."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The last reading of a pair: its slot, its pools, and its price."""

    slot: int
    read_as: Mapping[str, object]
    price: Decimal | None


class PriceRecorder:
    """One pass at a time. ``answers`` returns the router's last read of each pair, in the direction of that read."""

    def __init__(
        self,
        answers: Callable[[], Mapping[Pair, Answers]],
        tokens: TokenRegistry,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._answers = answers
        self._tokens = tokens
        self._unknown: set[str] = set()
        self._now = now
        self._last: dict[Pair, _Seen] = {}
        self._candles: dict[_Key, Candle] = {}
        self._passes = 0

    def run_once(self) -> None:
        """Record the prices of new reads and, every few passes, store them."""
        for pair, answers in list(self._answers().items()):
            self._observe(pair, answers)
        self._passes += 1
        if self._passes % _STORE_PASSES == 0:
            self.store()

    def store(self) -> None:
        """Store the candles since the last time. If it fails, the next pass tries again with the later ones too."""
        if self._unknown:
            with database.connection_context():
                learn(self._tokens, self._unknown)
            self._unknown.clear()
        if not self._candles:
            return
        with database.connection_context():
            candles.add(PairCandle(*key[:3], candle) for key, candle in self._candles.items())
        self._candles.clear()

    def _observe(self, pair: Pair, answers: Answers) -> None:
        sold, bought = map(self._tokens.find, pair)
        if sold is None or bought is None or not answers.pools:
            self._unknown |= {mint for mint in pair if self._tokens.find(mint) is None}
            return
        named = PairPrice(sold, bought)
        if not has_reference(named):
            return
        slot, last = max(pool.slot for pool in answers.pools), self._last.get(_either_way(pair))
        if last is not None and slot <= last.slot:
            return
        made_of = {pool.address: pool.read_as for pool in answers.pools}
        is_known = last is not None and _are_the_same(made_of, last.read_as)
        price = last.price if last is not None and is_known else _price(answers.pools, named)
        self._last[_either_way(pair)] = _Seen(slot, made_of, price)
        if price is not None:
            self._note(named, price)

    def _note(self, pair: PairPrice, price: Decimal) -> None:
        for seconds in (MINUTE, HOUR):
            answers = single(self._now(), price, seconds)
            key = (pair.base.mint, pair.quote.mint, seconds, answers.at)
            known = self._candles.get(key)
            self._candles[key] = answers if known is None else known.followed_by(answers)


def _price(pools: Sequence[OpenPool], pair: PairPrice) -> Decimal | None:
    try:
        return price_of(pools, pair)
    except Exception:
        # The prices of one pair do not concern the others.
        log.exception("no price", action="price_failed", pair=f"{pair.base.symbol}/{pair.quote.symbol}")
        return None


def _are_the_same(read_as: Mapping[str, object], before: Mapping[str, object]) -> bool:
    """Whether no pool has changed. Compares identities, because comparing contents would take longer."""
    return read_as.keys() == before.keys() and all(each is before[pool] for pool, each in read_as.items())


def _either_way(pair: Pair) -> Pair:
    return pair if pair[0] < pair[1] else (pair[1], pair[0])
