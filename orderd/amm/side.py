"""A pool in one direction, whatever its kind: an exact quote for any amount, and the curve that tells what it can take.

Each side is a snapshot: it goes with the state, the second and the slot that it was made from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import NamedTuple, Protocol

from orderd.amm.curve import PRECISION, Segment, constant_price, constant_product, kept
from orderd.amm.fixed_point import Q64
from orderd.amm.price import price_impact
from orderd.amm.stretch import Stretch
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind, ceil_div
from orderd.amm.volatility import FEE_PRECISION, fee_on_top
from orderd.pools.meteora_damm_v2.maths import pool as damm_v2
from orderd.pools.meteora_dlmm.maths import pool as dlmm
from orderd.pools.raydium_amm_v4.maths import pool as amm_v4
from orderd.pools.raydium_clmm.maths import pool as clmm
from orderd.pools.raydium_clmm.maths.step import FEE_RATE_DENOMINATOR
from orderd.pools.raydium_cpmm.maths import pool as cpmm


@dataclass(frozen=True, slots=True)
class Quote:
    """An exact swap in base units: `amount_in` with all fees for `amount_out` after them.

    `fee` is all fees, in the input token or, unless `fee_on_input`, in the output token. `net_in` met the curve and
    `gross_out` came from it; `spot` is the price before the swap, output per input without fees. `steps` counts the
    ticks or bins that were crossed: what a swap costs to compute grows with them.
    """

    amount_in: int
    amount_out: int
    fee: int
    fee_on_input: bool
    net_in: int
    gross_out: int
    spot: Fraction
    steps: int = 0

    def __post_init__(self) -> None:
        """Raises SwapError where no token account could hold what would be paid out."""
        if self.amount_out > U64_MAX:
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)

    @property
    def price_impact(self) -> Fraction:
        """The part of the spot value that depth costs, fees not included, in [0, 1]."""
        return price_impact(self.net_in, self.gross_out, self.spot)


class Rates(NamedTuple):
    """What the next, infinitely small swap would meet: the price before fees, and the part that fees take of it."""

    spot: Fraction
    fee: Fraction


class Side(Protocol):
    """A pool as someone meets it who sells one of its two tokens for the other."""

    def rates(self) -> Rates:
        """The price now, and the fee. Raises SwapError."""
        ...

    def quote(self, amount_in: int) -> Quote:
        """What exactly `amount_in` base units buy. Raises SwapError."""
        ...

    def segments(self) -> Iterator[Segment]:
        """The curve from the present price on, until the pool can give no more. Raises SwapError."""
        ...


@dataclass(frozen=True, slots=True)
class CpmmSide:
    """Raydium CPMM: one segment."""

    pool: cpmm.CpmmPool
    zero_for_one: bool

    def rates(self) -> Rates:
        creator_rate, on_input = cpmm.creator_fee_rate(self.pool, self.zero_for_one)
        trade, creator = (
            Fraction(rate, cpmm.FEE_RATE_DENOMINATOR) for rate in (self.pool.trade_fee_rate, creator_rate)
        )
        # On the output the creator's fee is taken of what the trade fee has left.
        fee = trade + (creator if on_input else creator * (1 - trade))
        if max(trade, creator, fee) >= 1:
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        return Rates(cpmm.spot_price(self.pool, zero_for_one=self.zero_for_one), fee)

    def quote(self, amount_in: int) -> Quote:
        swap = cpmm.swap_exact_in(self.pool, amount_in, zero_for_one=self.zero_for_one)
        fee = swap.trade_fee + swap.creator_fee
        if not swap.creator_fee_on_input:  # A creator's fee on the output counts at the swap's own price, rounded up.
            fee = swap.trade_fee + ceil_div(swap.creator_fee * swap.net_in, swap.gross_out)
        return Quote(
            amount_in,
            swap.amount_out,
            fee,
            True,
            swap.net_in,
            swap.gross_out,
            cpmm.spot_price(self.pool, zero_for_one=self.zero_for_one),
        )

    def segments(self) -> Iterator[Segment]:
        pool, zero_for_one = self.pool, self.zero_for_one
        reserve_in, reserve_out = cpmm.reserves(pool, zero_for_one)
        creator_rate, on_input = cpmm.creator_fee_rate(pool, zero_for_one)
        rate_in = pool.trade_fee_rate + (creator_rate if on_input else 0)
        rate_out = 0 if on_input else creator_rate
        capacity = U64_MAX - (pool.vault_0 if zero_for_one else pool.vault_1)
        kept_in, kept_out = (kept(rate, cpmm.FEE_RATE_DENOMINATOR) for rate in (rate_in, rate_out))
        yield constant_product(reserve_in, reserve_out, kept_in, kept_out, capacity)


@dataclass(frozen=True, slots=True)
class AmmV4Side:
    """Raydium AMM v4: one segment."""

    pool: amm_v4.AmmV4Pool
    coin_to_pc: bool

    def rates(self) -> Rates:
        return Rates(amm_v4.spot_price(self.pool, coin_to_pc=self.coin_to_pc), amm_v4.fee_rate(self.pool))

    def quote(self, amount_in: int) -> Quote:
        swap = amm_v4.swap_exact_in(self.pool, amount_in, coin_to_pc=self.coin_to_pc)
        spot = amm_v4.spot_price(self.pool, coin_to_pc=self.coin_to_pc)
        return Quote(amount_in, swap.amount_out, swap.fee, True, swap.net_in, swap.gross_out, spot)

    def segments(self) -> Iterator[Segment]:
        pool, coin_to_pc = self.pool, self.coin_to_pc
        reserve_in, reserve_out = amm_v4.reserves(pool, coin_to_pc)
        kept_in = kept(pool.swap_fee_numerator, pool.swap_fee_denominator)
        vault_in, vault_out = pool.coin_vault, pool.pc_vault
        if not coin_to_pc:
            vault_in, vault_out = vault_out, vault_in
        capacity = U64_MAX - vault_in
        if vault_out < reserve_out:  # The rest of the reserve is on the order book, out of reach.
            net = reserve_in * vault_out // (reserve_out - vault_out)
            capacity = min(capacity, net * Q64 // kept_in)
        yield constant_product(reserve_in, reserve_out, kept_in, Q64, capacity)


@dataclass(frozen=True, slots=True)
class ClmmSide:
    """Raydium CLMM: a segment for each stretch between initialised ticks."""

    pool: clmm.ClmmPool
    zero_for_one: bool

    def rates(self) -> Rates:
        fee = Fraction(self.pool.trade_fee_rate, FEE_RATE_DENOMINATOR)
        if fee >= 1:
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        return Rates(clmm.spot_price(self.pool, zero_for_one=self.zero_for_one), fee)

    def quote(self, amount_in: int) -> Quote:
        swap = clmm.swap_exact_in(self.pool, amount_in, zero_for_one=self.zero_for_one)
        if swap.partial_fill:  # The last price that there is comes before the end of the amount.
            raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
        return Quote(
            swap.amount_in,
            swap.amount_out,
            swap.fee,
            swap.fee_on_input,
            swap.net_in,
            swap.gross_out,
            clmm.spot_price(self.pool, zero_for_one=self.zero_for_one),
            swap.ticks_crossed,
        )

    def segments(self) -> Iterator[Segment]:
        pool, zero_for_one = self.pool, self.zero_for_one
        kept_all = kept(pool.trade_fee_rate, FEE_RATE_DENOMINATOR)
        kept_in = kept_all if clmm.takes_fee_on_input(pool, zero_for_one) else Q64
        scale = _inverse_sqrt(kept_all)
        liquidity, sqrt_price = pool.liquidity, clmm.sqrt_price_of(pool)
        for crossed, tick in enumerate(clmm.ticks_ahead(pool, zero_for_one)):
            target = clmm.sqrt_price_ahead(tick, sqrt_price, zero_for_one)
            net = Stretch(liquidity << 64, sqrt_price, zero_for_one).amount_in(target)
            start, end = (_s_at(price, scale, zero_for_one) for price in (sqrt_price, target))
            yield Segment(start, end, net * Q64 // kept_in, crossed)
            liquidity = clmm.liquidity_behind(tick, liquidity, zero_for_one)
            sqrt_price = target


@dataclass(frozen=True, slots=True)
class DlmmSide:
    """Meteora DLMM at unix second `now`: a segment for each bin that has something to give."""

    pool: dlmm.DlmmPool
    swap_for_y: bool
    now: int

    def rates(self) -> Rates:
        walk = dlmm.Walk(self.pool, self.swap_for_y, self.now)
        if not any(walk.enter(each) for each in self.pool.bins.walk(self.pool.active_id, downwards=self.swap_for_y)):
            raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
        fee = Fraction(walk.fee_rate, FEE_PRECISION)
        return Rates(dlmm.spot_price(self.pool, swap_for_y=self.swap_for_y), fee)

    def quote(self, amount_in: int) -> Quote:
        swap = dlmm.swap_exact_in(self.pool, amount_in, swap_for_y=self.swap_for_y, now=self.now)
        return Quote(
            amount_in,
            swap.amount_out,
            swap.fee,
            swap.fee_on_input,
            swap.net_in,
            swap.gross_out,
            dlmm.spot_price(self.pool, swap_for_y=self.swap_for_y),
            abs(swap.end_bin_id - swap.start_bin_id),
        )

    def segments(self) -> Iterator[Segment]:
        walk, swap_for_y = dlmm.Walk(self.pool, self.swap_for_y, self.now), self.swap_for_y
        for each in self.pool.bins.walk(self.pool.active_id, downwards=swap_for_y):
            if not walk.enter(each):
                continue
            net = each.amount_in_for(
                each.available(swap_for_y=swap_for_y, limit_orders=walk.limit_orders), swap_for_y=swap_for_y
            )
            amount_in = net + fee_on_top(net, walk.fee_rate) if walk.fee_on_input else net
            price, one = (each.price, Q64) if swap_for_y else (Q64, each.price)
            steps = abs(each.bin_id - self.pool.active_id)
            yield constant_price(price * (FEE_PRECISION - walk.fee_rate), one * FEE_PRECISION, amount_in, steps)


@dataclass(frozen=True, slots=True)
class DammV2Side:
    """Meteora DAMM v2 at unix second `now` and activation point `point`: one segment, up to the end of its range."""

    pool: damm_v2.DammV2Pool
    a_to_b: bool
    now: int
    point: int

    def rates(self) -> Rates:
        fee = Fraction(damm_v2.fee_rate(self.pool, self.point), FEE_PRECISION)
        return Rates(damm_v2.spot_price(self.pool, a_to_b=self.a_to_b), fee)

    def quote(self, amount_in: int) -> Quote:
        swap = damm_v2.swap_exact_in(self.pool, amount_in, a_to_b=self.a_to_b, now=self.now, point=self.point)
        spot = damm_v2.spot_price(self.pool, a_to_b=self.a_to_b)
        return Quote(amount_in, swap.amount_out, swap.fee, swap.fee_on_input, swap.net_in, swap.gross_out, spot)

    def segments(self) -> Iterator[Segment]:
        pool, a_to_b = self.pool, self.a_to_b
        kept_all = kept(damm_v2.fee_rate(pool, self.point), FEE_PRECISION)
        on_input = damm_v2.takes_fee_on_input(pool, a_to_b)
        kept_in, kept_out = (kept_all, Q64) if on_input else (Q64, kept_all)
        if pool.collect_fee_mode == damm_v2.COLLECT_FEE_COMPOUNDING:
            reserve_in, reserve_out = damm_v2.reserves(pool, a_to_b)
            yield constant_product(reserve_in, reserve_out, kept_in, kept_out, U64_MAX - reserve_in)
        else:
            end = pool.sqrt_min_price if a_to_b else pool.sqrt_max_price
            # What moves the price to the end is rounded up and would move it beyond, where the program refuses.
            net = max(damm_v2.stretch_of(pool, a_to_b).amount_in(end) - 1, 0)
            scale = _inverse_sqrt(kept_all)
            yield Segment(_s_at(pool.sqrt_price, scale, a_to_b), _s_at(end, scale, a_to_b), net * Q64 // kept_in)


def _inverse_sqrt(kept_all: int) -> int:
    """1 / sqrt(kept_all), `PRECISION` fractional bits."""
    return isqrt((Q64 << 2 * PRECISION) // kept_all)


def _s_at(sqrt_price: int, scale: int, zero_for_one: bool) -> int:
    """s at a square-root price of token 1 per token 0 (Q64.64), where fees scale it."""
    return (scale << 64) // sqrt_price if zero_for_one else scale * sqrt_price >> 64
