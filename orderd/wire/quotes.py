"""What an order would get: quotes, and orders that are tried without being sent."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from orderd.domain.errors import ErrorCode
from orderd.domain.order import OrderKind
from orderd.domain.quoted import Quoted, Refused, RoutedLeg
from orderd.domain.terms_formatted import FormattedTerms
from orderd.domain.terms_given import GivenTerms
from orderd.wire.message import Message
from orderd.wire.problem import Problem
from orderd.wire.tokens import TokenView


class QuoteParams(GivenTerms, Message):
    pass


class GuardView(Message):
    """One thing that an order on liquidity asks for beside its price."""

    name: str
    wanted: str
    found: str
    is_met: bool
    code: ErrorCode = Field(description="what the order waits with while it is not met")


class QuoteResult(FormattedTerms, Message):
    tokens: tuple[TokenView, ...] = Field(
        (), description="what is sold and what is bought, with what to beware of; absent from older daemons"
    )
    part_in: str | None = Field(
        None,
        exclude_if=lambda amount: amount is None,
        description="what the quote is for, in token_in, where that is a part of the order: its next execution",
    )
    guards: tuple[GuardView, ...] = Field(
        (),
        exclude_if=lambda guards: not guards,
        description="of an order on liquidity: what it asks for beside its price, and what there is of it",
    )
    chosen: Quoted
    quotes: tuple[Quoted, ...]
    refusals: tuple[Refused, ...]
    min_amount_out: str
    max_amount_in: str | None = Field(
        None, exclude_if=lambda amount: amount is None, description="of an exact output: the most that it may cost"
    )
    route: tuple[RoutedLeg, ...] = ()
    gain_bps: str | None = Field(
        None, description="what the route pays above the best single pool, or takes less for an exact output"
    )
    compute_units: int | None = Field(None, description="that the transaction would ask for")
    compute_unit_price: int | None = Field(None, description="priority fee in micro-lamports a unit")
    network_fee: str | None = Field(None, description="in SOL, with the priority fee")
    rent: str | None = Field(
        None, description="in SOL, of token accounts that the trade would make and leave; absent where nobody can tell"
    )


class PreviewResult(Message):
    """What the order would do now: the route and the chain's own simulation of the transaction."""

    quote: QuoteResult
    succeeds: bool
    error: Problem | None
    units_consumed: int | None
    network_fee: str
    logs: tuple[str, ...]


class Awaited(Message):
    """A price that an order waits for, held against what the market pays for the amount."""

    kind: OrderKind
    reads: str = Field(description="with its unit, and what it comes to for the amount")
    price: str | None = Field(description="at which it is met; null of a trail, where nobody knows what it is behind")
    away: str | None = Field(description="percent that the market has to move until then; 0 where it is met")
    is_met: bool


class SimulatedFill(PreviewResult):
    """What would be done now, and what is waited for.

    Where the order would rest, because the market does not pay its limit, nothing is simulated. Else the simulation is
    of what it does once it fires.
    """

    would: Literal["execute", "rest"] | None = Field(None, exclude_if=lambda would: would is None)
    at: datetime | None = Field(
        None, exclude_if=lambda at: at is None, description="when the next of several executions is due"
    )
    waits_for: tuple[Awaited, ...] = Field(
        (), exclude_if=lambda awaited: not awaited, description="whichever of them comes first"
    )
