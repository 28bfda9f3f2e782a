"""Quotes and routes in events and messages: amounts are decimal strings in whole tokens."""

from pydantic import BaseModel, ConfigDict, Field

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import PoolKind, VenueName


class Fact(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class Quoted(Fact):
    """The quote of one pool, or a whole route: ``amount_out`` after all pool fees, ``price`` in token_out per token_in.

    ``amount_in`` is its input, present if the output is exact; otherwise all have the same input. Of a
    route with several legs, ``pool`` is the one with the largest, and the fees of all count as ``fee_token``.
    """

    venue: VenueName
    pool: str
    pool_kind: PoolKind
    amount_out: str
    price: str
    fee: str
    fee_token: str
    price_impact_bps: str
    slot: int
    amount_in: str | None = Field(None, exclude_if=lambda amount: amount is None)


class RoutedLeg(Fact):
    """One swap of a route. ``share`` is its part of its hop's input in percent; hops are numbered from 1."""

    hop: int
    venue: VenueName
    pool: str
    pool_kind: PoolKind
    token_in: str
    token_out: str
    share: str
    amount_in: str
    amount_out: str


class Refused(Fact):
    """A venue that made no offer, and why."""

    venue: VenueName
    code: ErrorCode
    detail: str
