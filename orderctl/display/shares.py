"""Renders the shares of pools in a route as bars."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Final

from rich.text import Text

from orderctl.display.formats import POOL_WIDTH, shorten
from orderctl.display.routes import legs_of
from orderctl.output.colours import Tone
from orderd.domain.quoted import RoutedLeg

_WIDTH: Final = 20
"""Characters of a full bar."""


def shares_of(route: Sequence[RoutedLeg], pool_width: int = POOL_WIDTH) -> Iterator[Text]:
    """One line per hop with one pool; for a hop with several pools, one line with a bar per pool."""
    for _, hop in groupby(route, key=lambda leg: leg.hop):
        legs = tuple(hop)
        if len(legs) == 1:
            yield Text(f"  {legs_of(legs, pool_width)[0]}", Tone.GOOD)
            continue
        yield Text(f"  {legs[0].token_in} to {legs[0].token_out}:", Tone.GOOD)
        for leg in legs:
            done = max(1, round(Decimal(leg.share) / 100 * _WIDTH))
            pool = f" {leg.share:>6} % {leg.pool_kind:<15} {shorten(leg.pool, pool_width)}"
            yield Text.assemble("    ", ("━" * done, Tone.GOOD), ("─" * (_WIDTH - done), Tone.MUTED), pool)
