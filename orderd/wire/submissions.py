"""Messages that submit and amend orders."""

from pydantic import Field

from orderd.domain.terms_given import DECIMAL, GivenTerms
from orderd.wire.message import ClientOrderId, Message, OrderRef
from orderd.wire.orders import OrderView


class SubmitParams(GivenTerms, Message):
    client_order_id: ClientOrderId


class SubmitResult(Message):
    """``created`` is false if this client order id was submitted before with the same terms."""

    order: OrderView
    created: bool


class Amendment(Message):
    """Changes to a resting order. Absent terms stay as they are; the kind cannot be changed."""

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
    valid_for: str | None = Field(None, max_length=10, description="the new validity from now, such as 5m")
    expires: str | None = Field(None, max_length=40, description="the new expiry, in ISO 8601 with a time zone")

    paused: bool | None = Field(
        None, description="for an order with several executions: true pauses it, false resumes it"
    )

    @property
    def changes(self) -> dict[str, str | bool]:
        """The given terms by name."""
        return {name: value for name in Amendment.model_fields if (value := getattr(self, name)) is not None}


class AmendParams(Amendment):
    order: OrderRef


class AmendResult(Message):
    order: OrderView
