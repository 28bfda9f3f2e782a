"""Which pools of a pair are deep: those that hold much of both of its tokens.

One vault alone says little: anyone can put a fortune on one side of a pool and pay nothing for the other. So a pool is
as deep as the smaller of its shares in all that the pools of the pair hold. A pool with one side only comes last, but
is kept: it may be the only one that still buys.
"""

from collections.abc import Mapping
from fractions import Fraction


def by_depth(held: Mapping[str, tuple[int, int]]) -> list[str]:
    """The pools by their addresses, the deepest first. ``held`` is what each has of both tokens, in base units."""
    totals = [max(sum(sides), 1) for sides in zip(*held.values(), strict=True)] if held else []

    def rank(address: str) -> tuple[Fraction, Fraction, str]:
        shares = [Fraction(amount, total) for amount, total in zip(held[address], totals, strict=True)]
        return -min(shares), -max(shares), address

    return sorted(held, key=rank)
