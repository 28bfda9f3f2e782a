"""Events are read back as they were written, each kind with its own fields."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import ValidationError

from orderd.domain.errors import ErrorCode
from orderd.domain.events import (
    Accepted,
    Amended,
    AnyFact,
    Cancelled,
    CancelRequested,
    Deferred,
    Executing,
    Expired,
    Failed,
    FilledPart,
    OrderEvent,
    Reclaimed,
    Recovered,
    Released,
    Retrying,
    RolledBack,
    Routed,
    Started,
    Submitted,
    Triggered,
    Unknown,
)
from orderd.domain.order import EventKind, OrderStatus
from orderd.domain.pool_kind import VenueName
from orderd.domain.quoted import Refused
from tests.samples.orders import FILL as CONFIRMED
from tests.samples.orders import METEORA as QUOTED

NOW = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
FACTS: list[AnyFact] = [
    Accepted(client_order_id="c", token_in="SOL", token_out="USDC", amount_in="1.5", slippage="0.5"),
    Released(entry=UUID(int=8), amount_in="1.5"),
    Executing(child=UUID(int=9), number=1, amount_in="0.5"),
    FilledPart(amount_in="0.5", amount_out="52.5", executed_price="105", remaining="1"),
    Triggered(price="104.5 USDC per SOL", amount_out="156.75", condition="at most 157.5 USDC", slot=9, met_at_slot=8),
    Deferred(until=NOW, reason="The node is away", code=ErrorCode.RPC_UNAVAILABLE, detail="connection refused"),
    Started(attempt=1),
    Routed(
        chosen=QUOTED,
        quotes=(QUOTED,),
        refusals=(Refused(venue=VenueName.RAYDIUM, code=ErrorCode.SERVICE_TIMEOUT, detail="late"),),
        min_amount_out="151.7",
    ),
    Submitted(attempt=1, signature="sig", last_valid_block_height=150),
    Retrying(attempt=1, code=ErrorCode.TX_EXPIRED, detail="never landed", until=NOW),
    Reclaimed(),
    CONFIRMED.model_copy(update={"attempt": 2}),
    Failed(attempt=3, code=ErrorCode.TX_EXPIRED, detail="never landed"),
    Cancelled(),
    Expired(detail="it was valid until 09:40"),
    Amended(token_in="SOL", token_out="USDC", amount_in="2", slippage="0.5", limit_price="105"),
    CancelRequested(),
    Recovered(attempt=1, signature="sig"),
    Unknown(attempt=1, signature="sig"),
    RolledBack(attempt=1, signature="sig", slot=9),
]


def test_there_is_a_fact_for_every_kind() -> None:
    assert [fact.kind for fact in FACTS] == list(EventKind)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.kind)
def test_an_event_survives_writing_and_reading(fact: AnyFact) -> None:
    event = OrderEvent(order_id=UUID(int=7), seq=3, at=NOW, status=OrderStatus.PENDING, data=fact)
    assert OrderEvent.model_validate_json(event.model_dump_json()) == event


def test_a_fact_of_one_kind_is_not_read_as_another() -> None:
    with pytest.raises(ValidationError):
        OrderEvent.model_validate(
            {"order_id": UUID(int=7), "seq": 1, "at": NOW, "status": "failed", "data": {"kind": "failed"}}
        )
