"""Quotes that may be submitted for a short while, each as one order at most."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from orderctl.trading.terms import promised
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.wire.quotes import QuoteParams, QuoteResult
from orderd.wire.submissions import SubmitParams

VALID_SECONDS: Final = 30
_MOST: Final = 100
"""Quotes that are remembered; the oldest go first."""


@dataclass(slots=True)
class _Promise:
    order: SubmitParams
    valid_until: datetime
    is_submitted: bool = False


class Quotes:
    """Of one session. The client order id is made of the quote's, so what is submitted again is the same order."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._promises: dict[str, _Promise] = {}

    def remember(self, params: QuoteParams, quote: QuoteResult) -> tuple[str, datetime]:
        """An id for the quote, and until when it may be submitted. The minimum, or maximum, of the quote holds."""
        quote_id: UUID = uuid4()
        terms = params.model_dump(exclude_none=True, exclude_defaults=True) | promised(quote)
        order = params_of(SubmitParams, **terms, client_order_id=f"mcp-{quote_id}")
        valid_until = self._now() + timedelta(seconds=VALID_SECONDS)
        self._promises[str(quote_id)] = _Promise(order, valid_until)
        if len(self._promises) > _MOST:
            del self._promises[next(iter(self._promises))]
        return str(quote_id), valid_until

    def order_of(self, quote_id: str) -> SubmitParams:
        """Raises ConfigError if no such quote was made, or its time is over.

        One that was submitted may be submitted again, to hear what became of it.
        """
        promise = self._promises.get(quote_id)
        if promise is None:
            raise ConfigError("There is no such quote", f"quote_id {quote_id[:64]!r}", "ask for a quote first")
        if not promise.is_submitted and self._now() > promise.valid_until:
            why = f"it was valid until {promise.valid_until:%H:%M:%S} UTC"
            raise ConfigError("The quote is no longer valid", why, "ask for a new quote, and submit that")
        promise.is_submitted = True
        return promise.order
