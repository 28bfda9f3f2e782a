"""Messages about profit and loss and the value of the wallet."""

from typing import Literal

from pydantic import Field

from orderd.wire.message import ACCOUNT, Message, Moment, Name

Unit = Literal["USDC", "SOL"]
"""The unit in which values are expressed."""


class PnlParams(Message):
    """Selects profit and loss. Lots are formed from all fills and transfers; ``since`` only limits the days that are
    returned."""

    unit: Unit = "USDC"
    method: Literal["fifo", "average"] = Field("fifo", description="the lots that a sale consumes")
    account: Name | None = Field(None, description=ACCOUNT)
    since: Moment | None = Field(None, description="only days from this time on, in UTC")


class _Earned(Message):
    realised: str = Field(description="proceeds of sales minus the cost of what was sold, in the unit")
    fees: str = Field(description="network fees including tips, in the unit")
    rent: str = Field(description="rent of token accounts, in the unit")


class PnlToken(_Earned):
    """The recorded position in a token, and its profit and loss. Amounts are in the token, values in the unit."""

    token: str
    mint: str
    held: str = Field(description="the recorded balance: inflows minus outflows")
    cost: str = Field(description="the cost of the position, as far as it is known")
    price: str | None = Field(description="the current price of one token; null if unknown")
    value: str | None
    unrealised: str | None = Field(description="value minus cost, of the part whose cost is known")
    uncovered: str = Field(
        description="the amount sold whose purchase is not recorded; it counts as neither gain nor loss"
    )
    is_estimated: bool = Field(
        description="true if costs are estimated from mid prices, as for deposits and for pairs without the unit"
    )


class PnlDay(_Earned):
    """The profit and loss of a token on a day in UTC."""

    day: str
    token: str


class PnlTotals(_Earned):
    unrealised: str | None = Field(description="null if the price of a token is unknown")
    net: str | None = Field(description="realised plus unrealised, minus fees and rent")


class PnlResult(Message):
    """For one account, based on its fills; for all accounts, also on other transfers to and from the wallet."""

    unit: Unit
    method: Literal["fifo", "average"]
    since: Moment | None
    tokens: tuple[PnlToken, ...]
    days: tuple[PnlDay, ...]
    totals: PnlTotals
    fills: int
    movements: int


class PortfolioParams(Message):
    unit: Unit = "USDC"


class Holding(Message):
    """A token in the wallet. ``value`` is in the unit."""

    token: str
    mint: str
    amount: str
    price: str | None = Field(description="price of one token in the unit; null if unknown")
    value: str | None
    share: str | None = Field(description="share of the value of all holdings with a known price, in percent")
    change: str | None = Field(description="change of the price over 24 hours, in percent")


class PortfolioResult(Message):
    """``value`` is the value of all holdings with a known price. ``change`` is its change over 24 hours for the same
    amounts, in percent; null if a price of that time is unknown."""

    wallet: str
    unit: Unit
    value: str
    change: str | None
    holdings: tuple[Holding, ...]
