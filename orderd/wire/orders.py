"""Messages that list and cancel orders, and the view of an order that they return."""

from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import Field
from pydantic.config import JsonDict

from orderd.domain.order import OrderKind, OrderStatus
from orderd.domain.pool_kind import VenueName
from orderd.domain.quoted import RoutedLeg
from orderd.domain.terms_formatted import FormattedTerms
from orderd.wire.message import ACCOUNT, Message, Name, OrderRef
from orderd.wire.problem import Problem

_CURSOR: Final[JsonDict] = {"pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
"""The format of cursors, for the schemas only: the daemon checks them itself and returns a better error."""


class _Identity(Message):  # a base, so that its members come before the terms
    id: UUID
    client_order_id: str
    account: str | None = Field(
        None, description="the name of the account that owns the order; absent from older daemons"
    )
    kind: OrderKind = OrderKind.MARKET


class OrderView(FormattedTerms, _Identity):
    """The state of an order after event ``seq``."""

    parent_id: UUID | None = Field(
        None,
        exclude_if=lambda parent: parent is None,
        description="the order that this one executes, in full or in part",
    )
    entry_id: UUID | None = Field(
        None,
        exclude_if=lambda entry: entry is None,
        description="the entry order that buys what this order sells; until it is filled, this order is held and has "
        "no amount",
    )
    filled_amount_in: str | None = Field(
        None,
        exclude_if=lambda amount: amount is None,
        description="for an order that is executed by child orders: what these have sold so far, finally",
    )
    paused: bool = Field(
        False, exclude_if=lambda paused: not paused, description="true while no further executions begin"
    )
    next_at: datetime | None = Field(
        None,
        exclude_if=lambda at: at is None,
        description="for an order with several executions: when the next one is due",
    )
    price_reads: str | None = Field(
        None,
        exclude_if=lambda reads: reads is None,
        description="the prices with their unit, and the resulting amounts for the whole order",
    )
    triggered_at: datetime | None = Field(
        None, exclude_if=lambda at: at is None, description="when the market met the order's condition"
    )
    best_amount_out: str | None = Field(
        None,
        exclude_if=lambda amount: amount is None,
        description="for a trailing stop: the highest amount that the market offered",
    )
    cancel_requested: bool = Field(
        False,
        exclude_if=lambda requested: not requested,
        description="true if the order was signed when it was cancelled: it is not retried, and ends as its "
        "transaction does",
    )
    status: OrderStatus
    seq: int
    attempt: int = Field(description="the number of the current or last attempt; 0 before the first one")
    due_at: datetime | None = Field(None, description="when a waiting order is processed next")
    valid_until: datetime | None = Field(
        None, description="when a waiting order expires; its wait for the rate limit is added"
    )
    venue: VenueName | None = Field(None, description="the venue of the largest leg")
    pool: str | None = None
    route: tuple[RoutedLeg, ...] = Field((), description="all legs, if there are several")
    quoted_amount_out: str | None = None
    min_amount_out: str | None = None
    quoted_amount_in: str | None = Field(
        None, exclude_if=lambda amount: amount is None, description="for an exact output: the quoted cost"
    )
    max_amount_in: str | None = Field(
        None, exclude_if=lambda amount: amount is None, description="for an exact output: the maximum cost"
    )
    signature: str | None = None
    amount_out: str | None = Field(None, description="the amount received, once confirmed")
    executed_price: str | None = None
    network_fee: str | None = Field(None, description="in SOL")
    error: Problem | None = None
    unknown_since: datetime | None = Field(
        None, description="since when the outcome of its signed transaction has been unknown"
    )
    created_at: datetime
    updated_at: datetime


class GetParams(Message):
    order: OrderRef


class ListParams(Message):
    status: tuple[OrderStatus, ...] = Field((), description="only orders in these states; if empty, all states")
    kind: tuple[OrderKind, ...] = Field((), description="only orders of these kinds; if empty, all kinds")
    token: Name | None = Field(None, description="only orders that sell or buy this token; symbol or mint address")
    account: Name | None = Field(None, description=ACCOUNT)
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = Field(
        None, max_length=200, description="the next_cursor of the previous page", json_schema_extra=_CURSOR
    )


class ListResult(Message):
    """Newest first. The last page has no ``next_cursor``."""

    orders: tuple[OrderView, ...]
    next_cursor: str | None


class CancelResult(Message):
    order: OrderView
