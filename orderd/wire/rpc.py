"""JSON-RPC 2.0: the methods, the forms of a call and of an error, and the error numbers."""

from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from orderd.wire.message import Message
from orderd.wire.problem import Problem

WIRE_VERSION: Final = 2


MAX_MESSAGE_BYTES: Final = 65_536


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
"""The method of the notifications of an order subscription; the params are a Notification."""


PRICE_CANDLE: Final = "price.candle"
"""The method of the notifications of a price subscription; the params are a CandleChange."""


HEARTBEAT: Final = "heartbeat"
"""The method of the heartbeat that a connection with subscriptions sends; the params are a Heartbeat."""


class Request(Message):
    """A JSON-RPC 2.0 call. Unknown members are ignored, because the protocol does not forbid them."""

    model_config = ConfigDict(extra="ignore")

    jsonrpc: Literal["2.0"]
    id: str | int
    method: str
    params: dict[str, Any] = Field(default_factory=dict)


class RpcFailure(Message):
    """The ``error`` member of a JSON-RPC response."""

    code: int
    message: str
    data: Problem


PARSE_ERROR: Final = -32700


INVALID_REQUEST: Final = -32600


METHOD_NOT_FOUND: Final = -32601


INVALID_PARAMS: Final = -32602


INTERNAL_ERROR: Final = -32603


ORDERD_ERROR: Final = -32000
"""The number of all errors of orderd itself; the Problem's code distinguishes them."""
