"""One resting order as the triggers know it: what it waits for, and what the looks at the market have found so far."""

from dataclasses import dataclass, field, replace
from fractions import Fraction

from db.models import Order
from db.terms import terms_of
from orderd.domain.events import Triggered
from orderd.domain.money import BPS, format_amount
from orderd.domain.quote import QuoteRequest
from orderd.domain.terms import OrderTerms
from orderd.domain.trigger import Bound, Condition, limit_out
from orderd.engine.routing.floor import request_of


@dataclass(frozen=True, slots=True)
class Look:
    """What the market pays for the whole order: base units, at a slot. ``at`` is on the monotonic clock."""

    amount_out: int
    slot: int
    at: float


@dataclass(slots=True, eq=False)
class Watched:
    """``look_at`` is from when on it is looked at, on the monotonic clock."""

    order: Order
    look_at: float
    terms: OrderTerms = field(init=False)
    condition: Condition = field(init=False)
    request: QuoteRequest = field(init=False)
    best_out: int = field(init=False)
    _met: list[Look] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        whole = terms_of(self.order)
        self.terms = replace(whole, amount_in=whole.amount - (self.order.filled_in or 0)) if whole.partial else whole
        # What has fired once waits for its limit only, where it has one.
        limit, trigger = self.terms.limit, self.terms.trigger
        condition = limit or trigger if self.order.triggered_at is not None else trigger or limit
        assert condition is not None, "what rests waits for a price"
        self.condition = condition
        self.request = _request(self.terms, condition)
        self.best_out = self.order.best_out or 0

    @property
    def least_part(self) -> int:
        """The smallest amount that may be executed alone, in base units."""
        if not self.terms.partial:
            return self.terms.amount
        assert self.terms.min_fill_bps is not None
        return min(-(-self.order.amount * self.terms.min_fill_bps // BPS), self.terms.amount)

    def pays(self, amount_in: int, amount_out: int) -> bool:
        """Whether a part of it is paid its limit."""
        assert self.terms.limit_price is not None, "only what has a limit has parts"
        return amount_out >= limit_out(self.terms.pair, amount_in, self.terms.limit_price)

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """What is to be looked for. A trailing stop also wants to know of a price that is better than the best one."""
        if self.terms.partial:
            assert self.terms.limit_price is not None
            return (Bound(limit_out(self.terms.pair, self.least_part, self.terms.limit_price), is_least=True),)
        bound = self.condition.bound(self.best_out)
        return (bound,) if self.condition.trail is None else (bound, Bound(self.best_out + 1, is_least=True))

    @property
    def is_confirming(self) -> bool:
        """Whether a look has met it, and others have to."""
        return bool(self._met)

    def rises(self, look: Look) -> bool:
        """Whether the look is the best that a trailing stop has seen, which it follows from here."""
        if self.condition.trail is None or look.amount_out <= self.best_out:
            return False
        self.best_out = look.amount_out
        return True

    def is_met(self, look: Look | None) -> bool:
        """Whether with this look the condition is met for good; None is a look that found no route."""
        if look is None or not self.condition.bound(self.best_out).is_met(look.amount_out):
            self._met.clear()
            return False
        if not self._met or look.slot > self._met[-1].slot:
            self._met.append(look)
        if not self.condition.is_adverse:
            return True
        lasted = look.at - self._met[0].at
        return len(self._met) >= (self.terms.confirm or 1) and lasted >= (self.terms.confirm_seconds or 0)

    def passed(self, look: Look) -> Fraction:
        """How far beyond its bound the market is, as a part of the bound: who is passed farthest goes first."""
        bound = self.condition.bound(self.best_out).amount_out
        return abs(Fraction(look.amount_out - bound, max(bound, 1)))

    def fact(self, look: Look) -> Triggered:
        terms = self.terms
        return Triggered(
            price=terms.pair.told(terms.amount, look.amount_out),
            amount_out=format_amount(look.amount_out, terms.token_out.decimals),
            condition=self.condition.told(),
            slot=look.slot,
            met_at_slot=self._met[0].slot,
        )


def _request(terms: OrderTerms, condition: Condition) -> QuoteRequest:
    request = request_of(terms)
    if not condition.is_adverse:
        return request
    # What the market pays is to be known however little that is; but not while the pools that make it are missing.
    return replace(request, exit_bps=BPS, max_cost_bps=BPS, has_own_floor=False)
