"""A pool of any kind in one direction: exact quotes for any amount, and its curve.

A side is a snapshot of a pool's state at one slot and one second.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple, Protocol

from orderd.amm.curve import Segment
from orderd.amm.price import lost_to_depth, price_impact
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind
from orderd.domain.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Quote:
    """An exact swap in base units: ``amount_in`` with all fees for ``amount_out`` after them.

    ``fee`` is the sum of all fees, in the input token or, unless ``fee_on_input``, in the output token. ``net_in`` is
    the input that reached the curve, ``gross_out`` the output of the curve; ``spot`` is the price before the swap,
    output per input without fees. ``steps`` counts the crossed ticks or bins, which determine the compute units.
    ``exact_out``: the quote is for an exact output and uses the program's instruction for that. The transfer fees are
    withheld by the tokens themselves (``orderd.amm.transfer_fee``), each in base units of its token.
    """

    amount_in: int
    amount_out: int
    fee: int
    fee_on_input: bool
    net_in: int
    gross_out: int
    spot: Fraction
    steps: int = 0
    exact_out: bool = False
    transfer_fee_in: int = 0
    transfer_fee_out: int = 0

    def __post_init__(self) -> None:
        """Raises SwapError if the output exceeds the maximum of a token account."""
        if self.amount_out > U64_MAX:
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)

    @property
    def price_impact(self) -> Fraction:
        """The fraction of the spot value that is lost to depth, fees not included, in [0, 1]."""
        return price_impact(self.net_in, self.gross_out, self.spot)

    @property
    def lost_to_depth(self) -> tuple[int, int]:
        """The price impact as two integers: (lost, total)."""
        return lost_to_depth(self.net_in, self.gross_out, self.spot)


class Rates(NamedTuple):
    """The rates for an infinitely small swap: the price before fees, and the fraction that fees take.

    ``bounded_fee`` is the part of the fee that has a maximum per swap, so a larger amount pays a smaller fraction;
    ``maximum`` is the most that it takes, in base units of the output.
    """

    spot: Fraction
    fee: Fraction
    bounded_fee: Fraction = Fraction(0)
    maximum: int = 0


class Side(Protocol):
    """A pool in one direction: one of its tokens is sold for the other."""

    def rates(self) -> Rates:
        """The current price and fee. Raises SwapError."""
        ...

    def quote(self, amount_in: int) -> Quote:
        """The swap for an exact input in base units. Raises SwapError."""
        ...

    def quote_out(self, amount_out: int) -> Quote:
        """The swap for an exact output in base units. Raises SwapError."""
        ...

    def segments(self) -> Iterator[Segment]:
        """The curve from the current price to the end of the pool's liquidity. Raises SwapError."""
        ...
