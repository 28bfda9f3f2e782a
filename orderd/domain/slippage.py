"""The loss of a fill against an earlier price: the quote of its transaction, or the mid when its route was chosen.

In basis points of that price, positive if the fill is worse, whichever token of the pair is sold.
"""

from decimal import Decimal
from fractions import Fraction

from orderd.domain.money import BPS, EXACT, HUNDREDTH


def against_quote(amount_in: int, amount_out: int, quoted_in: int, quoted_out: int) -> Decimal:
    """The traded base units, and the quoted ones; all above zero."""
    return _lost(Fraction(amount_out, amount_in), Fraction(quoted_out, quoted_in))


def against_mid(amount_in: int, decimals_in: int, amount_out: int, decimals_out: int, mid: str) -> Decimal:
    """The traded base units, and a price in token_out per token_in, in whole tokens."""
    return _lost(Fraction(amount_out, amount_in) * Fraction(10) ** (decimals_in - decimals_out), Fraction(Decimal(mid)))


def _lost(paid: Fraction, expected: Fraction) -> Decimal:
    """To a hundredth of a basis point, rounded half even."""
    lost = (1 - paid / expected) * BPS
    percent = EXACT.divide(Decimal(lost.numerator), Decimal(lost.denominator)).quantize(HUNDREDTH)
    return abs(percent) if percent.is_zero() else percent
