"""A pool of any kind in one direction: exact quotes for any amount, and the curve that shows what it can take.

Each side is a snapshot: it belongs to the state, the second and the slot that it was made from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

from orderd.amm.curve import Segment
from orderd.amm.price import lost_to_depth, price_impact
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind


@dataclass(frozen=True, slots=True)
class Quote:
    """An exact swap in base units: ``amount_in`` with all fees for ``amount_out`` after them.

    ``fee`` is all fees, in the input token or, unless ``fee_on_input``, in the output token. ``net_in`` met the curve
    and ``gross_out`` came from it; ``spot`` is the price before the swap, output per input without fees. ``steps``
    counts the ticks or bins that were crossed: what a swap costs to compute grows with them. ``exact_out``: it was
    asked for by its output, and is made by the program's own instruction for that. The transfer fees are what the
    tokens themselves keep back on the way, each in base units of its token, where such tokens are met
    (``orderd.amm.transfer_fee``).
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
        """Raises SwapError if no token account could hold what would be paid out."""
        if self.amount_out > U64_MAX:
            raise SwapError(SwapErrorKind.MATH_OVERFLOW)

    @property
    def price_impact(self) -> Fraction:
        """The part of the spot value that depth costs, fees not included, in [0, 1]."""
        return price_impact(self.net_in, self.gross_out, self.spot)

    @property
    def lost_to_depth(self) -> tuple[int, int]:
        """The same as two integers, of which that is the quotient: what is lost, and of how much."""
        return lost_to_depth(self.net_in, self.gross_out, self.spot)


class Rates(NamedTuple):
    """What the next, infinitely small swap would meet: the price before fees, and the part that fees take of it."""

    spot: Fraction
    fee: Fraction


class Side(Protocol):
    """A pool seen by a trader who sells one of its two tokens for the other."""

    def rates(self) -> Rates:
        """The price now, and the fee. Raises SwapError."""
        ...

    def quote(self, amount_in: int) -> Quote:
        """What exactly ``amount_in`` base units buy. Raises SwapError."""
        ...

    def quote_out(self, amount_out: int) -> Quote:
        """What exactly ``amount_out`` base units cost. Raises SwapError."""
        ...

    def segments(self) -> Iterator[Segment]:
        """The curve from the present price on, until the pool can give no more. Raises SwapError."""
        ...
