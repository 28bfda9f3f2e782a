"""One resting order in the memory of the triggers: its condition, and the results of the checks so far."""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Final
from uuid import UUID

from db.models import Order
from db.terms import terms_of
from orderd.domain.events import Triggered
from orderd.domain.money import BPS, format_amount
from orderd.domain.order import OrderKind
from orderd.domain.parts import minimum_of_part, rest_of
from orderd.domain.quote import QuoteRequest
from orderd.domain.terms import OrderTerms
from orderd.domain.tokens import Token
from orderd.domain.trigger import Bound, Condition
from orderd.engine.routing.floor import request_of


@dataclass(frozen=True, slots=True)
class Observed:
    """What the market pays for the whole order, in base units, at a slot. ``at`` is on the monotonic clock."""

    amount_out: int
    slot: int
    at: float


class Watched:
    """There are many, so little is kept per order: whatever follows from its terms is computed on demand.

    ``check_at`` is when it is checked next, on the monotonic clock. ``version`` and ``seq`` are those of the change
    that was read.
    """

    __slots__ = (
        "_has_fired", "_met", "_risen", "best_out", "check_at", "id", "is_child", "least_part", "seq", "terms",
        "version", "waits_for",
    )  # fmt: skip

    def __init__(self, order: Order, check_at: float) -> None:
        whole = terms_of(order)
        self.id: UUID = order.id
        self.version: int = order.version
        self.seq: int = order.seq
        self.is_child = order.parent_id is not None
        self.check_at = check_at
        filled = (order.filled_in or 0) if whole.partial else 0
        left = rest_of(whole, whole.amount - filled) if filled else whole
        self.terms = replace(left, token_in=_one(whole.token_in), token_out=_one(whole.token_out))
        self.least_part = _least_part(whole, self.terms)
        """The smallest part that may be executed, in base units."""
        self.best_out = order.best_out or 0
        self.waits_for: str | None = order.waits_for
        """For an order on liquidity, the code of the last reported reason."""
        self._has_fired = order.triggered_at is not None
        self._met: tuple[Observed, ...] = ()
        self._risen: tuple[Observed, ...] = ()

    @property
    def pair(self) -> tuple[str, str]:
        return self.terms.token_in.mint, self.terms.token_out.mint

    @property
    def condition(self) -> Condition:
        # An order that has fired waits only for its limit, if it has one.
        limit, trigger = self.terms.limit, self.terms.trigger
        condition = limit or trigger if self._has_fired else trigger or limit
        assert condition is not None, "what rests waits for a price"
        return condition

    @property
    def request(self) -> QuoteRequest:
        return _request(self.terms, self.condition)

    def pays(self, amount_in: int, amount_out: int) -> bool:
        """Whether a part of the order gets its limit, and its share of the order's own minimum."""
        return amount_out >= minimum_of_part(self.terms, amount_in)

    @property
    def bound(self) -> Bound:
        """What the smallest part of the order has to get. For an order on liquidity any amount: each change of its
        pair may change the reason of its wait, which is shown to the trader."""
        if self.terms.partial:
            return Bound(minimum_of_part(self.terms, self.least_part), is_least=True)
        return _ANYTHING if self.is_on_liquidity else self.condition.bound(self.best_out)

    @property
    def better(self) -> Bound | None:
        """For a trailing stop, a bound above its best price. None for other orders."""
        return None if self.terms.trail is None else Bound(self.best_out + 1, is_least=True)

    @property
    def is_on_liquidity(self) -> bool:
        return self.terms.kind is OrderKind.ON_LIQUIDITY

    @property
    def is_confirming(self) -> bool:
        """Whether a check has met the condition, and further checks have to confirm it."""
        return bool(self._met)

    @property
    def has_risen(self) -> bool:
        """Whether a check has found a new best price, and further checks have to confirm it."""
        return bool(self._risen)

    def risen_to(self, slot: int, at: float) -> Observed:
        """The last better price, if the market still pays it at this slot."""
        return replace(self._risen[-1], slot=slot, at=at)

    def rises(self, observed: Observed | None) -> bool:
        """Whether checks have confirmed a new best price of a trailing stop, which the stop then follows; None is a
        check that found no better price, or no route.

        It takes as many checks in different slots as to fire. Otherwise anybody could set a price for one slot by a
        pool that is gone in the next one, and the stop would sell at a price that has not moved. The very first check
        sets the first best price. A check that the stop follows cannot meet its condition.
        """
        if self.terms.trail is None or observed is None or observed.amount_out <= self.best_out:
            self._risen = ()
            return False
        if not self._risen or observed.slot > self._risen[-1].slot:
            self._risen += (observed,)
        if self.best_out and len(self._risen) < (self.terms.confirm or 1):
            return False
        self.best_out = min(each.amount_out for each in self._risen)
        self._risen = ()
        self._met = ()
        return True

    def is_met(self, observed: Observed | None) -> bool:
        """Whether the condition is confirmed by this check; None is a check that found no route."""
        condition = self.condition
        if observed is None or not condition.bound(self.best_out).is_met(observed.amount_out):
            self._met = ()
            return False
        if not self._met or observed.slot > self._met[-1].slot:
            self._met += (observed,)
        if not (condition.is_adverse or self.is_on_liquidity):
            return True
        lasted = observed.at - self._met[0].at
        return len(self._met) >= (self.terms.confirm or 1) and lasted >= (self.terms.confirm_seconds or 0)

    def passed(self, observed: Observed) -> Fraction:
        """How far the market is beyond the bound, as a part of the bound: the orders that were passed farthest go
        first."""
        bound = self.condition.bound(self.best_out).amount_out
        return abs(Fraction(observed.amount_out - bound, max(bound, 1)))

    def fact(self, observed: Observed) -> Triggered:
        terms = self.terms
        return Triggered(
            price=terms.pair.price_text(terms.amount, observed.amount_out),
            amount_out=format_amount(observed.amount_out, terms.token_out.decimals),
            condition=self.condition.describe(),
            slot=observed.slot,
            met_at_slot=self._met[0].slot,
        )


_ANYTHING: Final = Bound(0, is_least=True)


@cache
def _one(token: Token) -> Token:
    """The pair; one object for all orders that trade it."""
    return token


def _least_part(whole: OrderTerms, left: OrderTerms) -> int:
    if whole.min_fill_bps is None:
        return left.amount
    return min(-(-whole.amount * whole.min_fill_bps // BPS), left.amount)


def _request(terms: OrderTerms, condition: Condition) -> QuoteRequest:
    request = request_of(terms)
    if not condition.is_adverse:
        return request
    # The market's price is needed, however bad it is; but not while the pools that set it are missing.
    return replace(request, exit_bps=BPS, max_cost_bps=BPS, has_own_floor=False)
