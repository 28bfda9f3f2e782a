"""What each size of a pair would trade for, both ways: a quote for each, and nothing is traded."""

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
"""Default sizes, as parts of what the largest pool holds."""
_STEPS: Final = (Decimal(1), Decimal(3))
"""Of each power of ten."""
_WITHOUT_ROUTE: Final = ("ROUTE", "POOL")
"""Categories of refusals that depend on the size. Any other would be the same for all sizes."""

A = TypeVar("A", bound=Message)


class Calls(Protocol):
    """A client that blocks."""

    def call(self, method: Method, params: Message, answer: type[A]) -> A: ...


@dataclass(frozen=True, slots=True)
class _QuotedLevel:
    side: Side
    size: Decimal
    answer: QuoteResult | None
    refusal: ErrorCode | None = None

    @property
    def routed(self) -> Decimal | None:
        """In the quote token."""
        if self.answer is None:
            return None
        chosen = self.answer.chosen
        return Decimal(chosen.amount_out if self.side == "sell" else chosen.amount_in or 0)

    def best_of(self, venue: str) -> Decimal | None:
        """What the best pool of the venue alone pays or takes."""
        of_venue = [quote for quote in self.answer.quotes if quote.venue == venue] if self.answer is not None else []
        if self.side == "sell":
            return max((Decimal(each.amount_out) for each in of_venue), default=None)
        return min((Decimal(each.amount_in) for each in of_venue if each.amount_in is not None), default=None)


def depth_of(client: Calls, base: str, quote: str, sizes: Sequence[str] | None = None) -> Depth:
    """Without ``sizes``, the sizes that matter for what the pools of the pair hold.

    Raises OrderdError for an invalid amount, ConfigError if no size has a route both ways, and what Client.call raises.
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
        if error.problem.code.category not in _WITHOUT_ROUTE:
            raise
        return _QuotedLevel(side, Decimal(size), None, error.problem.code)
    return _QuotedLevel(side, Decimal(size), answer)


def _sizes(client: Calls, base: str, quote: str) -> list[str]:
    """Raises ConfigError if no pool trades the pair itself, so that nothing says which sizes matter."""
    pools = client.call(Method.POOLS, params_of(PoolsParams, token=(base, quote)), PoolsResult).pools
    most = max((Decimal(pool.reserve_a) for pool in pools), default=Decimal(0))
    if not most:
        raise ConfigError(
            "Which sizes?", f"no pool trades {base} for {quote} itself", "give some, such as --sizes 1,10,100"
        )
    first = (most * _SMALLEST).adjusted()
    steps = (step.scaleb(power) for power in range(first, most.adjusted() + 1) for step in _STEPS)
    return [f"{step:f}" for step in steps if most * _SMALLEST <= step <= most * _LARGEST]


def _mid(levels: Iterable[_QuotedLevel]) -> Decimal:
    """Raises ConfigError if there is a price on one side at most."""
    prices: dict[Side, Decimal] = {}
    for one in levels:
        if one.routed is not None:
            prices.setdefault(one.side, one.routed / one.size)
    if len(prices) < len(SIDES):
        raise ConfigError("There is no depth to show", "no size has a route both ways", "try other --sizes")
    return _rounded(sum(prices.values(), Decimal(0)) / len(SIDES))


def _offer(one: _QuotedLevel, amount: Decimal | None, mid: Decimal) -> Offer | None:
    if amount is None:
        return None
    price = amount / one.size
    worse = mid - price if one.side == "sell" else price - mid
    cost = (worse * 10_000 / mid).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return Offer(amount=f"{amount:f}", price=f"{_rounded(price):f}", cost_bps=f"{cost:f}")


def _rounded(price: Decimal) -> Decimal:
    """To nine significant digits."""
    return price.quantize(Decimal(1).scaleb(price.adjusted() - 8), ROUND_HALF_EVEN)
