"""The maths of the imaginary kind: a constant price without a fee, up to the reserves."""

from dataclasses import dataclass

from orderd.amm.swap import SwapError, SwapErrorKind


@dataclass(frozen=True, slots=True)
class ConstantSumPool:
    """Reserves in base units; ``numerator`` of b has the value of ``denominator`` of a."""

    vault_a: int
    vault_b: int
    numerator: int
    denominator: int

    def price(self, *, a_to_b: bool) -> tuple[int, int]:
        """Output for input."""
        return (self.numerator, self.denominator) if a_to_b else (self.denominator, self.numerator)

    def swap_exact_in(self, amount_in: int, *, a_to_b: bool) -> int:
        """The output of an input amount. Raises SwapError."""
        numerator, denominator = self.price(a_to_b=a_to_b)
        amount_out = amount_in * numerator // denominator
        if amount_out == 0:
            raise SwapError(SwapErrorKind.ZERO_OUTPUT)
        if amount_out > (self.vault_b if a_to_b else self.vault_a):
            raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
        return amount_out

    def swap_exact_out(self, amount_out: int, *, a_to_b: bool) -> int:
        """The cost of an output amount. Raises SwapError."""
        numerator, denominator = self.price(a_to_b=a_to_b)
        if amount_out > (self.vault_b if a_to_b else self.vault_a):
            raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
        return -(-amount_out * denominator // numerator)
