"""Example answers for the documents: one order from its submission to its fill, and the market at that time."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from orderd.domain.events import Accepted, Confirmed, OrderEvent, Routed, Started, Submitted
from orderd.domain.halt import HaltCause
from orderd.domain.mint import Trait
from orderd.domain.order import Floor, OrderKind, OrderStatus, TimeInForce
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quoted import Quoted, RoutedLeg
from orderd.domain.tokens import Token
from orderd.domain.well_known import CHILLGUY, SOL, USDC, WELL_KNOWN
from orderd.wire.balances import Balance, BalancesResult
from orderd.wire.fills import FillView
from orderd.wire.halts import HaltResult, HaltView, LiftResult
from orderd.wire.order_detail import AttemptView, EvidenceResult, OrderDetail, ResolveResult
from orderd.wire.orders import CancelResult, ListResult, OrderView
from orderd.wire.pools import PoolsResult, PoolView
from orderd.wire.quotes import Awaited, PreviewResult, QuoteResult, SimulatedFill
from orderd.wire.rpc import WIRE_VERSION
from orderd.wire.status import EndpointView, QueueMetrics, RateLimitUse, ServiceHealth, StatusResult
from orderd.wire.submissions import AmendResult, SubmitResult
from orderd.wire.tokens import (
    TokenFound,
    TokensFound,
    TokensNameResult,
    TokensResult,
    TokensUnnameResult,
    TokenView,
    TokenWarning,
)

ORDER_BODIES: Final[dict[str, Any]] = {
    "a market order": {"value": {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5"}},
    "half of the balance": {"value": {"token_in": "USDC", "token_out": "SOL", "amount_in": "50%"}},
    "a limit order": {
        "value": {
            "token_in": "SOL",
            "token_out": "USDC",
            "amount_in": "1.5",
            "type": "limit",
            "limit_price": "150",
            "time_in_force": "gtc",
            "expires": "2036-12-01T09:30:00Z",
        }
    },
    "a stop": {
        "value": {
            "token_in": "SOL",
            "token_out": "USDC",
            "amount_in": "1.5",
            "stop_price": "80",
            "max_slippage": "5",
            "confirm": 2,
            "confirm_for": "2s",
        }
    },
    "a take-profit": {
        "value": {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5", "take_profit_price": "170"}
    },
    "a trailing stop": {"value": {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5", "trail": "3%"}},
    "an OCO": {
        "value": {
            "token_in": "SOL",
            "token_out": "USDC",
            "amount_in": "1.5",
            "take_profit_price": "170",
            "stop_price": "80",
        }
    },
    "a limit order in parts": {
        "value": {
            "token_in": "SOL",
            "token_out": "USDC",
            "amount_in": "1.5",
            "limit_price": "150",
            "partial": True,
            "min_fill": "20",
        }
    },
    "a TWAP": {
        "value": {
            "token_in": "SOL",
            "token_out": "USDC",
            "amount_in": "1.5",
            "slices": 10,
            "over": "5m",
            "jitter": "20",
            "catch_up": "one",
        }
    },
    "a DCA": {"value": {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5", "slices": 24, "every": "1h"}},
    "a purchase with a take-profit and a stop": {
        "value": {
            "token_in": "USDC",
            "token_out": "SOL",
            "amount_in": "150",
            "then_take_profit": "170",
            "then_stop": "80",
        }
    },
    "an order on liquidity": {
        "value": {
            "token_in": "USDC",
            "token_out": "73edX6xoGY4v5y2hzuKdrUbJXLntqgmo74au1Ki1pump",
            "amount_in": "100",
            "limit_price": "0.01",
            "min_liquidity": "5000",
            "max_pool_fee": "5",
            "max_round_trip_loss": "10",
            "max_holder": "20",
            "allow": "mint_authority",
        }
    },
    "a market order with all its terms": {
        "value": {
            "token_in": "So11111111111111111111111111111111111111112",
            "token_out": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
            "amount_in": "0.25",
            "slippage": "0.5",
            "min_out": "35.2",
            "max_cost": "1",
            "floor": "first",
            "use_wrapped": True,
            "valid_for": "10m",
            "client_order_id": "rebalance-2026-11-21",
        }
    },
    "an exact amount to buy": {
        "value": {"token_in": "USDC", "token_out": "SOL", "exact_out": "1.5", "slippage": "0.5", "max_in": "215"}
    },
}

HALT_BODIES: Final[dict[str, Any]] = {"an incident": {"value": {"reason": "prices look wrong"}}}
NAME_BODIES: Final[dict[str, Any]] = {
    "pin a symbol": {"value": {"symbol": "CHILL", "mint": CHILLGUY.mint, "pinned": True}}
}
RESOLUTION_BODIES: Final[dict[str, Any]] = {"declared dead": {"value": {"dead": True}}}

_BEGAN: Final = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
_ID: Final = UUID("019aa5d4-3f40-7c31-8b0e-5a1c7d2e9f00")
_SIGNATURE: Final = "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW"
_WALLET: Final = "9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin"
_POOLS: Final = (
    "58oQChx4yWmvKdwLLZzBi4ChoCc2fqCUWBkwMihLYQo2",
    "5rCf1DM8LjKTw4YqhnoLcngyZYeNnQqztScTogYHAS6",
)


def _at(milliseconds: int) -> datetime:
    return _BEGAN + timedelta(milliseconds=milliseconds)


_ACCEPTED: Final = OrderView(
    id=_ID,
    client_order_id="rebalance-2026-11-21",
    account="desk",
    token_in="SOL",
    token_out="USDC",
    amount_in="1.5",
    slippage="0.5",
    floor=Floor.FIRST,
    status=OrderStatus.PENDING,
    seq=1,
    attempt=0,
    created_at=_at(0),
    updated_at=_at(0),
)
_FILLED: Final = _ACCEPTED.model_copy(
    update={
        "status": OrderStatus.CONFIRMED,
        "seq": 5,
        "attempt": 1,
        "venue": VenueName.METEORA,
        "pool": _POOLS[1],
        "quoted_amount_out": "214.118",
        "min_amount_out": "213.04741",
        "signature": _SIGNATURE,
        "amount_out": "214.102",
        "executed_price": "142.734667",
        "network_fee": "0.0000062",
        "updated_at": _at(1_430),
    }
)
_QUOTES: Final = tuple(
    Quoted(
        venue=venue,
        pool=pool,
        pool_kind=kind,
        amount_out=amount_out,
        price=price,
        fee=fee,
        fee_token="SOL",
        price_impact_bps=impact,
        slot=381_204_117,
    )
    for venue, pool, kind, amount_out, price, fee, impact in (
        (VenueName.METEORA, _POOLS[1], PoolKind.METEORA_DLMM, "214.118", "142.745333", "0.0015", "0.4"),
        (VenueName.RAYDIUM, _POOLS[0], PoolKind.RAYDIUM_AMM_V4, "213.702", "142.468", "0.00375", "0.9"),
    )
)
_LEG: Final = RoutedLeg(
    hop=1,
    venue=VenueName.METEORA,
    pool=_POOLS[1],
    pool_kind=PoolKind.METEORA_DLMM,
    token_in="SOL",
    token_out="USDC",
    share="100",
    amount_in="1.5",
    amount_out="214.118",
)
_FACTS: Final = (
    (
        0,
        OrderStatus.PENDING,
        Accepted(
            client_order_id="rebalance-2026-11-21",
            account="desk",
            token_in="SOL",
            token_out="USDC",
            amount_in="1.5",
            slippage="0.5",
            floor=Floor.FIRST,
        ),
    ),
    (6, OrderStatus.ROUTING, Started(attempt=1)),
    (
        31,
        OrderStatus.BUILDING,
        Routed(chosen=_QUOTES[0], quotes=_QUOTES, min_amount_out="213.04741", route=(_LEG,), gain_bps="0"),
    ),
    (
        58,
        OrderStatus.SUBMITTED,
        Submitted(attempt=1, signature=_SIGNATURE, last_valid_block_height=359_127_488),
    ),
    (
        1_430,
        OrderStatus.CONFIRMED,
        Confirmed(
            attempt=1,
            signature=_SIGNATURE,
            venue=VenueName.METEORA,
            slot=381_204_120,
            amount_in="1.5",
            amount_out="214.102",
            executed_price="142.734667",
            network_fee="0.0000062",
        ),
    ),
)
_USE: Final = RateLimitUse(limit=100, window_seconds=60, used=12, waiting=0)

SUBMITTED: Final = SubmitResult(order=_ACCEPTED, created=True)
SUBMITTED_BEFORE: Final = SubmitResult(order=_FILLED, created=False)
AMENDMENT_BODIES: Final[dict[str, Any]] = {"a better price": {"value": {"limit_price": "151", "amount_in": "2"}}}
_RESTS: Final = _ACCEPTED.model_copy(
    update={
        "kind": OrderKind.LIMIT,
        "type": OrderKind.LIMIT,
        "limit_price": "150",
        "time_in_force": TimeInForce.GTC,
        "price_reads": "150 USDC per SOL = at least 225 USDC",
        "status": OrderStatus.OPEN,
    }
)
AMENDED: Final = AmendResult(
    order=_RESTS.model_copy(
        update={
            "amount_in": "2",
            "limit_price": "151",
            "price_reads": "151 USDC per SOL = at least 302 USDC",
            "seq": 2,
            "updated_at": _at(9_000),
        }
    )
)
CANCEL_REQUESTED: Final = CancelResult(
    order=_FILLED.model_copy(
        update={
            "status": OrderStatus.SUBMITTED,
            "cancel_requested": True,
            "amount_out": None,
            "executed_price": None,
            "network_fee": None,
        }
    )
)
CANCELLED: Final = CancelResult(
    order=_ACCEPTED.model_copy(update={"status": OrderStatus.CANCELLED, "seq": 2, "updated_at": _at(4)})
)
DETAIL: Final = OrderDetail(
    order=_FILLED,
    events=tuple(
        OrderEvent(order_id=_ID, seq=seq, at=_at(milliseconds), status=status, data=fact)
        for seq, (milliseconds, status, fact) in enumerate(_FACTS, start=1)
    ),
    attempts=(
        AttemptView(
            number=1,
            signature=_SIGNATURE,
            venue=VenueName.METEORA,
            pool=_POOLS[1],
            min_amount_out="213.04741",
            last_valid_block_height=359_127_488,
            sends=1,
            outcome="landed",
            slot=381_204_120,
            signed_at=_at(58),
            settled_at=_at(1_430),
        ),
    ),
    failures=(),
    fills=(
        FillView(
            order_id=_ID,
            attempt=1,
            signature=_SIGNATURE,
            slot=381_204_120,
            at=_at(1_430),
            amount_in="1.5",
            amount_out="214.102",
            price="142.734667",
            mid="142.826",
            pool_fee="0.00045",
            network_fee="0.0000062",
            rent="0",
        ),
    ),
)
_OPEN: Final = _ACCEPTED.model_copy(
    update={
        "status": OrderStatus.SUBMITTED,
        "seq": 5,
        "attempt": 1,
        "signature": _SIGNATURE,
        "unknown_since": _at(300_058),
        "updated_at": _at(300_058),
    }
)
EVIDENCE: Final = EvidenceResult(
    order=_OPEN,
    attempt=DETAIL.attempts[0].model_copy(update={"outcome": "live", "slot": None, "settled_at": None, "sends": 41}),
    blockhash_slot=381_203_998,
    finalized_height=359_128_012,
    status="not found",
    paid_by_wallet=(),
    trouble="",
)
RESOLVED: Final = ResolveResult(order=_FILLED)
LISTED: Final = ListResult(orders=(_FILLED,), next_cursor=None)
QUEUE: Final = QueueMetrics(waiting=0, active=2, delayed=1, confirmed=318, failed=4, rate_limit=_USE)


def _token(token: Token) -> TokenView:
    return TokenView(symbol=token.symbol, mint=token.mint, decimals=token.decimals)


QUOTE: Final = QuoteResult(
    tokens=(_token(SOL), _token(USDC)),
    token_in="SOL",
    token_out="USDC",
    amount_in="1.5",
    slippage="0.5",
    floor=Floor.FIRST,
    chosen=_QUOTES[0],
    quotes=_QUOTES,
    refusals=(),
    min_amount_out="213.04741",
    route=(_LEG,),
    gain_bps="0",
    compute_units=120_000,
    compute_unit_price=10_000,
    network_fee="0.0000062",
    rent="0",
)
PREVIEW: Final = PreviewResult(
    quote=QUOTE,
    succeeds=True,
    error=None,
    units_consumed=78_000,
    network_fee="0.0000062",
    logs=("Program log: Instruction: Swap2",),
)
SIMULATED_FILL: Final = SimulatedFill(
    **dict(PREVIEW),
    would="rest",
    waits_for=(
        Awaited(
            kind=OrderKind.STOP,
            reads="135 USDC per SOL = at most 202.5 USDC",
            price="135",
            away="5.424",
            is_met=False,
        ),
    ),
)
TOKENS: Final = TokensResult(tokens=tuple(map(_token, WELL_KNOWN["mainnet"])))
TOKENS_FOUND: Final = TokensFound(
    tokens=(TokenFound(symbol="JUPSOL", mint=_POOLS[0], name="Jupiter Staked SOL", verified=True),)
)
TOKEN_NAMED: Final = TokensNameResult(
    token=TokenView(
        symbol="NEW",
        mint=_POOLS[0],
        decimals=6,
        name="New Token",
        warnings=(TokenWarning(code=Trait.MINT_AUTHORITY, detail="somebody can make more of it at any time"),),
    )
)
TOKEN_UNNAMED: Final = TokensUnnameResult(removed=1)
POOLS: Final = PoolsResult(
    pools=(
        PoolView(
            address=_POOLS[0],
            venue=VenueName.RAYDIUM,
            kind=PoolKind.RAYDIUM_AMM_V4,
            token_a="SOL",
            token_b="USDC",
            price="142.826",
            fee="0.25",
            reserve_a="48211.603925171",
            reserve_b="6885870.518204",
            slot=381_204_117,
        ),
    ),
    refusals=(),
    slot=381_204_117,
)
BALANCES: Final = BalancesResult(
    wallet=_WALLET,
    balances=tuple(
        Balance(
            token=token.symbol,
            mint=token.mint,
            amount=amount,
            tradable=amount,
            total=amount,
            reserved=reserved,
            available=available,
            wrapped="0",
            elsewhere="0",
        )
        for token, (amount, reserved, available) in zip(
            (SOL, USDC), (("12.40911", "1.500405", "10.908705"), ("214.102", "0", "214.102")), strict=False
        )
    ),
)
_HALT: Final = HaltView(cause=HaltCause.OPERATOR, actor="operations", reason="prices look wrong", at=_BEGAN)
HALTED: Final = HaltResult(halts=(_HALT,))
LIFTED: Final = LiftResult(lifted=(_HALT,))
STATUS: Final = StatusResult(
    version="0.1.0",
    wire_version=WIRE_VERSION,
    chain="mainnet",
    wallet=_WALLET,
    started_at=_at(-86_400_000),
    draining=False,
    services={"postgres": ServiceHealth(ok=True), "redis": ServiceHealth(ok=True), "rpc": ServiceHealth(ok=True)},
    orders={OrderStatus.CONFIRMED: 318, OrderStatus.FAILED: 4, OrderStatus.SUBMITTED: 2, OrderStatus.PENDING: 1},
    rate_limit=_USE,
    queue_depth=0,
    workers=1,
    slot=381_204_117,
    block_height=359_118_402,
    executing=True,
    endpoints=(
        EndpointView(
            host="rpc.example.com",
            window_seconds=60,
            processes=2,
            requests=1_204,
            latency_ms=11.2,
            latency_p99_ms=48.9,
            unanswered=0,
            refused=0,
            rate_limited=3,
            errors=1,
            slot=381_204_117,
            slot_lag=1,
        ),
    ),
)
