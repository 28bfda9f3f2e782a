"""An order's terms as shown. See ``terms``."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from orderd.domain.order import CatchUp, Floor, OrderKind, TimeInForce

_IF_ANY: Final = Field(None, exclude_if=lambda value: value is None)
"""For a term that most orders do not have: it is shown only if the order has it."""


class FormattedTerms(BaseModel):
    """The terms as shown with an order: each with the value that applies, also if none was given."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    token_in: str
    token_out: str
    amount_in: str | None = None
    """The sold amount. For an exact output it is what the order has paid, once that is known."""
    amount_word: str | None = _IF_ANY
    slippage: str
    min_out: str | None = None
    max_cost: str | None = None
    floor: Floor = Floor.EACH
    """The value for daemons that do not send it."""
    use_wrapped: bool = False
    exact_out: str | None = _IF_ANY
    max_in: str | None = _IF_ANY
    type: OrderKind = Field(OrderKind.MARKET, exclude_if=lambda kind: kind is OrderKind.MARKET)
    limit_price: str | None = _IF_ANY
    stop_price: str | None = _IF_ANY
    take_profit_price: str | None = _IF_ANY
    trail: str | None = _IF_ANY
    max_slippage: str | None = _IF_ANY
    min_liquidity: str | None = _IF_ANY
    max_pool_fee: str | None = _IF_ANY
    max_round_trip_loss: str | None = _IF_ANY
    max_holder: str | None = _IF_ANY
    allow: str | None = _IF_ANY
    slippage_widens: bool = Field(False, exclude_if=lambda widens: not widens)
    """Whether each try that fails is followed by one with more slippage, up to ``max_slippage``."""
    confirm: int | None = _IF_ANY
    confirm_for: str | None = _IF_ANY
    time_in_force: TimeInForce | None = _IF_ANY
    partial: bool = Field(False, exclude_if=lambda partial: not partial)
    min_fill: str | None = _IF_ANY
    slices: int | None = _IF_ANY
    over: str | None = _IF_ANY
    every: str | None = _IF_ANY
    jitter: str | None = _IF_ANY
    catch_up: CatchUp | None = _IF_ANY
    then_take_profit: str | None = _IF_ANY
    then_stop: str | None = _IF_ANY
    valid_for: str | None = _IF_ANY
    expires: str | None = _IF_ANY
