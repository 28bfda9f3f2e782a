"""An order over HTTP, told in orderd's words and, beside them, where clients of other engines look for it."""

from typing import Self
from uuid import UUID

from pydantic import Field

from orderd.domain.order import UNFILLED, OrderStatus
from orderd.gateway.dialects.frames import dex, failure
from orderd.wire import OrderDetail


class OrderAnswer(OrderDetail):
    """The order with all that happened to it; the rest repeats of it what clients of other order engines need."""

    order_id: UUID = Field(alias="orderId")
    status: OrderStatus
    selected_dex: str | None = Field(None, alias="selectedDex")
    tx_signature: str | None = Field(None, alias="txSignature")
    error_message: str | None = Field(None, alias="errorMessage")

    @classmethod
    def of(cls, detail: OrderDetail) -> Self:
        order = detail.order
        return cls(
            **dict(detail),
            orderId=order.id,
            status=order.status,
            selectedDex=None if order.venue is None else dex(order.venue),
            txSignature=order.signature,
            errorMessage=failure(order) if order.status in UNFILLED else None,
        )
