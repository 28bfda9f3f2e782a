"""An order's terms in their three forms: as given, as parsed, and as shown.

A new term is a line in each form, one in ``terms_parsing`` and one in ``terms_formatting``. All else follows: the
messages of the port, orderctl's options and the "run again" command, the columns of a file of orders, the row in the
database, the first event, and whether two submissions are the same order.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from orderd.domain.order import Floor, OrderKind, TimeInForce, has_children
from orderd.domain.price import PairPrice
from orderd.domain.schedule import CatchUp
from orderd.domain.tokens import Token
from orderd.domain.trigger import Condition, Trail

T = TypeVar("T")
_A_TOKEN: Final = "symbol or mint address"
_A_PRICE: Final = "in the pair's quote token (USDC before SOL before others) for one of the other"
DECIMAL: Final[JsonDict] = {"pattern": r"^\+?([0-9]{1,40}(\.[0-9]{1,40})?|\.[0-9]{1,40})$"}
"""What is read as a decimal, for the schemas only: what else there is, is refused in better words than a pattern's."""
_AMOUNT: Final[JsonDict] = {"pattern": r"^([mM][aA][xX]|\+?([0-9]{1,40}(\.[0-9]{1,40})?|\.[0-9]{1,40})%?)$"}


@dataclass(frozen=True, slots=True)
class Typed:
    """How a trader types a term: by its position if it ``has_place``, otherwise as an option of the same name.

    A boolean term is a flag, and has no ``metavar``. ``option`` is the option's name if it differs.
    """

    metavar: str
    help: str
    short: str | None = None
    option: str | None = None
    has_place: bool = False


class GivenTerms(BaseModel):
    """As a trader gives them: amounts and prices as decimal strings in whole tokens.

    Either ``amount_in`` is given, and ``min_out`` where wanted, or ``exact_out``, and ``max_in`` where wanted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    token_in: Annotated[str, Typed("TOKEN_IN", "What to sell: a symbol or a mint address.", has_place=True)] = Field(
        max_length=64, description=_A_TOKEN
    )
    token_out: Annotated[str, Typed("TOKEN_OUT", "What to buy.", has_place=True)] = Field(
        max_length=64, description=_A_TOKEN
    )
    amount_in: Annotated[
        str | None, Typed("AMOUNT", "How much of TOKEN_IN to sell, like 1.5; or max, or 50%.", has_place=True)
    ] = Field(
        None,
        max_length=100,
        description="what is sold, in whole tokens, like 1.5, or max, or a part such as 50%, of what the wallet has to "
        "spare; due unless exact_out is given",
        json_schema_extra=_AMOUNT,
    )
    exact_out: Annotated[
        str | None,
        Typed("AMOUNT", "How much of TOKEN_OUT to buy, to the base unit, where no amount to sell is given."),
    ] = Field(
        None,
        max_length=100,
        description="what is bought, in whole tokens of token_out, to the base unit; due unless amount_in is given",
        json_schema_extra=DECIMAL,
    )
    slippage: Annotated[
        str | None, Typed("PERCENT", "How much less than quoted to accept, or more to pay, like 0.5.", "-s")
    ] = Field(None, max_length=20, description="percent; the daemon's default where absent", json_schema_extra=DECIMAL)
    min_out: Annotated[str | None, Typed("AMOUNT", "The least of TOKEN_OUT to accept in any attempt, like 150.")] = (
        Field(
            None,
            max_length=100,
            description="the least to accept, in whole tokens of token_out; only the floor of the quote where absent",
            json_schema_extra=DECIMAL,
        )
    )
    max_in: Annotated[
        str | None, Typed("AMOUNT", "With an exact output, the most of TOKEN_IN to pay in any attempt, like 150.")
    ] = Field(
        None,
        max_length=100,
        description="for exact_out, the most to pay, in whole tokens of token_in; the quote's ceiling where absent",
        json_schema_extra=DECIMAL,
    )
    max_cost: Annotated[str | None, Typed("PERCENT", "The most that fees and impact may cost together, like 1.")] = (
        Field(
            None,
            max_length=20,
            description="percent, of fees and price impact together; the daemon's limit where absent",
            json_schema_extra=DECIMAL,
        )
    )
    floor: Annotated[
        Floor | None, Typed("FLOOR", "Keep the first route's floor in all attempts (first), or take each one's own.")
    ] = Field(
        None, description="whether the first route's floor, or ceiling, holds in all attempts; first where absent"
    )
    use_wrapped: Annotated[bool, Typed("", "Sell the wrapped SOL of the wallet, and not SOL itself.")] = Field(
        False, description="whether what is sold is the wrapped SOL of the wallet's own token account; for SOL only"
    )
    type: Annotated[OrderKind | None, Typed("KIND", "What kind of order is meant, to be held against its prices.")] = (
        Field(None, description="the kind of the order; what its prices make of it where absent")
    )
    limit_price: Annotated[
        str | None, Typed("PRICE", "Trade at this price or a better one only, like 105.", option="limit")
    ] = Field(None, max_length=40, description=f"the worst price to trade at; {_A_PRICE}", json_schema_extra=DECIMAL)
    stop_price: Annotated[
        str | None, Typed("PRICE", "Sell when the market has come down to this price, like 95.", option="stop")
    ] = Field(None, max_length=40, description=f"where a stop order fires; {_A_PRICE}", json_schema_extra=DECIMAL)
    take_profit_price: Annotated[
        str | None, Typed("PRICE", "Sell when the market pays this price, like 120.", option="take-profit")
    ] = Field(None, max_length=40, description=f"where a take-profit fires; {_A_PRICE}", json_schema_extra=DECIMAL)
    trail: Annotated[str | None, Typed("DISTANCE", "Sell when the price is so far behind its best one: 3% or 2.5.")] = (
        Field(None, max_length=40, description="how far a trailing stop follows: 3%, or 2.5 as a price")
    )
    min_liquidity: Annotated[
        str | None, Typed("AMOUNT", "Buy once the pools would pay out this much of TOKEN_IN, like 5000.")
    ] = Field(
        None,
        max_length=100,
        description="of an order on liquidity: how much of token_in, in whole tokens, its pools have to have for those "
        "who sell token_out",
        json_schema_extra=DECIMAL,
    )
    max_pool_fee: Annotated[str | None, Typed("PERCENT", "The highest fee of such a pool; 5 by default.")] = Field(
        None,
        max_length=20,
        description="of an order on liquidity, percent; 5 where absent",
        json_schema_extra=DECIMAL,
    )
    max_round_trip_loss: Annotated[
        str | None, Typed("PERCENT", "What buying there and selling again may lose; 10 by default.")
    ] = Field(
        None,
        max_length=20,
        description="of an order on liquidity, percent: what it may lose to buy and to sell again, both as the pools "
        "are now; 10 where absent",
        json_schema_extra=DECIMAL,
    )
    max_holder: Annotated[
        str | None, Typed("PERCENT", "How much of all TOKEN_OUT one account may hold, pools apart.")
    ] = Field(
        None,
        max_length=20,
        description="of an order on liquidity: how much of the supply one account may hold, pools apart; not looked at "
        "where absent",
        json_schema_extra=DECIMAL,
    )
    allow: Annotated[
        str | None, Typed("TRAITS", "Powers over such a token to put up with: mint_authority,freeze_authority.")
    ] = Field(
        None,
        max_length=200,
        description="of an order on liquidity: the codes of warnings of token_out to put up with, commas between; none "
        "where absent",
    )
    max_slippage: Annotated[
        str | None, Typed("PERCENT", "What a fired stop may lose to fees, impact and a falling price; 5 by default.")
    ] = Field(
        None,
        max_length=20,
        description="percent, instead of the daemon's own bounds, for a stop that has fired; 5 where absent",
        json_schema_extra=DECIMAL,
    )
    confirm: Annotated[
        int | None, Typed("LOOKS", "In how many slots one after the other a stop must be met; 2 by default.")
    ] = Field(None, ge=1, le=1_000, description="looks in different slots by which a stop is confirmed; 2 where absent")
    confirm_for: Annotated[str | None, Typed("TIME", "For how long a stop must be met, like 2s.", option="for")] = (
        Field(None, max_length=10, description="for how long a stop must be met without a break, such as 2s")
    )
    time_in_force: Annotated[TimeInForce | None, Typed("TIF", "How long a limit order may wait: gtc, ioc or fok.")] = (
        Field(None, description="for how long a limit order may wait for its price; gtc where absent")
    )
    partial: Annotated[bool, Typed("", "Let the part of a limit order that pays the limit go alone.")] = Field(
        False, description="whether a part of a limit order may be executed alone, and the rest rests on"
    )
    min_fill: Annotated[
        str | None, Typed("PERCENT", "The smallest part of the order to execute alone; 10 by default.")
    ] = Field(None, max_length=20, description="percent of the order; 10 where absent", json_schema_extra=DECIMAL)
    slices: Annotated[
        int | None, Typed("NUMBER", "In how many executions, one after the other, the amount is sold.", option="twap")
    ] = Field(None, ge=2, le=10_000, description="of a TWAP: in how many executions the amount is sold")
    over: Annotated[str | None, Typed("TIME", "How long these take together, like 5m.")] = Field(
        None, max_length=10, description="how long the executions of a TWAP take together, such as 5m"
    )
    every: Annotated[str | None, Typed("TIME", "How long it is from one to the next, like 1h.")] = Field(
        None, max_length=10, description="how long it is from one execution to the next, instead of over"
    )
    jitter: Annotated[str | None, Typed("PERCENT", "By how much of that each is moved by chance, like 20.")] = Field(
        None, max_length=20, description="percent of that time by which each execution is moved by chance"
    )
    catch_up: Annotated[CatchUp | None, Typed("WHICH", "What becomes of missed times: one, all or none.")] = Field(
        None, description="of executions whose time was missed; one where absent"
    )
    then_take_profit: Annotated[
        str | None, Typed("PRICE", "Once it has bought, sell that again at this price, like 120.")
    ] = Field(None, max_length=40, description="where what was bought is sold at a profit", json_schema_extra=DECIMAL)
    then_stop: Annotated[
        str | None, Typed("PRICE", "Once it has bought, sell that again when the market has come down to this price.")
    ] = Field(None, max_length=40, description="where what was bought is sold at a loss", json_schema_extra=DECIMAL)
    valid_for: Annotated[str | None, Typed("TIME", "How long the order is valid, like 30s, 5m, 2h or 1d.")] = Field(
        None, max_length=10, description="how long the order is valid, such as 30s, 5m, 2h or 1d"
    )
    expires: Annotated[str | None, Typed("TIME", "Until when, like 2026-12-01T09:30:00Z.")] = Field(
        None, max_length=40, description="until when the order is valid, in ISO 8601 with a zone"
    )


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """The terms as understood: sell exactly ``amount_in`` base units, accept ``slippage_bps`` below the quote.

    ``floor`` says which quote counts. Nothing below ``min_out`` base units is accepted, whatever the quotes are. Or:
    buy exactly ``exact_out`` base units, pay ``slippage_bps`` above the quote, and never more than ``max_in``.
    No route is taken whose fees and price impact together cost more than ``max_cost_bps``. If ``use_wrapped`` is
    true, the order sells wrapped SOL of the wallet's own token account, which stays open; otherwise SOL is wrapped for
    the trade.

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
    """None: the order was accepted when this was not known, with a new floor in each attempt."""
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
        """Of the two amounts the one that is given: it is traded to the base unit."""
        given = self.amount_in if self.exact_out is None else self.exact_out
        assert given is not None, "one of the two is given"
        return given

    @property
    def rests(self) -> bool:
        """Whether it waits for the market, instead of being executed at once."""
        return self.kind is not OrderKind.MARKET and (self.partial or self.time_in_force in (None, TimeInForce.GTC))

    @property
    def is_entry(self) -> bool:
        """Whether an exit sells again what it buys."""
        return (self.then_take_profit_price, self.then_stop_price) != (None, None)

    @property
    def is_family(self) -> bool:
        """Whether it is executed by orders of their own, its children."""
        return has_children(self.kind, partial=self.partial)

    @property
    def pair(self) -> PairPrice:
        return PairPrice(self.token_in, self.token_out)

    @property
    def trigger(self) -> Condition | None:
        """What it waits for before it may be executed; None if that is nothing, or its own limit."""
        if self.kind in (OrderKind.MARKET, OrderKind.LIMIT, OrderKind.OCO, OrderKind.TWAP, OrderKind.ON_LIQUIDITY):
            return None
        price = self.stop_price or self.take_profit_price
        trail = None if self.trail is None else Trail.parse(self.trail)
        return Condition(self.kind, self.pair, self.amount, price, trail)

    @property
    def limit(self) -> Condition | None:
        """What each of its executions has to pay."""
        if self.limit_price is None:
            return None
        return Condition(OrderKind.LIMIT, self.pair, self.amount, self.limit_price)

    @property
    def least(self) -> int | None:
        """What the trader has said to accept at least, in base units."""
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

        A value that was not known when one of them was accepted does not make them differ.
        """
        not_compared = {"floor"} if None in (self.floor, other.floor) else set()
        not_compared |= set() if self.amount_word is None else {"amount_in"}
        names = [each.name for each in fields(self) if each.name not in not_compared]
        return all(_meant(self, name) == _meant(other, name) for name in names)


_FIRST_PART: Final = 5
_DOUBLINGS: Final = 16
"""More than enough from the least slippage to the most."""
_IF_ANY: Final = Field(None, exclude_if=lambda value: value is None)
"""For a term that most orders do not have: it is shown only if the order has it."""


class FormattedTerms(BaseModel):
    """The terms as shown with an order: each with the value that applies, also if none was given."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    token_in: str
    token_out: str
    amount_in: str | None = None
    """The sold amount. For an exact output it is what the order has paid, once that is known."""
    amount_word: str | None = _IF_ANY
    slippage: str
    min_out: str | None = None
    max_cost: str | None = None
    floor: Floor = Floor.EACH
    """What daemons did that said nothing about it."""
    use_wrapped: bool = False
    exact_out: str | None = _IF_ANY
    max_in: str | None = _IF_ANY
    type: OrderKind = Field(OrderKind.MARKET, exclude_if=lambda kind: kind is OrderKind.MARKET)
    limit_price: str | None = _IF_ANY
    stop_price: str | None = _IF_ANY
    take_profit_price: str | None = _IF_ANY
    trail: str | None = _IF_ANY
    max_slippage: str | None = _IF_ANY
    min_liquidity: str | None = _IF_ANY
    max_pool_fee: str | None = _IF_ANY
    max_round_trip_loss: str | None = _IF_ANY
    max_holder: str | None = _IF_ANY
    allow: str | None = _IF_ANY
    slippage_widens: bool = Field(False, exclude_if=lambda widens: not widens)
    """Whether each try that fails is followed by one with more slippage, up to ``max_slippage``."""
    confirm: int | None = _IF_ANY
    confirm_for: str | None = _IF_ANY
    time_in_force: TimeInForce | None = _IF_ANY
    partial: bool = Field(False, exclude_if=lambda partial: not partial)
    min_fill: str | None = _IF_ANY
    slices: int | None = _IF_ANY
    over: str | None = _IF_ANY
    every: str | None = _IF_ANY
    jitter: str | None = _IF_ANY
    catch_up: CatchUp | None = _IF_ANY
    then_take_profit: str | None = _IF_ANY
    then_stop: str | None = _IF_ANY
    valid_for: str | None = _IF_ANY
    expires: str | None = _IF_ANY


def _meant(terms: OrderTerms, name: str) -> object:
    value = getattr(terms, name)
    return value.mint if isinstance(value, Token) else value
