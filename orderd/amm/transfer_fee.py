"""Transfer fees of Token-2022: a part of each transfer is withheld in the receiving account.

Source: solana-program/token-2022, ``interface/src/extension/transfer_fee/mod.rs``. The pool programs all treat it
alike: the swap uses the input that arrives, the limit applies to the output that arrives, and an exact output is the
output that arrives.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Final

from orderd.amm.curve import PRECISION, Segment, inverse_sqrt, kept
from orderd.amm.side import Quote, Rates, Side
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind, ceil_div

ONE_IN_BPS: Final = 10_000


@dataclass(frozen=True, slots=True)
class TransferFee:
    """A fee of ``bps`` of each transfer, rounded up, limited to ``maximum`` base units."""

    bps: int = 0
    maximum: int = 0

    @property
    def is_bounded(self) -> bool:
        """Whether the fee of some amount is the maximum."""
        return self.maximum * ONE_IN_BPS < U64_MAX * self.bps

    @property
    def bps_of_curve(self) -> int:
        """The rate for a curve, which knows no maximum; 0 if it takes everything, so that only the maximum matters."""
        return 0 if self.bps == ONE_IN_BPS and self.is_bounded else self.bps

    def of(self, amount: int) -> int:
        """The fee withheld from a transfer of ``amount``."""
        return min(ceil_div(amount * self.bps, ONE_IN_BPS), self.maximum)

    def before(self, arrived: int) -> int:
        """The smallest amount to send so that ``arrived`` arrives."""
        if arrived == 0 or self.bps == 0:
            return arrived
        capped = arrived + self.maximum
        if self.bps == ONE_IN_BPS:
            return capped
        return min(ceil_div(arrived * ONE_IN_BPS, ONE_IN_BPS - self.bps), capped)


NO_FEE: Final = TransferFee()


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """The transfer fee of a mint: ``older`` before epoch ``since``, then ``newer``."""

    older: TransferFee
    newer: TransferFee
    since: int

    def at(self, epoch: int) -> TransferFee:
        return self.newer if epoch >= self.since else self.older


@dataclass(frozen=True, slots=True)
class TaxedSide:
    """A side of a pool whose tokens, one or both, have transfer fees.

    ``buys_exactly``: whether its program supports an exact output of a token with a fee. The curve applies only the
    rate; the maximum fee counts in exact quotes only, because it applies per transfer.
    """

    side: Side
    fee_in: TransferFee
    fee_out: TransferFee
    buys_exactly: bool = True

    def rates(self) -> Rates:
        spot, fee, *_ = self.side.rates()
        left = most = 1 - fee
        maximum = 0
        for each, worth in ((self.fee_in, spot), (self.fee_out, 1)):
            kept_part = 1 - Fraction(each.bps, ONE_IN_BPS)
            left *= kept_part
            most *= 1 if each.is_bounded else kept_part
            maximum += ceil(each.maximum * worth) if each.is_bounded else 0
        return Rates(spot, 1 - left, most - left, maximum)

    def quote(self, amount_in: int) -> Quote:
        taken = self.fee_in.of(amount_in)
        swap = self.side.quote(amount_in - taken)
        left = self.fee_out.of(swap.amount_out)
        if left >= swap.amount_out:
            raise SwapError(SwapErrorKind.ZERO_OUTPUT)
        return self._taxed(swap, taken, left)

    def quote_out(self, amount_out: int) -> Quote:
        if self.fee_out.bps and not self.buys_exactly:
            raise SwapError(SwapErrorKind.OUTPUT_FALLS_SHORT)
        paid = self.fee_out.before(amount_out)
        swap = self.side.quote_out(paid)
        return self._taxed(swap, self.fee_in.before(swap.amount_in) - swap.amount_in, swap.amount_out - amount_out)

    def segments(self) -> Iterator[Segment]:
        kept_in, kept_out = (kept(fee.bps_of_curve, ONE_IN_BPS) for fee in (self.fee_in, self.fee_out))
        scale = inverse_sqrt(kept_in * kept_out >> 64)
        for start, end, amount_in, steps in self.side.segments():
            gross = (amount_in << 64) // kept_in
            yield Segment(start * scale >> PRECISION, end * scale >> PRECISION, gross, steps)

    def _taxed(self, swap: Quote, taken: int, left: int) -> Quote:
        return replace(
            swap,
            amount_in=swap.amount_in + taken,
            amount_out=swap.amount_out - left,
            transfer_fee_in=taken,
            transfer_fee_out=left,
        )
