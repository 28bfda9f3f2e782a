"""The quotes of the venues' pools, and the route that is made of them."""

from collections.abc import Callable, Sequence
from dataclasses import field
from decimal import ROUND_UP, Decimal
from fractions import Fraction
from functools import cached_property
from typing import Final

from orderd.domain.errors import ErrorCode
from orderd.domain.frozen import dataclass
from orderd.domain.money import BPS, HUNDREDTH, format_amount, max_amount_in, min_amount_out
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.tokens import Token


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """Sell exactly ``amount`` base units of ``mint_in`` for ``mint_out``, or, if ``exact_out`` is set, buy exactly
    ``amount`` base units of ``mint_out``. Mints are base58.

    ``max_cost_bps`` is the maximum cost of fees and depth, if it is lower than the daemon's. ``has_own_floor``: the
    trader has given the worst acceptable amount, so no market price is needed for it. ``exit_bps`` replaces the
    daemon's bounds on impact and on cost, ``max_deviation_bps`` the bound on a price that has fallen while pools are
    missing. ``token`` is the token of ``amount``, if its name is to appear in texts.
    """

    mint_in: str
    mint_out: str
    amount: int
    max_cost_bps: int = BPS
    has_own_floor: bool = False
    exit_bps: int | None = None
    max_deviation_bps: int | None = None
    exact_out: bool = False
    token: Token | None = None

    def describe(self, amount: int) -> str:
        """An amount of the token that ``amount`` is of."""
        if self.token is None:
            return f"{amount} base units"
        return f"{format_amount(amount, self.token.decimals)} {self.token.symbol}"


@dataclass(frozen=True, slots=True)
class VenueQuote:
    """The quote of one pool. Amounts in base units, after all pool fees.

    ``exact_out``: the quote is for an exact output, which the program pays to the base unit. ``fee`` is the pool's fee
    in base units of ``fee_mint``. ``price_impact_bps`` is the cost of depth against the pool's spot price, without
    fees. ``slot`` is the slot of the pool state that was read. ``compute_units`` is the measured maximum of the swap.
    ``spot`` is the pool's price before the swap, in base units and without fees. The transfer fees are what the tokens
    themselves withhold, in base units of ``mint_in`` and ``mint_out``; ``amount_in`` includes them, ``amount_out`` does
    not.
    """

    venue: VenueName
    pool: str
    pool_kind: PoolKind
    mint_in: str
    mint_out: str
    amount_in: int
    amount_out: int
    fee: int
    fee_mint: str
    price_impact_bps: Decimal
    slot: int
    compute_units: int
    spot: Fraction | None = None
    exact_out: bool = False
    transfer_fee_in: int = 0
    transfer_fee_out: int = 0

    @property
    def kept(self) -> Decimal:
        """The fraction that remains after the pool's fee, price impact and transfer fees."""
        kept = (1 - self.price_impact_bps / BPS) * (1 - Decimal(self.fee_in_input) / self.amount_in)
        if self.transfer_fee_in or self.transfer_fee_out:
            kept *= 1 - Decimal(self.transfer_fee_in) / self.amount_in
            kept *= Decimal(self.amount_out) / (self.amount_out + self.transfer_fee_out)
        return kept

    @property
    def fee_in_input(self) -> int:
        """The fee in base units of ``mint_in``, rounded up; one on the output counts at the quote's own price."""
        if self.fee_mint == self.mint_in:
            return self.fee
        return _ceil_div(self.fee * self.amount_in, self.amount_out)


@dataclass(frozen=True, slots=True)
class VenueRefusal:
    """A venue that gave no quote, and why."""

    venue: VenueName
    code: ErrorCode
    detail: str


UNANSWERED: Final = frozenset(
    {
        ErrorCode.RPC_UNAVAILABLE,
        ErrorCode.RPC_RATE_LIMITED,
        ErrorCode.RPC_POOLS_UNLISTED,
        ErrorCode.SERVICE_TIMEOUT,
        ErrorCode.SERVICE_INTERNAL,
        ErrorCode.ROUTE_STALE,
    }
)
"""Refusals that do not concern the pools themselves: they could not be read in time."""


@dataclass(frozen=True)
class Hop:
    """One pair of a route: its legs share the input, the one with the largest part first."""

    legs: tuple[VenueQuote, ...]

    @cached_property
    def amount_in(self) -> int:
        return sum(leg.amount_in for leg in self.legs)

    @cached_property
    def amount_out(self) -> int:
        return sum(leg.amount_out for leg in self.legs)

    @property
    def mint_out(self) -> str:
        return self.legs[0].mint_out

    @cached_property
    def price_impact_bps(self) -> Decimal:
        """The legs' impacts, each by its part of the input; rounded up to a hundredth."""
        weighted = sum((leg.price_impact_bps * leg.amount_in for leg in self.legs), Decimal(0))
        return (weighted / self.amount_in).quantize(HUNDREDTH, rounding=ROUND_UP)

    @property
    def kept(self) -> Decimal:
        """The fraction that remains after the legs' fees and impacts, weighted by their input."""
        return sum((leg.kept * leg.amount_in for leg in self.legs), Decimal(0)) / self.amount_in

    def floors(self, floor: int) -> list[int]:
        """The minimum output of each leg, so that all together pay ``floor``: its share, rounded up."""
        return [_ceil_div(floor * leg.amount_out, self.amount_out) for leg in self.legs]

    def ceilings(self, ceiling: int) -> list[int]:
        """The maximum input of each leg, so that all together take at most ``ceiling``: its share."""
        return [ceiling * leg.amount_in // self.amount_in for leg in self.legs]


@dataclass(frozen=True)
class Route:
    """One hop, or two through another token; all legs go into one transaction.

    The second hop's input is the minimum output of the first hop, below its quote; the excess stays in the wallet. For
    an exact output, the first hop's output is exact too: the maximum input of the second.
    """

    hops: tuple[Hop, ...]

    @classmethod
    def single(cls, quote: VenueQuote) -> "Route":
        return cls((Hop((quote,)),))

    @cached_property
    def legs(self) -> list[VenueQuote]:
        return [leg for hop in self.hops for leg in hop.legs]

    @property
    def main(self) -> VenueQuote:
        """The leg with the largest part of the order's input."""
        return self.hops[0].legs[0]

    @property
    def is_single(self) -> bool:
        return len(self.legs) == 1

    @property
    def exact_out(self) -> bool:
        """Whether its legs buy exact amounts; otherwise they sell exact amounts."""
        return self.main.exact_out

    @property
    def amount_in(self) -> int:
        return self.hops[0].amount_in

    @property
    def amount_out(self) -> int:
        return self.hops[-1].amount_out

    @cached_property
    def price_impact_bps(self) -> Decimal:
        """The price impact over all hops, rounded up to a hundredth of a basis point."""
        kept = Decimal(1)
        for hop in self.hops:
            kept *= 1 - hop.price_impact_bps / BPS
        return ((1 - kept) * BPS).quantize(HUNDREDTH, rounding=ROUND_UP)

    @cached_property
    def total_cost_bps(self) -> Decimal:
        """Fees and price impact together over all hops, rounded up to a hundredth of a basis point."""
        kept = Decimal(1)
        for hop in self.hops:
            kept *= hop.kept
        return ((1 - kept) * BPS).quantize(HUNDREDTH, rounding=ROUND_UP)

    @property
    def fee(self) -> int:
        """All pools' fees in base units of the sold token, each at the price of its own leg and hop, rounded up."""
        total = 0
        sold, bought = 1, 1  # the order's input per unit of a hop's input
        for hop in self.hops:
            total += sum(_ceil_div(leg.fee_in_input * sold, bought) for leg in hop.legs)
            sold, bought = sold * hop.amount_in, bought * hop.amount_out
        return total

    @property
    def slot(self) -> int:
        """The oldest state that it was made from."""
        return min(leg.slot for leg in self.legs)

    @property
    def compute_units(self) -> int:
        return sum(leg.compute_units for leg in self.legs)

    def floors(self, min_amount_out: int) -> list[list[int]]:
        """The minimum output of each leg, hop by hop, so that the last hop pays ``min_amount_out``.

        An earlier hop must pay what the next one spends.
        """
        owed = [*(hop.amount_in for hop in self.hops[1:]), min_amount_out]
        return [hop.floors(floor) for hop, floor in zip(self.hops, owed, strict=True)]

    def ceilings(self, max_amount_in: int) -> list[list[int]]:
        """The maximum input of each leg, hop by hop, so that the first hop takes at most ``max_amount_in``.

        A later hop may take what the previous one has bought.
        """
        there = [max_amount_in, *(hop.amount_out for hop in self.hops[:-1])]
        return [hop.ceilings(ceiling) for hop, ceiling in zip(self.hops, there, strict=True)]


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """The best route, and all quotes that were considered.

    ``quotes`` are the pools of the pair itself, each for the whole amount. ``through`` is the token between the hops.
    Routes that move the price by more than ``max_price_impact_bps`` were excluded. ``mid`` computes the pair's mid
    price, see ``orderd.domain.mid``.
    """

    route: Route
    quotes: tuple[VenueQuote, ...]
    refusals: tuple[VenueRefusal, ...]
    through: Token | None = None
    max_price_impact_bps: int = BPS
    mid: Callable[[], Fraction | None] = field(default=lambda: None, compare=False, repr=False)

    @property
    def gain_bps(self) -> Decimal | None:
        """The gain over the best single pool, rounded down; None if no single pool takes the whole amount.

        For an exact output, the saving.
        """
        singles = [quote for quote in self.quotes if quote.price_impact_bps <= self.max_price_impact_bps]
        if not singles:
            return None
        single = best_of(singles)
        if self.route.exact_out:
            gained, of = single.amount_in - self.route.amount_in, single.amount_in
        else:
            gained, of = self.route.amount_out - single.amount_out, single.amount_out
        return Decimal(gained * BPS * 100 // of) / 100


def best_of(quotes: Sequence[VenueQuote]) -> VenueQuote:
    """The quote that pays the most, or for an exact output takes the least.

    Ties are broken by the lower price impact, then by the venue's name, so that the result is repeatable.
    """
    return min(quotes, key=lambda quote: (-quote.amount_out, quote.amount_in, quote.price_impact_bps, quote.venue))


def first_hop_floor(amount_out: int, slippage_bps: int) -> int:
    """The minimum output of a first hop with the quote ``amount_out``: half of the order's slippage below it."""
    return min_amount_out(amount_out, slippage_bps // 2)


def second_hop_ceiling(amount_in: int, slippage_bps: int) -> int:
    """The maximum input of a second hop with the quote ``amount_in``: half of the order's slippage above it."""
    return max_amount_in(amount_in, slippage_bps // 2)


def _ceil_div(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
