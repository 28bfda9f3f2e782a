"""Recent prices of each venue's best pool."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import VenueName
from orderd.wire.quotes import QuoteResult

POINTS_KEPT = 240
FIRST_PROBE = Decimal("0.01")
"""The amount of the sold token for a first quote: small enough to have no price impact."""
PROBE_GROWTH = 100
PRECISE_DIGITS = 4
"""Minimum number of significant digits of the bought amount; with fewer, the price would be inaccurate."""
BARS = "▁▂▃▄▅▆▇█"
_BLOCKS = " " + BARS

Pair = tuple[str, str]
"""The symbols of the sold and the bought token."""


@dataclass(slots=True)
class Series:
    """The prices of one pair, oldest first. A venue without a price is absent from the point."""

    points: deque[dict[VenueName, Decimal]] = field(default_factory=lambda: deque(maxlen=POINTS_KEPT))
    refusals: dict[VenueName, ErrorCode] = field(default_factory=dict)
    probe: Decimal = FIRST_PROBE

    def latest(self, venue: VenueName) -> Decimal | None:
        return self.points[-1].get(venue) if self.points else None

    def enlarge_probe(self) -> None:
        """Increase the quoted amount, because it buys too little of the other token."""
        self.probe *= PROBE_GROWTH

    def chart(self, venue: VenueName, width: int, height: int = 1) -> list[str]:
        """Draw the last ``width`` points as bars, in ``height`` lines.

        All venues share one scale, so that their charts can be compared.
        """
        scale = self.scale(width)
        if scale is None:
            return []
        return sparkline([point.get(venue) for point in self._last(width)], *scale, height)

    def scale(self, width: int) -> tuple[Decimal, Decimal] | None:
        """The lowest and the highest price of the last ``width`` points."""
        prices = [price for point in self._last(width) for price in point.values()]
        return (min(prices), max(prices)) if prices else None

    def change(self, venue: VenueName, width: int) -> Decimal | None:
        """The change over the last ``width`` points, in percent."""
        prices = [price for point in self._last(width) if (price := point.get(venue)) is not None]
        if len(prices) < 2 or not prices[0]:
            return None
        return ((prices[-1] / prices[0] - 1) * 100).quantize(Decimal("0.01"))

    def _last(self, width: int) -> list[dict[VenueName, Decimal]]:
        return list(self.points)[-width:] if width > 0 else []


class Prices:
    def __init__(self) -> None:
        self._series: dict[Pair, Series] = {}

    def of(self, pair: Pair) -> Series:
        return self._series.setdefault(pair, Series())

    def add(self, pair: Pair, quote: QuoteResult) -> None:
        series = self.of(pair)
        if not series.points and _digits(quote.chosen.amount_out) < PRECISE_DIGITS:
            series.enlarge_probe()
            return
        # If no pool trades the pair directly, use the price of the route.
        offers = quote.quotes or (quote.chosen,)
        best: dict[VenueName, Decimal] = {}
        for offer in offers:
            best[offer.venue] = max(Decimal(offer.price), best.get(offer.venue, Decimal(0)))
        series.points.append(best)
        series.refusals = {refusal.venue: refusal.code for refusal in quote.refusals}


def _digits(amount: str) -> int:
    return len(amount.replace(".", "").strip("0"))


def sparkline(values: Sequence[Decimal | None], low: Decimal, high: Decimal, height: int = 1) -> list[str]:
    """One bar per value between ``low`` and ``high``, and a blank for None; the top line first."""
    extent = high - low
    steps = height * len(BARS)

    def eighths(value: Decimal | None) -> int:
        if value is None:
            return 0
        return 1 + (int((value - low) * (steps - 1) / extent) if extent else (steps - 1) // 2)

    heights = [eighths(value) for value in values]
    return [
        "".join(_BLOCKS[max(0, min(len(BARS), bar - line * len(BARS)))] for bar in heights)
        for line in reversed(range(height))
    ]
