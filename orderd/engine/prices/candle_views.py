"""Candles of a pair for clients."""

from datetime import UTC, datetime, timedelta
from typing import Final

from db import candles
from orderd.domain.candles import Candle, begins, merged, parse_interval, stored_as
from orderd.domain.price import PairPrice, canonical
from orderd.domain.times import format_span, parse_moment
from orderd.domain.tokens import TokenRegistry
from orderd.engine.stored_mints import learn
from orderd.wire.prices import PriceCandle, PricesParams, PricesResult

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_prices(tokens: TokenRegistry, params: PricesParams) -> PricesResult:
    """The newest candles of a pair within the given times. Needs a connection.

    Raises OrderdError: TOKEN_UNKNOWN, TOKEN_SAME, TIME_INVALID.
    """
    learn(tokens, tokens.pair_mints(params.pair))
    pair = PairPrice(*tokens.named_pair(params.pair))
    seconds = parse_interval(params.interval)
    until = datetime.now(UTC) if params.until is None else parse_moment(params.until)
    since = _oldest(until, seconds, params.limit)
    if params.since is not None:
        since = max(since, parse_moment(params.since))
    stored = stored_as(seconds)
    found = candles.read(pair.base.mint, pair.quote.mint, stored, since, until, params.limit * seconds // stored)
    return PricesResult(
        base=pair.base.symbol,
        quote=pair.quote.symbol,
        interval=format_span(seconds),
        candles=tuple(map(_candle_view, merged(found, seconds))),
    )


def _oldest(until: datetime, seconds: int, limit: int) -> datetime:
    """The start of the first of ``limit`` candles, of which the last one starts before ``until``."""
    if until <= _EPOCH + timedelta(seconds=seconds * limit):
        return _EPOCH
    last = begins(until - timedelta(microseconds=1), seconds)
    return last - timedelta(seconds=seconds * (limit - 1))


def _candle_view(candle: Candle) -> PriceCandle:
    return PriceCandle(
        at=candle.at,
        open=canonical(candle.open),
        high=canonical(candle.high),
        low=canonical(candle.low),
        close=canonical(candle.close),
    )
