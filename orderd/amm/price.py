"""Figures about a swap that people read: they inform a decision and never enter a transaction."""

from fractions import Fraction


def price_impact(amount_in_net_of_fee: int, amount_out_gross_of_fee: int, spot: Fraction) -> Fraction:
    """The part of the spot value that is lost to the pool's depth, in [0, 1]; fees are not part of it.

    `spot` is base units of output per base unit of input, before the swap. What rounding in the trader's
    favour would make negative is 0, as is the impact of a swap that is all fee.
    """
    at_spot = amount_in_net_of_fee * spot.numerator
    lost = at_spot - amount_out_gross_of_fee * spot.denominator
    return Fraction(lost, at_spot) if lost > 0 else Fraction(0)
