"""Meteora's dynamic fee: recent price movement raises the fee of the next swaps, and decays with time.

Formulas: MeteoraAg/dlmm-sdk, ``commons/src/extensions/lb_pair.rs``; DAMM v2 follows the same rules.
"""

from typing import Final

from orderd.amm.swap import ceil_div

FEE_PRECISION: Final = 1_000_000_000
"""Meteora's fee rates and fee numerators are billionths."""

BASIS_POINTS: Final = 10_000
_VARIABLE_FEE_SCALE: Final = 100_000_000_000


def decayed_reference(accumulator: int, reduction_factor: int, elapsed: int, decay_period: int) -> int:
    """The volatility reference of a swap, ``elapsed`` seconds after the last one, when the filter period is over.

    ``reduction_factor`` is in basis points.
    """
    return accumulator * reduction_factor // BASIS_POINTS if elapsed < decay_period else 0


def variable_fee(control: int, accumulator: int, bin_step: int) -> int:
    """The fee rate (billionths) added by volatility: quadratic in the movement, rounded up."""
    movement = accumulator * bin_step
    return ceil_div(control * movement * movement, _VARIABLE_FEE_SCALE)


def fee_in(gross: int, rate: int) -> int:
    """The fee contained in a gross amount, rounded up; ``rate`` is in billionths."""
    return ceil_div(gross * rate, FEE_PRECISION)


def fee_on_top(net: int, rate: int) -> int:
    """The fee to add to a net amount, rounded up; ``rate`` is in billionths."""
    return ceil_div(net * rate, FEE_PRECISION - rate)
