"""Figures about a swap for display and decisions; they never enter a transaction."""

from fractions import Fraction


def lost_to_depth(amount_in_net_of_fee: int, amount_out_gross_of_fee: int, spot: Fraction) -> tuple[int, int]:
    """The part of the spot value that is lost to the pool's depth, as (lost, total) in one unit; fees are not included.

    ``spot`` is base units of output per base unit of input, before the swap. A loss that rounding would make negative
    is 0, as is the impact of a swap whose input is all fee.
    """
    at_spot = amount_in_net_of_fee * spot.numerator
    lost = at_spot - amount_out_gross_of_fee * spot.denominator
    return (lost, at_spot) if lost > 0 else (0, 1)


def price_impact(amount_in_net_of_fee: int, amount_out_gross_of_fee: int, spot: Fraction) -> Fraction:
    """The lost part as a fraction in [0, 1]."""
    return Fraction(*lost_to_depth(amount_in_net_of_fee, amount_out_gross_of_fee, spot))
