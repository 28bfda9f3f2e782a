"""An order's terms in their three forms: as they are given, as they are understood, and as they are told.

A new term is a line in each form; what it means is a line in ``understood`` and one in ``told``. All else follows: the
messages of the port, orderctl's options and the command that it says to run again, the columns of a file of orders, the
row in the database, the first event, and whether two submissions are the same order.
"""

from dataclasses import dataclass, fields
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import BPS, format_amount, parse_amount, parse_cost_bps, parse_slippage_bps
from orderd.domain.order import Floor
from orderd.domain.tokens import Token, TokenRegistry

_A_TOKEN: Final = "symbol or mint address"
_DECIMAL: Final[JsonDict] = {"pattern": r"^\+?([0-9]{1,40}(\.[0-9]{1,40})?|\.[0-9]{1,40})$"}
"""What is read as a decimal, for the schemas only: what else there is, is refused in better words than a pattern's."""


@dataclass(frozen=True, slots=True)
class Typed:
    """How a trader types a term: one that ``has_place`` by that, another as an option of the same name.

    One that is true or false is a flag, and has no ``metavar``.
    """

    metavar: str
    help: str
    short: str | None = None
    has_place: bool = False


class GivenTerms(BaseModel):
    """As a trader gives them: amounts and prices as decimal strings in whole tokens.

    Either ``amount_in`` is given, and ``min_out`` where wanted, or ``exact_out``, and ``max_in`` where wanted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_in: Annotated[str, Typed("TOKEN_IN", "What to sell: a symbol or a mint address.", has_place=True)] = Field(
        max_length=64, description=_A_TOKEN
    )
    token_out: Annotated[str, Typed("TOKEN_OUT", "What to buy.", has_place=True)] = Field(
        max_length=64, description=_A_TOKEN
    )
    amount_in: Annotated[str | None, Typed("AMOUNT", "How much of TOKEN_IN to sell, like 1.5.", has_place=True)] = (
        Field(
            None,
            max_length=100,
            description="what is sold, in whole tokens, like 1.5; due unless exact_out is given",
            json_schema_extra=_DECIMAL,
        )
    )
    exact_out: Annotated[
        str | None,
        Typed("AMOUNT", "How much of TOKEN_OUT to buy, to the base unit, where no amount to sell is given."),
    ] = Field(
        None,
        max_length=100,
        description="what is bought, in whole tokens of token_out, to the base unit; due unless amount_in is given",
        json_schema_extra=_DECIMAL,
    )
    slippage: Annotated[
        str | None, Typed("PERCENT", "How much less than quoted to accept, or more to pay, like 0.5.", "-s")
    ] = Field(None, max_length=20, description="percent; the daemon's default where absent", json_schema_extra=_DECIMAL)
    min_out: Annotated[str | None, Typed("AMOUNT", "The least of TOKEN_OUT to accept in any attempt, like 150.")] = (
        Field(
            None,
            max_length=100,
            description="the least to accept, in whole tokens of token_out; only the floor of the quote where absent",
            json_schema_extra=_DECIMAL,
        )
    )
    max_in: Annotated[
        str | None, Typed("AMOUNT", "With an exact output, the most of TOKEN_IN to pay in any attempt, like 150.")
    ] = Field(
        None,
        max_length=100,
        description="for exact_out, the most to pay, in whole tokens of token_in; the quote's ceiling where absent",
        json_schema_extra=_DECIMAL,
    )
    max_cost: Annotated[str | None, Typed("PERCENT", "The most that fees and impact may cost together, like 1.")] = (
        Field(
            None,
            max_length=20,
            description="percent, of fees and price impact together; the daemon's limit where absent",
            json_schema_extra=_DECIMAL,
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


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """As they are understood: sell exactly ``amount_in`` base units, accept ``slippage_bps`` below the quote.

    Below which quote is said by ``floor``. Whatever the quotes are, nothing below ``min_out`` base units is accepted.
    Or else: buy exactly ``exact_out`` base units, pay ``slippage_bps`` above the quote, and never more than ``max_in``.
    No route is taken whose fees and price impact together cost more than ``max_cost_bps``. Where ``use_wrapped`` is
    true, what is sold is wrapped SOL of the wallet's own token account, which stays open; else SOL is wrapped for the
    trade.

    A token is stored as its symbol, mint and decimals, every other term in the order's column of the same name.
    """

    token_in: Token
    token_out: Token
    amount_in: int | None
    slippage_bps: int
    min_out: int | None = None
    max_cost_bps: int | None = None
    floor: Floor | None = Floor.FIRST
    """None: it was accepted when nobody could say, with a new floor in each attempt."""
    use_wrapped: bool = False
    exact_out: int | None = None
    max_in: int | None = None

    @property
    def amount(self) -> int:
        """Of the two amounts the one that is given: it is traded to the base unit."""
        given = self.amount_in if self.exact_out is None else self.exact_out
        assert given is not None, "one of the two is given"
        return given

    def is_same_as(self, other: "OrderTerms") -> bool:
        """Whether two submissions under one client order id are the same order. A token is the same by its mint.

        What nobody could say when one of them was accepted does not make them differ.
        """
        names = [each.name for each in fields(self) if each.name != "floor" or None not in (self.floor, other.floor)]
        return all(_meant(self, name) == _meant(other, name) for name in names)


class ToldTerms(BaseModel):
    """As they are told of an order: each with the value that counts, also where none was given."""

    model_config = ConfigDict(frozen=True)

    token_in: str
    token_out: str
    amount_in: str | None = None
    """What is sold. Of an order for an exact output what it has paid, once that is known."""
    slippage: str
    min_out: str | None = None
    max_cost: str | None = None
    floor: Floor = Floor.EACH
    """What daemons did that said nothing about it."""
    use_wrapped: bool = False
    exact_out: str | None = None
    max_in: str | None = None


def understood(
    given: GivenTerms, tokens: TokenRegistry, default_slippage: str, max_total_cost_bps: int = BPS
) -> OrderTerms:
    """What is meant, where no order may cost more than ``max_total_cost_bps``.

    Raises OrderdError of the TOKEN, AMOUNT, SLIPPAGE and COST kinds.
    """
    check_side(given)
    token_in, token_out = tokens.pair(given.token_in, given.token_out)
    check_wrapped(given, token_in)
    return OrderTerms(
        token_in=token_in,
        token_out=token_out,
        amount_in=_parsed(given.amount_in, token_in),
        slippage_bps=parse_slippage_bps(default_slippage if given.slippage is None else given.slippage),
        min_out=_parsed(given.min_out, token_out),
        max_cost_bps=None if given.max_cost is None else parse_cost_bps(given.max_cost, max_total_cost_bps),
        floor=given.floor or Floor.FIRST,
        use_wrapped=given.use_wrapped,
        exact_out=_parsed(given.exact_out, token_out),
        max_in=_parsed(given.max_in, token_in),
    )


def check_side(given: GivenTerms) -> None:
    """Raises OrderdError AMOUNT_NOT_ONE_SIDE where it is not told either what is sold or what is bought."""
    sells, buys = given.amount_in is not None, given.exact_out is not None
    if sells == buys:
        why = "both amount_in and exact_out are given" if sells else "neither amount_in nor exact_out is given"
        raise OrderdError(ErrorCode.AMOUNT_NOT_ONE_SIDE, why)
    if buys and given.min_out is not None:
        raise OrderdError(ErrorCode.AMOUNT_NOT_ONE_SIDE, "min_out bounds what amount_in is sold for, not exact_out")
    if sells and given.max_in is not None:
        raise OrderdError(ErrorCode.AMOUNT_NOT_ONE_SIDE, "max_in bounds what exact_out is bought for, not amount_in")


def check_wrapped(given: GivenTerms, token_in: Token) -> None:
    """Raises OrderdError TOKEN_NOT_WRAPPED where ``use_wrapped`` is said of another token than SOL."""
    if given.use_wrapped and not token_in.is_native:
        why = f"the order would sell {token_in.symbol} from the wallet's wrapped SOL"
        raise OrderdError(ErrorCode.TOKEN_NOT_WRAPPED, why)


def told(terms: OrderTerms) -> ToldTerms:
    """What to tell of them: tokens by their symbols, slippage and costs in percent."""
    return ToldTerms(
        token_in=terms.token_in.symbol,
        token_out=terms.token_out.symbol,
        amount_in=_told(terms.amount_in, terms.token_in),
        slippage=format_amount(terms.slippage_bps, 2),
        min_out=_told(terms.min_out, terms.token_out),
        max_cost=None if terms.max_cost_bps is None else format_amount(terms.max_cost_bps, 2),
        floor=terms.floor or Floor.EACH,
        use_wrapped=terms.use_wrapped,
        exact_out=_told(terms.exact_out, terms.token_out),
        max_in=_told(terms.max_in, terms.token_in),
    )


def _parsed(amount: str | None, token: Token) -> int | None:
    return None if amount is None else parse_amount(amount, token.decimals)


def _told(amount: int | None, token: Token) -> str | None:
    return None if amount is None else format_amount(amount, token.decimals)


def _meant(terms: OrderTerms, name: str) -> object:
    value = getattr(terms, name)
    return value.mint if isinstance(value, Token) else value
