"""Quotes that an assistant can submit for a short time, each as at most one order."""

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
_MAX_QUOTES: Final = 100
"""Maximum number of stored quotes; the oldest are removed first."""


@dataclass(slots=True)
class _Promise:
    order: SubmitParams
    valid_until: datetime
    is_submitted: bool = False


class Quotes:
    """The quotes of a session. The client order id is derived from the quote's id, so a repeated submission is the same
    order. An order has the mints and the amount of its quote, whatever a symbol or a word such as ``max`` means by
    then."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._promises: dict[str, _Promise] = {}

    def remember(self, params: QuoteParams, quote: QuoteResult) -> tuple[str, datetime]:
        """Store a quote. Returns its id, and until when it can be submitted, with its minimum output or maximum
        cost."""
        quote_id: UUID = uuid4()
        given = params.model_dump(exclude_none=True, exclude_defaults=True)
        terms = given | _quoted(params, quote) | promised(quote)
        order = params_of(SubmitParams, **terms, client_order_id=f"mcp-{quote_id}")
        valid_until = self._now() + timedelta(seconds=VALID_SECONDS)
        self._promises[str(quote_id)] = _Promise(order, valid_until)
        if len(self._promises) > _MAX_QUOTES:
            del self._promises[next(iter(self._promises))]
        return str(quote_id), valid_until

    def order_of(self, quote_id: str) -> SubmitParams:
        """The order for a valid quote. Raises ConfigError if the quote is unknown or has expired."""
        promise = self._promise(quote_id)
        if self._now() > promise.valid_until:
            raise _expired(promise, "")
        promise.is_submitted = True
        return promise.order

    def submitted_as(self, quote_id: str) -> str | None:
        """The client order id of an expired quote that was submitted: it must not be submitted again, because its
        submission may have been refused. None for any other quote."""
        promise = self._promise(quote_id)
        is_over = promise.is_submitted and self._now() > promise.valid_until
        return promise.order.client_order_id if is_over else None

    def without_order(self, quote_id: str) -> ConfigError:
        """The error for an expired quote whose submission has created no order."""
        return _expired(self._promise(quote_id), ", and its submission created no order")

    def _promise(self, quote_id: str) -> _Promise:
        promise = self._promises.get(quote_id)
        if promise is None:
            raise ConfigError("There is no such quote", f"quote_id {quote_id[:64]!r}", "request a quote first")
        return promise


def _quoted(params: QuoteParams, quote: QuoteResult) -> dict[str, str]:
    terms = {} if params.amount_in is None or quote.amount_in is None else {"amount_in": quote.amount_in}
    if quote.tokens:
        sold, bought = quote.tokens
        terms |= {"token_in": sold.mint, "token_out": bought.mint}
    return terms


def _expired(promise: _Promise, more: str) -> ConfigError:
    why = f"it was valid until {promise.valid_until:%H:%M:%S} UTC{more}"
    return ConfigError("The quote is no longer valid", why, "request a new quote, and submit that")
