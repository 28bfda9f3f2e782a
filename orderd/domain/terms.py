"""An order's terms as understood. ``terms_given`` has them as given, and ``terms_formatted`` as shown.

A new term is a line in each of the three forms, one in ``terms_parsing`` and one in ``terms_formatting``. All else
follows: the messages of the port, orderctl's options and the "run again" command, the columns of a file of orders, the
row in the database, the first event, and whether two submissions are the same order.
"""

from dataclasses import fields, replace
from datetime import datetime
from typing import Final

from orderd.domain.frozen import dataclass
from orderd.domain.order import CatchUp, Floor, OrderKind, TimeInForce, has_children
from orderd.domain.price import PairPrice
from orderd.domain.tokens import Token
from orderd.domain.trigger import Condition, Trail


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """The parsed terms: sell exactly ``amount_in`` base units, accept ``slippage_bps`` below the quote.

    ``floor`` says which quote counts. Less than ``min_out`` base units is never accepted. Or: buy exactly ``exact_out``
    base units, pay ``slippage_bps`` above the quote, and never more than ``max_in``. No route is taken whose fees and
    price impact together cost more than ``max_cost_bps``. If ``use_wrapped`` is true, the order sells wrapped SOL of
    the wallet's own token account, which stays open; otherwise SOL is wrapped for the trade.

    Prices are canonical decimal strings, see ``orderd.domain.price``; ``kind`` says which of them are set. After a
    stop has fired, ``max_slippage_bps`` replaces the daemon's own bounds. If its trader has set no slippage,
    ``slippage_widens``: a failed try is followed by one that accepts more of it (``in_try``). A stop is met when
    ``confirm`` checks in different slots have met it, over at least ``confirm_seconds``. The order is valid for
    ``valid_seconds`` from its acceptance, or until ``expires_at``; if both are None, the daemon's setting applies.

    An order on liquidity waits until the pools of its route hold ``min_liquidity`` base units of ``token_in``, and the
    other guards of ``orderd.domain.liquidity`` are met; ``allowed_traits`` are names of traits with commas between.

    If the amount was a word, ``amount_word``, ``amount_in`` is its value when the order was accepted. A held order has
    neither amount: it sells what its entry receives.

    A token is stored as its symbol, mint and decimals, every other term in the order's column of the same name.
    """

    token_in: Token
    token_out: Token
    amount_in: int | None
    slippage_bps: int
    min_out: int | None = None
    max_cost_bps: int | None = None
    floor: Floor | None = Floor.FIRST
    """None: the order was accepted before this term existed, with a new floor in each attempt."""
    slippage_widens: bool = False
    use_wrapped: bool = False
    exact_out: int | None = None
    max_in: int | None = None
    kind: OrderKind = OrderKind.MARKET
    limit_price: str | None = None
    stop_price: str | None = None
    take_profit_price: str | None = None
    trail: str | None = None
    max_slippage_bps: int | None = None
    min_liquidity: int | None = None
    max_pool_fee_bps: int | None = None
    max_round_trip_loss_bps: int | None = None
    max_holder_bps: int | None = None
    allowed_traits: str | None = None
    confirm: int | None = None
    confirm_seconds: int | None = None
    time_in_force: TimeInForce | None = None
    partial: bool = False
    min_fill_bps: int | None = None
    slices: int | None = None
    every_seconds: int | None = None
    jitter_bps: int | None = None
    catch_up: CatchUp | None = None
    then_take_profit_price: str | None = None
    then_stop_price: str | None = None
    valid_seconds: int | None = None
    expires_at: datetime | None = None
    amount_word: str | None = None

    @property
    def amount(self) -> int:
        """The exact amount of the order: of the input or of the output."""
        given = self.amount_in if self.exact_out is None else self.exact_out
        assert given is not None, "one of the two is given"
        return given

    @property
    def rests(self) -> bool:
        """Whether it waits for the market, instead of being executed immediately."""
        return self.kind is not OrderKind.MARKET and (self.partial or self.time_in_force in (None, TimeInForce.GTC))

    @property
    def is_entry(self) -> bool:
        """Whether it has an exit that sells what it buys."""
        return (self.then_take_profit_price, self.then_stop_price) != (None, None)

    @property
    def is_family(self) -> bool:
        """Whether it is executed by child orders."""
        return has_children(self.kind, partial=self.partial)

    @property
    def pair(self) -> PairPrice:
        return PairPrice(self.token_in, self.token_out)

    @property
    def trigger(self) -> Condition | None:
        """The condition before its execution; None if there is none, or only its limit."""
        if self.kind in (OrderKind.MARKET, OrderKind.LIMIT, OrderKind.OCO, OrderKind.TWAP, OrderKind.ON_LIQUIDITY):
            return None
        price = self.stop_price or self.take_profit_price
        trail = None if self.trail is None else Trail.parse(self.trail)
        return Condition(self.kind, self.pair, self.amount, price, trail)

    @property
    def limit(self) -> Condition | None:
        """The condition that each of its executions must meet."""
        if self.limit_price is None:
            return None
        return Condition(OrderKind.LIMIT, self.pair, self.amount, self.limit_price)

    @property
    def least(self) -> int | None:
        """The minimum that the trader accepts, in base units; None if not set."""
        bounds = [self.min_out, None if self.limit is None else self.limit.bound().amount_out]
        return max((each for each in bounds if each is not None), default=None)

    def in_try(self, failures: int) -> "OrderTerms":
        """The terms of a try after this many failures.

        If the trader has set no slippage, that of a stop begins at a fifth of its ``max_slippage_bps``, or at the
        daemon's own if that is more, doubles with each failure, and never exceeds ``max_slippage_bps``.
        """
        if not self.slippage_widens or self.max_slippage_bps is None:
            return self
        first = max(self.slippage_bps, self.max_slippage_bps // _FIRST_PART)
        return replace(self, slippage_bps=min(first << min(failures, _DOUBLINGS), self.max_slippage_bps))

    def is_same_as(self, other: "OrderTerms") -> bool:
        """Whether two submissions under one client order id are the same order. Tokens are compared by their mints.

        Terms that did not exist when one of them was accepted are ignored.
        """
        not_compared = {"floor"} if None in (self.floor, other.floor) else set()
        not_compared |= set() if self.amount_word is None else {"amount_in"}
        names = [each.name for each in fields(self) if each.name not in not_compared]
        return all(_meant(self, name) == _meant(other, name) for name in names)


_FIRST_PART: Final = 5
_DOUBLINGS: Final = 16
"""Enough doublings from the smallest to the largest slippage."""


def _meant(terms: OrderTerms, name: str) -> object:
    value = getattr(terms, name)
    return value.mint if isinstance(value, Token) else value
