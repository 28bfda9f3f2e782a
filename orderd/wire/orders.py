"""Orders as they stand: what lists and cancels them."""

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
"""What the daemon gives out, for the schemas only: it refuses others by itself, and in better words."""


class _Identity(Message):  # a base, so that its members come before the terms
    id: UUID
    client_order_id: str
    account: str | None = Field(None, description="whose it is: an account's name; absent from older daemons")
    kind: OrderKind = OrderKind.MARKET


class OrderView(FormattedTerms, _Identity):
    """An order as it stands after event ``seq``."""

    parent_id: UUID | None = Field(
        None, exclude_if=lambda parent: parent is None, description="the order that this one executes, or a part of it"
    )
    entry_id: UUID | None = Field(
        None,
        exclude_if=lambda entry: entry is None,
        description="the order that buys what this one sells: until it is filled, this one is held and has no amount",
    )
    filled_amount_in: str | None = Field(
        None,
        exclude_if=lambda amount: amount is None,
        description="of an order that is executed by others: what these have sold so far, for good",
    )
    paused: bool = Field(
        False, exclude_if=lambda paused: not paused, description="whether it begins no further executions"
    )
    next_at: datetime | None = Field(
        None,
        exclude_if=lambda at: at is None,
        description="of an order in several executions: when the next one is due",
    )
    price_reads: str | None = Field(
        None,
        exclude_if=lambda reads: reads is None,
        description="the prices with their unit, and what they come to for the whole amount",
    )
    triggered_at: datetime | None = Field(
        None, exclude_if=lambda at: at is None, description="when the market met what the order waited for"
    )
    best_amount_out: str | None = Field(
        None, exclude_if=lambda amount: amount is None, description="of a trailing stop: the most that the market paid"
    )
    cancel_requested: bool = Field(
        False,
        exclude_if=lambda requested: not requested,
        description="whether it is signed and shall not be tried again: it ends as its transaction does",
    )
    status: OrderStatus
    seq: int
    attempt: int = Field(description="the attempt that is under way, or the last one; 0 before the first")
    due_at: datetime | None = Field(None, description="when a waiting order is worked on")
    valid_until: datetime | None = Field(
        None, description="when an order that waits ends as expired; the time in line for a start is added"
    )
    venue: VenueName | None = Field(None, description="of the largest leg, where there are several")
    pool: str | None = None
    route: tuple[RoutedLeg, ...] = Field((), description="all legs, where there are several")
    quoted_amount_out: str | None = None
    min_amount_out: str | None = None
    quoted_amount_in: str | None = Field(
        None, exclude_if=lambda amount: amount is None, description="of an exact output: what the route would take"
    )
    max_amount_in: str | None = Field(
        None, exclude_if=lambda amount: amount is None, description="of an exact output: the most that it may cost"
    )
    signature: str | None = None
    amount_out: str | None = Field(None, description="what was received, once confirmed")
    executed_price: str | None = None
    network_fee: str | None = Field(None, description="in SOL")
    error: Problem | None = None
    unknown_since: datetime | None = Field(
        None, description="from when on nobody could tell what became of its signed transaction"
    )
    created_at: datetime
    updated_at: datetime


class GetParams(Message):
    order: OrderRef


class ListParams(Message):
    status: tuple[OrderStatus, ...] = Field((), description="any where empty")
    kind: tuple[OrderKind, ...] = Field((), description="how they are executed; any where empty")
    token: Name | None = Field(None, description="on either side; symbol or mint address")
    account: Name | None = Field(None, description=ACCOUNT)
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = Field(
        None, max_length=200, description="the next_cursor of the page before", json_schema_extra=_CURSOR
    )


class ListResult(Message):
    """Newest first. ``next_cursor`` is absent on the last page."""

    orders: tuple[OrderView, ...]
    next_cursor: str | None


class CancelResult(Message):
    order: OrderView
