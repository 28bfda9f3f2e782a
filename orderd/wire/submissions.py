"""What submits an order, and what amends one."""

from pydantic import Field

from orderd.domain.terms_given import DECIMAL, GivenTerms
from orderd.wire.message import ClientOrderId, Message, OrderRef
from orderd.wire.orders import OrderView


class SubmitParams(GivenTerms, Message):
    client_order_id: ClientOrderId


class SubmitResult(Message):
    """``created`` is false when this client order id had already been submitted with the same body."""

    order: OrderView
    created: bool


class Amendment(Message):
    """What of an order that rests shall be another; what is absent stays. The kind of the order stays too."""

    amount_in: str | None = Field(
        None, max_length=100, description="the new total, in whole tokens", json_schema_extra=DECIMAL
    )
    limit_price: str | None = Field(None, max_length=40)
    stop_price: str | None = Field(None, max_length=40)
    take_profit_price: str | None = Field(None, max_length=40)
    trail: str | None = Field(None, max_length=40)
    max_slippage: str | None = Field(None, max_length=20, description="percent")
    min_out: str | None = Field(
        None, max_length=100, description="in whole tokens of token_out", json_schema_extra=DECIMAL
    )
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
