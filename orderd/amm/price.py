"""Figures about a swap that people read: they inform a decision and never enter a transaction."""

from fractions import Fraction


def lost_to_depth(amount_in_net_of_fee: int, amount_out_gross_of_fee: int, spot: Fraction) -> tuple[int, int]:
    """What of the spot value is lost to the pool's depth, and of how much, in one unit; fees are not part of it.

    ``spot`` is base units of output per base unit of input, before the swap. What rounding in the trader's
    favour would make negative is 0, as is the impact of a swap that is all fee.
    """
    at_spot = amount_in_net_of_fee * spot.numerator
    lost = at_spot - amount_out_gross_of_fee * spot.denominator
    return (lost, at_spot) if lost > 0 else (0, 1)


def price_impact(amount_in_net_of_fee: int, amount_out_gross_of_fee: int, spot: Fraction) -> Fraction:
    """The same as a part, in [0, 1]."""
    return Fraction(*lost_to_depth(amount_in_net_of_fee, amount_out_gross_of_fee, spot))
