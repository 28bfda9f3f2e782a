"""The frames of each dialect, word by word, for every event of an order."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from orderd.domain.errors import ErrorCode
from orderd.domain.events import (
    AnyFact,
    Cancelled,
    Deferred,
    Failed,
    OrderEvent,
    Reclaimed,
    Retrying,
    Routed,
    Started,
    Submitted,
)
from orderd.domain.order import TRANSITIONS, UNFILLED, EventKind
from orderd.domain.quoted import RoutedLeg
from orderd.gateway.dialects.exact import read_object
from orderd.gateway.dialects.frames import EXECUTE, QUOTES, ROUTING_COMPLETE, SNAPSHOTS, UNREPORTED, Dialect
from tests.samples.orders import ACCEPTED, FILL, ORDER_ID, ROUTED, SIGNATURE, SPLIT, status_after

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
STAMP = "2026-01-02T03:04:05.678Z"
ORDER = str(ORDER_ID)
TX = "101.000000000000000001"

STARTED = Started(attempt=1)
SUBMITTED = Submitted(attempt=1, signature=SIGNATURE, last_valid_block_height=960)
CONFIRMED = FILL.model_copy(update={"executed_price": TX})
RETRYING = Retrying(attempt=1, code=ErrorCode.TX_EXPIRED, detail="past block 9", until=AT)
FAILED = Failed(attempt=3, code=ErrorCode.TX_SLIPPAGE_EXCEEDED, detail="3 attempts")
HAPPY = (ACCEPTED, STARTED, ROUTED, SUBMITTED, CONFIRMED)
TROUBLED = (
    ACCEPTED,
    Deferred(until=AT, reason="rate limit"),
    STARTED,
    ROUTED,
    SUBMITTED,
    RETRYING,
    STARTED,
    Reclaimed(),
    STARTED,
    FAILED,
)

EXPIRED = "The transaction expired without landing: past block 9"
SLIPPED = "The price moved beyond the slippage before the transaction landed: 3 attempts"


def story(facts: Sequence[AnyFact]) -> list[OrderEvent]:
    return [
        OrderEvent(order_id=ORDER_ID, seq=seq, at=AT, status=status_after(fact.kind), data=fact)
        for seq, fact in enumerate(facts, start=1)
    ]


def frames(dialect: Dialect, facts: Sequence[AnyFact], route: Routed | None = None) -> list[dict[str, Any]]:
    """The sent frames; numbers keep their spelling."""
    return [read_object(frame) for event in story(facts) for frame in dialect.frames(event, route)]


def test_each_dialect_has_a_word_for_every_transition() -> None:
    assert EXECUTE.words.keys() | UNREPORTED == {*EventKind}
    assert not EXECUTE.words.keys() & UNREPORTED
    moves = {kind for before, kind, after in TRANSITIONS if before is not after}
    assert moves - {EventKind.DEFERRED, EventKind.RELEASED, EventKind.TRIGGERED} <= EXECUTE.words.keys()


def test_an_order_that_waits_for_a_service_is_shown_as_a_retry() -> None:
    code, detail = ErrorCode.RPC_UNAVAILABLE, "connection refused"
    waits = Deferred(until=AT, reason="the node is away", code=code, detail=detail)
    again = Retrying(attempt=1, until=AT, code=code, detail=detail)
    for dialect in (EXECUTE, SNAPSHOTS, ROUTING_COMPLETE, QUOTES):
        assert frames(dialect, (ACCEPTED, STARTED, waits)) == frames(dialect, (ACCEPTED, STARTED, again))


def test_an_order_without_a_fill_has_failed_in_every_dialect() -> None:
    ends = {kind for _, kind, after in TRANSITIONS if after in UNFILLED}
    for dialect in (EXECUTE, SNAPSHOTS, ROUTING_COMPLETE, QUOTES):
        assert {dialect.words[kind].lower() for kind in ends} == {"failed"}


def test_execute_frames() -> None:
    assert frames(EXECUTE, HAPPY) == [
        {"status": "pending", "orderId": ORDER},
        {"status": "routing", "timestamp": STAMP},
        {"status": "building", "dex": "Raydium", "price": Decimal("101.540141")},
        {"status": "submitted"},
        {"status": "confirmed", "txHash": SIGNATURE, "executedPrice": Decimal(TX)},
    ]


OTHER = ROUTED.model_copy(update={"min_amount_out": "199"})


@pytest.mark.parametrize("dialect", [EXECUTE, ROUTING_COMPLETE, QUOTES])
def test_a_second_route_of_an_attempt_is_shown_like_the_first(dialect: Dialect) -> None:
    once, twice = (frames(dialect, (ACCEPTED, STARTED, *routes), OTHER) for routes in ([OTHER], [OTHER, OTHER]))
    of_a_route = len(once) - len(frames(dialect, (ACCEPTED, STARTED)))
    assert twice == [*once, *once[-of_a_route:]]


def test_execute_frames_of_failures() -> None:
    assert frames(EXECUTE, TROUBLED) == [
        {"status": "pending", "orderId": ORDER},
        {"status": "routing", "timestamp": STAMP},
        {"status": "building", "dex": "Raydium", "price": Decimal("101.540141")},
        {"status": "submitted"},
        {"status": "pending", "orderId": ORDER, "message": EXPIRED},
        {"status": "routing", "timestamp": STAMP},
        {"status": "pending", "orderId": ORDER},
        {"status": "routing", "timestamp": STAMP},
        {"status": "failed", "error": SLIPPED},
    ]


def test_snapshots_frames() -> None:
    assert frames(SNAPSHOTS, HAPPY) == [
        {
            "type": "SNAPSHOT",
            "orderId": ORDER,
            "status": "PENDING",
            "timestamp": STAMP,
            "tokenIn": "SOL",
            "tokenOut": "USDC",
            "amount": Decimal("1.5"),
        },
        {"type": "EVENT", "orderId": ORDER, "status": "ROUTING", "timestamp": STAMP},
        {
            "type": "EVENT",
            "orderId": ORDER,
            "status": "BUILDING",
            "timestamp": STAMP,
            "dex": "Raydium",
            "price": Decimal("101.540141"),
        },
        {
            "type": "EVENT",
            "orderId": ORDER,
            "status": "CONFIRMED",
            "timestamp": STAMP,
            "txHash": SIGNATURE,
            "executedPrice": Decimal(TX),
        },
    ]


def test_an_unknown_input_amount_is_null() -> None:
    bought = ACCEPTED.model_copy(update={"amount_in": None, "exact_out": "152.31"})
    first, *others = frames(SNAPSHOTS, (bought, *HAPPY[1:]))
    assert (first["type"], first["amount"]) == ("SNAPSHOT", None)
    assert others == frames(SNAPSHOTS, HAPPY)[1:]


def test_snapshots_frames_of_failures() -> None:
    sent = frames(SNAPSHOTS, TROUBLED)
    assert [(frame["type"], frame["status"]) for frame in sent] == [
        ("SNAPSHOT", "PENDING"),
        ("EVENT", "ROUTING"),
        ("EVENT", "BUILDING"),
        ("EVENT", "PENDING"),
        ("EVENT", "ROUTING"),
        ("EVENT", "PENDING"),
        ("EVENT", "ROUTING"),
        ("EVENT", "FAILED"),
    ]
    assert sent[-1]["error"] == SLIPPED


def test_routing_complete_frames() -> None:
    assert frames(ROUTING_COMPLETE, HAPPY) == [
        {"orderId": ORDER, "status": "ROUTING", "timestamp": STAMP},
        {
            "orderId": ORDER,
            "status": "ROUTING_COMPLETE",
            "timestamp": STAMP,
            "dex": "Raydium",
            "price": Decimal("101.540141"),
        },
        {
            "orderId": ORDER,
            "status": "CONFIRMED",
            "timestamp": STAMP,
            "txHash": SIGNATURE,
            "executedPrice": Decimal(TX),
        },
    ]


def test_routing_complete_frames_of_failures() -> None:
    sent = frames(ROUTING_COMPLETE, TROUBLED)
    assert [frame["status"] for frame in sent] == ["ROUTING", "ROUTING_COMPLETE", "ROUTING", "ROUTING", "FAILED"]
    assert sent[-1]["error"] == SLIPPED


BY_WAY = (*SPLIT, SPLIT[0].model_copy(update={"hop": 2, "token_in": "USDC", "token_out": "CHILLGUY"}))
QUOTE = {
    "dex": "raydium",
    "amountOut": Decimal("152.310211"),
    "priceImpact": Decimal("0.021"),
    "fee": Decimal("0.00375"),
    "route": ["SOL", "USDC"],
}


def test_quotes_frames() -> None:
    route = ROUTED.model_copy(update={"route": SPLIT[:1]})
    quoted = {"quote": QUOTE, "selectedDex": "raydium"}
    assert frames(QUOTES, HAPPY[:2]) == [
        {"orderId": ORDER, "status": "pending", "timestamp": STAMP},
        {"orderId": ORDER, "status": "routing", "timestamp": STAMP},
    ]
    routing, building, submitted, confirmed = frames(QUOTES, HAPPY, route)[2:]
    assert routing == quoted | {"orderId": ORDER, "status": "routing", "timestamp": STAMP}
    assert building == quoted | {
        "orderId": ORDER,
        "status": "building",
        "timestamp": STAMP,
        "dex": "raydium",
        "price": Decimal("101.540141"),
    }
    assert submitted == quoted | {
        "orderId": ORDER,
        "status": "submitted",
        "timestamp": STAMP,
        "txSignature": SIGNATURE,
    }
    assert confirmed == quoted | {
        "orderId": ORDER,
        "status": "confirmed",
        "timestamp": STAMP,
        "txHash": SIGNATURE,
        "txSignature": SIGNATURE,
        "executedPrice": Decimal(TX),
    }


def test_quotes_frames_of_failures() -> None:
    sent = frames(QUOTES, TROUBLED, ROUTED)
    assert [frame["status"] for frame in sent] == [
        "pending",
        "pending",
        "routing",
        "routing",
        "building",
        "submitted",
        "pending",
        "routing",
        "pending",
        "routing",
        "failed",
    ]
    assert (sent[6]["message"], sent[-1]["error"], sent[-1]["errorMessage"]) == (EXPIRED, SLIPPED, SLIPPED)


@pytest.mark.parametrize(("legs", "path"), [(SPLIT, ["SOL", "USDC"]), (BY_WAY, ["SOL", "USDC", "CHILLGUY"]), ((), [])])
def test_a_quote_names_the_tokens_of_its_path(legs: tuple[RoutedLeg, ...], path: list[str]) -> None:
    """Events of long ago name no legs."""
    assert frames(QUOTES, HAPPY, ROUTED.model_copy(update={"route": legs}))[2]["quote"]["route"] == path


@pytest.mark.parametrize("dialect", [EXECUTE, SNAPSHOTS, ROUTING_COMPLETE, QUOTES])
def test_a_cancelled_order_has_failed_in_every_dialect(dialect: Dialect) -> None:
    last = frames(dialect, (ACCEPTED, Cancelled()))[-1]
    assert last["status"].lower() == "failed"
    assert last["error"] == "The order was cancelled on request"


@pytest.mark.parametrize("dialect", [EXECUTE, SNAPSHOTS, ROUTING_COMPLETE, QUOTES])
def test_every_dialect_has_a_word_for_every_end(dialect: Dialect) -> None:
    assert {EventKind.CONFIRMED, EventKind.FAILED, EventKind.CANCELLED} <= set(dialect.words)
