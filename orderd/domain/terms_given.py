"""An order's terms as a trader gives them, and how each is typed on a command line. See ``terms``."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from orderd.domain.order import CatchUp, Floor, OrderKind, TimeInForce

_A_TOKEN: Final = "symbol or mint address"
_A_PRICE: Final = "in the pair's quote token (USDC before SOL before others) per unit of the other token"
DECIMAL: Final[JsonDict] = {"pattern": r"^\+?([0-9]{1,40}(\.[0-9]{1,40})?|\.[0-9]{1,40})$"}
"""What is read as a decimal number. For schemas only: other values are refused by an error that explains more than a
pattern."""
_AMOUNT: Final[JsonDict] = {"pattern": r"^([mM][aA][xX]|\+?([0-9]{1,40}(\.[0-9]{1,40})?|\.[0-9]{1,40})%?)$"}

# Headings of the options in the help.
PROTECTION: Final = "Amount and protection"
CONDITIONS: Final = "Conditions"
LIMIT_ORDERS: Final = "Limit orders"
STOPS: Final = "Stops"
SCHEDULE: Final = "Executions over time"
EXITS: Final = "Exits of what was bought"
LIQUIDITY: Final = "Orders on liquidity"
VALIDITY: Final = "Validity"


@dataclass(frozen=True, slots=True)
class Typed:
    """How a trader types a term: by its position if it has no ``heading``, otherwise as an option of the same name.

    A boolean term is a flag, and has no ``metavar``. ``option`` is the option's name if it differs from the term's.
    """

    metavar: str
    help: str
    heading: str | None = None
    short: str | None = None
    option: str | None = None


def _amount(description: str) -> Any:  # noqa: ANN401  (as Field)
    return Field(None, max_length=100, description=description, json_schema_extra=DECIMAL)


def _price(description: str) -> Any:  # noqa: ANN401
    return Field(None, max_length=40, description=description, json_schema_extra=DECIMAL)


def _percent(description: str) -> Any:  # noqa: ANN401
    return Field(None, max_length=20, description=description, json_schema_extra=DECIMAL)


def _duration(description: str) -> Any:  # noqa: ANN401
    return Field(None, max_length=10, description=description)


class GivenTerms(BaseModel):
    """Amounts and prices are decimal strings in whole tokens.

    Either ``amount_in`` is given, optionally with ``min_out``, or ``exact_out``, optionally with ``max_in``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    # What is traded, and what protects the trade

    token_in: Annotated[str, Typed("TOKEN_IN", "The token to sell: a symbol or a mint address.")] = Field(
        max_length=64, description=_A_TOKEN
    )
    token_out: Annotated[str, Typed("TOKEN_OUT", "The token to buy.")] = Field(max_length=64, description=_A_TOKEN)
    amount_in: Annotated[
        str | None, Typed("AMOUNT", "The amount of TOKEN_IN to sell, like 1.5; or max, or 50% of the balance.")
    ] = Field(
        None,
        max_length=100,
        description="the amount to sell, in whole tokens, like 1.5; or max, or a part of the available balance "
        "such as 50%; required unless exact_out is given",
        json_schema_extra=_AMOUNT,
    )
    exact_out: Annotated[str | None, Typed("AMOUNT", "The exact amount of TOKEN_OUT to buy, like 1.5.", PROTECTION)] = (
        _amount("the exact amount to buy, in whole tokens of token_out; required unless amount_in is given")
    )
    slippage: Annotated[
        str | None, Typed("PERCENT", "How much worse than the quote the fill may be, like 0.5.", PROTECTION, "-s")
    ] = _percent("percent; the daemon's default if absent")
    min_out: Annotated[
        str | None, Typed("AMOUNT", "The minimum of TOKEN_OUT to accept in any attempt, like 150.", PROTECTION)
    ] = _amount("the minimum to accept, in whole tokens of token_out; if absent, only the floor of the quote counts")
    max_in: Annotated[
        str | None, Typed("AMOUNT", "With an exact output, the maximum of TOKEN_IN to pay, like 150.", PROTECTION)
    ] = _amount(
        "with exact_out, the maximum to pay, in whole tokens of token_in; if absent, only the ceiling of the "
        "quote counts"
    )
    max_cost: Annotated[
        str | None, Typed("PERCENT", "The maximum of pool fees and price impact together, like 1.", PROTECTION)
    ] = _percent("percent, of pool fees and price impact together; the daemon's limit if absent")
    floor: Annotated[
        Floor | None,
        Typed("FLOOR", "Whose quote sets the minimum: that of the first attempt, or that of each.", PROTECTION),
    ] = Field(
        None,
        description="whether the minimum, or maximum, of the first quote holds in all attempts, or each attempt "
        "has its own; first if absent",
    )
    use_wrapped: Annotated[
        bool, Typed("", "Sell wrapped SOL from the wallet's token account instead of SOL.", PROTECTION)
    ] = Field(False, description="whether wrapped SOL of the wallet's own token account is sold; for SOL only")

    # The market that it waits for

    type: Annotated[
        OrderKind | None, Typed("KIND", "The kind of order; refused if its prices make another kind.", CONDITIONS)
    ] = Field(None, description="the kind of order; if absent, it follows from the prices")
    limit_price: Annotated[
        str | None, Typed("PRICE", "Trade at this price or a better one only, like 105.", CONDITIONS, option="limit")
    ] = _price(f"the worst price to trade at; {_A_PRICE}")
    stop_price: Annotated[
        str | None, Typed("PRICE", "Sell when the price has fallen to this one, like 95.", CONDITIONS, option="stop")
    ] = _price(f"the price at which a stop fires; {_A_PRICE}")
    take_profit_price: Annotated[
        str | None,
        Typed("PRICE", "Sell when the price has risen to this one, like 120.", CONDITIONS, option="take-profit"),
    ] = _price(f"the price at which a take-profit fires; {_A_PRICE}")
    trail: Annotated[
        str | None, Typed("DISTANCE", "Sell when the price is this far below its best one: 3% or 2.5.", CONDITIONS)
    ] = Field(None, max_length=40, description="the distance of a trailing stop: 3%, or 2.5 as a price")

    # Stops

    max_slippage: Annotated[
        str | None, Typed("PERCENT", "What a fired stop may lose to fees and impact; 5 by default.", STOPS)
    ] = _percent("percent; replaces the daemon's own limits for a stop that has fired; 5 if absent")
    confirm: Annotated[
        int | None, Typed("SLOTS", "The number of slots in a row that must meet a stop; 2 by default.", STOPS)
    ] = Field(None, ge=1, le=1_000, description="the number of slots in a row that must meet a stop; 2 if absent")
    confirm_for: Annotated[str | None, Typed("TIME", "How long a stop must be met, like 2s.", STOPS, option="for")] = (
        _duration("how long a stop must be met without a break, such as 2s")
    )

    # Limit orders

    time_in_force: Annotated[
        TimeInForce | None, Typed("TIF", "How long a limit order may wait: gtc, ioc or fok.", LIMIT_ORDERS)
    ] = Field(None, description="how long a limit order may wait for its price; gtc if absent")
    partial: Annotated[
        bool, Typed("", "Execute the part that receives the limit; the rest stays open.", LIMIT_ORDERS)
    ] = Field(False, description="whether a part of a limit order may be executed alone; the rest stays open")
    min_fill: Annotated[
        str | None, Typed("PERCENT", "The smallest part to execute alone; 10 by default.", LIMIT_ORDERS)
    ] = _percent("the smallest part, percent of the order; 10 if absent")

    # Executions over time

    slices: Annotated[
        int | None, Typed("NUMBER", "Divide the amount into this many executions.", SCHEDULE, option="twap")
    ] = Field(None, ge=2, le=10_000, description="the number of executions of a TWAP")
    over: Annotated[str | None, Typed("TIME", "How long all executions take together, like 5m.", SCHEDULE)] = _duration(
        "how long the executions of a TWAP take together, such as 5m"
    )
    every: Annotated[str | None, Typed("TIME", "The time between two executions, like 1h.", SCHEDULE)] = _duration(
        "the time between two executions, instead of over"
    )
    jitter: Annotated[
        str | None, Typed("PERCENT", "Vary the time of each execution at random by this part, like 20.", SCHEDULE)
    ] = Field(None, max_length=20, description="percent of the time between two executions by which each one varies")
    catch_up: Annotated[
        CatchUp | None, Typed("WHICH", "Which missed executions are made up for: one, all or none.", SCHEDULE)
    ] = Field(None, description="which missed executions are made up for; one if absent")

    # Exits of what was bought

    then_take_profit: Annotated[
        str | None, Typed("PRICE", "After the purchase, sell it again at this higher price, like 120.", EXITS)
    ] = _price("the price at which the purchase is sold at a profit")
    then_stop: Annotated[
        str | None, Typed("PRICE", "After the purchase, sell it again if the price falls to this one.", EXITS)
    ] = _price("the price at which the purchase is sold at a loss")

    # Orders on liquidity

    min_liquidity: Annotated[
        str | None, Typed("AMOUNT", "Buy once the pools would pay out this much TOKEN_IN, like 5000.", LIQUIDITY)
    ] = _amount(
        "for an order on liquidity: how much of token_in, in whole tokens, its pools must be able to pay to "
        "sellers of token_out"
    )
    max_pool_fee: Annotated[
        str | None, Typed("PERCENT", "The highest fee that the pool may take; 5 by default.", LIQUIDITY)
    ] = _percent("for an order on liquidity: the highest pool fee, percent; 5 if absent")
    max_round_trip_loss: Annotated[
        str | None, Typed("PERCENT", "What buying and selling again at once may lose; 10 by default.", LIQUIDITY)
    ] = _percent(
        "for an order on liquidity, percent: the loss of buying and selling again in the present pools; 10 if absent"
    )
    max_holder: Annotated[
        str | None, Typed("PERCENT", "The largest share of TOKEN_OUT in one account other than pools.", LIQUIDITY)
    ] = _percent(
        "for an order on liquidity: the largest share of the supply that one account other than pools may hold, "
        "percent; not checked if absent"
    )
    allow: Annotated[
        str | None,
        Typed("TRAITS", "Powers over TOKEN_OUT to accept, like mint_authority,freeze_authority.", LIQUIDITY),
    ] = Field(
        None,
        max_length=200,
        description="for an order on liquidity: codes of warnings of token_out to accept, separated by commas; "
        "none if absent",
    )

    # Validity

    valid_for: Annotated[
        str | None, Typed("TIME", "How long the order is valid, like 30s, 5m, 2h or 1d.", VALIDITY)
    ] = _duration("how long the order is valid, such as 30s, 5m, 2h or 1d")
    expires: Annotated[
        str | None, Typed("TIME", "When the order's validity ends, like 2026-12-01T09:30:00Z.", VALIDITY)
    ] = Field(None, max_length=40, description="when the order's validity ends, in ISO 8601 with a time zone")
