"""Ranks the pools of a pair by depth: a deep pool holds much of both tokens.

One vault alone proves little, because anyone can deposit a fortune on one side of a pool. So a pool's depth is the
smaller of its shares in the total holdings of the pair's pools. A pool with only one side comes last, but is kept,
because it may be the only one that still buys.
"""

from collections.abc import Mapping
from fractions import Fraction


def by_depth(held: Mapping[str, tuple[int, int]]) -> list[str]:
    """The pools' addresses, the deepest first. ``held`` are each pool's balances of both tokens, in base units."""
    totals = [max(sum(sides), 1) for sides in zip(*held.values(), strict=True)] if held else []

    def rank(address: str) -> tuple[Fraction, Fraction, str]:
        shares = [Fraction(amount, total) for amount, total in zip(held[address], totals, strict=True)]
        return -min(shares), -max(shares), address

    return sorted(held, key=rank)
