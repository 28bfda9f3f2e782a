"""What was earned, and what the wallet is worth."""

from typing import Literal

from pydantic import Field

from orderd.wire.message import ACCOUNT, Message, Moment, Name

Unit = Literal["USDC", "SOL"]
"""The unit of values."""


class PnlParams(Message):
    """What was earned. Lots are made of all fills and movements; ``since`` chooses the days that are shown."""

    unit: Unit = "USDC"
    method: Literal["fifo", "average"] = Field("fifo", description="which lots a sale takes")
    account: Name | None = Field(None, description=ACCOUNT)
    since: Moment | None = Field(None, description="days from then on, in UTC")


class _Earned(Message):
    realised: str = Field(description="what sales brought above the cost of what was sold, in the unit")
    fees: str = Field(description="what network fees cost, tips included, in the unit")
    rent: str = Field(description="what rent of token accounts cost, in the unit")


class PnlToken(_Earned):
    """What is held of a token by the records, and what came of it. Amounts in the token, values in the unit."""

    token: str
    mint: str
    held: str = Field(description="all that came less all that went")
    cost: str = Field(description="of what is held, as far as it is known")
    price: str | None = Field(description="of one token now; null where no price is kept")
    value: str | None
    unrealised: str | None = Field(description="value above cost, of what has a cost")
    uncovered: str = Field(description="what was sold that is not known to have come: it neither gained nor lost")
    is_estimated: bool = Field(description="whether costs are by the mid price of a moment: deposits, and other pairs")


class PnlDay(_Earned):
    """What came of a token on a day in UTC."""

    day: str
    token: str


class PnlTotals(_Earned):
    unrealised: str | None = Field(description="null where the price of a token is not known")
    net: str | None = Field(description="realised and unrealised, less fees and rent")


class PnlResult(Message):
    """Of an account its fills; of all accounts also what came to the wallet and left it beside them."""

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
    """A token that the wallet holds. ``value`` in the unit."""

    token: str
    mint: str
    amount: str
    price: str | None = Field(description="of one token in the unit; null where no price is kept")
    value: str | None
    share: str | None = Field(description="of the value of all that has a price, in percent")
    change: str | None = Field(description="of the price within a day, in percent")


class PortfolioResult(Message):
    """``value`` is that of all tokens whose price is known; ``change`` is that of the value of these amounts
    within a day, in percent, where all prices of a day ago are known."""

    wallet: str
    unit: Unit
    value: str
    change: str | None
    holdings: tuple[Holding, ...]
