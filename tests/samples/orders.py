"""Events of sample orders as the daemon would send them, with fixed ids and times."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from orderctl.display.resting import rests
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import (
    Accepted,
    AnyFact,
    Cancelled,
    Confirmed,
    Deferred,
    Failed,
    OrderEvent,
    Released,
    Retrying,
    RolledBack,
    Routed,
    Started,
    Submitted,
    Triggered,
    Unknown,
)
from orderd.domain.order import IDLE, TRANSITIONS, CatchUp, EventKind, Floor, OrderKind, OrderStatus, TimeInForce
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quoted import Quoted, Refused, RoutedLeg
from orderd.domain.well_known import SOL, USDC
from orderd.wire.order_detail import AttemptView, OrderDetail
from orderd.wire.orders import OrderView
from orderd.wire.problem import Problem
from orderd.wire.quotes import QuoteResult
from orderd.wire.tokens import TokenView

ORDER_ID = UUID("0199d3a0-1234-7abc-8def-0123456789ab")
CLIENT_ORDER_ID = "0199d39f-ffff-7000-8000-000000000001"
START = datetime(2025, 11, 21, 9, 30, tzinfo=UTC)
SIGNATURE = "5Xk3" + "a" * 80 + "9fQa"

RAYDIUM = Quoted(
    venue=VenueName.RAYDIUM,
    pool="7XawhbbxtsRcQA8KTkHT9f9nc6d69UwqCDh6U5EEbEmX",
    pool_kind=PoolKind.RAYDIUM_CPMM,
    amount_out="152.310211",
    price="101.540141",
    fee="0.00375",
    fee_token="SOL",
    price_impact_bps="2.1",
    slot=812,
)
METEORA = RAYDIUM.model_copy(
    update={
        "venue": VenueName.METEORA,
        "pool": "5rCf1DM8LjKTw4YqhnoLcngyZYeNnQqztScTogYHAS6",
        "pool_kind": PoolKind.METEORA_DLMM,
        "amount_out": "152.104",
        "price": "101.402667",
        "price_impact_bps": "5",
    }
)

SPLIT = (
    RoutedLeg(
        hop=1,
        venue=VenueName.RAYDIUM,
        pool=RAYDIUM.pool,
        pool_kind=RAYDIUM.pool_kind,
        token_in="SOL",
        token_out="USDC",
        share="62.5",
        amount_in="0.9375",
        amount_out="95.2",
    ),
    RoutedLeg(
        hop=1,
        venue=VenueName.METEORA,
        pool=METEORA.pool,
        pool_kind=METEORA.pool_kind,
        token_in="SOL",
        token_out="USDC",
        share="37.5",
        amount_in="0.5625",
        amount_out="57.3",
    ),
)
ROUTED = Routed(chosen=RAYDIUM, quotes=(METEORA, RAYDIUM), min_amount_out="151.54866")
FILL = Confirmed(
    attempt=1,
    signature=SIGNATURE,
    venue=VenueName.RAYDIUM,
    slot=815,
    amount_in="1.5",
    amount_out="152.310211",
    executed_price="101.540141",
    network_fee="0.000005",
)
EXPIRED = "block height 1,013 passed without the transaction"

ACCEPTED = Accepted(
    client_order_id=CLIENT_ORDER_ID,
    token_in="SOL",
    token_out="USDC",
    amount_in="1.5",
    slippage="0.5",
    floor=Floor.FIRST,
)
FILLED: tuple[AnyFact, ...] = (
    ACCEPTED,
    Started(attempt=1),
    ROUTED,
    Submitted(attempt=1, signature=SIGNATURE, last_valid_block_height=960),
    FILL,
)
RETRIED: tuple[AnyFact, ...] = (
    ACCEPTED,
    Deferred(until=START + timedelta(seconds=2), reason="the rate limit of 100 starts in 60 s is reached"),
    Started(attempt=1),
    ROUTED,
    Submitted(attempt=1, signature=SIGNATURE, last_valid_block_height=960),
    Retrying(attempt=1, code=ErrorCode.TX_EXPIRED, detail=EXPIRED, until=START + timedelta(seconds=9)),
    Started(attempt=2),
    Routed(
        chosen=RAYDIUM,
        quotes=(RAYDIUM,),
        refusals=(Refused(venue=VenueName.METEORA, code=ErrorCode.RPC_UNAVAILABLE, detail="no answer in 1.5 s"),),
        min_amount_out="151.54866",
    ),
    Submitted(attempt=2, signature=SIGNATURE, last_valid_block_height=1110),
    FILL.model_copy(update={"attempt": 2}),
)
REFUSED_FOR_FUNDS: tuple[AnyFact, ...] = (
    ACCEPTED,
    Started(attempt=1),
    Failed(attempt=1, code=ErrorCode.FUNDS_INSUFFICIENT, detail="the wallet holds 0.2 SOL, the order needs 1.500015"),
)
OUTCOME_UNKNOWN: tuple[AnyFact, ...] = (*FILLED[:4], Unknown(attempt=1, signature=SIGNATURE))
"""The outcome of its attempt is unknown."""
ROLLED_BACK: tuple[AnyFact, ...] = (*FILLED, RolledBack(attempt=1, signature=SIGNATURE, slot=815))
WITHDRAWN: tuple[AnyFact, ...] = (ACCEPTED, Cancelled())
LIMIT = ACCEPTED.model_copy(
    update={"type": OrderKind.LIMIT, "limit_price": "105", "time_in_force": TimeInForce.GTC, "valid_for": "1h"}
)
STOP = ACCEPTED.model_copy(
    update={"type": OrderKind.STOP, "stop_price": "95", "confirm": 2, "max_slippage": "5", "floor": Floor.EACH}
)
STOP_LIMIT = ACCEPTED.model_copy(
    update={"type": OrderKind.STOP_LIMIT, "stop_price": "95", "limit_price": "94.5", "confirm": 2}
)
TAKE_PROFIT = ACCEPTED.model_copy(update={"type": OrderKind.TAKE_PROFIT, "take_profit_price": "120"})
TRAILING = ACCEPTED.model_copy(
    update={"type": OrderKind.TRAILING, "trail": "3%", "confirm": 2, "max_slippage": "5", "floor": Floor.EACH}
)
OCO = ACCEPTED.model_copy(
    update={"type": OrderKind.OCO, "stop_price": "95", "take_profit_price": "120", "floor": Floor.EACH}
)
TWAP = ACCEPTED.model_copy(
    update={"type": OrderKind.TWAP, "slices": 5, "over": "5m", "every": "1m", "catch_up": CatchUp.ONE}
)
MET = Triggered(
    price="105.2 USDC per SOL",
    amount_out="157.8",
    condition="105 USDC per SOL = at least 157.5 USDC",
    slot=811,
    met_at_slot=811,
)
FIRED: tuple[AnyFact, ...] = (LIMIT, MET, *FILLED[1:])
"""A resting order that the market met, and that was filled."""


HELD = TAKE_PROFIT.model_copy(update={"amount_in": None})
"""An exit that waits for the end of its entry order."""
RELEASED: tuple[AnyFact, ...] = (HELD, Released(entry=UUID(int=8), amount_in="1.5"))


def status_after(kind: EventKind) -> OrderStatus:
    """The status after an event of this kind; where several are possible, that of an order that does not rest."""
    found = {after for _, event, after in TRANSITIONS if event is kind}
    (status,) = found - IDLE or found
    return status


def _accepted_as(fact: Accepted) -> OrderStatus:
    if fact.amount_in is None and fact.exact_out is None:
        return OrderStatus.HELD
    return OrderStatus.OPEN if rests(fact) else OrderStatus.PENDING


def history(facts: tuple[AnyFact, ...], order_id: UUID = ORDER_ID) -> tuple[OrderEvent, ...]:
    """The facts as events, a quarter of a second apart."""
    return tuple(
        OrderEvent(
            order_id=order_id,
            seq=seq,
            at=START + timedelta(seconds=0.25 * (seq - 1)),
            status=_accepted_as(fact) if isinstance(fact, Accepted) else status_after(EventKind(fact.kind)),
            data=fact,
        )
        for seq, fact in enumerate(facts, start=1)
    )


def order_after(events: tuple[OrderEvent, ...], **changes: Any) -> OrderView:
    """The order after ``events``."""
    first, last = events[0].data, events[-1]
    accepted = first if isinstance(first, Accepted) else ACCEPTED
    order = OrderView(
        id=last.order_id,
        **accepted.model_dump(exclude={"kind"}),
        kind=accepted.type,
        status=last.status,
        seq=last.seq,
        attempt=sum(isinstance(event.data, Started) for event in events),
        due_at=None,
        amount_out=None,
        network_fee=None,
        created_at=events[0].at,
        updated_at=last.at,
    )
    match last.data:
        case Confirmed() as fill:
            changes = {
                "venue": fill.venue,
                "pool": RAYDIUM.pool,
                "quoted_amount_out": RAYDIUM.amount_out,
                "min_amount_out": ROUTED.min_amount_out,
                "signature": fill.signature,
                "attempt": fill.attempt,
                "amount_out": fill.amount_out,
                "executed_price": fill.executed_price,
                "network_fee": fill.network_fee,
            } | changes
        case Unknown() as unknown:
            changes = {"signature": unknown.signature, "unknown_since": last.at} | changes
        case Failed() as failure:
            changes = {"error": Problem.of(OrderdError(failure.code, failure.detail), last.order_id)} | changes
    return order.model_copy(update=changes)


def detail_of(facts: tuple[AnyFact, ...], order_id: UUID = ORDER_ID) -> OrderDetail:
    events = history(facts, order_id)
    order = order_after(events)
    attempts = [
        AttemptView(
            number=event.data.attempt,
            signature=event.data.signature,
            venue=VenueName.RAYDIUM,
            pool=RAYDIUM.pool,
            min_amount_out=ROUTED.min_amount_out,
            last_valid_block_height=event.data.last_valid_block_height,
            sends=2,
            outcome="landed",
            slot=815,
            signed_at=event.at,
        )
        for event in events
        if isinstance(event.data, Submitted)
    ]
    if order.status is not OrderStatus.CONFIRMED:
        attempts = []
    return OrderDetail(order=order, events=events, attempts=tuple(attempts), failures=())


QUOTE = QuoteResult(
    tokens=tuple(TokenView(symbol=each.symbol, mint=each.mint, decimals=each.decimals) for each in (SOL, USDC)),
    token_in="SOL",
    token_out="USDC",
    amount_in="1.5",
    slippage="0.5",
    floor=Floor.FIRST,
    chosen=RAYDIUM,
    quotes=(METEORA, RAYDIUM),
    refusals=(),
    min_amount_out="151.54866",
    route=(SPLIT[0].model_copy(update={"share": "100", "amount_in": "1.5", "amount_out": "152.310211"}),),
    gain_bps="0.00",
    network_fee="0.0000063",
)

SPLIT_QUOTE = QUOTE.model_copy(
    update={
        "chosen": RAYDIUM.model_copy(update={"amount_out": "152.5", "price": "101.666667", "price_impact_bps": "1.4"}),
        "route": SPLIT,
        "gain_bps": "12.46",
        "compute_units": 190_000,
        "compute_unit_price": 10_000,
        "network_fee": "0.0000069",
    }
)
