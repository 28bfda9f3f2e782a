"""The HTTP answer to an order: orderd's members, and those that clients of other engines expect."""

from typing import Self
from uuid import UUID

from pydantic import Field

from orderd.domain.events import Accepted
from orderd.domain.order import UNFILLED, OrderStatus
from orderd.domain.pool_kind import VenueName
from orderd.gateway.dialects.frames import failure
from orderd.wire.order_detail import OrderDetail


class OrderAnswer(OrderDetail):
    """The order with all that happened to it; the rest repeats of it what clients of other order engines need."""

    order_id: UUID = Field(alias="orderId")
    status: OrderStatus
    selected_dex: VenueName | None = Field(None, alias="selectedDex")
    tx_signature: str | None = Field(None, alias="txSignature")
    error_message: str | None = Field(None, alias="errorMessage")
    wallet_address: str | None = Field(
        None, alias="walletAddress", description="as submitted by the client; a label without effect"
    )

    @classmethod
    def of(cls, detail: OrderDetail) -> Self:
        order = detail.order
        return cls(
            **dict(detail),
            orderId=order.id,
            status=order.status,
            selectedDex=order.venue,
            txSignature=order.signature,
            errorMessage=failure(order) if order.status in UNFILLED else None,
            walletAddress=next((each.data.label for each in detail.events if isinstance(each.data, Accepted)), None),
        )
