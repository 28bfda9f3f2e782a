"""What each venue's best pool has paid for one unit of a token, over the last minutes."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from orderd.domain.errors import ErrorCode
from orderd.domain.quote import VenueName
from orderd.wire import QuoteResult

POINTS_KEPT = 240
BARS = "▁▂▃▄▅▆▇█"

Pair = tuple[str, str]
"""The token that is sold and the one that is bought, by symbol."""


@dataclass(slots=True)
class Series:
    """The prices of one pair, oldest first; a venue that gave none is absent from that point."""

    points: deque[dict[VenueName, Decimal]] = field(default_factory=lambda: deque(maxlen=POINTS_KEPT))
    refusals: dict[VenueName, ErrorCode] = field(default_factory=dict)

    def latest(self, venue: VenueName) -> Decimal | None:
        return self.points[-1].get(venue) if self.points else None

    def line(self, venue: VenueName, width: int) -> str:
        """The last ``width`` points as bars. All venues share one scale, so that their lines can be compared."""
        shown = list(self.points)[-width:] if width > 0 else []
        prices = [price for point in shown for price in point.values()]
        if not prices:
            return ""
        return sparkline([point.get(venue) for point in shown], min(prices), max(prices))


class Prices:
    def __init__(self) -> None:
        self.revision = 0
        self._series: dict[Pair, Series] = {}

    def of(self, pair: Pair) -> Series:
        return self._series.setdefault(pair, Series())

    def add(self, pair: Pair, quote: QuoteResult) -> None:
        self.revision += 1
        series = self.of(pair)
        # A pair that no pool trades itself has the price of its route.
        offers = quote.quotes or (quote.chosen,)
        best: dict[VenueName, Decimal] = {}
        for offer in offers:
            best[offer.venue] = max(Decimal(offer.price), best.get(offer.venue, Decimal(0)))
        series.points.append(best)
        series.refusals = {refusal.venue: refusal.code for refusal in quote.refusals}


def sparkline(values: Sequence[Decimal | None], low: Decimal, high: Decimal) -> str:
    """One bar a value between ``low`` and ``high``, a blank where there is none."""
    extent = high - low
    top = len(BARS) - 1

    def bar(value: Decimal | None) -> str:
        if value is None:
            return " "
        return BARS[int((value - low) * top / extent)] if extent else BARS[top // 2]

    return "".join(map(bar, values))
