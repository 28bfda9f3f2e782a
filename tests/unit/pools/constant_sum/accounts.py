"""The account of a pool of the imaginary kind."""

from dataclasses import dataclass

from orderd.solana.programs.layout import U8, U64, Key, Record

from .maths.pool import ConstantSumPool


@dataclass(frozen=True, slots=True)
class PoolState(Record):
    """The pool sells ``numerator`` base units of b for ``denominator`` of a, and vice versa."""

    DISCRIMINATOR = b"constsum"
    mint_a: Key
    mint_b: Key
    vault_a: Key
    vault_b: Key
    numerator: U64
    denominator: U64
    is_closed: U8 = 0

    def to_pool(self, vault_a: int, vault_b: int) -> ConstantSumPool:
        return ConstantSumPool(vault_a, vault_b, self.numerator, self.denominator)
