"""Formats routes, and sorts quotes."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from orderctl.display.formats import POOL_WIDTH, shorten
from orderd.domain.quoted import Quoted, RoutedLeg


def legs_of(route: Sequence[RoutedLeg], pool_width: int = POOL_WIDTH) -> list[str]:
    """One line per hop, with its pools and their shares."""
    hops: dict[int, list[RoutedLeg]] = {}
    for leg in route:
        hops.setdefault(leg.hop, []).append(leg)
    return [
        f"{legs[0].token_in} to {legs[0].token_out}: "
        + ", ".join(f"{leg.share} % {leg.pool_kind} {shorten(leg.pool, pool_width)}" for leg in legs)
        for legs in hops.values()
    ]


def by_amount(quotes: Iterable[Quoted]) -> list[Quoted]:
    """Sort quotes, best first."""
    return sorted(quotes, key=lambda quote: (-Decimal(quote.amount_out), Decimal(quote.amount_in or 0)))
