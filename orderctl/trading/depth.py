"""Measures the depth of a pair: quotes several sizes for selling and buying."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, Protocol, TypeVar

from orderctl.output.depth import Depth, Level, Offer, Side
from orderd.client.errors import ConfigError, RefusedError
from orderd.client.protocol import params_of
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import PLAIN_DECIMAL
from orderd.wire.message import Message
from orderd.wire.pools import PoolsParams, PoolsResult
from orderd.wire.quotes import QuoteParams, QuoteResult
from orderd.wire.rpc import Method

SIDES: Final[tuple[Side, ...]] = ("sell", "buy")
_SMALLEST: Final = Decimal("0.0001")
_LARGEST: Final = Decimal("0.5")
"""The range of default sizes, as parts of the largest pool's reserve."""
_STEPS: Final = (Decimal(1), Decimal(3))
"""The default sizes within each power of ten."""
_SIZE_DEPENDENT: Final = ("ROUTE", "POOL")
"""Categories of errors that depend on the size. Any other error applies to all sizes."""

A = TypeVar("A", bound=Message)


class Calls(Protocol):
    """A synchronous client."""

    def call(self, method: Method, params: Message, answer: type[A]) -> A: ...


@dataclass(frozen=True, slots=True)
class _QuotedLevel:
    side: Side
    size: Decimal
    answer: QuoteResult | None
    refusal: ErrorCode | None = None

    @property
    def routed(self) -> Decimal | None:
        """The amount of the best route, in the quote token."""
        if self.answer is None:
            return None
        chosen = self.answer.chosen
        return Decimal(chosen.amount_out if self.side == "sell" else chosen.amount_in or 0)

    def best_of(self, venue: str) -> Decimal | None:
        """The amount of the venue's best single pool."""
        of_venue = [quote for quote in self.answer.quotes if quote.venue == venue] if self.answer is not None else []
        if self.side == "sell":
            return max((Decimal(each.amount_out) for each in of_venue), default=None)
        return min((Decimal(each.amount_in) for each in of_venue if each.amount_in is not None), default=None)


def depth_of(client: Calls, base: str, quote: str, sizes: Sequence[str] | None = None) -> Depth:
    """Measure the depth for ``sizes``; by default, for sizes that are relevant for the pair's reserves.

    Raises OrderdError for an invalid amount, ConfigError if there is no route on one side, and what Client.call raises.
    """
    for size in sizes or ():
        if not PLAIN_DECIMAL.fullmatch(size):
            raise OrderdError(ErrorCode.AMOUNT_INVALID, f"{size[:50]!r} is not a plain decimal number")
    wanted = _sizes(client, base, quote) if sizes is None else sorted(set(sizes), key=Decimal)
    levels = [_ask(client, base, quote, side, size) for size in wanted for side in SIDES]
    mid = _mid(levels)
    venues = sorted({str(each.venue) for one in levels if one.answer is not None for each in one.answer.quotes})
    return Depth(
        base=base,
        quote=quote,
        mid=f"{mid:f}",
        levels=tuple(
            Level(
                side=one.side,
                size=f"{one.size:f}",
                routed=_offer(one, one.routed, mid),
                venues={venue: _offer(one, one.best_of(venue), mid) for venue in venues},
                refusal=one.refusal,
            )
            for one in levels
        ),
    )


def _ask(client: Calls, base: str, quote: str, side: Side, size: str) -> _QuotedLevel:
    terms = {"token_in": base, "token_out": quote, "amount_in": size}
    if side == "buy":
        terms = {"token_in": quote, "token_out": base, "exact_out": size}
    try:
        answer = client.call(Method.QUOTE, params_of(QuoteParams, **terms), QuoteResult)
    except RefusedError as error:
        if error.problem.code.category not in _SIZE_DEPENDENT:
            raise
        return _QuotedLevel(side, Decimal(size), None, error.problem.code)
    return _QuotedLevel(side, Decimal(size), answer)


def _sizes(client: Calls, base: str, quote: str) -> list[str]:
    """The default sizes, from the largest pool's reserve. Raises ConfigError if no pool trades the pair directly."""
    pools = client.call(Method.POOLS, params_of(PoolsParams, token=(base, quote)), PoolsResult).pools
    most = max((Decimal(pool.reserve_a) for pool in pools), default=Decimal(0))
    if not most:
        raise ConfigError(
            "Which sizes?", f"no pool trades {base} for {quote} directly", "give sizes, such as --sizes 1,10,100"
        )
    first = (most * _SMALLEST).adjusted()
    steps = (step.scaleb(power) for power in range(first, most.adjusted() + 1) for step in _STEPS)
    return [f"{step:f}" for step in steps if most * _SMALLEST <= step <= most * _LARGEST]


def _mid(levels: Iterable[_QuotedLevel]) -> Decimal:
    """The mean of the smallest size's selling and buying price. Raises ConfigError if one is missing."""
    prices: dict[Side, Decimal] = {}
    for one in levels:
        if one.routed is not None:
            prices.setdefault(one.side, one.routed / one.size)
    if len(prices) < len(SIDES):
        raise ConfigError(
            "There is no depth to show", "there is no route for selling or for buying", "try other --sizes"
        )
    return _rounded(sum(prices.values(), Decimal(0)) / len(SIDES))


def _offer(one: _QuotedLevel, amount: Decimal | None, mid: Decimal) -> Offer | None:
    if amount is None:
        return None
    price = amount / one.size
    worse = mid - price if one.side == "sell" else price - mid
    cost = (worse * 10_000 / mid).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return Offer(amount=f"{amount:f}", price=f"{_rounded(price):f}", cost_bps=f"{cost:f}")


def _rounded(price: Decimal) -> Decimal:
    """Round to nine significant digits."""
    return price.quantize(Decimal(1).scaleb(price.adjusted() - 8), ROUND_HALF_EVEN)
