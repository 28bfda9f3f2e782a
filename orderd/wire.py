"""Every message that crosses the websocket: JSON-RPC 2.0, one request and one result model a method.

Amounts and prices are decimal strings in whole tokens, slippage is a decimal string in percent, times are ISO-8601 UTC.
A method's failure is a JSON-RPC error whose ``data`` is a Problem (RFC 9457).
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import OrderEvent, Quoted, Refused, RoutedLeg
from orderd.domain.halt import Halt, HaltCause
from orderd.domain.mint import Trait
from orderd.domain.order import OrderKind, OrderStatus
from orderd.domain.quote import PoolKind, VenueName
from orderd.domain.terms import GivenTerms, ToldTerms

WIRE_VERSION: Final = 2
MAX_MESSAGE_BYTES: Final = 65_536
MAX_FOLLOWED: Final = 100
"""Orders that one subscription may name."""
CHILDREN_TOLD: Final = 100
"""Of the orders that execute another one, the newest that are told with it."""

ClientOrderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
OrderRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
"""An order's id, a unique prefix of it, or its client order id."""
Name = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00]*$")]
"""What Postgres is asked for: it takes no NUL."""

ACCOUNT: Final = "of this one, by name or id; where absent the caller's own, and with the scope admin all"
_CURSOR: Final[JsonDict] = {"pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
"""What the daemon gives out, for the schemas only: it refuses others by itself, and in better words."""


class Message(BaseModel):
    """What reads and writes it is built when it is first used: a short command needs a few of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def build_messages() -> None:
    """Builds what reads and writes all messages that are loaded: a daemon does so before it answers the first one.

    FastAPI takes only messages that are built for parameters of a request.
    """
    waiting: list[type[Message]] = [Message]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        model.model_config["defer_build"] = False
        model.model_rebuild()


class Method(StrEnum):
    ORDER_SUBMIT = "order.submit"
    ORDER_PREVIEW = "order.preview"
    ORDER_GET = "order.get"
    ORDER_CANCEL = "order.cancel"
    ORDER_AMEND = "order.amend"
    ORDER_SIMULATE_FILL = "order.simulate_fill"
    ORDER_EVIDENCE = "order.evidence"
    ORDER_RESOLVE = "order.resolve"
    ORDERS_LIST = "orders.list"
    ORDERS_SUBSCRIBE = "orders.subscribe"
    ORDERS_UNSUBSCRIBE = "orders.unsubscribe"
    QUOTE = "quote"
    BALANCES = "balances"
    TOKENS = "tokens"
    TOKENS_SEARCH = "tokens.search"
    TOKENS_NAME = "tokens.name"
    TOKENS_UNNAME = "tokens.unname"
    POOLS = "pools"
    STATUS = "status"
    HISTORY = "history"
    PRICES = "prices"
    PRICES_SUBSCRIBE = "prices.subscribe"
    PRICES_UNSUBSCRIBE = "prices.unsubscribe"
    PNL = "pnl"
    PORTFOLIO = "portfolio"
    HALT = "trading.halt"
    LIFT = "trading.lift"


ORDER_EVENT: Final = "order.event"
"""The method of the notifications that a subscription brings; its params are a Notification."""
PRICE_CANDLE: Final = "price.candle"
"""The method of the notifications that a subscription to prices brings; its params are a CandleChange."""
HEARTBEAT: Final = "heartbeat"
"""The method of the notification by which a connection that has subscriptions shows that it lives: a Heartbeat."""


class Problem(Message):
    """RFC 9457, with the code that scripts match on and what to do next."""

    type: str
    title: str
    status: int
    detail: str
    code: ErrorCode
    retryable: bool
    next_step: str
    order_id: UUID | None = None
    retry_after: int | None = Field(
        None,
        exclude_if=lambda seconds: seconds is None,
        description="seconds until the same may succeed, where that is known",
    )

    @classmethod
    def of(cls, error: OrderdError, order_id: UUID | None = None) -> "Problem":
        spec = error.spec
        return cls(
            type=f"urn:orderd:error:{error.code}",
            title=spec.title,
            status=spec.http_status,
            detail=error.detail,
            code=error.code,
            retryable=spec.retryable,
            next_step=spec.next_step,
            order_id=order_id,
            retry_after=error.retry_after,
        )


class _Identity(Message):  # a base, so that its members are told before the terms
    id: UUID
    client_order_id: str
    account: str | None = Field(None, description="whose it is: an account's name; absent from older daemons")
    kind: OrderKind = OrderKind.MARKET


class OrderView(ToldTerms, _Identity):
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


AttemptOutcome = Literal["live", "landed", "failed", "expired", "abandoned"]
"""What became of a signed transaction; ``abandoned``: an operator took it for dead, and nothing proved it."""


class AttemptView(Message):
    """One signed transaction of an order."""

    number: int
    signature: str
    venue: VenueName
    pool: str
    min_amount_out: str
    max_amount_in: str | None = Field(
        None, exclude_if=lambda amount: amount is None, description="of an exact output: the most that it could cost"
    )
    last_valid_block_height: int
    sends: int
    outcome: AttemptOutcome
    slot: int | None = None
    is_final: bool = Field(True, description="false while the block in which it landed may be rolled back")
    signed_at: datetime
    settled_at: datetime | None = None


class FillView(Message):
    """What a transaction of the order, or of one that executes a part of it, traded, as the chain's balances say."""

    order_id: UUID = Field(description="whose transaction it was")
    attempt: int
    signature: str
    slot: int | None = None
    at: datetime = Field(description="when it became known")
    amount_in: str
    amount_out: str
    price: str = Field(description="of one token_in in token_out")
    mid: str | None = Field(
        None,
        description="of one token_in in token_out when the route was chosen, before fees and depth: between the pools "
        "that were best to sell to and to buy from; null where it could not be told",
    )
    pool_fee: str | None = Field(None, description="in token_in, of all pools, as the route told it")
    network_fee: str = Field(description="in SOL")
    rent: str | None = Field(None, description="in SOL, of token accounts that it made")
    rolled_back_at: datetime | None = Field(
        None, description="when its block turned out to be in no chain that won: it does not count"
    )


class FailureView(Message):
    """Why an attempt failed."""

    attempt: int
    code: ErrorCode
    detail: str
    signature: str | None = None
    logs: tuple[str, ...] = ()
    at: datetime


class QuoteParams(GivenTerms, Message):
    pass


class SubmitParams(GivenTerms, Message):
    client_order_id: ClientOrderId


class SubmitResult(Message):
    """``created`` is false when this client order id had already been submitted with the same body."""

    order: OrderView
    created: bool


class TokenWarning(Message):
    """What to beware of."""

    code: Trait
    detail: str


class TokenView(Message):
    """A token that this daemon trades; ``symbol`` is its mint where no symbol is known that means it."""

    symbol: str
    mint: str
    decimals: int
    name: str | None = Field(
        None, exclude_if=lambda name: name is None, description="what the mint calls itself: it proves nothing"
    )
    warnings: tuple[TokenWarning, ...] = Field(
        (), exclude_if=lambda warnings: not warnings, description="none of tokens that orderd knows by itself"
    )


class TokensResult(Message):
    """Those that the daemon knows by itself, and those that were named. Any other is traded by its mint's address."""

    tokens: tuple[TokenView, ...]


class TokensSearchParams(Message):
    text: str = Field(min_length=1, max_length=64, description="a part of a symbol or of a name, or a mint's address")


class TokenFound(Message):
    """What somebody calls a mint; ``verified`` says that who keeps the list has looked at it, or the operator has."""

    symbol: str
    mint: str
    name: str = ""
    verified: bool = False
    pinned: bool = Field(False, description="whether the operator has said that the symbol means this mint")


class TokensFound(Message):
    tokens: tuple[TokenFound, ...]


class TokensNameParams(Message):
    symbol: str = Field(max_length=64)
    mint: str = Field(max_length=64)
    pinned: bool = Field(False, strict=True, description="whether the symbol means this mint where others have it too")


class TokensNameResult(Message):
    token: TokenView


class TokensUnnameParams(Message):
    symbol: Name


class TokensUnnameResult(Message):
    removed: int = Field(description="mints that had the symbol from the operator")


class QuoteResult(ToldTerms, Message):
    tokens: tuple[TokenView, ...] = Field(
        (), description="what is sold and what is bought, with what to beware of; absent from older daemons"
    )
    part_in: str | None = Field(
        None,
        exclude_if=lambda amount: amount is None,
        description="what the quote is for, in token_in, where that is a part of the order: its next execution",
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


class GetParams(Message):
    order: OrderRef


class OrderDetail(Message):
    order: OrderView
    events: tuple[OrderEvent, ...]
    attempts: tuple[AttemptView, ...]
    failures: tuple[FailureView, ...]
    fills: tuple[FillView, ...] = Field((), description="oldest first; of each order there is one at most that counts")
    children: tuple[OrderView, ...] = Field(
        (),
        exclude_if=lambda children: not children,
        description=f"the orders that execute it and what follows it, oldest first; of many the newest {CHILDREN_TOLD}",
    )


class CancelResult(Message):
    order: OrderView


class Amendment(Message):
    """What of an order that rests shall be another; what is absent stays. The kind of the order stays too."""

    amount_in: str | None = Field(None, max_length=100, description="the new total, in whole tokens")
    limit_price: str | None = Field(None, max_length=40)
    stop_price: str | None = Field(None, max_length=40)
    take_profit_price: str | None = Field(None, max_length=40)
    trail: str | None = Field(None, max_length=40)
    max_slippage: str | None = Field(None, max_length=20, description="percent")
    min_out: str | None = Field(None, max_length=100, description="in whole tokens of token_out")
    valid_for: str | None = Field(None, max_length=10, description="how long from now, such as 5m")
    expires: str | None = Field(None, max_length=40, description="until when, in ISO 8601 with a zone")

    paused: bool | None = Field(None, description="whether an order in several executions begins no further ones")

    @property
    def changes(self) -> dict[str, str | bool]:
        """What is given, by the names of the terms."""
        return {name: value for name in Amendment.model_fields if (value := getattr(self, name)) is not None}


class AmendParams(Amendment):
    order: OrderRef


class AmendResult(Message):
    order: OrderView


class EvidenceResult(Message):
    """What is known of a submitted order's transaction, and what the chain says of it now."""

    order: OrderView
    attempt: AttemptView
    blockhash_slot: int | None = Field(description="it could land only after this slot; null where that was not kept")
    finalized_height: int | None = Field(
        description="above the attempt's last valid one it can land no more; null where the chain could not be asked"
    )
    status: str = Field(description="what the chain says of the signature; not found proves nothing")
    paid_by_wallet: tuple[str, ...] = Field(description="transactions of this order that succeeded, as far as found")
    trouble: str = Field(description="why the chain could not be asked, where that is so")


class Resolved(Message):
    """What became of an order whose outcome is unknown: give ``landed`` or ``dead``, and not both."""

    landed: str | None = Field(None, max_length=100, description="the signature of its transaction that succeeded")
    dead: bool = Field(False, description="it has not landed and never will; the order fails and is not tried again")


class ResolveParams(Resolved):
    order: OrderRef


class ResolveResult(Message):
    order: OrderView


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


class Followed(Message):
    """An order to follow. ``after`` resumes it: its events from ``after + 1`` on are sent again."""

    order: OrderRef
    after: int | None = Field(None, ge=0)


class SubscribeParams(Message):
    """What to follow: one order, several, or, where none is named, all active ones, of a pair or a kind if given.

    Of an order that is followed every event is told, in order and without gaps. ``after`` belongs to ``order``, and the
    tokens and the kind to a subscription that names no order.
    """

    order: OrderRef | None = None
    after: int | None = Field(None, ge=0, description="resumes: the events from after + 1 on are sent again")
    orders: tuple[Followed, ...] = Field((), max_length=MAX_FOLLOWED)
    account: Name | None = Field(None, description=ACCOUNT)
    token_in: str | None = Field(None, max_length=64, description="only orders that sell this token")
    token_out: str | None = Field(None, max_length=64, description="only orders that buy this token")
    kind: OrderKind | None = Field(None, description="only orders of this kind")


class SubscribeResult(Message):
    """While a subscription lasts, its connection carries a heartbeat about every ``heartbeat_seconds``."""

    subscription: int
    heartbeat_seconds: int | None = None


class UnsubscribeParams(Message):
    subscription: int


class UnsubscribeResult(Message):
    removed: bool


class Snapshot(Message):
    """Where an order stands. Events with a greater seq follow; with ``after`` also those from ``after + 1`` on."""

    type: Literal["SNAPSHOT"] = "SNAPSHOT"
    subscription: int
    order: OrderView


class ResyncRequired(Message):
    """The events after ``after`` cannot be sent again: what the client knows of the order is void.

    ``AHEAD``: the daemon has no event ``after``, as when its database is an older one. ``GONE``: events after it are
    stored no more. The order's SNAPSHOT comes next, and then the events that are newer than that.
    """

    type: Literal["RESYNC_REQUIRED"] = "RESYNC_REQUIRED"
    subscription: int
    order_id: UUID
    after: int = Field(description="the resume point that was asked for")
    seq: int = Field(description="the order's last event")
    reason: Literal["AHEAD", "GONE"]


class Event(Message):
    type: Literal["EVENT"] = "EVENT"
    subscription: int
    event: OrderEvent


class Ready(Message):
    """All snapshots of a subscription have been sent; from here on it is live.

    Events of orders that had been shown, or that are new, may have come before.
    """

    type: Literal["READY"] = "READY"
    subscription: int
    orders: int


Notification = Annotated[Snapshot | ResyncRequired | Event | Ready, Field(discriminator="type")]


class Position(Message):
    """How far a live subscription has been told. Who has counted fewer events has missed some: subscribe again."""

    subscription: int
    events: int = Field(description="EVENTs sent since the subscription began")
    order_id: UUID | None = Field(description="whose SNAPSHOT or EVENT was the last one sent")
    seq: int | None = Field(description="the seq of that one")


class Heartbeat(Message):
    """The daemon lives, and so does the connection. ``at`` is the daemon's time.

    Whatever was stored before ``as_of`` has been sent or is on its way; it stands still while the daemon cannot reach
    its database.
    """

    at: datetime
    as_of: datetime
    subscriptions: tuple[Position, ...]


class NoParams(Message):
    pass


class Balance(Message):
    """What the wallet holds of a token, in all its accounts; an order can sell what is ``tradable``."""

    token: str
    mint: str
    amount: str
    tradable: str | None = Field(None, description="lamports for SOL, else what is in the associated account")
    total: str | None = Field(None, description="what could be sold if no order had reserved any of it, as tradable")
    reserved: str | None = Field(
        None, description="of that, what orders may spend that rest or are worked on; of SOL with their fees and rent"
    )
    available: str | None = Field(
        None, description="what is left; absent where Postgres could not tell what is reserved"
    )
    wrapped: str | None = Field(None, description="of SOL: what is in accounts of wrapped SOL")
    elsewhere: str | None = Field(None, description="in other token accounts of the wallet")


class BalancesResult(Message):
    wallet: str
    balances: tuple[Balance, ...]


class PoolsParams(Message):
    """The pools that trade the named tokens; all of them where none is named."""

    token: tuple[Annotated[str, StringConstraints(max_length=64)], ...] = Field(
        (), max_length=2, description="one token, or the two of a pair"
    )


class PoolView(Message):
    """A pool as it stood at ``slot``. ``token_a`` is the token that was named first."""

    address: str
    venue: VenueName
    kind: PoolKind
    token_a: str
    token_b: str
    price: str = Field(description="of one token_a in token_b, before fees")
    fee: str = Field(description="in percent, for the next small swap of token_a into token_b")
    reserve_a: str = Field(description="what the pool's vault holds of token_a")
    reserve_b: str
    slot: int


class PoolsResult(Message):
    """``refusals`` are pools and venues that are left out of routes now, and why. ``slot`` is the newest of a pool."""

    pools: tuple[PoolView, ...]
    refusals: tuple[Refused, ...]
    slot: int | None


class ServiceHealth(Message):
    """``detail`` says what is wrong where ``ok`` is false."""

    ok: bool
    detail: str = ""
    latency_ms: float | None = Field(
        None, exclude_if=lambda latency: latency is None, description="of its last answer; absent where it gave none"
    )


class RateLimitUse(Message):
    limit: int
    window_seconds: int
    used: int
    waiting: int


class QueueMetrics(Message):
    """Orders of the whole cluster by what they do now; ``rate_limit`` is absent while Redis does not answer."""

    waiting: int = Field(description="due, and not taken up yet")
    active: int = Field(description="in the hands of a worker")
    delayed: int = Field(description="due later: at a slot of the rate limit, or the end of a backoff")
    confirmed: int
    failed: int
    unknown: int = Field(0, description="of the active ones: nobody can tell what became of what is signed")
    rate_limit: RateLimitUse | None


class HaltView(Message):
    """Nothing new is signed and no new order is taken while this stands."""

    cause: HaltCause
    actor: str = Field(description="the name of the API key; empty where none was needed")
    reason: str
    at: datetime

    @property
    def told(self) -> str:
        """In one line."""
        return Halt(self.cause, self.actor, self.reason, self.at).told


class HaltParams(Message):
    reason: str = Field(min_length=1, max_length=200, description="told to everybody whose order is refused or waits")


class HaltResult(Message):
    halts: tuple[HaltView, ...] = Field(description="all that stand now, the oldest first")


class LiftResult(Message):
    lifted: tuple[HaltView, ...] = Field(description="those that stood until now; empty where none did")
    halts: tuple[HaltView, ...] = Field((), description="those that still stand: after a restore one ends by itself")


class StatusResult(Message):
    version: str
    wire_version: int
    chain: Literal["simnet", "localnet", "devnet", "mainnet"]
    wallet: str
    started_at: datetime
    draining: bool
    services: dict[str, ServiceHealth]
    orders: dict[OrderStatus, int]
    unknown: int = Field(0, description="submitted orders of which nobody can tell what became")
    rate_limit: RateLimitUse
    queue_depth: int
    workers: int = Field(description="worker processes with a live heartbeat")
    slot: int | None
    block_height: int | None = Field(
        None, description="a signed transaction lands in no block above its last_valid_block_height; null if unknown"
    )
    executing: bool | None = Field(
        None, description="orders are executed now, and do not wait for a worker, Redis or the chain; null if unknown"
    )
    executing_reasons: tuple[str, ...] = Field((), description="what stands against that, or keeps it from being told")
    halts: tuple[HaltView, ...] = Field((), description="what keeps anything new from being signed, the oldest first")
    untold: tuple[str, ...] = Field(
        (), description="members that could not be found out now: their values are placeholders and mean nothing"
    )

    @property
    def is_well(self) -> bool:
        """Whether every service answers, and nothing keeps orders from being signed."""
        return not self.halts and all(service.ok for service in self.services.values())


class Request(BaseModel):
    """A JSON-RPC 2.0 call. Unknown members are refused by no rule of the protocol, so they are let through."""

    jsonrpc: Literal["2.0"]
    id: str | int
    method: str
    params: dict[str, Any] = Field(default_factory=dict)


class RpcFailure(BaseModel):
    """The ``error`` member of a JSON-RPC answer."""

    code: int
    message: str
    data: Problem


PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
ORDERD_ERROR: Final = -32000
"""All errors of the product itself: the Problem's code tells them apart."""
