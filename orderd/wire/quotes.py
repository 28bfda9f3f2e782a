"""Messages about quotes and simulated orders."""

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
    """A condition of an order on liquidity, in addition to its price."""

    name: str
    wanted: str
    found: str
    is_met: bool
    code: ErrorCode = Field(description="the code with which the order waits while the condition is not met")


class QuoteResult(FormattedTerms, Message):
    tokens: tuple[TokenView, ...] = Field(
        (), description="the token sold and the token bought, with their warnings; absent from older daemons"
    )
    part_in: str | None = Field(
        None,
        exclude_if=lambda amount: amount is None,
        description="the amount quoted, in token_in, if it is only a part of the order: its next execution",
    )
    guards: tuple[GuardView, ...] = Field(
        (),
        exclude_if=lambda guards: not guards,
        description="for an order on liquidity: its further conditions, and the current state of each",
    )
    chosen: Quoted
    quotes: tuple[Quoted, ...]
    refusals: tuple[Refused, ...] = Field(
        description="venues and pools without a quote for the pair itself, and why; a venue with ROUTE_NOT_FOUND has "
        "no pool that trades the pair directly, but may be part of a route through a third token"
    )
    min_amount_out: str
    max_amount_in: str | None = Field(
        None, exclude_if=lambda amount: amount is None, description="for an exact output: the maximum cost"
    )
    route: tuple[RoutedLeg, ...] = ()
    gain_bps: str | None = Field(
        None,
        description="how much more the route pays than the best single pool, in basis points; for an exact output, "
        "how much less it costs",
    )
    compute_units: int | None = Field(None, description="the compute unit limit of the transaction")
    compute_unit_price: int | None = Field(None, description="priority fee in micro-lamports per compute unit")
    network_fee: str | None = Field(None, description="network fee including the priority fee, in SOL")
    rent: str | None = Field(
        None, description="rent of the token accounts that the trade would create and keep, in SOL; absent if unknown"
    )


class PreviewResult(Message):
    """What the order would do now: its route, and the chain's simulation of the transaction."""

    quote: QuoteResult
    succeeds: bool
    error: Problem | None
    units_consumed: int | None
    network_fee: str
    logs: tuple[str, ...]


class Awaited(Message):
    """A price that an order waits for, compared with the market's price for the amount."""

    kind: OrderKind
    reads: str = Field(description="the price with its unit, and the resulting amount")
    price: str | None = Field(
        description="the price at which the condition is met; null for a trail whose best price is unknown"
    )
    away: str | None = Field(description="how far the market has to move until then, in percent; 0 if it is met")
    is_met: bool


class SimulatedFill(PreviewResult):
    """What the order would do now, and the prices that it waits for.

    If the order would rest, because the market does not offer its limit price, nothing is simulated. Otherwise the
    simulation shows its execution after it has triggered.
    """

    would: Literal["execute", "rest"] | None = Field(None, exclude_if=lambda would: would is None)
    at: datetime | None = Field(
        None,
        exclude_if=lambda at: at is None,
        description="for an order with several executions: when the next one is due",
    )
    waits_for: tuple[Awaited, ...] = Field(
        (), exclude_if=lambda awaited: not awaited, description="the first one that is met triggers the order"
    )
