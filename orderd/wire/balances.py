"""Messages about the balances of the wallet."""

from pydantic import Field

from orderd.wire.message import Message


class Balance(Message):
    """The wallet's balance of a token, over all its token accounts. An order can sell the ``tradable`` part of it."""

    token: str
    mint: str
    amount: str
    tradable: str | None = Field(None, description="lamports of SOL; of other tokens, the associated token account")
    total: str | None = Field(None, description="what could be sold if no order had reserved any of it")
    reserved: str | None = Field(
        None, description="the part of total that open orders may spend; for SOL including their fees and rent"
    )
    available: str | None = Field(
        None, description="total without reserved; absent if Postgres could not report what is reserved"
    )
    wrapped: str | None = Field(None, description="for SOL: the balance of wrapped SOL accounts")
    elsewhere: str | None = Field(None, description="the balance in other token accounts of the wallet")


class BalancesResult(Message):
    wallet: str
    balances: tuple[Balance, ...]
