"""What the wallet holds."""

from pydantic import Field

from orderd.wire.message import Message


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
