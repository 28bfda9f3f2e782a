"""Orders in other engines' words: one reader for all their bodies, and the paths they are sent to."""

import re
from typing import Any, Final

import orjson
from fastapi import Request, Response
from pydantic import ValidationError
from solders.pubkey import Pubkey
from uuid_utils.compat import uuid7

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import OrderKind
from orderd.gateway.access.body import Handler, json_only
from orderd.gateway.access.caller import Callers
from orderd.gateway.dialects.exact import decimal_text, read_object
from orderd.gateway.rpc.order_entry import OrderEntry
from orderd.wire.submissions import SubmitParams

FIELDS: Final = {
    "tokenIn": "token_in",
    "inputToken": "token_in",
    "tokenOut": "token_out",
    "outputToken": "token_out",
    "amount": "amount_in",
    "amountIn": "amount_in",
    "slippage": "slippage",
    "minAmountOut": "min_out",
    "limitPrice": "limit_price",
    "targetPrice": "limit_price",
    "price": "limit_price",
    "orderType": "type",
    "type": "type",
    "walletAddress": "wallet",
}
"""The dialects' names for the terms of an order. Other members are refused, because ignoring one (such as a side) could
execute another trade than the client wants."""
PATHS: Final = ("/api/orders/execute", "/orders")
_TYPES: Final = (OrderKind.MARKET, OrderKind.LIMIT)
"""In lower case."""
_TAKEN: Final = (200, "Order submitted successfully")
_QUEUED: Final = (201, "Order queued successfully")
_SHARED_PATH_WORDS: Final = re.compile(rb'"(inputToken|outputToken)"\s*:')
"""Members that identify a dialect at the path that it shares with orderd."""


class ForeignOrders:
    """Takes orders in the dialects."""

    def __init__(self, entry: OrderEntry, callers: Callers, wallet: str, *, keeps_labels: bool) -> None:
        """``wallet`` is the address that this daemon trades from; others are kept as labels, or refused."""
        self._entry = entry
        self._callers = callers
        self._wallet = wallet
        self._keeps_labels = keeps_labels

    def posts(self) -> dict[str, Handler]:
        """The handlers at paths that only dialects use."""
        return dict.fromkeys(PATHS, self.execute)

    async def at_shared_path(self, request: Request) -> Response | None:
        """The answer to an order in a dialect's words at the path that orderd uses itself; None for any other order."""
        return await self._take(request, *_QUEUED) if _SHARED_PATH_WORDS.search(await request.body()) else None

    async def execute(self, request: Request) -> Response:
        return await self._take(request, *_TAKEN)

    async def _take(self, request: Request, status: int, message: str) -> Response:
        caller = await self._callers.trader(request)
        await json_only(request)
        body = read_object(await request.body())
        _check_type(body)
        found = _by_field(body)
        label = self._label(found.pop("wallet")) if "wallet" in found else None
        key = request.headers.get("idempotency-key")
        params = _params(found, str(uuid7()) if key is None else key)
        order = (await self._entry.submit(caller, params, label)).order
        return Response(orjson.dumps({"orderId": order.id, "message": message}), status, media_type="application/json")

    def _label(self, wallet: object) -> str:
        """The named wallet, which must be the daemon's. Raises OrderdError REQUEST_INVALID or WALLET_OTHER."""
        if wallet == self._wallet:
            return self._wallet
        named = str(wallet)[:64]
        if not self._keeps_labels:
            detail = f"walletAddress is {named!r}, and this daemon signs for {self._wallet} only"
            raise OrderdError(ErrorCode.WALLET_OTHER, detail)
        if not _is_address(wallet):
            raise _invalid(f"walletAddress: {named!r} is not an address: it must be 32 bytes in base58")
        return named


def _params(found: dict[str, Any], client_order_id: str) -> SubmitParams:
    if "amount_in" not in found:
        raise _invalid("amount: Field required")
    found["amount_in"] = decimal_text(found["amount_in"], "amount")
    for field in ("slippage", "min_out", "limit_price"):
        if found.get(field) is not None:
            found[field] = decimal_text(found[field], _name_of(field))
    if "type" in found:
        found["type"] = found["type"].lower()
    if found.get("type") == OrderKind.LIMIT and found.get("limit_price") is None:
        raise _invalid("limitPrice: a limit order needs one")
    try:
        return SubmitParams(**found, client_order_id=client_order_id)
    except ValidationError as error:
        complaints = "; ".join(f"{_name_of(each['loc'][0])}: {each['msg']}" for each in error.errors())
        raise OrderdError(ErrorCode.REQUEST_INVALID, complaints) from error


def _is_address(text: object) -> bool:
    try:
        Pubkey.from_string(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _by_field(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in body.items():
        field = FIELDS.get(name)
        if field is None:
            raise _invalid(f"{name[:50]!r} is not a member of an order; the members are {', '.join(FIELDS)}")
        if field in found:
            raise _invalid(f"{name}: repeats the value of another member")
        found[field] = value
    return found


def _check_type(body: dict[str, Any]) -> None:
    """Check the order type. Checked first, because other errors would mislead for an unsupported type."""
    for name in ("orderType", "type"):
        order_type = body.get(name, "market")
        if not (isinstance(order_type, str) and order_type.lower() in _TYPES):
            raise OrderdError(
                ErrorCode.ORDER_TYPE_UNSUPPORTED,
                f"{name} is {str(order_type)[:50]!r}, and this dialect takes only {' and '.join(_TYPES)} orders; "
                f"all others, {OrderKind.ON_LIQUIDITY} among them, are sent to /api/orders with orderd's own members",
            )


def _name_of(field: str | int) -> str:
    """The client's name for a field."""
    if field == "client_order_id":
        return "Idempotency-Key"
    return next(name for name, each in FIELDS.items() if each == field)


def _invalid(detail: str) -> OrderdError:
    return OrderdError(ErrorCode.REQUEST_INVALID, detail)
