"""The bins of a Meteora DLMM pool: each has a fixed price and layers of liquidity that are consumed in order.

Formulas: MeteoraAg/dlmm-sdk, ``commons/src/extensions/bin.rs`` and ``commons/src/math/price_math.rs``.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Self

from orderd.amm.fixed_point import Q64, pow_q64
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind, ceil_div
from orderd.amm.volatility import BASIS_POINTS
from orderd.domain.frozen import dataclass


def price_from_bin_id(bin_step: int, bin_id: int) -> int:
    """The bin's price, Q64.64 base units of token y per base unit of token x. Raises SwapError if it is out of range.

    ``bin_step`` is the price step between adjacent bins in basis points.
    """
    return pow_q64(Q64 + bin_step * Q64 // BASIS_POINTS, bin_id)


@dataclass(frozen=True, slots=True)
class DlmmBin:
    """A bin as the bin array stores it: amounts in base units, the price in Q64.64.

    ``amount_x`` and ``amount_y`` belong to the liquidity providers. All limit orders of a bin are on one side: they
    sell x if ``limit_order_ask_side``, otherwise y. Orders that are partly filled (``processed_order_remaining_amount``
    of ``total_processing_order_amount``) are filled before the open ones.
    """

    bin_id: int
    amount_x: int
    amount_y: int
    price: int
    open_order_amount: int = 0
    total_processing_order_amount: int = 0
    processed_order_remaining_amount: int = 0
    limit_order_ask_side: bool = False
    order_age: int = 0
    fulfilled_order_amount_x: int = 0
    fulfilled_order_amount_y: int = 0
    limit_order_fee_ask_side: int = 0
    limit_order_fee_bid_side: int = 0

    def available(self, *, swap_for_y: bool, limit_orders: bool) -> int:
        """The largest output of the bin in this direction, in base units."""
        amount = self.amount_y if swap_for_y else self.amount_x
        if limit_orders and self.limit_order_ask_side != swap_for_y:
            amount += self.processed_order_remaining_amount + self.open_order_amount
        return amount

    def amount_in_for(self, amount_out: int, *, swap_for_y: bool) -> int:
        """The input for ``amount_out`` at the bin's price, rounded up. Raises SwapError."""
        if not self.price:
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)
        amount_in = ceil_div(amount_out << 64, self.price) if swap_for_y else ceil_div(amount_out * self.price, Q64)
        if amount_in > U64_MAX:
            raise SwapError(SwapErrorKind.AMOUNT_IN_EXCEEDS_U64)
        return amount_in

    def fill(self, net_in: int, *, swap_for_y: bool, limit_orders: bool) -> "BinFill":
        """Spend ``net_in`` (after the fee) on the layers in order. Raises SwapError."""
        market_in, market_out = self._fill_layer(net_in, self.amount_y if swap_for_y else self.amount_x, swap_for_y)
        if not limit_orders or self.limit_order_ask_side == swap_for_y:
            return BinFill(market_in, market_out, 0, 0, 0, 0)
        left = net_in - market_in
        processed_in, processed_out = self._fill_layer(left, self.processed_order_remaining_amount, swap_for_y)
        left -= processed_in
        open_in, open_out = self._fill_layer(left, self.open_order_amount, swap_for_y)
        return BinFill(market_in, market_out, processed_in, processed_out, open_in, open_out)

    def _fill_layer(self, net_in: int, amount: int, swap_for_y: bool) -> tuple[int, int]:
        if amount == 0 or net_in == 0:
            return 0, 0
        max_in = self.amount_in_for(amount, swap_for_y=swap_for_y)
        if net_in >= max_in:
            return max_in, amount
        return net_in, net_in * self.price >> 64 if swap_for_y else (net_in << 64) // self.price

    def after(self, fill: "BinFill", order_fee: int, *, swap_for_y: bool) -> "DlmmBin":
        """The bin after ``fill``. If open orders were touched, they become the orders in process."""
        orders_out = fill.processed_out + fill.open_out
        opened = fill.open_in > 0
        return DlmmBin(
            bin_id=self.bin_id,
            amount_x=self.amount_x + (fill.market_in if swap_for_y else -fill.market_out),
            amount_y=self.amount_y + (-fill.market_out if swap_for_y else fill.market_in),
            price=self.price,
            open_order_amount=0 if opened else self.open_order_amount,
            total_processing_order_amount=self.open_order_amount if opened else self.total_processing_order_amount,
            processed_order_remaining_amount=(
                self.open_order_amount - fill.open_out
                if opened
                else self.processed_order_remaining_amount - fill.processed_out
            ),
            limit_order_ask_side=self.limit_order_ask_side,
            order_age=self.order_age + opened,
            fulfilled_order_amount_x=self.fulfilled_order_amount_x + (0 if swap_for_y else orders_out),
            fulfilled_order_amount_y=self.fulfilled_order_amount_y + (orders_out if swap_for_y else 0),
            limit_order_fee_ask_side=self.limit_order_fee_ask_side + (0 if swap_for_y else order_fee),
            limit_order_fee_bid_side=self.limit_order_fee_bid_side + (order_fee if swap_for_y else 0),
        )


class BinFill(NamedTuple):
    """Inputs and outputs of a bin's layers, in base units: liquidity providers, orders in process, open orders."""

    market_in: int
    market_out: int
    processed_in: int
    processed_out: int
    open_in: int
    open_out: int

    @property
    def net_in(self) -> int:
        """The total input, without the fee."""
        return self.market_in + self.processed_in + self.open_in

    @property
    def gross_out(self) -> int:
        """The total output, before a fee on the output."""
        return self.market_out + self.processed_out + self.open_out


class DlmmBins(Mapping[int, DlmmBin]):
    """A pool's bins by id. Immutable: a changed copy shares the unchanged bins."""

    __slots__ = ("_bins", "_changed", "_ids")

    def __init__(self, bins: Iterable[DlmmBin]) -> None:
        self._bins = {each.bin_id: each for each in bins}
        self._ids = sorted(self._bins)
        self._changed: dict[int, DlmmBin] = {}

    def __getitem__(self, bin_id: int) -> DlmmBin:
        return self._changed.get(bin_id) or self._bins[bin_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def walk(self, bin_id: int, *, downwards: bool) -> Iterator[DlmmBin]:
        """The existing bins from ``bin_id`` on, the nearest first."""
        ids = self._ids
        order = range(bisect_right(ids, bin_id) - 1, -1, -1) if downwards else range(bisect_left(ids, bin_id), len(ids))
        return (self[ids[index]] for index in order)

    def replace(self, changed: Iterable[DlmmBin]) -> Self:
        """A copy with these bins replaced. Their ids must exist."""
        successor = object.__new__(type(self))
        successor._bins = self._bins
        successor._ids = self._ids
        successor._changed = self._changed | {each.bin_id: each for each in changed}
        return successor
