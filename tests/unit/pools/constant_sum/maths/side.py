"""A pool of the imaginary kind in one direction."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from orderd.amm.curve import Segment, constant_price
from orderd.amm.side import Quote, Rates

from .pool import ConstantSumPool


@dataclass(frozen=True, slots=True)
class ConstantSumSide:
    pool: ConstantSumPool
    a_to_b: bool

    def rates(self) -> Rates:
        return Rates(Fraction(*self.pool.price(a_to_b=self.a_to_b)), Fraction(0))

    def quote(self, amount_in: int) -> Quote:
        amount_out = self.pool.swap_exact_in(amount_in, a_to_b=self.a_to_b)
        return Quote(amount_in, amount_out, 0, True, amount_in, amount_out, self.rates().spot)

    def quote_out(self, amount_out: int) -> Quote:
        amount_in = self.pool.swap_exact_out(amount_out, a_to_b=self.a_to_b)
        return Quote(amount_in, amount_out, 0, True, amount_in, amount_out, self.rates().spot, exact_out=True)

    def segments(self) -> Iterator[Segment]:
        numerator, denominator = self.pool.price(a_to_b=self.a_to_b)
        left = self.pool.vault_b if self.a_to_b else self.pool.vault_a
        yield constant_price(numerator, denominator, left * denominator // numerator, 0)
