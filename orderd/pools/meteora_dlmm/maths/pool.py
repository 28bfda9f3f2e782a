"""Meteora DLMM (lb_clmm): liquidity in bins of fixed prices, with a fee that grows with volatility.

Formulas: MeteoraAg/dlmm-sdk, ``commons/src/quote.rs`` and ``commons/src/extensions/{lb_pair,bin}.rs``. Fee rates are
billionths, ``protocol_share`` and ``reduction_factor`` basis points, times unix seconds, amounts base units.
"""

from fractions import Fraction
from typing import Final

from orderd.amm.fixed_point import Q64
from orderd.amm.swap import U32_MAX, U64_MAX, U128_MAX, SwapError, SwapErrorKind, ceil_div
from orderd.amm.volatility import BASIS_POINTS, decayed_reference, fee_in, fee_on_top, variable_fee
from orderd.domain.frozen import dataclass
from orderd.pools.meteora_dlmm.maths.bin import DlmmBin, DlmmBins, price_from_bin_id

__all__ = [
    "DlmmBin",
    "DlmmBins",
    "DlmmParameters",
    "DlmmPool",
    "DlmmSwap",
    "DlmmVolatility",
    "price_from_bin_id",
    "spot_price",
    "swap_exact_in",
    "swap_exact_out",
]

MAX_FEE_RATE: Final = 100_000_000

COLLECT_FEE_ON_Y_ONLY: Final = 1
"""``collect_fee_mode``: 0 takes the fee from the input, 1 always from token y."""

FUNCTION_UNDETERMINED: Final = 0
FUNCTION_LIMIT_ORDER: Final = 2
"""``function_type``: 1 is a liquidity-mining pool, which has no limit orders."""


@dataclass(frozen=True, slots=True)
class DlmmParameters:
    """The parameters that the pool's creator set: the fields of StaticParameters that a swap uses."""

    base_factor: int
    base_fee_power_factor: int
    filter_period: int
    decay_period: int
    reduction_factor: int
    variable_fee_control: int
    max_volatility_accumulator: int
    protocol_share: int
    function_type: int
    collect_fee_mode: int


@dataclass(frozen=True, slots=True)
class DlmmVolatility:
    """The recent movement of the price: the VariableParameters. Distances count 10,000 per bin."""

    volatility_accumulator: int
    volatility_reference: int
    index_reference: int
    last_update_timestamp: int


@dataclass(frozen=True, slots=True)
class DlmmPool:
    """A pool as LbPair and its bin arrays store it. ``bin_step`` is in basis points."""

    parameters: DlmmParameters
    volatility: DlmmVolatility
    active_id: int
    bin_step: int
    protocol_fee_x: int
    protocol_fee_y: int
    has_reward: bool
    bins: DlmmBins

    @property
    def supports_limit_orders(self) -> bool:
        """Whether swaps fill the limit orders in the bins."""
        function = self.parameters.function_type
        return function == FUNCTION_LIMIT_ORDER or (function == FUNCTION_UNDETERMINED and not self.has_reward)


@dataclass(frozen=True, slots=True)
class DlmmSwap:
    """A swap's outcome in base units: ``amount_in`` is paid with all fees, ``amount_out`` received after them.

    ``fee`` is ``mm_fee`` (for liquidity providers) + ``protocol_fee`` + ``limit_order_fee`` (for the orders' owners).
    The swap started in ``start_bin_id``, the active bin before it, and ended in ``end_bin_id`` at ``last_fee_rate``.
    ``pool`` is the state after the swap, ``changed_bins`` are the bins that changed.
    """

    amount_in: int
    amount_out: int
    fee: int
    mm_fee: int
    protocol_fee: int
    limit_order_fee: int
    fee_on_input: bool
    start_bin_id: int
    end_bin_id: int
    last_fee_rate: int
    pool: DlmmPool
    changed_bins: tuple[DlmmBin, ...]
    kept_fees: tuple[int, ...]
    """For each changed bin, the fee that its liquidity providers keep."""

    @property
    def net_in(self) -> int:
        """The input that reached the bins, after a fee on the input."""
        return self.amount_in - self.fee if self.fee_on_input else self.amount_in

    @property
    def gross_out(self) -> int:
        """The output of the bins, before a fee on the output."""
        return self.amount_out if self.fee_on_input else self.amount_out + self.fee


def swap_exact_in(pool: DlmmPool, amount_in: int, *, swap_for_y: bool, now: int) -> DlmmSwap:
    """Swap exactly ``amount_in`` base units of x (``swap_for_y``) or y at unix second ``now``. Raises SwapError."""
    if amount_in <= 0:
        raise SwapError(SwapErrorKind.ZERO_INPUT)
    walk = Walk(pool, swap_for_y, now)
    left = amount_in
    amount_out = 0
    for each in pool.bins.walk(pool.active_id, downwards=swap_for_y):
        if not walk.enter(each):
            continue
        consumed, paid_out = walk.trade(each, left)
        left -= consumed
        amount_out += paid_out
        if left == 0:
            break
    else:
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
    if amount_out == 0:
        raise SwapError(SwapErrorKind.ZERO_OUTPUT)
    return walk.settle(amount_in, amount_out)


def swap_exact_out(pool: DlmmPool, amount_out: int, *, swap_for_y: bool, now: int) -> DlmmSwap:
    """Swap for exactly ``amount_out`` base units of y (``swap_for_y``) or x at unix second ``now``. Raises
    SwapError."""
    if amount_out <= 0:
        raise SwapError(SwapErrorKind.ZERO_OUTPUT)
    walk = Walk(pool, swap_for_y, now)
    left = amount_out
    amount_in = 0
    for each in pool.bins.walk(pool.active_id, downwards=swap_for_y):
        if not walk.enter(each):
            continue
        consumed, paid_out = walk.buy(each, left)
        amount_in += consumed
        if paid_out >= left:
            walk.withhold(paid_out - left)
            break
        left -= paid_out
    else:
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
    if amount_in > U64_MAX:
        raise SwapError(SwapErrorKind.AMOUNT_IN_EXCEEDS_U64)
    return walk.settle(amount_in, amount_out)


def spot_price(pool: DlmmPool, *, swap_for_y: bool) -> Fraction:
    """Base units of output per base unit of input at the active bin, before fees."""
    price = Fraction(price_from_bin_id(pool.bin_step, pool.active_id), Q64)
    return price if swap_for_y else 1 / price


class Walk:
    """A swap in progress: its current bin and fee rate, and the sums so far."""

    def __init__(self, pool: DlmmPool, swap_for_y: bool, now: int) -> None:
        parameters, volatility = pool.parameters, pool.volatility
        self.pool = pool
        self.swap_for_y = swap_for_y
        self.now = now
        self.limit_orders = pool.supports_limit_orders
        self.fee_on_input = not (parameters.collect_fee_mode == COLLECT_FEE_ON_Y_ONLY and swap_for_y)
        self.base_fee_rate = parameters.base_factor * pool.bin_step * 10 * 10**parameters.base_fee_power_factor
        self.index_reference = volatility.index_reference
        self.volatility_reference = volatility.volatility_reference
        self.volatility_accumulator = volatility.volatility_accumulator
        elapsed = now - volatility.last_update_timestamp
        if elapsed >= parameters.filter_period:
            decays = elapsed < parameters.decay_period
            if decays and self.volatility_accumulator * parameters.reduction_factor > U32_MAX:
                raise SwapError(SwapErrorKind.MATH_OVERFLOW)
            self.index_reference = pool.active_id
            self.volatility_reference = decayed_reference(
                self.volatility_accumulator, parameters.reduction_factor, elapsed, parameters.decay_period
            )
        self.active_id = pool.active_id
        self.fee_rate = 0
        self.fee = 0
        self.mm_fee = 0
        self.protocol_fee = 0
        self.limit_order_fee = 0
        self.changed: list[DlmmBin] = []
        self.kept_fees: list[int] = []

    def enter(self, each: DlmmBin) -> bool:
        """Move to a bin and set its fee rate. Returns False if the bin has no output in this direction."""
        if each.available(swap_for_y=self.swap_for_y, limit_orders=self.limit_orders) == 0:
            return False
        parameters = self.pool.parameters
        self.active_id = each.bin_id
        self.volatility_accumulator = min(
            self.volatility_reference + abs(self.index_reference - each.bin_id) * BASIS_POINTS,
            parameters.max_volatility_accumulator,
        )
        variable = variable_fee(parameters.variable_fee_control, self.volatility_accumulator, self.pool.bin_step)
        self.fee_rate = min(self.base_fee_rate + variable, MAX_FEE_RATE)
        return True

    def trade(self, each: DlmmBin, offer: int) -> tuple[int, int]:
        """Spend up to ``offer`` (fee included) in the bin. Returns the consumed input and the output."""
        fee = fee_in(offer, self.fee_rate) if self.fee_on_input else 0
        net_offer = offer - fee
        fill = each.fill(net_offer, swap_for_y=self.swap_for_y, limit_orders=self.limit_orders)
        net_in, paid_out = fill.net_in, fill.gross_out
        consumed = offer
        if net_in < net_offer:  # The bin is drained: the fee applies only to the input that it absorbed.
            fee = fee_on_top(net_in, self.fee_rate) if self.fee_on_input else 0
            consumed = net_in + fee
        if not self.fee_on_input:
            fee = fee_in(paid_out, self.fee_rate)
            paid_out -= fee
        kept_before = self.mm_fee
        order_fee = self._share_out(fee, fill.market_in, net_in)
        if net_in:
            self.kept_fees.append(self.mm_fee - kept_before)
            self.changed.append(each.after(fill, order_fee, swap_for_y=self.swap_for_y))
        return consumed, paid_out

    def buy(self, each: DlmmBin, wanted: int) -> tuple[int, int]:
        """Buy ``wanted`` after fees, or everything if the bin has less. Returns the consumed input and the output.

        The input is rounded up once, but the output is rounded down in each layer. A swap that ends among limit orders
        may therefore buy less than requested, and the program refuses it. Raises SwapError.
        """
        gross_out = wanted if self.fee_on_input else wanted + fee_on_top(wanted, self.fee_rate)
        if gross_out >= each.available(swap_for_y=self.swap_for_y, limit_orders=self.limit_orders):
            return self.trade(each, U128_MAX)
        net_in = each.amount_in_for(gross_out, swap_for_y=self.swap_for_y)
        offer = net_in + fee_on_top(net_in, self.fee_rate) if self.fee_on_input else net_in
        consumed, paid_out = self.trade(each, offer)
        if paid_out < wanted:
            raise SwapError(SwapErrorKind.OUTPUT_FALLS_SHORT)
        return consumed, paid_out

    def withhold(self, excess: int) -> None:
        """Add the rounding surplus above the requested output to the fee. With a fee on the input it is not counted."""
        if not self.fee_on_input:
            self.fee += excess
            self.protocol_fee += excess

    def _share_out(self, fee: int, market_in: int, net_in: int) -> int:
        """Divide a bin's fee among the protocol, the liquidity providers and the owners of limit orders. Returns the
        orders' share."""
        self.fee += fee
        if net_in == 0:
            self.protocol_fee += fee
            return 0
        market_fee = ceil_div(fee * market_in, net_in)
        protocol_fee = market_fee * self.pool.parameters.protocol_share // BASIS_POINTS
        order_fee = (fee - market_fee) // 2
        self.mm_fee += market_fee - protocol_fee
        self.protocol_fee += fee - market_fee - order_fee + protocol_fee
        self.limit_order_fee += order_fee
        return order_fee

    def settle(self, amount_in: int, amount_out: int) -> DlmmSwap:
        """The result, with the pool's state after the swap."""
        pool = self.pool
        protocol_fee_in_x = self.swap_for_y and self.fee_on_input
        moved = self.active_id != pool.active_id
        end = DlmmPool(
            parameters=pool.parameters,
            volatility=DlmmVolatility(
                volatility_accumulator=self.volatility_accumulator,
                volatility_reference=self.volatility_reference,
                index_reference=self.index_reference,
                last_update_timestamp=self.now if moved else pool.volatility.last_update_timestamp,
            ),
            active_id=self.active_id,
            bin_step=pool.bin_step,
            protocol_fee_x=pool.protocol_fee_x + (self.protocol_fee if protocol_fee_in_x else 0),
            protocol_fee_y=pool.protocol_fee_y + (0 if protocol_fee_in_x else self.protocol_fee),
            has_reward=pool.has_reward,
            bins=pool.bins.replace(self.changed),
        )
        return DlmmSwap(
            amount_in=amount_in,
            amount_out=amount_out,
            fee=self.fee,
            mm_fee=self.mm_fee,
            protocol_fee=self.protocol_fee,
            limit_order_fee=self.limit_order_fee,
            fee_on_input=self.fee_on_input,
            start_bin_id=pool.active_id,
            end_bin_id=self.active_id,
            last_fee_rate=self.fee_rate,
            pool=end,
            changed_bins=tuple(self.changed),
            kept_fees=tuple(self.kept_fees),
        )
