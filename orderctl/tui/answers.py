"""Statistics of the responses of venues and services since the TUI was opened."""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import VenueName
from orderd.wire.quotes import QuoteResult
from orderd.wire.status import StatusResult

KEPT: Final = 120
"""Number of latencies stored per service: two minutes at one status per second."""


@dataclass
class VenueAnswers:
    """Counts of a venue's responses; ``best``: how often it had the best pool."""

    requested: int = 0
    answered: int = 0
    best: int = 0
    refusals: Counter[ErrorCode] = field(default_factory=Counter)
    last_refusal: str = ""


@dataclass
class AnswerTimes:
    """Responses of venues, and latencies of services in milliseconds, newest last; None: no response."""

    venues: dict[VenueName, VenueAnswers] = field(default_factory=lambda: {name: VenueAnswers() for name in VenueName})
    services: dict[str, deque[float | None]] = field(default_factory=dict)
    slot: int | None = None
    slot_at: datetime | None = None
    """When the slot was first seen."""
    slots_per_second: float | None = None

    def quoted(self, quote: QuoteResult) -> None:
        answered = {offer.venue for offer in quote.quotes}
        best = max(quote.quotes, key=lambda offer: float(offer.price), default=None)
        refused = {refusal.venue: refusal for refusal in quote.refusals}
        for name in answered | refused.keys():
            venue = self.venues.setdefault(name, VenueAnswers())
            venue.requested += 1
            if name in answered:
                venue.answered += 1
                venue.best += best is not None and best.venue is name
            else:
                venue.refusals[refused[name].code] += 1
                venue.last_refusal = refused[name].detail

    def measured(self, service: str, milliseconds: float | None) -> None:
        self.services.setdefault(service, deque(maxlen=KEPT)).append(milliseconds)

    def record(self, status: StatusResult, now: datetime, milliseconds: float) -> None:
        self.measured("orderd", milliseconds)
        for name, health in status.services.items():
            if health.ok and health.latency_ms is None:  # an older daemon, which does not report the duration
                self.services.setdefault(name, deque(maxlen=KEPT))
            else:
                self.measured(name, health.latency_ms if health.ok else None)
        if status.slot is None or status.slot == self.slot:
            return
        if self.slot is not None and self.slot_at is not None and (passed := (now - self.slot_at).total_seconds()) > 0:
            rate = (status.slot - self.slot) / passed
            self.slots_per_second = rate if self.slots_per_second is None else (3 * self.slots_per_second + rate) / 4
        self.slot, self.slot_at = status.slot, now


def middle(times: deque[float | None]) -> float | None:
    known = sorted(time for time in times if time is not None)
    return known[len(known) // 2] if known else None


def worst(times: deque[float | None]) -> float | None:
    return max((time for time in times if time is not None), default=None)


def lost(times: deque[float | None]) -> int:
    return sum(time is None for time in times)
